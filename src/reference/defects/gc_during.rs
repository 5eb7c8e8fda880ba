//! Wrong while a collection is under way: about what is pushed then, and about what is read.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::super::problem::Problem;
use super::tools::*;

/// A push, or a part of one.
fn writes(asked: &Asked) -> bool {
    !asked.reads() && asked.route.repository().is_some()
}

/// What a collection would know that looked once, when it began: everything that the tags of that moment led to.
fn reached_then(collection: &Collection) -> BTreeSet<Digest> {
    let held = collection.held;
    let old = |tag: &&String| held.tagged.get(*tag).is_some_and(|since| *since < collection.begun);
    let tags = held.tags.iter().filter(|(tag, _)| old(tag)).map(|(_, digest)| digest.clone());
    let mut reached = BTreeSet::new();
    let mut open: Vec<Digest> = tags.collect();
    while let Some(digest) = open.pop() {
        if let Some(stored) = held.manifests.get(&digest).filter(|_| !reached.contains(&digest)) {
            open.extend(super::super::gc::named(stored));
        }
        reached.insert(digest);
    }
    reached
}

/// Whether something was garbage when the collection began: older than the grace, and nothing led to it then.
fn was_garbage(collection: &Collection, digest: &Digest, first: SystemTime) -> bool {
    let age = collection.now.duration_since(first).unwrap_or_default();
    first < collection.begun && age >= collection.gc.grace && !reached_then(collection).contains(digest)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-during-500",
        "While a collection is under way every push is answered with 500.",
        "gc.during",
        &[Seam::Hear(|asked, view, right| falls_over(view.state.life.collecting && writes(asked), right))],
    ),
    Defect::new(
        "gc-during-bare-405",
        "While a collection is under way a push is answered with 405, and nothing says why.",
        "error.json",
        &[
            Seam::Hear(|asked, view, right| match view.state.life.collecting && writes(asked) {
                true => Err(Problem { status: StatusCode::METHOD_NOT_ALLOWED, entries: Vec::new() }),
                false => right,
            }),
            Seam::Finish(|_, _, _, answer| match answer.status {
                StatusCode::METHOD_NOT_ALLOWED => {
                    Answer { body: super::super::answer::Body::Bytes(bytes::Bytes::new()), ..answer }
                }
                _ => answer,
            }),
        ],
    ),
    Defect::new(
        "gc-during-index-409",
        "While a collection is under way indexes are refused with 409; blobs and images are taken.",
        "gc.during-taken",
        &[Seam::Hear(|asked, view, right| {
            let index = asked.header("content-type").is_some_and(|t| t.contains("index") || t.contains("list"));
            match view.state.life.collecting && puts_manifest(asked) && index {
                true => Err(Problem::unsupported("garbage is collected").status(StatusCode::CONFLICT)),
                false => right,
            }
        })],
    ),
    Defect::new(
        "gc-during-lost",
        "A manifest that is pushed while a collection is under way is acknowledged, and taken by it with its tag.",
        "gc.during",
        &[Seam::Collect(|collection, right| {
            right.map(|mut plan| {
                let new = collection.held.manifests.iter().filter(|(_, stored)| stored.first > collection.begun);
                plan.extend(new.map(|(digest, _)| drop_manifest(collection.repository, digest)));
                plan
            })
        })],
    )
    .also(&["race.keeps", "race.tag", "race.tags"]),
    Defect::new(
        "gc-during-tag-lost",
        "A tag that is set while a collection is under way is acknowledged, and is not there after it.",
        "gc.during",
        &[Seam::Collect(|collection, right| {
            right.map(|mut plan| {
                let new = collection.held.tagged.iter().filter(|(_, since)| **since > collection.begun);
                plan.extend(new.map(|(tag, _)| untag(collection.repository, tag)));
                plan
            })
        })],
    )
    .also(&["race.tag", "race.tags"]),
    Defect::new(
        "gc-during-takes-child",
        "A collection goes by what was garbage when it began: a child goes although an index that names it was pushed since.",
        "gc.during-keeps-child",
        &[Seam::Expire(|doomed, right| {
            let goes = doomed.stored.is_some_and(|stored| was_garbage(doomed.collection, doomed.digest, stored.first));
            right || (doomed.collection.gc.untagged && goes)
        })],
    )
    .also(&["race.keeps"]),
    Defect::new(
        "gc-during-takes-layer",
        "A collection goes by what was garbage when it began: a layer goes although an image that names it was pushed since.",
        "gc.during-keeps-child",
        &[Seam::Expire(|doomed, right| {
            right || (doomed.stored.is_none() && was_garbage(doomed.collection, doomed.digest, doomed.since))
        })],
    )
    .also(&["race.keeps"]),
    Defect::new(
        "gc-during-read-500",
        "While a collection is under way what is read is answered with 500.",
        "gc.during-read",
        &[Seam::Hear(|asked, view, right| {
            let reads = asked.reads() && asked.route.repository().is_some();
            falls_over(view.state.life.collecting && reads, right)
        })],
    ),
];
