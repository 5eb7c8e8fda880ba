//! Wrong about children that are pushed after the index that names them.

use super::gc_tools::is_late;
use super::tools::*;

/// The accepted push of a manifest that an index waits for, and those indexes.
fn arrival<'a>(change: &Change<'a>) -> Option<(&'a Push<'a>, Vec<(&'a Digest, &'a Stored)>)> {
    let push = accepted(change)?;
    if push.view.state.manifest(push.repository, push.digest).is_some() {
        return None;
    }
    let waiting: Vec<_> = parents(push.view, push.repository, push.digest.as_str()).collect();
    (!waiting.is_empty()).then_some((push, waiting))
}

fn waited_for(push: &Push) -> bool {
    push.view.state.manifest(push.repository, push.digest).is_none()
        && parents(push.view, push.repository, push.digest.as_str()).next().is_some()
}

fn came_late(lookup: &Lookup) -> bool {
    let held = lookup.view.state.repository(lookup.repository);
    held.zip(lookup.reference.digest()).is_some_and(|(held, digest)| is_late(held, digest))
}

/// The index with other bytes: indented, as a registry writes it that has looked into it.
fn touched(push: &Push, digest: &Digest, stored: &Stored) -> Option<Write> {
    let bytes = push.view.content.body(digest)?.to_bytes();
    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    Some(Write::Manifest {
        repository: push.repository.to_owned(),
        digest: digest.clone(),
        manifest: stored.manifest.clone(),
        bytes: serde_json::to_vec_pretty(&value).ok()?.into(),
    })
}

const SEEN_LATE: &[&str] = &["manifest.put.created", "late.again.kept", "delete.again", "manifest.get.served"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "late-child-refused",
        "A manifest that a stored index names and that was absent is refused when it comes.",
        "late.child.taken",
        &[Seam::Accept(|push, right| match waited_for(push) {
            true => Err(Problem::manifest_invalid("the manifest is recorded as absent")),
            false => right,
        })],
    )
    .also(SEEN_LATE),
    Defect::new(
        "late-child-404-cached",
        "What was absent when an index was stored is remembered as absent, and not found once it is there.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| right.filter(|_| !came_late(lookup)))],
    )
    .also(&["manifest.put.location", "late.again.kept", "manifest.get.served"]),
    Defect::new(
        "late-child-rewrites-index",
        "When a missing child comes, the index that names it is written anew.",
        "late.index.unchanged",
        &[Seam::Store(|change, right| match arrival(change) {
            Some((push, waiting)) => {
                plus(right, waiting.into_iter().filter_map(|(digest, stored)| touched(push, digest, stored)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "late-child-takes-tag",
        "When a missing child comes, the tags of the index that names it are set to the child.",
        "late.index.unchanged",
        &[Seam::Store(|change, right| match arrival(change) {
            Some((push, waiting)) => {
                let repository = push.view.state.repository(push.repository);
                let tags = repository.into_iter().flat_map(|r| &r.tags);
                let theirs = tags.filter(|(_, digest)| waiting.iter().any(|(parent, _)| parent == digest));
                plus(right, theirs.map(|(tag, _)| set_tag(push.repository, tag, push.digest)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "late-child-by-tag-only",
        "A missing child that comes by tag is not found by its digest.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let repository = lookup.view.state.repository(lookup.repository);
                let tagged = repository.is_some_and(|r| r.tags_of(&served.digest).next().is_some());
                !(tagged && came_late(lookup))
            })
        })],
    )
    .also(&["manifest.put.location", "manifest.get.served"]),
    Defect::new(
        "late-child-drops-siblings",
        "When a missing child comes, its siblings that were there are dropped.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match arrival(change) {
            Some((push, waiting)) => {
                let siblings = waiting
                    .iter()
                    .flat_map(|(_, parent)| present(push.view, push.repository, &parent.manifest.children));
                let drops: Vec<Write> = siblings.map(|(digest, ..)| drop_manifest(push.repository, &digest)).collect();
                plus(drops, right)
            }
            None => right,
        })],
    )
    .also(&["manifest.get.served"]),
    Defect::new(
        "late-size-held-against-child",
        "A missing child that has not the size that the index's descriptor says is refused when it comes.",
        "manifest.put.created",
        &[Seam::Accept(|push, right| {
            let size = push.bytes.len() as u64;
            let named = parents(push.view, push.repository, push.digest.as_str());
            let mut descriptors = named.flat_map(|(_, parent)| &parent.manifest.children);
            match descriptors.any(|child| child.digest == push.digest.as_str() && child.size != size) {
                true => Err(Problem::manifest_invalid("the size is not that of the descriptor").coded("SIZE_INVALID")),
                false => right,
            }
        })],
    )
    .when(stances::ACCEPT),
];
