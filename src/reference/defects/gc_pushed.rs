//! Wrong about what is pushed after a collection to what it kept, and about what it lacks.

use super::gc_tools::*;

/// Whether a tag of this repository leads somewhere already.
fn is_tag_there(view: View, repository: &str, tag: &str) -> bool {
    view.state.repository(repository).is_some_and(|held| held.tags.contains_key(tag))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-refuses-what-it-kept",
        "A manifest that a collection kept is refused when it is pushed again: what was marked is locked.",
        "manifest.put.again",
        &[Seam::Accept(|push, right| {
            let kept = was_collected(push.view) && push.view.state.manifest(push.repository, push.digest).is_some();
            let refused = kept && push.manifest.kind == Kind::Index;
            if refused { Err(Problem::manifest_invalid("the manifest is in use")) } else { right }
        })],
    )
    .also(&["manifest.put.created", "gc.push-after"]),
    Defect::new(
        "gc-hides-late-tags",
        "A child that comes by tag after a collection, and which an index that was there names, is not found by that tag.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| {
            let hidden = right.as_ref().is_some_and(|served| {
                let held = lookup.view.state.repository(lookup.repository).filter(|_| was_collected(lookup.view));
                held.is_some_and(|held| is_late(held, &served.digest))
            });
            right.filter(|_| !(hidden && lookup.reference.tag().is_some()))
        })],
    )
    .also(&["gc.keeps-tag"]),
    Defect::new(
        "gc-freezes-tags",
        "After a collection a tag that is there does not move: the push is answered 201.",
        "manifest.put.tag-moved",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if was_collected(push.view) => right
                .into_iter()
                .filter(|write| match write {
                    Write::Tag { repository, tag, .. } => !is_tag_there(push.view, repository, tag),
                    _ => true,
                })
                .collect(),
            _ => right,
        })],
    )
    .also(&["gc.push-after"]),
    Defect::new(
        "gc-fills-gaps-from-elsewhere",
        "After a collection a child that an index names and its repository lacks is served from another repository.",
        "gc.missing",
        &[Seam::Resolve(|lookup, right| {
            let Some(digest) = lookup.reference.digest().filter(|_| right.is_none() && was_collected(lookup.view))
            else {
                return right;
            };
            parents(lookup.view, lookup.repository, digest.as_str()).next()?;
            let mut others = lookup.view.state.repositories.iter().filter(|(name, _)| *name != lookup.repository);
            others.find_map(|(name, _)| served(lookup.view, name, digest))
        })],
    ),
    Defect::new(
        "gc-takes-large-manifests",
        "A collection does not read manifests that are larger than its buffer, and takes them.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| right || doomed.stored.is_some_and(|stored| stored.size > 500_000))],
    )
    .also(KEPT),
];
