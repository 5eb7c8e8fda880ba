//! Wrong after whatever makes a registry read anew what it holds: a collection, a restart, an upgrade. About blobs,
//! manifests and what is not there.

use axum::http::Method;
use serde_json::json;

use super::blobs::content_range;
use super::boot_tools::{again, is_about_a_gap};
use super::gc_tools::was_collected;
use super::tools::*;

/// Whether the registry has read anew what it holds.
pub(super) fn after(view: &View) -> bool {
    was_collected(*view) || again(view)
}

/// What is kept, by the action after which it was lost.
const KEPT: &[&str] = &[
    "gc.keeps-manifest",
    "gc.keeps-blob",
    "gc.keeps-tag",
    "restart.keeps-manifest",
    "restart.keeps-blob",
    "restart.keeps-tag",
    "upgrade.keeps-manifest",
    "upgrade.keeps-blob",
    "upgrade.keeps-tag",
];

/// What is not there, by what it was and when it went.
const ABSENT: &[&str] = &[
    "gc.missing",
    "restart.missing",
    "upgrade.missing",
    "delete.manifest-gone",
    "restart.keeps-delete",
    "upgrade.keeps-delete",
];

/// JSON that is nothing which the spec knows.
fn misshapen(answer: Answer) -> Answer {
    answer.with("content-type", "application/json").body(json!({ "error": "not found" }).to_string())
}

fn is_untyped(served: &Served) -> bool {
    let value: serde_json::Value = serde_json::from_slice(&served.body.to_bytes()).unwrap_or_default();
    value.get("manifests").is_some() && value.get("mediaType").is_none()
}

/// Whether a tag leads already to what is newer than what it is put to.
fn leads_to_newer(push: &Push, tag: &str) -> bool {
    let Some(held) = push.view.state.repository(push.repository) else { return false };
    let first = |digest: &Digest| held.manifests.get(digest).map(|stored| stored.first);
    held.tags.get(tag).and_then(first).zip(first(push.digest)).is_some_and(|(now, put)| put < now)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-blob-heads-empty",
        "HEAD of a blob says after a collection that it has no bytes.",
        "gc.keeps-blob",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = was_collected(*view) && heads_blob(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |answer| answer.with("content-length", "0"))
        })],
    )
    .also(&["blob.head.length"]),
    Defect::new(
        "after-ranges-from-start",
        "Once blobs were read anew, a range of one has its first bytes, whatever Content-Range says.",
        "blob.range.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let late = content_range(&answer).is_some_and(|(start, _)| start > 0);
            let digest = answer.header("docker-content-digest").and_then(Digest::parse);
            let whole = digest.filter(|_| after(view) && late && gets_blob(asked));
            match whole.and_then(|digest| view.content.body(&digest)) {
                Some(whole) => Answer { body: whole.slice(0, answer.body.length()), ..answer },
                None => answer,
            }
        })],
    ),
    Defect::new(
        "after-mounts-nothing",
        "Once repositories were read anew, a mount from one is answered 201 and brings nothing.",
        "mount.location",
        &[Seam::Store(|change, right| match change {
            Change::Mount(blob) if after(&blob.view) => Vec::new(),
            _ => right,
        })],
    )
    .also(&["mount.honest", "mount.created"]),
    Defect::new(
        "after-chunks-500",
        "Once the registry has read anew what it holds, it falls over where an upload is closed that came in chunks.",
        "upload.created",
        &[Seam::Finish(|asked, view, memory, answer| {
            if asked.method == Method::PATCH {
                memory.keep(asked.uri.path(), &answer);
            }
            let wrong = closes_upload(asked) && after(view) && memory.recall(asked.uri.path()).is_some();
            changed(wrong, answer, |_| fault().into())
        })],
    )
    .also(&["upload.resumed"]),
    Defect::new(
        "after-errors-misshapen",
        "Once the registry has read anew what it holds, an unknown manifest is answered with JSON of another form.",
        "error.form",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && gets_manifest(asked) && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, misshapen)
        })],
    ),
    Defect::new(
        "after-blob-errors-misshapen",
        "The same for an unknown blob.",
        "error.form",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && gets_blob(asked) && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, misshapen)
        })],
    ),
    Defect::new(
        "after-heads-everything",
        "Once the registry has read anew what it holds, HEAD of a manifest is 200 whatever is asked for.",
        "manifest.head.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && heads_manifest(asked) && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, |_| Answer::new(StatusCode::OK).with("content-length", "0"))
        })],
    )
    .also(ABSENT),
    Defect::new(
        "after-gaps-misshapen",
        "Once indexes were read anew, a child that one names and that is missing is answered with JSON of another form.",
        "error.form",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && gets_manifest(asked) && is_about_a_gap(asked, view, &answer);
            changed(wrong, answer, misshapen)
        })],
    ),
    Defect::new(
        "after-gaps-400",
        "Once indexes were read anew, a child that one names and that is missing is answered with 400.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && gets_manifest(asked) && is_about_a_gap(asked, view, &answer);
            changed(wrong, answer, |_| Problem::manifest_invalid("the child is incomplete").into())
        })],
    )
    .also(ABSENT),
    Defect::new(
        "after-heads-what-is-named",
        "Once indexes were read anew, HEAD of whatever one names is 200.",
        "manifest.head.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && heads_manifest(asked) && is_about_a_gap(asked, view, &answer);
            changed(wrong, answer, |_| Answer::new(StatusCode::OK).with("content-length", "0"))
        })],
    )
    .also(ABSENT),
    Defect::new(
        "after-refuses-without-code",
        "Once the registry has read anew what it holds, it refuses an index for absent children as an invalid manifest.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| match after(&push.view) {
            true => refused_otherwise(right, |_| Problem::manifest_invalid("the manifest is invalid")),
            false => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "after-wants-every-type",
        "Once manifests were read anew, one is not found by an Accept that has its type alone.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let reads = gets_manifest(asked) || heads_manifest(asked);
            let wrong = after(view) && reads && answer.status == StatusCode::OK && asked.accepts().len() == 1;
            let reference = asked.route.reference().unwrap_or_default();
            changed(wrong, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    )
    .also(&["manifest.head.served", "manifest.get.accept-any"]),
    Defect::new(
        "after-moves-no-tag-back",
        "Once tags were read anew, one does not move to what is older than what it leads to: the push is answered 201.",
        "manifest.put.tag-moved",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if after(&push.view) => right
                .into_iter()
                .filter(|write| !matches!(write, Write::Tag { tag, .. } if leads_to_newer(push, tag)))
                .collect(),
            _ => right,
        })],
    )
    .also(&["gc.push-after"]),
    Defect::new(
        "after-guesses-inner-type",
        "Once manifests were read anew, an index that does not say its type and that another one names is served as an image.",
        "gc.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            right.map(|served| {
                let inner = parents(lookup.view, lookup.repository, served.digest.as_str()).next().is_some();
                match after(&lookup.view) && inner && is_untyped(&served) {
                    true => Served { media_type: "application/vnd.oci.image.manifest.v1+json".into(), ..served },
                    false => served,
                }
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "after-drops-empty-blobs",
        "Once blobs were read anew, one without bytes is not among them.",
        "gc.keeps-blob",
        &[Seam::Find(|lookup, right| right.filter(|served| !(after(&lookup.view) && served.body.length() == 0)))],
    )
    .also(KEPT),
];
