//! `delete`: of a manifest, a tag, or a blob.

use super::{Here, expand, literal};
use crate::content::NodeKind;
use crate::content::digest::Digest;
use crate::engine::ask::{Expected, Question};
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::journal::{Kind, Thing};
use crate::suite::model::Delete;
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Delete) -> Result<(), Halt> {
    if let Some(tag) = &what.tag {
        return one_tag(case, here, &here.tag(case, Some(tag))?, here.expect.clone()).await;
    }
    let (node, reference, kind, label) = if let Some(name) = &what.manifest {
        let node = case.node(name)?;
        (Some(node.clone()), node.digest.to_string(), Kind::Manifest, format!("delete {name}"))
    } else if let Some(name) = &what.blob {
        let node = case.node(name)?;
        (Some(node.clone()), node.digest.to_string(), Kind::Blob, format!("delete blob {name}"))
    } else if let Some(text) = &what.reference {
        let reference = expand(case, here.nickname(), None, text)?;
        let kind = if Digest::parse(&reference).is_some() { Kind::Manifest } else { Kind::Tag };
        (None, reference, kind, format!("delete {text}"))
    } else {
        return Err(case.unusable("delete names neither manifest, tag, blob nor reference".into()));
    };
    let subject = Subject { node, path_digest: Digest::parse(&reference), range: None };
    let question = question(case, here, kind, &reference, subject, label, here.expect.clone())?;
    let answers = case.ask(vec![question]).await?;
    let facts = case.facts.at(here.nickname());
    for answer in &answers {
        match (kind, Digest::parse(&reference)) {
            (Kind::Blob, Some(digest)) => facts.delete_blob(&digest, answer.status),
            (Kind::Manifest, Some(digest)) => facts.delete_manifest(&digest, answer.status),
            _ => facts.delete_tag(&reference, answer.status),
        }
    }
    Case::must_hold(&answers)
}

/// Deletes a tag.
pub(super) async fn one_tag(case: &mut Case, here: &Here<'_>, tag: &str, expect: Expected) -> Result<(), Halt> {
    let node = case.facts.tagged(here.nickname(), tag).cloned();
    let subject = Subject { node, ..Subject::default() };
    let question = question(case, here, Kind::Tag, tag, subject, format!("delete tag {tag}"), expect)?;
    let answers = case.ask(vec![question]).await?;
    for answer in &answers {
        case.facts.at(here.nickname()).delete_tag(tag, answer.status);
    }
    Case::must_hold(&answers)
}

fn question(
    case: &Case,
    here: &Here<'_>,
    kind: Kind,
    reference: &str,
    subject: Subject,
    label: String,
    expect: Expected,
) -> Result<Question, Halt> {
    let repository = case.repository(here.nickname())?;
    let what = if kind == Kind::Blob { "blobs" } else { "manifests" };
    let ask = Ask::new("DELETE", &format!("/v2/{repository}/{what}/{}", literal(reference)));
    let is_manifest = subject.node.as_ref().is_some_and(|node| node.kind != NodeKind::Blob);
    debug_assert!(kind != Kind::Manifest || is_manifest || subject.node.is_none());
    let ask = here.finish(case, subject.node.as_ref(), ask, &[])?;
    Ok(Question {
        subject,
        expect,
        reads: false,
        removes: Some(Thing { kind, repository, reference: reference.to_owned() }),
        // What a token must allow differs from registry to registry: its own challenge says it.
        ..here.question(label, ask)
    })
}
