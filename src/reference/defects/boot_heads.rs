//! Wrong after a start about HEAD, and about the headers of what is served.

use super::boot_tools::*;

/// Whether a manifest is served.
fn serves_manifest(asked: &Asked, answer: &Answer) -> bool {
    (gets_manifest(asked) || heads_manifest(asked)) && answer.status == StatusCode::OK
}

/// 404 for the HEAD of what nobody has got since the start.
fn cold(wrong: bool, asked: &Asked, heads: bool, memory: &mut Memory, answer: Answer) -> Answer {
    let key = asked.uri.path();
    if answer.status != StatusCode::OK || !wrong {
        return answer;
    }
    if !heads {
        memory.keep(key, &answer);
        return answer;
    }
    let reference = asked.route.reference().unwrap_or_default();
    if memory.recall(key).is_some() { answer } else { Problem::manifest_unknown(reference).into() }
}

fn without_type(answer: Answer) -> Answer {
    answer.without("content-type")
}

fn empty(answer: Answer) -> Answer {
    answer.with("content-length", "0")
}

const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-tag", "restart.same-headers"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-heads-without-type",
        "HEAD of an index is answered from what a start rebuilds without types.",
        "restart.keeps-manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = again(view) && heads_manifest(asked) && about_index(asked, view, &answer);
            changed(wrong, answer, without_type)
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-heads-empty",
        "HEAD of an index says after a start that it has no bytes.",
        "restart.keeps-manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = again(view) && heads_manifest(asked) && about_index(asked, view, &answer);
            changed(wrong, answer, empty)
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-heads-cold-404",
        "HEAD of a manifest is answered from a cache, which is empty after a start: 404 until somebody gets it.",
        "restart.keeps-manifest",
        &[Seam::Finish(|asked, view, memory, answer| {
            let reads = gets_manifest(asked) || heads_manifest(asked);
            cold(again(view) && reads, asked, heads_manifest(asked), memory, answer)
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-heads-gaps-200",
        "HEAD of a missing child is answered after a start from what the index says of it.",
        "restart.missing",
        &[Seam::Finish(|asked, view, _, answer| {
            let gap = again(view) && heads_manifest(asked) && is_about_a_gap(asked, view, &answer);
            changed(gap, answer, |_| Answer::new(StatusCode::OK).with("content-length", "0"))
        })],
    ),
    Defect::new(
        "restart-drops-digest-header",
        "What was there before a start is served without Docker-Content-Digest.",
        "restart.same-headers",
        &[Seam::Finish(|asked, view, _, answer| {
            let older = named(asked, view, &answer).is_some_and(|(.., stored)| before_start(view, stored));
            let wrong = again(view) && serves_manifest(asked, &answer) && older;
            changed(wrong, answer, |answer| answer.without("docker-content-digest"))
        })],
    ),
    Defect::new(
        "restart-blob-heads-cold-404",
        "HEAD of a blob is answered from a cache, which is empty after a start: 404 until somebody gets it.",
        "restart.keeps-blob",
        &[Seam::Finish(|asked, view, memory, answer| {
            let reads = gets_blob(asked) || heads_blob(asked);
            cold(again(view) && reads, asked, heads_blob(asked), memory, answer)
        })],
    )
    .also(&["upload.resumed", "blob.head.served"]),
    Defect::new(
        "restart-blob-heads-empty",
        "HEAD of a blob says after a start that it has no bytes.",
        "restart.keeps-blob",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(again(view) && heads_blob(asked) && answer.status == StatusCode::OK, answer, empty)
        })],
    )
    .also(&["restart.same-headers"]),
    Defect::new(
        "upgrade-heads-type-json",
        "HEAD of a manifest is answered after an upgrade with the type application/json.",
        "upgrade.keeps-manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = view.state.life.upgraded && heads_manifest(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |answer| answer.with("content-type", "application/json"))
        })],
    )
    .also(&["upgrade.keeps-tag", "upgrade.same-headers"]),
    Defect::new(
        "upgrade-heads-cold-404",
        "An upgrade moves manifests when they are got: HEAD of one that nobody has got since is 404.",
        "upgrade.keeps-manifest",
        &[Seam::Finish(|asked, view, memory, answer| {
            let reads = gets_manifest(asked) || heads_manifest(asked);
            cold(view.state.life.upgraded && reads, asked, heads_manifest(asked), memory, answer)
        })],
    )
    .also(&["upgrade.keeps-tag"]),
    Defect::new(
        "upgrade-drops-digest-header",
        "The newer version serves what the older was given without Docker-Content-Digest.",
        "upgrade.same-headers",
        &[Seam::Finish(|asked, view, _, answer| {
            let older = named(asked, view, &answer).is_some_and(|(.., stored)| before_start(view, stored));
            let wrong = view.state.life.upgraded && serves_manifest(asked, &answer) && older;
            changed(wrong, answer, |answer| answer.without("docker-content-digest"))
        })],
    ),
    Defect::new(
        "upgrade-blob-heads-empty",
        "HEAD of a blob says after an upgrade that it has no bytes.",
        "upgrade.keeps-blob",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = view.state.life.upgraded && heads_blob(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, empty)
        })],
    )
    .also(&["upgrade.same-headers"]),
];
