//! Wrong about deletes of an index, and of what an index names.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::question::Removal;
use super::delete::{Indexes, children, deletes_digest, naming, tags_of, untag};
use super::tools::*;

/// The delete of a manifest that an index names.
fn deleted_child<'a>(change: &Change<'a>) -> Option<(&'a Removal<'a>, &'a Digest, Indexes<'a>)> {
    let (removal, digest) = deleted_manifest(change)?;
    let naming = naming(removal, digest);
    (!naming.is_empty()).then_some((removal, digest, naming))
}

fn without_entry(change: &Change, right: Vec<Write>) -> Vec<Write> {
    let Some((removal, digest, naming)) = deleted_child(change) else { return right };
    let trimmed = naming.into_iter().filter_map(|(parent, stored)| {
        let bytes = removal.view.content.body(parent)?.to_bytes();
        let mut value: Value = serde_json::from_slice(&bytes).ok()?;
        entries(&mut value)?.retain(|entry| entry.get("digest").and_then(Value::as_str) != Some(digest.as_str()));
        Some(Write::Manifest {
            repository: removal.repository.to_owned(),
            digest: parent.clone(),
            manifest: stored.manifest.clone(),
            bytes: value.to_string().into(),
        })
    });
    let trimmed: Vec<Write> = trimmed.collect();
    plus(right, trimmed)
}

/// Answers the deletion of what an index names with 405.
fn refuse_child(asked: &Asked, view: &View, _: &mut Memory, answer: Answer) -> Answer {
    let named = asked.route.repository().zip(asked.route.reference());
    let child = named.is_some_and(|(name, digest)| parents(*view, name, digest).next().is_some());
    let wrong = deletes_digest(asked) && answer.status == StatusCode::ACCEPTED && child;
    changed(wrong, answer, |_| Problem::unsupported("an index names it").into())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "deleted-child-still-served",
        "The deletion of a manifest that an index names is acknowledged, and the manifest stays.",
        "delete.child",
        &[Seam::Store(|change, right| if deleted_child(change).is_some() { Vec::new() } else { right })],
    )
    .also(&["manifest.get.absent"]),
    Defect::new(
        "deleted-child-takes-index",
        "With a manifest the indexes that name it are deleted.",
        "delete.child-index-kept",
        &[Seam::Store(|change, right| match deleted_child(change) {
            Some((removal, _, naming)) => {
                let all = naming.into_iter().flat_map(|(parent, _)| {
                    let tags = tags_of(removal, parent).into_iter().map(|tag| untag(removal, &tag));
                    tags.chain([drop_manifest(removal.repository, parent)]).collect::<Vec<_>>()
                });
                plus(right, all)
            }
            None => right,
        })],
    )
    .also(&["manifest.get.served", "manifest.head.served", "late.index.unchanged"]),
    Defect::new(
        "deleted-child-takes-siblings",
        "With a manifest its siblings in an index are deleted.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match deleted_child(change) {
            Some((removal, _, naming)) => {
                let all =
                    naming.iter().flat_map(|(_, s)| present(removal.view, removal.repository, &s.manifest.children));
                let drops: Vec<Write> = all.map(|(digest, ..)| drop_manifest(removal.repository, &digest)).collect();
                plus(right, drops)
            }
            None => right,
        })],
    ),
    Defect::new(
        "deleted-child-trims-index",
        "With a manifest its entry in every index is deleted.",
        "delete.child-index-kept",
        &[Seam::Store(without_entry)],
    )
    .also(&["late.index.unchanged", "manifest.get.bytes"]),
    Defect::new(
        "deleted-index-takes-children",
        "With an index its children are deleted.",
        "manifest.get.served",
        &[Seam::Store(|change, right| {
            let drops = children(change).into_iter().map(|(removal, child)| drop_manifest(removal.repository, &child));
            plus(right, drops)
        })],
    )
    .also(&["delete.index-children-kept"]),
    Defect::new(
        "deleted-index-takes-tagged-children",
        "With an index the children that have tags are deleted, and their tags.",
        "delete.index-children-kept",
        &[Seam::Store(|change, right| {
            let tagged = children(change).into_iter().flat_map(|(removal, child)| {
                let tags = tags_of(removal, &child);
                let drop = (!tags.is_empty()).then(|| drop_manifest(removal.repository, &child));
                tags.into_iter().map(|tag| untag(removal, &tag)).chain(drop).collect::<Vec<_>>()
            });
            plus(right, tagged)
        })],
    ),
    Defect::new(
        "delete-child-405-done",
        "The deletion of a manifest that an index names is refused with 405, and done.",
        "delete.child",
        &[Seam::Finish(refuse_child)],
    )
    .also(&["delete.manifest"]),
    Defect::new(
        "delete-gap-takes-index",
        "With the deletion of an absent child the indexes that name it are no longer served.",
        "late.index.unchanged",
        &[Seam::Finish(|asked, view, memory, answer| {
            let Some((repository, reference)) = asked.route.repository().zip(asked.route.reference()) else {
                return answer;
            };
            if deletes_digest(asked) && answer.status == StatusCode::NOT_FOUND {
                for (parent, _) in parents(*view, repository, reference) {
                    memory.keep(&format!("{repository} {parent}"), &answer);
                }
            }
            let digest = answer.header("docker-content-digest").unwrap_or_default();
            let gone = asked.reads() && memory.recall(&format!("{repository} {digest}")).is_some();
            changed(gone, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    ),
    Defect::new(
        "delete-gap-for-ever",
        "An absent child of which the deletion was asked is never served, though its push is acknowledged.",
        "late.child.served",
        &[Seam::Finish(|asked, _, memory, answer| {
            if deletes_digest(asked) && answer.status == StatusCode::NOT_FOUND {
                memory.keep(asked.uri.path(), &answer);
            }
            let gone = asked.reads() && memory.recall(asked.uri.path()).is_some();
            changed(gone, answer, |_| Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    ),
    Defect::new(
        "delete-child-405-untags",
        "The deletion of a manifest that an index names is refused with 405; the manifest stays, and the index loses its \
         tags.",
        "delete.child-index-kept",
        &[
            Seam::Store(|change, right| match deleted_child(change) {
                Some((removal, _, naming)) => {
                    let tags = naming.into_iter().flat_map(|(parent, _)| tags_of(removal, parent));
                    tags.map(|tag| untag(removal, &tag)).collect()
                }
                None => right,
            }),
            Seam::Finish(refuse_child),
        ],
    ),
];
