//! Wrong about what is stored: more than once, or longer than anything leads to it.

use std::collections::BTreeSet;

use super::tools::*;

/// The bytes of a content, 0 where it is not there.
fn size(view: &View, digest: &Digest) -> u64 {
    view.content.body(digest).map_or(0, |body| body.length())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "stored-per-repository",
        "Each repository has files of its own for every blob: what is in two of them is stored twice.",
        "storage.shared",
        &[Seam::Weigh(|view, right| {
            let copies = view.state.repositories.values().flat_map(|held| held.blobs.keys());
            let all: u64 = copies.clone().map(|digest| size(view, digest)).sum();
            let once: u64 = copies.collect::<BTreeSet<_>>().into_iter().map(|digest| size(view, digest)).sum();
            right + all - once
        })],
    ),
    Defect::new(
        "stored-per-image",
        "Each image has files of its own for its layers: what two images of a repository share is stored twice.",
        "storage.once",
        &[Seam::Weigh(|view, right| {
            let images = view.state.repositories.values().flat_map(|held| held.manifests.values());
            let layers =
                images.flat_map(|stored| &stored.manifest.blobs).filter_map(|blob| Digest::parse(&blob.digest));
            let mut seen = BTreeSet::new();
            right + layers.filter(|digest| !seen.insert(digest.clone())).map(|digest| size(view, &digest)).sum::<u64>()
        })],
    ),
    Defect::new(
        "gc-leaves-files",
        "A collection unlinks what it takes, and leaves its bytes on disk.",
        "storage.freed",
        &[Seam::Weigh(|view, right| {
            right + view.state.repositories.values().map(|held| held.past.collected_bytes()).sum::<u64>()
        })],
    ),
    Defect::new(
        "gaps-filled-from-elsewhere",
        "Children that an index names and nobody pushed are fetched from elsewhere, and stored.",
        "storage.sparse",
        &[Seam::Weigh(|view, right| {
            let gaps = view.state.repositories.values().flat_map(|held| {
                let indexes = held.manifests.values().filter(|stored| stored.manifest.kind == Kind::Index);
                let children = indexes.flat_map(|stored| &stored.manifest.children);
                let there =
                    |digest: &str| Digest::parse(digest).is_some_and(|digest| held.manifests.contains_key(&digest));
                children.filter(move |child| !there(&child.digest))
            });
            // What a gap would hold is not known: as much as an image of this repository does.
            let largest = view.state.repositories.values().flat_map(|held| held.blobs.keys());
            right + gaps.count() as u64 * largest.map(|digest| size(view, digest)).max().unwrap_or(0)
        })],
    ),
];
