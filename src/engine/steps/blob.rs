//! `blob`: GET or HEAD of a blob, or of a slice of it; and uploads that `push` makes are in [`super::upload`].

use super::{Here, expand, literal};
use crate::content::digest::Digest;
use crate::engine::ask::{Expected, Question, keep};
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::suite::model::{BlobRead, ReadMethod};
use crate::wire::{Ask, Keep};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &BlobRead) -> Result<(), Halt> {
    let (method, verb) = match what.method {
        ReadMethod::Get => ("GET", "get"),
        ReadMethod::Head => ("HEAD", "head"),
    };
    let range = what.range.as_deref().map(|range| format!(" {range}")).unwrap_or_default();
    let label = format!("{verb} blob {}{range}", what.of.trim_start_matches('='));
    let mut question = match what.of.strip_prefix('=') {
        Some(text) => {
            let reference = expand(case, here.nickname(), None, text)?;
            let subject = Subject { node: None, path_digest: Digest::parse(&reference), range: what.range.clone() };
            question(case, here, method, &reference, subject, label, here.expect.clone())?
        }
        None => {
            let node = case.node(&what.of)?;
            let digest = node.digest.clone();
            let subject = Subject { path_digest: Some(digest.clone()), node: Some(node), range: what.range.clone() };
            question(case, here, method, digest.as_str(), subject, label, here.expect.clone())?
        }
    };
    if what.range.is_some() {
        // A slice is compared byte by byte.
        question.ask.keep = Keep::Whole;
    }
    let digest = question.subject.path_digest.clone();
    let answers = case.ask(vec![question]).await?;
    for (digest, answer) in digest.iter().zip(&answers) {
        // Within a deletion's window it may be there no longer.
        let status = answer.status.filter(|_| !case.may_be_going(here.nickname()));
        case.facts.at(here.nickname()).read(digest, status);
    }
    Ok(())
}

/// A read of a blob.
pub(super) fn question(
    case: &Case,
    here: &Here<'_>,
    method: &str,
    reference: &str,
    subject: Subject,
    label: String,
    expect: Expected,
) -> Result<Question, Halt> {
    let repository = case.repository(here.nickname())?;
    let mut ask = Ask::new(method, &format!("/v2/{repository}/blobs/{}", literal(reference)));
    if let Some(range) = &subject.range {
        ask = ask.header("Range", range);
    }
    let mut ask = here.finish(case, subject.node.as_ref(), ask, &["pull"])?;
    if let Some(node) = &subject.node {
        ask.keep = keep(node.size, node.digest.algorithm());
    }
    Ok(Question { subject, expect, ..here.question(label, ask) })
}
