//! Manifests: put, get, head, delete (end-3, end-7, end-9).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::Value;

use super::answer::Answer;
use super::config::Stance;
use super::manifest::{Descriptor, Kind, Manifest, is_digest};
use super::policy::Policy;
use super::problem::{Problem, Verdict};
use super::question::{Asked, Change, Lookup, Push, Reference, Removal, Served, Target, View, Wanted};
use super::registry::Registry;
use super::route::is_tag;
use super::state::Write;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::suite::model::Scope;

/// PUT of a manifest.
pub fn put(registry: &Registry, asked: &Asked, repository: &str, reference: &str, bytes: &Bytes) -> Answer {
    store(registry, asked, repository, reference, bytes).unwrap_or_else(Answer::from)
}

fn store(
    registry: &Registry,
    asked: &Asked,
    repository: &str,
    reference: &str,
    bytes: &Bytes,
) -> Result<Answer, Problem> {
    let reference = Reference::parse(reference);
    if let Reference::Other(text) = &reference {
        return Err(match text.contains(':') {
            true => Problem::digest_invalid("the digest is malformed, or its algorithm is not known", text),
            false => Problem::manifest_invalid("the tag does not match the grammar of tags"),
        });
    }
    if bytes.len() as u64 > registry.config.manifest_limit {
        let message = format!("the manifest is larger than {} bytes", registry.config.manifest_limit);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", &message, Value::Null));
    }
    let tags: Vec<String> = asked.query.all("tag").map(str::to_owned).collect();
    if !tags.iter().all(|tag| is_tag(tag)) {
        return Err(Problem::manifest_invalid("the tag does not match the grammar of tags"));
    }
    let manifest = Manifest::parse(asked.header("content-type"), bytes).map_err(|e| Problem::manifest_invalid(&e))?;
    let algorithm = reference.digest().map_or(Algorithm::Sha256, Digest::algorithm);
    let digest = Digest::of(algorithm, bytes);

    let mut state = registry.changing();
    let view = registry.view(&state);
    let missing = missing(view, &registry.policy, repository, &manifest);
    let push = Push {
        view,
        repository,
        reference: &reference,
        tags: &tags,
        bytes,
        manifest: &manifest,
        digest: &digest,
        missing: &missing,
    };
    let verdict = registry.policy.accept(&push, judge(&push));
    let writes = registry.policy.store(&Change::Put(&push, &verdict), writes_of(&push, &verdict));
    registry.apply(&mut state, &writes)?;
    verdict?;

    let stored_under = reference.digest().unwrap_or(&digest);
    let mut answer = Answer::new(StatusCode::CREATED)
        .with("location", &format!("/v2/{repository}/manifests/{stored_under}"))
        .with("docker-content-digest", stored_under.as_str());
    if let Some(subject) = &manifest.subject {
        answer = answer.with("oci-subject", subject);
    }
    if !tags.is_empty() {
        answer = answer.with("oci-tag", &tags.join(", "));
    }
    Ok(answer)
}

/// What a manifest names and is not there, each digest once, in order.
fn missing(view: View, policy: &Policy, repository: &str, manifest: &Manifest) -> Vec<Descriptor> {
    let mut seen = BTreeSet::new();
    let named = manifest.children.iter().chain(manifest.blobs.iter().filter(|blob| !blob.is_foreign()));
    named
        .filter(|descriptor| seen.insert(&descriptor.digest))
        .filter(|descriptor| {
            let wanted = Wanted { view, repository, parent: manifest, descriptor };
            !policy.present(&wanted, is_present(&wanted))
        })
        .cloned()
        .collect()
}

fn is_present(wanted: &Wanted) -> bool {
    let Wanted { view, repository, parent, descriptor } = wanted;
    let Some(digest) = Digest::parse(&descriptor.digest) else { return false };
    let anywhere = parent.kind == Kind::Index && view.config.scope == Scope::Registry;
    let manifest = match anywhere {
        true => view.state.manifest_anywhere(&digest).is_some(),
        false => view.state.manifest(repository, &digest).is_some(),
    };
    let blob = || match anywhere {
        true => view.state.blob_anywhere(&digest).is_some(),
        false => view.state.has_blob(repository, &digest),
    };
    match parent.kind {
        Kind::Index => manifest || (!descriptor.names_manifest() && blob()),
        _ => blob(),
    }
}

/// Whether a manifest may be stored.
fn judge(push: &Push) -> Verdict {
    if let Some(claimed) = push.reference.digest()
        && claimed != push.digest
    {
        return Err(Problem::digest_invalid("the digest is not that of the manifest", claimed.as_str()));
    }
    if let Some(said) = &push.manifest.said {
        return Err(Problem::manifest_invalid(&format!(
            "mediaType is {said}, Content-Type is {}",
            push.manifest.media_type
        )));
    }
    let config = push.view.config;
    let demanded = |descriptor: &&Descriptor| match push.manifest.kind {
        Kind::Index => config.stance.demands(descriptor.platform.as_deref()),
        _ => !config.sparse_images.unwrap_or(config.stance == Stance::Accept),
    };
    let refused_for: Vec<String> = push.missing.iter().filter(demanded).map(|d| d.digest.clone()).collect();
    if refused_for.is_empty() { Ok(()) } else { Err(Problem::children_unknown(&refused_for)) }
}

