//! Wrong about a late child that was deleted, and about what named it.

use super::super::question::Listing;
use super::boot_tools::again;
use super::gc_tools::*;

/// Whether this is no longer there, and had come after an index that still names it.
fn was_late(view: View, repository: &str, digest: &Digest) -> bool {
    let Some(held) = view.state.repository(repository).filter(|held| !held.manifests.contains_key(digest)) else {
        return false;
    };
    held.past.gone().any(|(gone, _)| match gone {
        Gone::Manifest(other, child) if other == digest => {
            parents(view, repository, digest.as_str()).any(|(_, index)| index.first < child.first)
        }
        _ => false,
    })
}

/// The tags that late children had which were deleted.
fn dead_tags<'a>(view: View<'a>, repository: &'a str) -> impl Iterator<Item = &'a String> {
    let gone = view.state.repository(repository).into_iter().flat_map(|held| held.past.gone());
    gone.filter_map(move |(gone, _)| match gone {
        Gone::Tag(tag, digest) if was_late(view, repository, digest) => Some(tag),
        _ => None,
    })
}

fn with_dead_tags(listing: &Listing, right: Vec<String>) -> Vec<String> {
    let mut tags: Vec<String> = right.into_iter().chain(dead_tags(listing.view, listing.repository).cloned()).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// Answers a HEAD by digest of what is not there as if it were, where `wrong` holds of it.
fn heads_gone(asked: &Asked, answer: Answer, wrong: impl FnOnce(&str, &Digest) -> bool) -> Answer {
    let there = asked.route.repository().zip(asked.route.reference().and_then(Digest::parse));
    let missing = heads_manifest(asked) && answer.status == StatusCode::NOT_FOUND;
    match there.filter(|(repository, digest)| missing && wrong(repository, digest)) {
        Some((_, digest)) => Answer::new(StatusCode::OK)
            .with("content-type", "application/vnd.oci.image.manifest.v1+json")
            .with("docker-content-digest", digest.as_str()),
        None => answer,
    }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "deleted-late-child-heads",
        "HEAD of a child that came late and was deleted is answered as if it were there.",
        "delete.child",
        &[Seam::Finish(|asked, view, _, answer| {
            heads_gone(asked, answer, |repository, digest| was_late(*view, repository, digest))
        })],
    )
    .also(&["delete.manifest-gone"]),
    Defect::new(
        "deleted-late-child-tags-listed",
        "The tags of a child that came late and was deleted by its digest are listed still.",
        "tags.gone",
        &[Seam::List(with_dead_tags)],
    )
    .also(&["tags.complete", "tags.fresh"]),
    Defect::new(
        "deleted-late-child-tag-dead",
        "A tag of a child that came late and was deleted can be set to another image, and stays missing.",
        "late.again.kept",
        &[Seam::Resolve(|lookup, right| {
            let tag = lookup.reference.tag();
            let dead = tag.is_some_and(|tag| dead_tags(lookup.view, lookup.repository).any(|dead| dead == tag));
            right.filter(|_| !dead)
        })],
    )
    .also(&["manifest.head.served"]),
    Defect::new(
        "deleted-late-child-holds-index",
        "An index of which a late child was deleted cannot be deleted: the registry falls over what it remembers of it.",
        "delete.manifest",
        &[Seam::Delete(|removal, right| {
            let index = match removal.target {
                Target::Manifest(digest) => removal.view.state.manifest(removal.repository, digest),
                _ => None,
            };
            let holds = index.is_some_and(|index| {
                let mut children = index.manifest.children.iter().filter_map(|child| Digest::parse(&child.digest));
                children.any(|child| was_late(removal.view, removal.repository, &child))
            });
            falls_over(holds, right)
        })],
    ),
    Defect::new(
        "deleted-index-holds-late-child",
        "A child that came late cannot be deleted when the index that waited for it was.",
        "delete.manifest",
        &[Seam::Delete(|removal, right| {
            let Target::Manifest(digest) = removal.target else { return right };
            let held = removal.view.state.repository(removal.repository);
            let child = held.and_then(|held| held.manifests.get(digest));
            let waited = held.zip(child).is_some_and(|(held, child)| {
                held.past.gone().any(|(gone, _)| match gone {
                    Gone::Manifest(_, index) => names(index, digest) && index.first < child.first,
                    _ => false,
                })
            });
            falls_over(waited, right)
        })],
    ),
    Defect::new(
        "start-heads-deleted-children",
        "After a start HEAD of a deleted manifest which an index names is answered as if it were there.",
        "delete.child",
        &[Seam::Finish(|asked, view, _, answer| {
            heads_gone(asked, answer, |repository, digest| {
                let held = view.state.repository(repository);
                again(view) && held.is_some_and(|held| was_there(held, digest))
            })
        })],
    )
    .also(&["delete.manifest-gone", "restart.keeps-delete", "upgrade.keeps-delete"]),
    Defect::new(
        "deleted-index-takes-grandchildren",
        "With an index the children of its inner indexes are deleted, though those have tags.",
        "manifest.get.served",
        &[Seam::Store(|change, right| {
            let Some((removal, digest)) = deleted_manifest(change) else { return right };
            let (view, repository) = (removal.view, removal.repository);
            let Some(outer) = view.state.manifest(repository, digest) else { return right };
            let inner = present(view, repository, &outer.manifest.children);
            let below = inner.flat_map(|(_, inner, _)| present(view, repository, &inner.manifest.children));
            let drops: Vec<Write> = below.map(|(digest, ..)| drop_manifest(repository, &digest)).collect();
            plus(right, drops)
        })],
    )
    .also(&["delete.index-children-kept"]),
];
