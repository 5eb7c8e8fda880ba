//! Wrong at the first collection after a start, about what the run before it had; and about gaps that were seen before.

use super::boot_tools::{again, before_start};
use super::gc_tools::*;

/// Whether nothing was collected since the last start, which was not the first.
fn is_first(view: &View) -> bool {
    let life = view.state.life;
    again(view) && life.started.is_some_and(|started| life.collected.is_none_or(|collected| collected < started))
}

/// What is stored under the digest of a descriptor.
fn stored<'a>(marked: &Marked<'a>, child: &Descriptor) -> Option<&'a Stored> {
    marked.held.manifests.get(&Digest::parse(&child.digest)?)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "started-gc-passes-over-children",
        "The first collection after a start does not know yet what the indexes name that were there before it.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let wrong = is_first(&marked.view);
            without_children(marked, right, |index| wrong && before_start(&marked.view, index))
        })],
    )
    .also(KEPT),
    Defect::new(
        "started-gc-passes-over-late",
        "The first collection after a start knows what indexes found when they came, and no child that came later.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let wrong = is_first(&marked.view);
            without(marked, right, |index, child| {
                let late = |child: &Stored| child.first > index.first && before_start(&marked.view, child);
                wrong && is_stored_index(index) && stored(marked, child).is_some_and(late)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "started-gc-knows-gaps",
        "A start notes the gaps of each index, and the first collection passes over what has filled them since.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let wrong = is_first(&marked.view);
            without(marked, right, |index, child| {
                let filled = |child: &Stored| !before_start(&marked.view, child);
                let known = wrong && is_stored_index(index) && before_start(&marked.view, index);
                known && stored(marked, child).is_some_and(filled)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "started-gc-spares-older-garbage",
        "The first collection after a start takes only what became garbage since.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            let started = collection.view.state.life.started.filter(|_| is_first(&collection.view));
            let held = collection.held;
            sparing(right, |write| {
                let since = match write {
                    Write::DropManifest { digest, .. } => held.manifests.get(digest).map(|stored| stored.since),
                    Write::Unlink { digest, .. } => held.blobs.get(digest).copied(),
                    _ => None,
                };
                since.zip(started).is_some_and(|(since, started)| since < started)
            })
        })],
    )
    .also(&["gc.drops-blob"]),
    Defect::new(
        "gc-knows-gaps-seen-twice",
        "A gap that two collections saw counts as one for ever: the child that fills it goes at the next.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let life = doomed.collection.view.state.life;
            let seen = life.collected.filter(|_| life.collections >= 2);
            let filled = doomed.stored.zip(seen).is_some_and(|(child, seen)| {
                child.first > seen
                    && earlier(doomed.collection.held, doomed.digest).any(|(_, index)| index.first < seen)
            });
            right || filled
        })],
    )
    .also(KEPT),
];
