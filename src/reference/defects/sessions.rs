//! Wrong about how an upload begins, where it stands, and how it ends, request by request.

use axum::http::Method;

use super::super::question::Closing;
use super::tools::*;

pub(super) fn is_upload(asked: &Asked, method: Method) -> bool {
    asked.method == method && matches!(asked.route, Route::Upload { .. })
}

fn begins(asked: &Asked, answer: &Answer) -> bool {
    let plain = asked.query.get("mount").is_none() && asked.query.get("digest").is_none();
    asked.method == Method::POST
        && matches!(asked.route, Route::Uploads { .. })
        && plain
        && answer.status == StatusCode::ACCEPTED
}

/// The answer to the last chunk that came into the repository in which an upload is begun, which is noted down too.
pub(super) fn under_way(asked: &Asked, memory: &mut Memory, answer: &Answer) -> Option<Answer> {
    let repository = asked.route.repository()?;
    if chunk_taken(asked, answer) {
        memory.keep(repository, answer);
    }
    memory.recall(repository).filter(|_| begins(asked, answer))
}

pub(super) fn chunk_taken(asked: &Asked, answer: &Answer) -> bool {
    is_upload(asked, Method::PATCH) && answer.status == StatusCode::ACCEPTED
}

pub(super) fn stands(asked: &Asked, answer: &Answer) -> bool {
    is_upload(asked, Method::GET) && answer.status == StatusCode::NO_CONTENT
}

pub(super) fn is_unknown(asked: &Asked, answer: &Answer) -> bool {
    matches!(asked.route, Route::Upload { .. }) && answer.status == StatusCode::NOT_FOUND
}

/// Last byte that a `Range` names.
pub(super) fn last(answer: &Answer) -> Option<u64> {
    answer.header("range")?.split_once('-')?.1.parse().ok()
}

pub(super) fn let_through(wrong: bool, right: Verdict) -> Verdict {
    if wrong { Ok(()) } else { right }
}

/// The answer to a closing PUT that names no digest.
fn without_digest(asked: &Asked, answer: &Answer) -> bool {
    let named = asked.query.get("digest").is_some_and(|digest| !digest.is_empty());
    is_upload(asked, Method::PUT) && !named && answer.status == StatusCode::BAD_REQUEST
}

/// A closing PUT of an upload without bytes, under the digest of some.
fn has_no_bytes(closing: &Closing) -> bool {
    closing.length == 0 && closing.claimed != closing.computed
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "session-location-absent",
        "The answer that begins an upload has no Location while chunks of another come into the repository.",
        "upload.session-location",
        &[Seam::Finish(|asked, _, memory, answer| {
            let wrong = under_way(asked, memory, &answer).is_some();
            changed(wrong, answer, |a| a.without("location"))
        })],
    ),
    Defect::new(
        "sessions-shared",
        "Who begins an upload while chunks of another come into the repository is sent to that one.",
        "upload.session-own",
        &[Seam::Finish(|asked, _, memory, answer| under_way(asked, memory, &answer).unwrap_or(answer))],
    ),
    Defect::new(
        "upload-status-404",
        "An upload cannot be asked where it stands.",
        "upload.status",
        &[Seam::Finish(|asked, _, _, answer| {
            let problem = || Answer::from(Problem::upload_unknown("there is no GET"));
            changed(stands(asked, &answer), answer, |_| problem())
        })],
    ),
    Defect::new(
        "upload-status-location-absent",
        "The answer where an upload stands has no Location.",
        "upload.status-location",
        &[Seam::Finish(|asked, _, _, answer| changed(stands(asked, &answer), answer, |a| a.without("location")))],
    ),
    Defect::new(
        "upload-status-one-more",
        "Where an upload stands is told one byte too far, and with a unit.",
        "upload.status-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let end = last(&answer).map_or(0, |last| last + 1);
            changed(stands(asked, &answer), answer, |a| a.with("range", &format!("bytes=0-{end}")))
        })],
    ),
    Defect::new(
        "upload-status-stuck",
        "An upload always stands at its first byte.",
        "upload.status-range",
        &[Seam::Finish(|asked, _, _, answer| changed(stands(asked, &answer), answer, |a| a.with("range", "0-0")))],
    ),
    Defect::new(
        "close-without-digest-201",
        "A closing PUT without digest is acknowledged.",
        "upload.close-without-digest",
        &[Seam::Finish(|asked, _, _, answer| {
            let created = || Answer::new(StatusCode::CREATED).with("location", asked.uri.path());
            changed(without_digest(asked, &answer), answer, |_| created())
        })],
    ),
    Defect::new(
        "close-without-digest-500",
        "A closing PUT without digest makes the registry fall over.",
        "upload.close-without-digest",
        &[Seam::Finish(|asked, _, _, answer| changed(without_digest(asked, &answer), answer, |_| fault().into()))],
    ),
    Defect::new(
        "upload-malformed-digest-500",
        "A closing PUT under a malformed digest makes the registry fall over.",
        "upload.digest-malformed-refused",
        &[Seam::Finish(|asked, _, _, answer| {
            let malformed = asked.query.get("digest").is_some_and(|digest| Digest::parse(digest).is_none());
            let wrong = is_upload(asked, Method::PUT) && malformed && answer.status == StatusCode::BAD_REQUEST;
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "upload-known-elsewhere-taken",
        "An upload of no bytes is acknowledged under any digest, as if the blob was known.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(has_no_bytes(closing), right))],
    ),
    Defect::new(
        "closed-upload-stands",
        "An upload that was closed can still be asked where it stands.",
        "upload.unknown",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if is_upload(asked, Method::PUT) && answer.status == StatusCode::CREATED {
                memory.keep(key, &answer);
            }
            let wrong = is_upload(asked, Method::GET) && is_unknown(asked, &answer) && memory.recall(key).is_some();
            let standing = || Answer::new(StatusCode::NO_CONTENT).with("location", key).with("range", "0-0");
            changed(wrong, answer, |_| standing())
        })],
    ),
    Defect::new(
        "unknown-upload-500",
        "A chunk for an upload that is over makes the registry fall over.",
        "upload.unknown",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_upload(asked, Method::PATCH) && is_unknown(asked, &answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "unknown-upload-code",
        "An upload that is over is answered with 400 and BLOB_UPLOAD_INVALID.",
        "error.code.upload",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_unknown(asked, &answer), answer, |_| Problem::upload_invalid("no such upload").into())
        })],
    )
    .also(&["upload.unknown-404"]),
    Defect::new(
        "cancelled-upload-goes-on",
        "To cancel an upload is acknowledged, and does nothing.",
        "upload.cancel-gone",
        &[Seam::Hear(|asked, _, right| match is_upload(asked, Method::DELETE) {
            true => Err(Problem::upload_invalid("").status(StatusCode::NO_CONTENT)),
            false => right,
        })],
    ),
    Defect::new(
        "cancel-500",
        "To cancel an upload makes the registry fall over.",
        "upload.cancel-answered",
        &[Seam::Hear(|asked, _, right| falls_over(is_upload(asked, Method::DELETE), right))],
    ),
];
