//! Wrong after whatever makes a registry read anew what it holds, about what is written and deleted then.

use axum::http::Method;

use super::after::after;
use super::gc_tools::is_late;
use super::tools::*;

fn comes_late(push: &Push) -> bool {
    push.view.state.repository(push.repository).is_some_and(|held| is_late(held, push.digest))
}

fn has_late_children(push: &Push) -> bool {
    let Some(held) = push.view.state.repository(push.repository) else { return false };
    push.manifest.children.iter().filter_map(|child| Digest::parse(&child.digest)).any(|child| is_late(held, &child))
}

/// What a tag led to before it was moved.
fn moved_from(asked: &Asked, view: &View) -> Option<Digest> {
    let held = view.state.repository(asked.route.repository()?)?;
    let tag = asked.route.reference().filter(|tag| held.tags.contains_key(*tag))?;
    let gone = held.past.gone().filter_map(|(gone, _)| match gone {
        Gone::Tag(other, digest) if other == tag => Some(digest.clone()),
        _ => None,
    });
    gone.last()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "after-late-child-untaggable",
        "Once indexes were read anew, a child that came late takes no tag: the push is answered 201.",
        "late.child.served",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if after(&push.view) && comes_late(push) => {
                right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect()
            }
            _ => right,
        })],
    )
    .also(&["manifest.put.location", "gc.push-after", "tags.fresh", "late.again.kept", "manifest.get.served"]),
    Defect::new(
        "after-remembers-gaps",
        "Once indexes were read anew, what one of them lacked counts as absent when another one is pushed, though it came.",
        "manifest.put.created",
        &[Seam::Accept(|push, right| {
            let forgotten = after(&push.view) && is_index(push) && has_late_children(push);
            if forgotten { Err(refusal(push)) } else { right }
        })],
    )
    .also(&["manifest.put.again", "gc.push-after", "index.accept.taken", "index.shape.answered", "late.child.taken"]),
    Defect::new(
        "after-takes-gaps-no-more",
        "Once the registry has read anew what it holds, an index with a gap is refused, though it took such ones before.",
        "index.accept.taken",
        &[Seam::Accept(|push, right| {
            let refuses = after(&push.view) && is_index(push) && has_gaps(push) && right.is_ok();
            if refuses { Err(refusal(push)) } else { right }
        })],
    ),
    Defect::new(
        "after-deletes-nothing",
        "Once the registry has read anew what it holds, deletes are answered 202 and done on a copy.",
        "delete.manifest-gone",
        &[Seam::Store(|change, right| match deleted(change) {
            Some(removal) if after(&removal.view) => Vec::new(),
            _ => right,
        })],
    )
    .also(&["delete.tag-gone", "delete.blob-gone", "tags.gone", "restart.keeps-delete", "upgrade.keeps-delete"]),
    Defect::new(
        "after-loses-chunked-blobs",
        "Once blobs were read anew, one that came in chunks is not among them.",
        "gc.keeps-blob",
        &[Seam::Finish(|asked, view, memory, answer| {
            let path = asked.uri.path();
            if asked.method == Method::PATCH && answer.status == StatusCode::ACCEPTED {
                memory.keep(path, &answer);
            }
            let named = asked.route.repository().zip(asked.query.get("digest"));
            if let Some((repository, digest)) = named.filter(|_| closes_upload(asked) && memory.recall(path).is_some()) {
                memory.keep(&format!("/v2/{repository}/blobs/{digest}"), &answer);
            }
            let chunked = (gets_blob(asked) || heads_blob(asked)) && memory.recall(path).is_some();
            changed(chunked && after(view), answer, |_| Problem::blob_unknown(path).into())
        })],
    )
    .also(&["restart.keeps-blob", "upgrade.keeps-blob", "blob.get.bytes", "blob.get.served", "upload.location"]),
    Defect::new(
        "after-heads-moved-tags-back",
        "Once tags were read anew, HEAD of one that was moved says what it led to before.",
        "gc.keeps-tag",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && heads_manifest(asked) && answer.status == StatusCode::OK;
            match moved_from(asked, view).filter(|_| wrong) {
                Some(older) => answer.with("docker-content-digest", older.as_str()),
                None => answer,
            }
        })],
    )
    .also(&["restart.keeps-tag", "upgrade.keeps-tag", "manifest.put.tag-moved", "manifest.head.digest"]),
];
