//! Wrong about how a request is answered, mostly of an upload, where nothing is lost by it: a client stops all the same.

use axum::http::Method;

use super::super::question::Chunk;
use super::sessions::{is_unknown, is_upload, stands, under_way};
use super::tools::*;

/// Below so many bytes this registry takes no chunk.
const LEAST: u64 = 1024;

/// The session of this name is one that no registry makes.
const DONE: &str = "done";

fn refused(status: StatusCode) -> Problem {
    Problem::upload_invalid("this is not done here").status(status)
}

/// A first chunk that says that it begins elsewhere.
fn begins_elsewhere(chunk: &Chunk) -> bool {
    !chunk.closing && chunk.have == 0 && chunk.range.is_some_and(|range| !range.starts_with("0-"))
}

fn closes_with(asked: &Asked, part: &str) -> bool {
    is_upload(asked, Method::PUT) && asked.uri.query().is_some_and(|query| query.contains(part))
}

fn names_algorithm(asked: &Asked) -> bool {
    matches!(asked.route, Route::Uploads { .. }) && asked.query.get("digest-algorithm").is_some()
}

fn has_sha512(asked: &Asked) -> bool {
    asked.uri.to_string().contains("sha512")
}

/// A single POST that was done.
fn posted_whole(asked: &Asked, answer: &Answer) -> bool {
    let whole = asked.query.get("digest").is_some() && asked.query.get("mount").is_none();
    matches!(asked.route, Route::Uploads { .. }) && whole && answer.status == StatusCode::CREATED
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "sha512-upload-500",
        "An upload that is closed under a sha512 digest makes the registry fall over.",
        "upload.foreign-algorithm",
        &[Seam::Hear(|asked, _, right| falls_over(closes_upload(asked) && has_sha512(asked), right))],
    ),
    Defect::new(
        "sha512-manifest-500",
        "A manifest that is asked for by a sha512 digest makes the registry fall over.",
        "manifest.get.sha512",
        &[Seam::Hear(|asked, _, right| falls_over(gets_manifest(asked) && has_sha512(asked), right))],
    ),
    Defect::new(
        "upload-begun-with-200",
        "Who begins an upload while chunks of another come into the repository is answered with 200.",
        "upload.session-opened",
        &[Seam::Finish(|asked, _, memory, answer| {
            let wrong = under_way(asked, memory, &answer).is_some();
            changed(wrong, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "upload-fresh-404",
        "An upload into which nothing came yet cannot be asked where it stands.",
        "upload.status-fresh",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if is_upload(asked, Method::PATCH) {
                memory.keep(key, &answer);
            }
            let fresh = stands(asked, &answer) && memory.recall(key).is_none();
            changed(fresh, answer, |_| Problem::upload_unknown(key).into())
        })],
    ),
    Defect::new(
        "patch-405",
        "Blobs are taken whole alone: there is no PATCH.",
        "upload.chunked",
        &[Seam::Hear(|asked, _, right| match is_upload(asked, Method::PATCH) {
            true => Err(Problem::unsupported("an upload has PUT")),
            false => right,
        })],
    ),
    Defect::new(
        "chunk-minimum-unsaid",
        "Chunks below a kilobyte are refused, and no answer says that there is a least size.",
        "upload.chunk-min-length",
        &[Seam::Append(|chunk, right| match !chunk.closing && chunk.length.is_some_and(|length| length < LEAST) {
            true => Err(refused(StatusCode::BAD_REQUEST)),
            false => right,
        })],
    ),
    Defect::new(
        "stream-refused-411",
        "A chunk without Content-Range is refused with 411.",
        "upload.stream-taken",
        &[Seam::Append(|chunk, right| match !chunk.closing && chunk.range.is_none() {
            true => Err(refused(StatusCode::LENGTH_REQUIRED)),
            false => right,
        })],
    ),
    Defect::new(
        "first-chunk-400",
        "A first chunk that does not begin at 0 is refused with 400.",
        "upload.chunk-first",
        &[Seam::Append(|chunk, right| match right {
            Err(problem) if begins_elsewhere(chunk) => Err(problem.status(StatusCode::BAD_REQUEST)),
            right => right,
        })],
    ),
    Defect::new(
        "refusal-ends-upload",
        "An upload of which a chunk was refused for its order is over.",
        "upload.after-refusal",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if is_upload(asked, Method::PATCH) && answer.status == StatusCode::RANGE_NOT_SATISFIABLE {
                memory.keep(key, &answer);
                return answer;
            }
            changed(memory.recall(key).is_some(), answer, |_| Problem::upload_unknown(key).into())
        })],
    ),
    Defect::new(
        "cancel-405",
        "An upload cannot be cancelled.",
        "upload.cancel",
        &[Seam::Hear(|asked, _, right| match is_upload(asked, Method::DELETE) {
            true => Err(Problem::unsupported("an upload ends by itself")),
            false => right,
        })],
    ),
    Defect::new(
        "upload-malformed-digest-404",
        "A closing PUT under a malformed digest is answered with 404.",
        "upload.digest-malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let malformed = asked.query.get("digest").is_some_and(|digest| Digest::parse(digest).is_none());
            let wrong = is_upload(asked, Method::PUT) && malformed && answer.status == StatusCode::BAD_REQUEST;
            changed(wrong, answer, |a| a.status(StatusCode::NOT_FOUND))
        })],
    ),
    Defect::new(
        "single-post-never-done",
        "A single POST begins a session that answers 202 to its closing PUT.",
        "upload.single-post-ends",
        &[Seam::Finish(|asked, _, _, answer| {
            let posted = matches!(asked.route, Route::Uploads { .. }) && asked.query.get("digest").is_some();
            let closed = is_unknown(asked, &answer) && asked.uri.path().ends_with(DONE);
            let wrong = closed || posted && answer.status == StatusCode::CREATED;
            let repository = asked.route.repository().unwrap_or_default().to_owned();
            let location = format!("/v2/{repository}/blobs/uploads/{DONE}");
            changed(wrong, answer, |_| Answer::new(StatusCode::ACCEPTED).with("location", &location))
        })],
    ),
    Defect::new(
        "single-post-stores-nothing",
        "A blob that comes by a single POST is acknowledged, and not there.",
        "upload.location",
        &[Seam::Finish(|asked, _, memory, answer| {
            if posted_whole(asked, &answer) {
                memory.keep(asked.query.get("digest").unwrap_or_default(), &answer);
                return answer;
            }
            let Route::Blob { digest, .. } = &asked.route else { return answer };
            let lost = asked.reads() && memory.recall(digest).is_some();
            changed(lost, answer, |_| Problem::blob_unknown(digest).into())
        })],
    )
    .also(&["blob.get.served"]),
    Defect::new(
        "single-post-location-absent",
        "The answer to a single POST that was done has no Location.",
        "upload.location",
        &[Seam::Finish(|asked, _, _, answer| changed(posted_whole(asked, &answer), answer, |a| a.without("location")))],
    ),
    Defect::new(
        "encoded-digest-refused",
        "The query of a closing PUT is read as it came: a colon that is percent-encoded is none.",
        "upload.query",
        &[Seam::Hear(|asked, _, right| match closes_with(asked, "digest=sha256%3A") {
            true => Err(Problem::digest_invalid("the digest is malformed", "")),
            false => right,
        })],
    ),
    Defect::new(
        "digest-algorithm-refused",
        "A POST with a query that the registry does not know is refused.",
        "upload.digest-algorithm",
        &[Seam::Hear(|asked, _, right| match names_algorithm(asked) {
            true => Err(refused(StatusCode::BAD_REQUEST)),
            false => right,
        })],
    ),
    Defect::new(
        "digest-algorithm-unknown-500",
        "An algorithm that the registry does not have makes it fall over when an upload begins with it.",
        "upload.digest-algorithm-unknown",
        &[Seam::Hear(|asked, _, right| {
            let unknown = asked.query.get("digest-algorithm").is_some_and(|name| !matches!(name, "sha256" | "sha512"));
            falls_over(names_algorithm(asked) && unknown, right)
        })],
    ),
];