/// What a push writes: nothing where it is refused.
fn writes_of(push: &Push, verdict: &Verdict) -> Vec<Write> {
    if verdict.is_err() {
        return Vec::new();
    }
    let repository = push.repository.to_owned();
    let digest = push.reference.digest().unwrap_or(push.digest).clone();
    let tags = push.reference.tag().map(str::to_owned).into_iter().chain(push.tags.iter().cloned());
    let manifest = Arc::new(push.manifest.clone());
    let bytes = push.bytes.clone();
    let mut writes = vec![Write::Manifest { repository: repository.clone(), digest: digest.clone(), manifest, bytes }];
    writes.extend(tags.map(|tag| Write::Tag { repository: repository.clone(), tag, digest: digest.clone() }));
    writes
}

/// GET and HEAD of a manifest. It is served as it is, whatever `Accept` says.
pub fn get(registry: &Registry, asked: &Asked, repository: &str, reference: &str) -> Answer {
    let reference = Reference::parse(reference);
    let state = registry.state();
    let lookup = Lookup { view: registry.view(&state), repository, reference: &reference, asked };
    match registry.policy.resolve(&lookup, resolve(&lookup)) {
        Some(served) => serve(served),
        None => unknown(&lookup).into(),
    }
}

/// What a reference leads to.
fn resolve(lookup: &Lookup) -> Option<Served> {
    let Lookup { view, repository, reference, .. } = lookup;
    let digest = match reference {
        Reference::Tag(tag) => view.state.tag(repository, tag)?,
        Reference::Digest(digest) => digest,
        Reference::Other(_) => return None,
    };
    manifest_as_served(*view, repository, digest)
}

/// A stored manifest, as it is served.
pub fn manifest_as_served(view: View, repository: &str, digest: &Digest) -> Option<Served> {
    let stored = view.state.manifest(repository, digest)?;
    Some(Served {
        media_type: stored.manifest.media_type.clone(),
        digest: digest.clone(),
        body: view.content.body(digest)?,
    })
}

fn serve(served: Served) -> Answer {
    let mut answer = Answer::new(StatusCode::OK)
        .with("content-type", &served.media_type)
        .with("docker-content-digest", served.digest.as_str())
        .with("etag", &format!("\"{}\"", served.digest));
    answer = answer.with("content-length", &served.body.length().to_string());
    answer.body = served.body;
    answer
}

fn unknown(lookup: &Lookup) -> Problem {
    let text = lookup.reference.as_str();
    match lookup.reference {
        Reference::Other(_) if text.contains(':') && !is_digest(text) => {
            Problem::digest_invalid("the digest is malformed", text)
        }
        _ if lookup.view.state.repository(lookup.repository).is_none() => Problem::name_unknown(lookup.repository),
        _ => Problem::manifest_unknown(text),
    }
}

/// DELETE of a manifest or a tag.
pub fn delete(registry: &Registry, asked: &Asked, repository: &str, reference: &str) -> Answer {
    let reference = Reference::parse(reference);
    let target = match &reference {
        Reference::Tag(tag) => Target::Tag(tag.clone()),
        Reference::Digest(digest) => Target::Manifest(digest.clone()),
        Reference::Other(_) => {
            let state = registry.state();
            return unknown(&Lookup { view: registry.view(&state), repository, reference: &reference, asked }).into();
        }
    };
    remove(registry, repository, &target).unwrap_or_else(Answer::from)
}

/// Removes what is there and may go.
pub fn remove(registry: &Registry, repository: &str, target: &Target) -> Result<Answer, Problem> {
    let mut state = registry.changing();
    let removal = Removal { view: registry.view(&state), repository, target };
    registry.policy.delete(&removal, may_go(&removal))?;
    let writes = registry.policy.store(&Change::Delete(&removal), removes_of(&removal));
    registry.apply(&mut state, &writes)?;
    Ok(Answer::new(StatusCode::ACCEPTED))
}

fn may_go(removal: &Removal) -> Verdict {
    let Removal { view, repository, target } = removal;
    let Some(found) = view.state.repository(repository) else { return Err(Problem::name_unknown(repository)) };
    match target {
        Target::Tag(tag) if !found.tags.contains_key(tag) => Err(Problem::manifest_unknown(tag)),
        Target::Manifest(digest) if !found.manifests.contains_key(digest) => {
            Err(Problem::manifest_unknown(digest.as_str()))
        }
        Target::Blob(digest) if !found.blobs.contains_key(digest) => Err(Problem::blob_unknown(digest.as_str())),
        _ => Ok(()),
    }
}

/// What a delete writes: a manifest takes its tags with it.
fn removes_of(removal: &Removal) -> Vec<Write> {
    let repository = removal.repository.to_owned();
    match removal.target {
        Target::Tag(tag) => vec![Write::Untag { repository, tag: tag.clone() }],
        Target::Blob(digest) => vec![Write::Unlink { repository, digest: digest.clone() }],
        Target::Manifest(digest) => {
            let found = removal.view.state.repository(removal.repository);
            let tags = found.into_iter().flat_map(|r| r.tags_of(digest)).cloned();
            let mut writes: Vec<Write> = tags.map(|tag| Write::Untag { repository: repository.clone(), tag }).collect();
            writes.push(Write::DropManifest { repository, digest: digest.clone() });
            writes
        }
    }
}

/// The manifest routes.
pub fn route(registry: &Registry, asked: &Asked, repository: &str, reference: &str, bytes: &Bytes) -> Answer {
    match asked.method {
        Method::GET | Method::HEAD => get(registry, asked, repository, reference),
        Method::PUT => put(registry, asked, repository, reference, bytes),
        Method::DELETE => delete(registry, asked, repository, reference),
        _ => Problem::unsupported("a manifest has GET, HEAD, PUT and DELETE").into(),
    }
}
