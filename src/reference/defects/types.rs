//! Wrong about the type of a manifest after something happened to the registry: its bytes are kept, and it is served as no
//! manifest's type.

use super::boot_tools::*;
use super::gc_tools::{CLOCK, earlier};
use super::skew::{is_others, note};

/// What a registry says that does not know.
const NO_TYPE: &str = "application/octet-stream";

/// What a start finds, with the types of indexes forgotten.
fn untyped(found: Vec<Found>) -> Vec<Found> {
    altered(found, |_, one| {
        let index = manifest(one).is_some_and(|manifest| manifest.kind == Kind::Index);
        index.then(|| known_as(one, |manifest| manifest.media_type = NO_TYPE.to_owned())).flatten()
    })
}

/// Whether the answer serves a child that came after its index so long ago that a clock has run.
fn is_old_late_child(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let served = (gets_manifest(asked) || heads_manifest(asked)) && answer.status == StatusCode::OK;
    named(asked, view, answer).filter(|_| served).is_some_and(|(repository, digest, stored)| {
        let held = view.state.repository(repository);
        let late = held.is_some_and(|held| earlier(held, &digest).next().is_some());
        late && stored.first.elapsed().is_ok_and(|age| age > CLOCK)
    })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-forgets-types",
        "A start finds indexes without their types: they are served as application/octet-stream.",
        "restart.keeps-type",
        &[Seam::Boot(|rebuild, found| if rebuild.upgraded() || rebuild.downgraded() { found } else { untyped(found) })],
    ),
    Defect::new(
        "upgrade-forgets-types",
        "An upgrade takes over indexes without their types: they are served as application/octet-stream.",
        "upgrade.keeps-type",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, untyped))],
    ),
    Defect::new(
        "skew-forgets-types",
        "What another server on the storage was given is served as application/octet-stream.",
        "skew.keeps-type",
        &[Seam::Finish(|asked, _, memory, answer| {
            note(asked, memory, &answer);
            let wrong = is_others(asked, memory, &answer);
            changed(wrong, answer, |a| a.with("content-type", NO_TYPE))
        })],
    ),
    Defect::new(
        "expiry-forgets-types",
        "The type of a child that came late is held for a time only: then it is served as application/octet-stream.",
        "expiry.keeps-type",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = is_old_late_child(asked, view, &answer);
            changed(wrong, answer, |a| a.with("content-type", NO_TYPE))
        })],
    )
    .also(&["manifest.get.type"]),
];
