//! Wrong about blobs that come by one way of uploading, and right about the others.

use axum::http::Method;

use super::super::question::Closing;
use super::sessions::{chunk_taken, is_unknown, is_upload, let_through};
use super::tools::*;
use crate::content::graph::Algorithm;

/// Whether the closing request brings bytes of its own.
fn brings_bytes(closing: &Closing) -> bool {
    closing.asked.header("content-length").is_some_and(|length| length != "0")
}

/// Whether all of the blob came before the closing request.
fn came_in_chunks(closing: &Closing) -> bool {
    closing.length > 0 && !brings_bytes(closing)
}

/// Whether its last chunk came with the closing request, behind others.
fn ends_with_chunk(closing: &Closing) -> bool {
    brings_bytes(closing) && closing.asked.header("content-range").is_some()
}

fn is_sha512(closing: &Closing) -> bool {
    closing.claimed.algorithm() == Algorithm::Sha512
}

fn without_sha512(wrong: bool, right: Verdict) -> Verdict {
    if wrong { Err(Problem::digest_invalid("only sha256 is reckoned as bytes come", "")) } else { right }
}

/// A blob without bytes is served, or asked whether it is there.
fn is_empty_blob(asked: &Asked, answer: &Answer) -> bool {
    let blob = (gets_blob(asked) || heads_blob(asked)) && answer.status == StatusCode::OK;
    blob && answer.header("content-length") == Some("0")
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "single-post-digest-unchecked",
        "What comes in a single POST is stored under whatever digest it claims.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(closing.asked.method == Method::POST, right))],
    ),
    Defect::new(
        "chunks-digest-unchecked",
        "What came in chunks is stored under whatever digest the closing PUT claims.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(came_in_chunks(closing), right))],
    ),
    Defect::new(
        "last-chunk-digest-unchecked",
        "Where the last chunk comes with the closing PUT the blob is stored under whatever digest that claims.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(ends_with_chunk(closing), right))],
    ),
    Defect::new(
        "sha512-digest-unchecked",
        "A sha512 digest is not held against the bytes: only sha256 is reckoned as they come.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(is_sha512(closing), right))],
    ),
    Defect::new(
        "sha512-post-refused",
        "A single POST under a sha512 digest is refused.",
        "upload.sha512",
        &[Seam::Close(|closing, right| {
            without_sha512(is_sha512(closing) && closing.asked.method == Method::POST, right)
        })],
    ),
    Defect::new(
        "sha512-chunks-refused",
        "What came in chunks cannot be closed under a sha512 digest.",
        "upload.sha512",
        &[Seam::Close(|closing, right| without_sha512(is_sha512(closing) && came_in_chunks(closing), right))],
    ),
    Defect::new(
        "blob-empty-head-404",
        "HEAD takes a blob of length 0 for none.",
        "blob.empty-served",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = heads_blob(asked) && is_empty_blob(asked, &answer);
            changed(wrong, answer, |_| Problem::blob_unknown("").into())
        })],
    ),
    Defect::new(
        "blob-empty-range-500",
        "A range of a blob without bytes makes the registry fall over.",
        "blob.empty-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let range = gets_blob(asked) && asked.header("range").is_some();
            let of_nothing = answer.header("content-range") == Some("bytes */0");
            changed(range && (of_nothing || is_empty_blob(asked, &answer)), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "chunk-empty-500",
        "A chunk without bytes makes the registry fall over.",
        "blob.empty-chunk",
        &[Seam::Append(|chunk, right| falls_over(!chunk.closing && chunk.length == Some(0), right))],
    ),
    Defect::new(
        "cut-upload-kept",
        "Where the connection ends within the closing PUT, what came is taken for all of it, and its digest not looked at.",
        "upload.cut-short",
        &[Seam::Append(|chunk, right| let_through(chunk.cut, right)), Seam::Close(|_, _| Ok(()))],
    )
    .also(&["upload.digest-mismatch"]),
    Defect::new(
        "cut-chunk-locks-blob",
        "A blob of which a chunk was cut short is locked for good: another upload into its repository is answered with 500.",
        "upload.cut-short",
        &[Seam::Finish(|asked, _, memory, answer| {
            let Some(repository) = asked.route.repository() else { return answer };
            let cut = String::from_utf8_lossy(&answer.body.to_bytes()).contains("the body ended too early");
            if cut && is_upload(asked, Method::PATCH) {
                memory.keep(repository, &answer);
            }
            let locked = closes_upload(asked) && memory.recall(repository).is_some();
            changed(locked, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "unclosed-upload-there",
        "While chunks come into a repository any blob that it does not have counts as come.",
        "upload.unclosed",
        &[Seam::Finish(|asked, _, memory, answer| {
            let Some(repository) = asked.route.repository() else { return answer };
            if chunk_taken(asked, &answer) {
                memory.keep(repository, &answer);
            } else if closes_upload(asked) {
                memory.forget(repository);
            }
            let missing = (gets_blob(asked) || heads_blob(asked)) && answer.status == StatusCode::NOT_FOUND;
            let there = missing && memory.recall(repository).is_some();
            changed(there, answer, |_| Answer::new(StatusCode::OK))
        })],
    ),
    Defect::new(
        "closed-upload-closes-again",
        "An upload that was closed can be closed again, under whatever digest.",
        "upload.unknown-404",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if closes_upload(asked) && answer.status == StatusCode::CREATED {
                memory.keep(key, &answer);
            }
            let closed = memory.recall(key).filter(|_| closes_upload(asked) && is_unknown(asked, &answer));
            closed.unwrap_or(answer)
        })],
    ),
    Defect::new(
        "unknown-upload-begun",
        "A chunk for an upload that was never begun begins it.",
        "upload.unknown",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if let Some(location) = answer.header("location") {
                memory.keep(location, &answer);
            }
            let wrong = is_upload(asked, Method::PATCH) && is_unknown(asked, &answer) && memory.recall(key).is_none();
            changed(wrong, answer, |_| Answer::new(StatusCode::ACCEPTED).with("location", key).with("range", "0-5"))
        })],
    ),
];
