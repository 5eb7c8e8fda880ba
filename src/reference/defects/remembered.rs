//! Wrong about what was before: answers and deletions that are remembered when they no longer hold.

use axum::http::StatusCode;

use super::delete::{deletes_digest, deletes_tag};
use super::gc_tools::gone_manifests;
use super::tools::*;

/// The last good answer of its kind, where there is none any more.
fn remembered(kind: bool, asked: &Asked, memory: &mut Memory, answer: Answer) -> Answer {
    if kind && answer.status == StatusCode::OK {
        memory.keep(asked.uri.path(), &answer);
    }
    let gone = kind && answer.status == StatusCode::NOT_FOUND;
    memory.recall(asked.uri.path()).filter(|_| gone).unwrap_or(answer)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "deleted-for-ever",
        "A digest that was deleted is not served again, though its push is acknowledged.",
        "late.again.kept",
        &[Seam::Finish(|asked, _, memory, answer| {
            let repository = asked.route.repository().unwrap_or_default();
            if deletes_digest(asked) && answer.status == StatusCode::ACCEPTED {
                memory.keep(&format!("{repository} {}", asked.route.reference().unwrap_or_default()), &answer);
            }
            let digest = answer.header("docker-content-digest").unwrap_or_default();
            let gone = memory.recall(&format!("{repository} {digest}")).is_some();
            let wrong = (gets_manifest(asked) || heads_manifest(asked)) && answer.status == StatusCode::OK && gone;
            changed(wrong, answer, |_| Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "deleted-tag-for-ever",
        "A tag that was deleted is not served again, though its push is acknowledged.",
        "late.again.kept",
        &[Seam::Finish(|asked, _, memory, answer| {
            if deletes_tag(asked) && answer.status == StatusCode::ACCEPTED {
                memory.keep(asked.uri.path(), &answer);
            }
            let read = gets_manifest(asked) || heads_manifest(asked);
            let wrong = read && answer.status == StatusCode::OK && memory.recall(asked.uri.path()).is_some();
            changed(wrong, answer, |_| Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "head-digest-remembered",
        "HEAD of a digest is answered as before the manifest was deleted.",
        "delete.manifest-gone",
        &[Seam::Finish(|asked, _, memory, answer| {
            let digest = asked.route.reference().is_some_and(|reference| reference.contains(':'));
            remembered(heads_manifest(asked) && digest, asked, memory, answer)
        })],
    ),
    Defect::new(
        "blob-head-remembered",
        "HEAD of a blob is answered as before it was deleted.",
        "delete.blob-gone",
        &[Seam::Finish(|asked, _, memory, answer| remembered(heads_blob(asked), asked, memory, answer))],
    ),
    Defect::new(
        "if-none-match-always-304",
        "If-None-Match is answered with 304, whatever it names and whatever is there.",
        "manifest.put.tag-moved",
        &[Seam::Finish(|asked, _, _, answer| {
            let asks = asked.header("if-none-match").is_some() && (gets_manifest(asked) || heads_manifest(asked));
            changed(asks && answer.status == StatusCode::OK, answer, |_| Answer::new(StatusCode::NOT_MODIFIED))
        })],
    )
    .also(&["manifest.get.conditional", "gc.keeps-tag", "restart.keeps-tag", "upgrade.keeps-tag"]),
    Defect::new(
        "head-tag-remembered",
        "HEAD of a tag is answered as it was the first time, wherever the tag has gone since.",
        "manifest.put.tag-moved",
        &[Seam::Finish(|asked, _, memory, answer| {
            let tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
            if !heads_manifest(asked) || !tag {
                return answer;
            }
            if answer.status == StatusCode::OK && memory.recall(asked.uri.path()).is_none() {
                memory.keep(asked.uri.path(), &answer);
            }
            memory.recall(asked.uri.path()).unwrap_or(answer)
        })],
    )
    .also(&["delete.tag-gone", "delete.manifest-gone"]),
    Defect::new(
        "second-get-rewritten",
        "The first answer comes from the store, later ones from a cache that keeps the JSON, not the bytes.",
        "manifest.get.stable",
        &[Seam::Finish(|asked, view, memory, answer| {
            let index = gets_manifest(asked) && answer.status == StatusCode::OK && about_index(asked, view, &answer);
            let again = index && memory.count(asked.uri.path()) > 1;
            changed(again, answer, |a| {
                let body = a.value().map(|value| value.to_string()).unwrap_or_default();
                a.without("content-length").body(body)
            })
        })],
    )
    .also(&["manifest.get.bytes"]),
    Defect::new(
        "emptied-repository-500",
        "A repository of which everything was deleted makes the registry fall over when it is read.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let emptied = held.is_some_and(|held| held.manifests.is_empty() && gone_manifests(held).next().is_some());
            let missing = asked.reads() && answer.status == StatusCode::NOT_FOUND;
            changed(matches!(asked.route, Route::Manifest { .. }) && missing && emptied, answer, |_| fault().into())
        })],
    )
    .also(&["manifest.head.absent", "delete.manifest-gone", "tags.gone"]),
];
