//! `referrers`: the manifests whose subject a digest is, all pages together.

use super::pages::{self, Of};
use super::{Here, expand, literal, query};
use crate::content::digest::Digest;
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::suite::model::Referrers;
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Referrers) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    let node = what.of.as_deref().map(|name| case.node(name)).transpose()?;
    let digest = match (&what.digest, &node) {
        (Some(text), _) => expand(case, here.nickname(), node.as_ref(), text)?,
        (None, Some(node)) => node.digest.to_string(),
        (None, None) => return Err(case.unusable("referrers names neither a node nor a digest".into())),
    };
    let mut target = format!("/v2/{repository}/referrers/{}", literal(&digest));
    let mut label = format!("referrers of {}", what.of.as_deref().or(what.digest.as_deref()).unwrap_or_default());
    if let Some(wanted) = &what.artifact_type {
        target.push_str(&format!("?artifactType={}", query(wanted)));
        label.push_str(&format!(" of type {wanted}"));
    }
    let ask = here.finish(case, node.as_ref(), Ask::new("GET", &target), &["pull"])?;
    let question = Question {
        subject: Subject { node, path_digest: Digest::parse(&digest), range: None },
        expect: here.expect.clone(),
        ..here.question(label, ask)
    };
    pages::take(case, &question, None, Of::Referrers, true).await
}
