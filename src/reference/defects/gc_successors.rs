//! Wrong at a collection about what lost its tag or its index here or elsewhere, and is named by something else.

use super::gc_pins::was_child;
use super::gc_tools::*;

/// Whether tags led to this manifest, and none does.
fn lost_its_tags(held: &Repository, digest: &Digest) -> bool {
    lost_a_tag(held, digest) && !tagged(held, digest)
}

/// Whether an index that was deleted, or that lost its tags, named this manifest.
fn was_of_lost_index(held: &Repository, digest: &Digest) -> bool {
    was_child(held, digest)
        || held.manifests.iter().any(|(index, stored)| names(stored, digest) && lost_its_tags(held, index))
}

/// What other repositories lost.
fn lost_elsewhere<'a>(view: View<'a>, repository: &'a str) -> impl Iterator<Item = &'a Gone> {
    let others = view.state.repositories.iter().filter(move |(name, _)| *name != repository);
    others.flat_map(|(_, held)| held.past.gone()).map(|(gone, _)| gone)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-reviews-what-lost-a-tag-before",
        "What lost its tag is marked for the next collection, and stays so when an index that came later names it.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let named = doomed.stored.is_some_and(|child| {
                held.manifests.values().any(|index| names(index, doomed.digest) && index.first > child.first)
            });
            right || named && lost_its_tags(held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-reviews-children-of-lost-indexes",
        "The children of an index that was deleted or lost its tag are marked for the next collection, and stay so when a \
         new index names them.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_some() && was_of_lost_index(doomed.collection.held, doomed.digest)
        })],
    )
    .also(&["gc.during-keeps-child"]),
    Defect::new(
        "gc-cascades-into-other-repositories",
        "With an index that was deleted in one repository its children go in all of them.",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let lost = lost_elsewhere(collection.view, collection.repository);
                let children = lost.flat_map(|gone| match gone {
                    Gone::Manifest(_, index) => index.manifest.children.as_slice(),
                    _ => &[],
                });
                let held = children.filter_map(|child| Digest::parse(&child.digest));
                let held = held.filter(|child| collection.held.manifests.contains_key(child));
                held.map(|child| drop_manifest(collection.repository, &child)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-blobs-deleted-elsewhere",
        "A blob that was deleted in one repository goes in all of them at the next collection.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            let mut lost = lost_elsewhere(doomed.collection.view, doomed.collection.repository);
            let elsewhere = lost.any(|gone| matches!(gone, Gone::Blob(blob) if blob == doomed.digest));
            right || doomed.stored.is_none() && elsewhere
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-index-that-lost-one-of-its-tags",
        "An index that lost a tag goes at the next collection, though another tag, or the same one again, leads to it.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let index = doomed.stored.is_some_and(is_stored_index);
            right || index && lost_a_tag(held, doomed.digest) && tagged(held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-layers-of-deleted-sibling",
        "The layers of a deleted image go at the next collection where an index names it still, whoever else has them.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let is_named = |digest: &Digest| collection.held.manifests.values().any(|index| names(index, digest));
                let gone = gone_manifests(collection.held).filter(|(digest, _)| is_named(digest));
                let blobs = gone.flat_map(|(_, image)| &image.manifest.blobs);
                blobs.filter_map(|blob| unlink(collection.repository, &blob.digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-layers-uploaded-again",
        "The layers of a deleted image are marked for the next collection, and stay so when they are uploaded again for \
         another one.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            let mut gone = gone_manifests(doomed.collection.held);
            let again = gone.any(|(_, image)| doomed.since > image.since && has_blob(image, doomed.digest.as_str()));
            right || doomed.stored.is_none() && again
        })],
    )
    .also(KEPT),
];
