//! Who refers to a manifest (end-12).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::lists::encode;
use super::manifest::{OCI_INDEX, is_digest};
use super::problem::Problem;
use super::question::{Asked, Lookup, Reference};
use super::registry::Registry;
use super::state::{Manifests, Stored};
use crate::content::digest::Digest;

/// GET of the referrers of a digest; the digest, and the repository, may be unknown: then nobody refers to it.
pub fn get(registry: &Registry, asked: &Asked, repository: &str, subject: &str) -> Result<Answer, Problem> {
    if !asked.reads() {
        return Err(Problem::unsupported("a list of referrers has GET"));
    }
    if !is_digest(subject) {
        return Err(Problem::digest_invalid("the digest is malformed", subject));
    }
    let state = registry.state();
    let found = state.repository(repository);
    let digests = found.and_then(|r| r.referrers.get(subject)).into_iter().flatten();
    let all: Manifests = digests.filter_map(|d| Some((d.clone(), found?.manifests.get(d)?.clone()))).collect();
    let reference = Reference::parse(subject);
    let lookup = Lookup { view: registry.view(&state), repository, reference: &reference, asked };
    let mut all = registry.policy.refer(&lookup, all);

    // No media type holds a space: one stands for a `+` that the client did not encode.
    let filter = asked.query.get("artifactType").filter(|t| !t.is_empty()).map(|t| t.replace(' ', "+"));
    if let Some(filter) = &filter {
        all.retain(|(_, stored)| artifact_type(stored).is_some_and(|t| t == filter));
    }
    let last = asked.query.get("last").unwrap_or_default();
    let mut rest = all.into_iter().skip_while(|(digest, _)| digest.as_str() <= last);
    let page: Vec<_> = rest.by_ref().take(registry.config.referrers_page.max(1)).collect();
    let manifests: Vec<Value> = page.iter().map(|(digest, stored)| descriptor(digest, stored)).collect();
    let body = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
    let mut answer = Answer::json(StatusCode::OK, &body).with("content-type", OCI_INDEX);
    if filter.is_some() {
        answer = answer.with("oci-filters-applied", "artifactType");
    }
    if let (Some((last, _)), Some(_)) = (page.last(), rest.next()) {
        let filter = filter.map(|f| format!("artifactType={}&", encode(&f))).unwrap_or_default();
        let link = format!("</v2/{repository}/referrers/{subject}?{filter}last={last}>; rel=\"next\"");
        answer = answer.with("link", &link);
    }
    Ok(answer)
}

fn artifact_type(stored: &Stored) -> Option<&String> {
    stored.manifest.artifact_type.as_ref()
}

fn descriptor(digest: &Digest, stored: &Stored) -> Value {
    let mut descriptor =
        json!({ "mediaType": stored.manifest.media_type, "digest": digest.as_str(), "size": stored.size });
    if let Some(map) = descriptor.as_object_mut() {
        if let Some(artifact_type) = artifact_type(stored) {
            map.insert("artifactType".into(), json!(artifact_type));
        }
        if let Some(annotations) = &stored.manifest.annotations {
            map.insert("annotations".into(), annotations.clone());
        }
    }
    descriptor
}
