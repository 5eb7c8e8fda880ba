//! What the rows about collections share: what is named, what is there, and common changes of what is followed.

use std::time::Duration;

pub use super::tools::*;

/// After so long a registry's own clock has run.
pub const CLOCK: Duration = Duration::from_millis(150);

/// The requirements by which a loss shows, whatever was lost.
pub const KEPT: &[&str] = &["gc.keeps-manifest", "gc.keeps-blob", "gc.keeps-tag", "gc.tags"];

/// Whether a repository has this manifest.
pub fn has(held: &Repository, digest: &str) -> bool {
    Digest::parse(digest).is_some_and(|digest| held.manifests.contains_key(&digest))
}

/// An index that is stored.
pub fn is_stored_index(stored: &Stored) -> bool {
    stored.manifest.kind == Kind::Index
}

/// Whether a manifest names this blob.
pub fn has_blob(stored: &Stored, blob: &str) -> bool {
    stored.manifest.blobs.iter().any(|named| named.digest == blob)
}

/// The manifests that a repository lost, oldest first.
pub fn gone_manifests(held: &Repository) -> impl Iterator<Item = (&Digest, &Stored)> {
    held.past.gone().filter_map(|(gone, _)| match gone {
        Gone::Manifest(digest, stored) => Some((digest, stored)),
        _ => None,
    })
}

/// Whether a tag leads to this manifest directly.
pub fn tagged(held: &Repository, digest: &Digest) -> bool {
    held.tags_of(digest).next().is_some()
}

/// Whether an index names this manifest.
pub fn names(index: &Stored, manifest: &Digest) -> bool {
    index.manifest.children.iter().any(|child| child.digest == manifest.as_str())
}

/// Whether a tag that led to this manifest was deleted or moved on.
pub fn lost_a_tag(held: &Repository, manifest: &Digest) -> bool {
    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Tag(_, had) if had == manifest))
}

/// What a manifest keeps alive, without the descriptors of which `lost` holds.
pub fn without(marked: &Marked, right: Vec<Digest>, lost: impl Fn(&Stored, &Descriptor) -> bool) -> Vec<Digest> {
    let Some(stored) = marked.stored else { return right };
    let named = stored.manifest.children.iter().chain(&stored.manifest.blobs);
    let lost: Vec<&str> = named.filter(|named| lost(stored, named)).map(|named| named.digest.as_str()).collect();
    right.into_iter().filter(|digest| !lost.contains(&digest.as_str())).collect()
}

/// What an index keeps alive, without any of its children where `wrong` holds of it.
pub fn without_children(marked: &Marked, right: Vec<Digest>, wrong: impl Fn(&Stored) -> bool) -> Vec<Digest> {
    without(marked, right, |stored, _| is_stored_index(stored) && wrong(stored))
}

/// What an image keeps alive, without the blobs at the places of which `lost` holds: 0 is the config.
pub fn without_blobs(marked: &Marked, right: Vec<Digest>, lost: impl Fn(usize, &Descriptor) -> bool) -> Vec<Digest> {
    let Some(stored) = marked.stored else { return right };
    let all = || stored.manifest.blobs.iter().enumerate();
    let kept = |digest: &str| all().any(|(place, blob)| blob.digest == digest && !lost(place, blob));
    let named = |digest: &str| all().any(|(_, blob)| blob.digest == digest);
    right.into_iter().filter(|digest| !named(digest.as_str()) || kept(digest.as_str())).collect()
}

/// The JSON of what is marked.
pub fn json(marked: &Marked) -> serde_json::Value {
    let body = marked.stored.and_then(|_| marked.view.content.body(marked.digest));
    body.and_then(|body| serde_json::from_slice(&body.to_bytes()).ok()).unwrap_or_default()
}

/// What refers to a digest in this repository.
pub fn refers_to(held: &Repository, subject: &Digest, digest: &Digest) -> bool {
    held.referrers.get(subject.as_str()).is_some_and(|all| all.contains(digest))
}

/// The size of what a collection took here, and nobody brought back.
pub fn collected(view: View, repository: &str, digest: &Digest) -> Option<u64> {
    view.state.repository(repository)?.past.collected(digest)
}

/// A plan that takes more.
pub fn taking(plan: Plan, more: impl FnOnce(&[Write]) -> Vec<Write>) -> Plan {
    plan.map(|plan| {
        let more = more(&plan);
        plus(plan, more)
    })
}

/// The plan without the writes of which `spared` holds.
pub fn sparing(right: Plan, spared: impl Fn(&Write) -> bool) -> Plan {
    right.map(|plan| plan.into_iter().filter(|write| !spared(write)).collect())
}

/// A collection that stops where `wrong` holds of a repository.
pub fn stops(wrong: bool, right: Plan) -> Plan {
    if wrong { Err(fault()) } else { right }
}

/// Whether a collection was finished.
pub fn was_collected(view: View) -> bool {
    view.state.life.collections > 0
}

/// The indexes of this repository that name a manifest and were there before it.
pub fn earlier<'a>(held: &'a Repository, digest: &'a Digest) -> impl Iterator<Item = (&'a Digest, &'a Stored)> {
    let first = held.manifests.get(digest).map(|stored| stored.first);
    let before = move |stored: &Stored| first.is_some_and(|first| stored.first < first);
    held.manifests.iter().filter(move |(_, stored)| before(stored) && names(stored, digest))
}

/// Whether a manifest came after an index that names it.
pub fn is_late(held: &Repository, digest: &Digest) -> bool {
    earlier(held, digest).next().is_some()
}

/// The manifests of a repository that name this blob.
pub fn owners<'a>(held: &'a Repository, blob: &'a str) -> impl Iterator<Item = (&'a Digest, &'a Stored)> {
    held.manifests.iter().filter(move |(_, stored)| has_blob(stored, blob))
}

/// Whether whatever names this blob came late.
pub fn is_of_late_child(held: &Repository, blob: &Digest) -> bool {
    owners(held, blob.as_str()).next().is_some() && owners(held, blob.as_str()).all(|(digest, _)| is_late(held, digest))
}
