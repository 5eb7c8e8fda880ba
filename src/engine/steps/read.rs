//! `get` and `head` of a manifest.

use super::{Here, expand};
use crate::content::digest::Digest;
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::suite::model::{By, Read};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Read, method: &str) -> Result<(), Halt> {
    let mut node = what.manifest.as_deref().map(|name| case.node(name)).transpose()?;
    let verb = method.to_ascii_lowercase();
    let by_tag = what.by == Some(By::Tag) || (what.by.is_none() && what.tag.is_some());
    let (label, reference) = if let Some(text) = &what.reference {
        (format!("{verb} {text}"), expand(case, here.nickname(), node.as_ref(), text)?)
    } else if by_tag || node.is_none() {
        let tag = here.tag(case, what.tag.as_deref())?;
        let label = match (&what.manifest, &what.tag) {
            (Some(name), None) => format!("{verb} {name} by tag"),
            (Some(name), Some(tag)) => format!("{verb} {name} by tag {tag}"),
            (None, written) => format!("{verb} tag {}", written.as_ref().unwrap_or(&tag)),
        };
        // Without a name, it is about whatever the tag was last acknowledged to name.
        node = node.or_else(|| case.facts.tagged(here.nickname(), &tag).cloned());
        (label, tag)
    } else {
        let digest = node.as_ref().map(|n| n.digest.to_string()).unwrap_or_default();
        (format!("{verb} {} by digest", what.manifest.as_deref().unwrap_or_default()), digest)
    };
    let ask = here.manifest_ask(case, node.as_ref(), method, &reference)?;
    let question = Question {
        subject: Subject { node, path_digest: Digest::parse(&reference), range: None },
        expect: here.expect.clone(),
        ..here.question(label, ask)
    };
    let digest = question.subject.path_digest.clone();
    let answers = case.ask(vec![question]).await?;
    for (digest, answer) in digest.iter().zip(&answers) {
        // Within a deletion's window it may be there no longer.
        let status = answer.status.filter(|_| !case.may_be_going(here.nickname()));
        case.facts.at(here.nickname()).read(digest, status);
    }
    Ok(())
}
