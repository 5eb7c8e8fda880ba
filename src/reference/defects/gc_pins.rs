//! Garbage that no collection ever takes, for what happened to it before.

use super::gc_tools::*;

/// Whether an index that was removed named this manifest.
pub(super) fn was_child(held: &Repository, digest: &Digest) -> bool {
    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Manifest(_, index) if names(index, digest)))
}

/// Whether a manifest is among what a tag led to before the last of it.
fn passed(held: &Repository, digest: &Digest) -> bool {
    let moves = || {
        held.past.gone().filter_map(|(gone, _)| match gone {
            Gone::Tag(tag, digest) => Some((tag, digest)),
            _ => None,
        })
    };
    moves()
        .enumerate()
        .any(|(place, (tag, value))| value == digest && moves().take(place).any(|(other, _)| other == tag))
}

/// The plan without the manifests of which `spared` holds.
fn sparing_manifests(collection: &Collection, right: Plan, spared: impl Fn(&Digest, &Stored) -> bool) -> Plan {
    sparing(right, |write| match write {
        Write::DropManifest { digest, .. } => {
            collection.held.manifests.get(digest).is_some_and(|stored| spared(digest, stored))
        }
        _ => false,
    })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-spares-children-of-deleted-index",
        "The children of an index that was deleted by its digest are never collected.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing_manifests(collection, right, |digest, _| was_child(collection.held, digest))
        })],
    ),
    Defect::new(
        "gc-spares-blobs-of-deleted-index",
        "Of an index that was deleted by its digest the children are collected, and their blobs never.",
        "gc.drops-blob",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            sparing(right, |write| match write {
                Write::Unlink { digest, .. } => owners(held, digest.as_str()).any(|(owner, _)| was_child(held, owner)),
                _ => false,
            })
        })],
    ),
    Defect::new(
        "gc-spares-what-came-twice",
        "A manifest that was pushed twice counts as used twice, and is never collected.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing_manifests(collection, right, |_, stored| stored.since > stored.first)
        })],
    ),
    Defect::new(
        "gc-spares-what-a-tag-passed",
        "Of what a tag led to before, only the first is collected.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing_manifests(collection, right, |digest, _| passed(collection.held, digest))
        })],
    ),
    Defect::new(
        "gc-spares-what-had-a-tag",
        "A child that had a tag of its own, which was deleted, is never collected, though its index goes.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing_manifests(collection, right, |digest, _| {
                let child = parents(collection.view, collection.repository, digest.as_str()).next().is_some();
                child && lost_a_tag(collection.held, digest)
            })
        })],
    ),
];
