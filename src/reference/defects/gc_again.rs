//! Wrong at a collection about what was pushed, deleted or collected more than once, and about many of a kind.

use super::boot_tools::again;
use super::gc_tools::*;

/// Whether a blob was removed from the repository once.
fn was_blob(held: &Repository, digest: &Digest) -> bool {
    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Blob(other) if other == digest))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-passes-over-children-before-last-push",
        "An index that is pushed again counts as new: children that came between its first and its last push are passed over.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                let first = Digest::parse(&child.digest).and_then(|child| Some(marked.held.manifests.get(&child)?.first));
                is_stored_index(stored) && first.is_some_and(|first| stored.first < first && first < stored.since)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-passes-over-returned-index",
        "An index that was deleted is known as such for ever: pushed again, its children are passed over.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let returned = was_there(marked.held, marked.digest);
            without_children(marked, right, |_| returned)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-returned-manifests",
        "A manifest that was deleted is known as such for ever: pushed again, it goes at the next collection.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_some() && was_there(doomed.collection.held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-returned-blobs",
        "A blob that was deleted is known as such for ever: pushed again, it goes at the next collection.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_none() && was_blob(doomed.collection.held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-third-takes-late-children",
        "A child that came late outlives two collections, and no third one.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let third = doomed.collection.view.state.life.collections >= 2 && doomed.stored.is_some();
            right || third && is_late(held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-reads-hundred-tags",
        "A collection reads the first hundred tags of a repository, and takes what only later ones lead to.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let read = || held.tags.values().take(100).any(|digest| digest == doomed.digest);
            right || tagged(held, doomed.digest) && !read()
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-ten-children",
        "A collection follows the first ten children of an index.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                let place = stored.manifest.children.iter().position(|other| other.digest == child.digest);
                is_stored_index(stored) && place.is_some_and(|place| place >= 10)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-then-start-loses-late",
        "A collection writes anew what indexes have, without children that came late: a start after it does not find them.",
        "restart.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            let wrong = was_collected(lookup.view) && again(&lookup.view);
            right.filter(|served| {
                let held = lookup.view.state.repository(lookup.repository);
                !(wrong && held.is_some_and(|held| is_late(held, &served.digest)))
            })
        })],
    )
    .also(&["upgrade.keeps-manifest", "gc.keeps-manifest", "late.again.kept", "manifest.put.location", "manifest.get.served"]),
];
