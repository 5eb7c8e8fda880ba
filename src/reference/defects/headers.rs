//! Wrong about one header, or one condition, of what is served right otherwise.

use super::blobs::is_named;
use super::tools::*;

/// The digest of no bytes.
pub(super) const NO_BYTES: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A blob that no manifest names yet is served.
fn is_fresh_blob(asked: &Asked, view: &View, answer: &Answer) -> bool {
    answer.status == StatusCode::OK && !is_named(asked, view)
}

fn asks_for_identity(asked: &Asked) -> bool {
    asked.header("accept-encoding").is_some_and(|coding| coding.contains("identity"))
}

fn one_short(answer: Answer) -> Answer {
    let length = answer.body.length().saturating_sub(1);
    answer.with("content-length", &length.to_string())
}

/// Whether the condition of a request names what it would be given.
fn is_held(asked: &Asked, answer: &Answer) -> bool {
    let digest = answer.header("docker-content-digest").unwrap_or_default();
    !digest.is_empty() && asked.header("if-none-match").is_some_and(|condition| condition.contains(digest))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "blob-digest-of-nothing",
        "GET of a blob that no manifest names yet carries the digest of no bytes.",
        "blob.get.digest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = gets_blob(asked) && is_fresh_blob(asked, view, &answer);
            changed(wrong, answer, |a| a.with("docker-content-digest", NO_BYTES))
        })],
    ),
    Defect::new(
        "blob-length-one-short",
        "The Content-Length of a blob that no manifest names yet is reckoned before its last byte was written.",
        "blob.get.length",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(gets_blob(asked) && is_fresh_blob(asked, view, &answer), answer, one_short)
        })],
    ),
    Defect::new(
        "blob-head-length-absent",
        "HEAD of a blob that no manifest names yet has no Content-Length.",
        "blob.head.length-header",
        &[Seam::Finish(|asked, view, _, mut answer| {
            answer.delivery.chunked |= heads_blob(asked) && is_fresh_blob(asked, view, &answer);
            answer
        })],
    ),
    Defect::new(
        "blob-coding-identity",
        "A blob that is asked for without a coding is said to have one: identity.",
        "blob.get.uncoded",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_blob(asked) && asks_for_identity(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |a| a.with("content-encoding", "identity"))
        })],
    ),
    Defect::new(
        "get-coding-identity",
        "A manifest that is asked for without a coding is said to have one: identity.",
        "manifest.get.uncoded",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_manifest(asked) && asks_for_identity(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |a| a.with("content-encoding", "identity"))
        })],
    ),
    Defect::new(
        "get-length-one-short",
        "The Content-Length of a manifest that is asked for without a coding is a byte short.",
        "manifest.get.length",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_manifest(asked) && asks_for_identity(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, one_short)
        })],
    ),
    Defect::new(
        "if-none-match-412",
        "GET of a manifest that the client says it has is answered with 412, as a write would be.",
        "manifest.get.conditional",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_manifest(asked) && is_held(asked, &answer);
            changed(wrong, answer, |_| Answer::new(StatusCode::PRECONDITION_FAILED))
        })],
    ),
    Defect::new(
        "blob-if-none-match-304",
        "GET of a blob with any If-None-Match is answered with 304.",
        "blob.get.conditional",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = matches!(asked.route, Route::Blob { .. }) && asked.header("if-none-match").is_some();
            changed(wrong && answer.status == StatusCode::OK, answer, |_| Answer::new(StatusCode::NOT_MODIFIED))
        })],
    ),
    Defect::new(
        "upload-digest-of-nothing",
        "The answer to a finished upload carries the digest of the closing request's body, which is empty.",
        "upload.digest",
        &[Seam::Finish(|asked, _, _, answer| {
            let empty = asked.header("content-length").is_none_or(|length| length == "0");
            let wrong = closes_upload(asked) && answer.status == StatusCode::CREATED && empty;
            changed(wrong, answer, |a| a.with("docker-content-digest", NO_BYTES))
        })],
    ),
];
