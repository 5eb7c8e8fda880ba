//! A collector that stops at what clients may lawfully leave behind.

use super::gc_tools::*;

fn indexes(held: &Repository) -> impl Iterator<Item = &Stored> {
    held.manifests.values().filter(|stored| stored.manifest.kind == Kind::Index)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-stops-at-gap",
        "The collector takes a child that is not there for a fault of the storage (https://github.com/project-zot/zot/pull/3503).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let gap = |stored: &Stored| stored.manifest.children.iter().any(|child| !has(held, &child.digest));
            stops(indexes(held).filter(|stored| !stored.manifest.children.is_empty()).any(gap), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-odd-child",
        "The collector stops at an index whose child is of a type that it does not know.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let known = ["manifest.v1+json", "index.v1+json", "manifest.v2+json", "manifest.list.v2+json"];
            let odd = |child: &Descriptor| !known.iter().any(|known| child.media_type.ends_with(known));
            stops(indexes(collection.held).any(|stored| stored.manifest.children.iter().any(odd)), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-untagged-repository",
        "The collector stops at a repository that has manifests and never had a tag (distribution 2.8.2 garbagecollect.go:75).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let never = held.tags.is_empty() && !held.past.gone().any(|(gone, _)| matches!(gone, Gone::Tag(..)));
            stops(never && !held.manifests.is_empty(), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-repository-of-blobs",
        "The collector stops at a repository that has blobs and no manifest.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let never = !held.past.gone().any(|(gone, _)| matches!(gone, Gone::Manifest(..)));
            stops(never && held.manifests.is_empty() && !held.blobs.is_empty(), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-emptied-repository",
        "The collector stops at a repository whose last manifest was deleted.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let emptied = held.past.gone().any(|(gone, _)| matches!(gone, Gone::Manifest(..)));
            stops(emptied && held.manifests.is_empty(), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-repository-without-blobs",
        "The collector stops at a repository that has manifests and no blob (distribution 3.1.1 garbagecollect.go:122).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            stops(held.blobs.is_empty() && !held.manifests.is_empty(), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-dangling-subject",
        "The collector stops at a manifest whose subject is not there.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let dangles = |stored: &Stored| stored.manifest.subject.as_ref().is_some_and(|subject| !has(held, subject));
            stops(held.manifests.values().any(dangles), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-half-upload",
        "The collector stops at an upload that was begun and not finished (https://github.com/distribution/distribution/issues/1960).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| stops(collection.unfinished > 0, right))],
    ),
    Defect::new(
        "gc-stops-where-tags-were-deleted",
        "The collector stops at a repository that had tags and has none any more.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let had = held.past.gone().any(|(gone, _)| matches!(gone, Gone::Tag(..)));
            stops(had && held.tags.is_empty() && !held.manifests.is_empty(), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-missing-layer",
        "The collector stops at an image of which a layer was deleted.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let gone = |digest: &str| {
                held.past.gone().any(|(gone, _)| matches!(gone, Gone::Blob(blob) if blob.as_str() == digest))
            };
            let images = held.manifests.values().flat_map(|stored| &stored.manifest.blobs);
            let absent = |digest: &str| Digest::parse(digest).is_some_and(|digest| !held.blobs.contains_key(&digest));
            stops(images.into_iter().any(|blob| absent(&blob.digest) && gone(&blob.digest)), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-odd-image",
        "The collector stops at an image without layers, or whose config is a layer too.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let odd = |stored: &Stored| match stored.manifest.blobs.split_first() {
                Some((config, layers)) => layers.is_empty() || layers.iter().any(|layer| layer.digest == config.digest),
                None => false,
            };
            stops(collection.held.manifests.values().any(odd), right)
        })],
    ),
];
