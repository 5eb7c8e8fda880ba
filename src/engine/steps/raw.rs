//! `raw`: any request.

use std::sync::Arc;

use bytes::Bytes;

use super::put::{self, Reference};
use super::{Here, expand};
use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::journal::{Kind, Thing};
use crate::suite::model::Raw;
use crate::wire::{Ask, AskBody};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Raw) -> Result<(), Halt> {
    let path = expand(case, here.nickname(), None, &what.path)?;
    // It is about the node whose bytes it sends, else the one whose digest stands in its path.
    let named = what.path.split_once("{digest:").and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name);
    let sent = what.bytes_of.as_deref().map(|name| case.node(name)).transpose()?;
    let node = match (&sent, named) {
        (Some(node), _) => Some(node.clone()),
        (None, Some(name)) => Some(case.node(name)?),
        (None, None) => None,
    };
    let mut ask = Ask::new(&what.method, &path);
    if let Some(node) = &sent {
        ask.body = match &node.body {
            Body::Bytes(bytes) => AskBody::Bytes(bytes.clone()),
            Body::Generated(source) => AskBody::Generated { source: source.clone(), offset: 0, length: source.size },
            Body::None => return Err(case.unusable(format!("{} has no bytes to be sent", node.name))),
        };
    } else if let Some(text) = &what.body {
        ask.body = AskBody::Bytes(Bytes::from(expand(case, here.nickname(), node.as_ref(), text)?));
    }
    if let Some(size) = what.chunks {
        ask.body = AskBody::Bytes(in_chunks(&ask.body, size));
        ask = ask.header("Transfer-Encoding", "chunked");
    }
    ask.as_written = true;
    let reads = matches!(what.method.as_str(), "GET" | "HEAD");
    let actions: &[&str] = if reads { &["pull"] } else { &["pull", "push"] };
    let last = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let ask = here.finish(case, node.as_ref(), ask, actions)?;
    let put = put_of(case, here, what, &path)?;
    let question = Question {
        subject: Subject { node, path_digest: Digest::parse(last), range: None },
        expect: here.expect.clone(),
        reads,
        creates: put.iter().map(|reference| thing(case, here, reference)).collect::<Result<_, _>>()?,
        ..here.question(format!("{} {}", what.method, what.path), ask)
    };
    let answers = case.ask(vec![question]).await?;
    if let (Some(reference), Some(node)) = (&put, &sent) {
        note(case, here, node, reference, answers.first().and_then(|answer| answer.status));
    }
    Ok(())
}

/// A body in the chunked coding (RFC 9112 7.1).
pub(super) fn in_chunks(body: &AskBody, size: u64) -> Bytes {
    let whole: Vec<u8> = match body {
        AskBody::Empty => Vec::new(),
        AskBody::Bytes(bytes) => bytes.to_vec(),
        AskBody::Generated { source, offset, length } => source.pieces(*offset, *length).flatten().collect(),
    };
    let mut coded = Vec::with_capacity(whole.len() * 2);
    for chunk in whole.chunks(usize::try_from(size).unwrap_or(usize::MAX).max(1)) {
        coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        coded.extend_from_slice(chunk);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\n\r\n");
    coded.into()
}

/// What a raw PUT of a manifest into the step's repository puts it under.
fn put_of(case: &Case, here: &Here<'_>, what: &Raw, path: &str) -> Result<Option<Reference>, Halt> {
    let prefix = format!("/v2/{}/manifests/", case.repository(here.nickname())?);
    let reference = path
        .strip_prefix(&prefix)
        .filter(|reference| what.method == "PUT" && !reference.is_empty() && !reference.contains(['/', '?']));
    Ok(reference.map(|reference| match Digest::parse(reference) {
        Some(digest) => Reference::Digest(digest),
        None => Reference::Tag(reference.to_owned()),
    }))
}

fn thing(case: &Case, here: &Here<'_>, reference: &Reference) -> Result<Thing, Halt> {
    let repository = case.repository(here.nickname())?;
    Ok(match reference {
        Reference::Tag(tag) => Thing { kind: Kind::Tag, repository, reference: tag.clone() },
        Reference::Digest(digest) => Thing { kind: Kind::Manifest, repository, reference: digest.to_string() },
    })
}

fn note(case: &mut Case, here: &Here<'_>, node: &Arc<Node>, reference: &Reference, status: Option<u16>) {
    if node.is_manifest() {
        put::note(case, here.nickname(), node, reference, status);
    }
}
