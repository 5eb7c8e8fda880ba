//! Wrong after a kill: what was acknowledged was not yet on disk.

use super::super::content::Source;
use super::boot_tools::*;

/// What is found, wrong after a kill only.
fn killed(rebuild: &Rebuild, found: Vec<Found>, wrong: impl FnOnce(Vec<Found>) -> Vec<Found>) -> Vec<Found> {
    if rebuild.ended == Ended::Killed { wrong(found) } else { found }
}

const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-tag", "restart.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "kill-loses-last-manifest",
        "The manifest that was stored last in a repository is gone after a kill, though its push was acknowledged.",
        "restart.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| without_last(found, |write| matches!(write, Write::Manifest { .. })))
        })],
    )
    .also(&["restart.keeps-tag", "restart.keeps-referrer"]),
    Defect::new(
        "kill-loses-last-tag",
        "The tag that was set last in a repository is gone after a kill, though its push was acknowledged.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| without_last(found, |write| matches!(write, Write::Tag { .. })))
        })],
    )
    .also(SHOWN),
    Defect::new(
        "kill-loses-last-blob",
        "The blob that was stored last in a repository is gone after a kill, though its upload was acknowledged.",
        "restart.keeps-blob",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| without_last(found, |write| matches!(write, Write::Link { .. })))
        })],
    ),
    Defect::new(
        "kill-halves-last-blob",
        "A blob is linked before its bytes are on disk: after a kill the last one of a repository is there by half.",
        "restart.keeps-blob",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| {
                let kept = without_last(found.clone(), |write| matches!(write, Write::Link { .. }));
                for one in found.iter().filter(|one| !kept.contains(one)) {
                    let Write::Link { digest, .. } = &one.write else { continue };
                    let Some(body) = rebuild.content.body(digest) else { continue };
                    let half = body.clone().slice(0, body.length() / 2).to_bytes();
                    // What cannot be written stays as it was, which is right.
                    let _ = rebuild.content.put(digest, Source::Bytes(half));
                }
                found
            })
        })],
    ),
    Defect::new(
        "kill-empties-last-manifest",
        "The file of the manifest that was stored last in a repository is empty after a kill.",
        "restart.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| {
                let kept = without_last(found.clone(), |write| matches!(write, Write::Manifest { .. }));
                altered(found, |_, one| {
                    let last = manifest(one).is_some() && !kept.contains(one);
                    last.then(|| with_bytes(one, |_| Some(Vec::new()))).flatten()
                })
            })
        })],
    )
    .also(&["restart.keeps-tag"]),
    Defect::new(
        "kill-loses-sparse-index",
        "An index with gaps is on disk when its children are: after a kill it is gone, with its tags.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            killed(rebuild, found, |found| without(found, |finds, one| finds.is_about_gaps(one)))
        })],
    )
    .also(SHOWN),
    Defect::new(
        "kill-forgets-referrers",
        "Lists of referrers are written at the end of a run: after a kill they are empty.",
        "restart.keeps-referrer",
        &[Seam::Boot(|rebuild, found| killed(rebuild, found, |found| without_subjects(found, |_, _, _| true)))],
    ),
    Defect::new(
        "kill-moves-tags-back",
        "A tag that was moved leads after a kill to what it led to first, though the move was acknowledged.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| killed(rebuild, found, |found| with_moves_undone(rebuild, found)))],
    ),
    Defect::new(
        "kill-revives-deleted",
        "What was deleted is back after a kill: tags, manifests and blobs, though the deletion was acknowledged.",
        "restart.keeps-delete",
        &[Seam::Boot(|rebuild, found| killed(rebuild, found, |found| with_gone(rebuild, found, |_| true)))],
    )
    .also(&["restart.tags"]),
    Defect::new(
        "kill-stops-at-gap",
        "After a kill a registry checks what it holds, and does not get ready where an index has gaps.",
        "kill.comes-back",
        &[Seam::Finish(|_, view, _, answer| {
            not_ready(view.state.life.starts > 1 && view.state.life.killed, view, answer)
        })],
    ),
];
