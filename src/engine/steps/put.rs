//! `put`: one manifest, under a tag, several tags, a digest, or a literal reference.

use std::sync::Arc;

use super::{Here, expand, literal};
use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::engine::ask::{Expected, Question};
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::journal::{Kind, Thing};
use crate::suite::model::{By, Put};
use crate::wire::{Ask, AskBody};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Put) -> Result<(), Halt> {
    let node = case.node(&what.manifest)?;
    let content_type = match what.content_type.as_deref() {
        None => Some(node.media_type.clone()),
        Some("none") => None,
        Some(text) => Some(expand(case, here.nickname(), Some(&node), text)?),
    };
    let name = &what.manifest;
    let mut references = Vec::new();
    if let Some(tags) = &what.tags {
        for tag in tags.tags() {
            references.push((format!("put {name} as {tag}"), Reference::Tag(here.tag(case, Some(&tag))?)));
        }
    } else if let Some(text) = &what.reference {
        let reference = expand(case, here.nickname(), Some(&node), text)?;
        let reference = match Digest::parse(&reference) {
            Some(digest) => Reference::Digest(digest),
            None => Reference::Tag(reference),
        };
        references.push((format!("put {name} under {text}"), reference));
    } else if let Some(other) = &what.under {
        let other = case.node(other)?;
        references
            .push((format!("put {name} under the digest of {}", other.name), Reference::Digest(other.digest.clone())));
    } else if what.by == By::Digest {
        references.push((format!("put {name} by digest"), Reference::Digest(node.digest.clone())));
    } else {
        let label = match &what.tag {
            Some(tag) => format!("put {name} as {tag}"),
            None => format!("put {name} by tag"),
        };
        references.push((label, Reference::Tag(here.tag(case, what.tag.as_deref())?)));
    }
    for (label, reference) in references {
        let mut question =
            question(case, here, &node, &reference, content_type.as_deref(), label, here.expect.clone())?;
        if let Some(tags) = &what.with_tags {
            with_tags(case, here, &mut question, &tags.tags())?;
        }
        let answers = case.ask(vec![question]).await?;
        for answer in &answers {
            note(case, here.nickname(), &node, &reference, answer.status);
        }
        Case::must_hold(&answers)?;
    }
    Ok(())
}

/// Asks for further tags in the query.
fn with_tags(case: &Case, here: &Here<'_>, question: &mut Question, tags: &[String]) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    for (at, tag) in tags.iter().enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        question.ask.target.push_str(&format!("{sign}tag={}", literal(tag)));
        question.creates.push(Thing { kind: Kind::Tag, repository: repository.clone(), reference: tag.clone() });
    }
    Ok(())
}

/// What a manifest is put under.
pub(super) enum Reference {
    /// A tag, or what is meant as one.
    Tag(String),
    /// A digest.
    Digest(Digest),
}

impl Reference {
    fn text(&self) -> &str {
        match self {
            Reference::Tag(tag) => tag,
            Reference::Digest(digest) => digest.as_str(),
        }
    }
}

/// Writes the answer to a put down.
pub(super) fn note(case: &mut Case, nickname: &str, node: &Arc<Node>, under: &Reference, status: Option<u16>) {
    let facts = case.facts.at(nickname);
    match under {
        Reference::Tag(tag) => facts.put(node, Some(tag), status),
        Reference::Digest(digest) if *digest == node.digest => facts.put(node, None, status),
        // Taken under a digest that is not its own: what is there now is anybody's guess.
        Reference::Digest(_) => facts.put(node, None, status.filter(|s| *s >= 400)),
    }
}

/// A put.
pub(super) fn question(
    case: &Case,
    here: &Here<'_>,
    node: &Arc<Node>,
    under: &Reference,
    content_type: Option<&str>,
    label: String,
    expect: Expected,
) -> Result<Question, Halt> {
    let repository = case.repository(here.nickname())?;
    let mut ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/{}", literal(under.text())));
    if let Some(content_type) = content_type {
        ask = ask.header("Content-Type", content_type);
    }
    ask.body = match &node.body {
        Body::Bytes(bytes) => AskBody::Bytes(bytes.clone()),
        Body::Generated(source) => AskBody::Generated { source: source.clone(), offset: 0, length: source.size },
        Body::None => return Err(case.unusable(format!("{} has no bytes to be put", node.name))),
    };
    let thing = |kind, reference: &str| Thing { kind, repository: repository.clone(), reference: reference.to_owned() };
    let mut creates = vec![thing(Kind::Manifest, node.digest.as_str())];
    match under {
        Reference::Tag(tag) => creates.push(thing(Kind::Tag, tag)),
        Reference::Digest(digest) if *digest != node.digest => creates.push(thing(Kind::Manifest, digest.as_str())),
        Reference::Digest(_) => {}
    }
    let path_digest = match under {
        Reference::Digest(digest) => Some(digest.clone()),
        Reference::Tag(_) => None,
    };
    Ok(Question {
        ask: here.finish(case, Some(node), ask, &["pull", "push"])?,
        subject: Subject { node: Some(node.clone()), path_digest, range: None },
        expect,
        reads: false,
        creates,
        ..here.question(label, Ask::new("PUT", ""))
    })
}
