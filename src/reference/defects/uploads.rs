//! Wrong about blobs that come: uploads and mounts.

use axum::http::{Method, StatusCode};

use super::tools::*;

fn posts(asked: &Asked) -> bool {
    asked.method == Method::POST && matches!(asked.route, Route::Uploads { .. })
}

fn mounts(asked: &Asked) -> bool {
    posts(asked) && asked.query.get("mount").is_some()
}

/// The blob that an upload claims, and how long it is now.
fn claimed(asked: &Asked, view: &View) -> Option<(Digest, u64)> {
    let digest = Digest::parse(asked.query.get("digest")?)?;
    let length = view.content.body(&digest)?.length();
    Some((digest, length))
}

fn is_large(asked: &Asked, view: &View) -> bool {
    claimed(asked, view).is_some_and(|(_, length)| length > 0x1_0000)
}

fn mismatch(answer: &Answer) -> bool {
    answer.status == StatusCode::BAD_REQUEST
        && String::from_utf8_lossy(&answer.body.to_bytes()).contains("did not match uploaded content")
}

/// Where in a blob that came in chunks the last chunk begins; the answers of its upload are watched for it.
fn last_chunk(asked: &Asked, memory: &mut Memory, answer: &Answer) -> Option<u64> {
    let start = |value: &str| value.split_once('-').and_then(|(first, _)| first.parse::<u64>().ok());
    if asked.method == Method::PATCH && answer.status == StatusCode::ACCEPTED {
        let range = asked.header("content-range").unwrap_or_default();
        memory.keep(asked.uri.path(), &Answer::new(StatusCode::OK).with("content-range", range));
    }
    if closes_upload(asked) && answer.status == StatusCode::CREATED {
        let (repository, digest) = (asked.route.repository()?, asked.query.get("digest")?);
        let patched = memory.recall(asked.uri.path())?;
        memory.keep(&format!("/v2/{repository}/blobs/{digest}"), &patched);
    }
    let wrong = (gets_blob(asked) || heads_blob(asked)) && answer.status == StatusCode::OK;
    let kept = memory.recall(asked.uri.path()).filter(|_| wrong)?;
    kept.header("content-range").and_then(start)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "blob-empty-500",
        "A blob without bytes makes the registry fall over.",
        "blob.empty",
        &[Seam::Close(|closing, right| falls_over(closing.length == 0, right))],
    ),
    Defect::new(
        "upload-answers-200",
        "The end of an upload is answered with 200 where the blob is large or was there before.",
        "upload.created",
        &[Seam::Finish(|asked, view, memory, answer| {
            if !closes_upload(asked) || answer.status != StatusCode::CREATED {
                return answer;
            }
            let again = memory.count(answer.header("location").unwrap_or_default()) > 1;
            changed(again || is_large(asked, view), answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "upload-location-absent",
        "The answer to the upload of a large blob has no Location.",
        "upload.location",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = closes_upload(asked) && answer.status == StatusCode::CREATED && is_large(asked, view);
            changed(wrong, answer, |a| a.without("location"))
        })],
    ),
    Defect::new(
        "upload-single-post-400",
        "A single POST with digest and body is refused.",
        "upload.single-post",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = posts(asked) && asked.query.get("digest").is_some();
            changed(wrong, answer, |_| Problem::upload_invalid("a session is needed").into())
        })],
    ),
    Defect::new(
        "upload-last-chunk-lost",
        "Of a blob that came in chunks the last one is lost.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, _, memory, answer| match last_chunk(asked, memory, &answer) {
            Some(start) => {
                let body = answer.body.clone().slice(0, start);
                Answer { body, ..answer.without("content-length") }
            }
            None => answer,
        })],
    ),
    Defect::new(
        "upload-chunks-swapped",
        "Of a blob that came in chunks the last one is put first.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, _, memory, answer| match last_chunk(asked, memory, &answer) {
            Some(start) if gets_blob(asked) => {
                let bytes = answer.body.to_bytes();
                let middle = usize::try_from(start).unwrap_or_default().min(bytes.len());
                let (front, back) = bytes.split_at(middle);
                answer.body([back, front].concat())
            }
            _ => answer,
        })],
    ),
    Defect::new(
        "upload-digest-unchecked",
        "A blob is stored under whatever digest the upload claims.",
        "upload.digest-mismatch",
        &[Seam::Close(|_, _| Ok(()))],
    ),
    Defect::new(
        "upload-digest-mismatch-500",
        "A wrong digest at the end of an upload makes the registry fall over.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| falls_over(closing.claimed != closing.computed, right))],
    ),
    Defect::new(
        "upload-digest-mismatch-code-invalid",
        "A wrong digest at the end of an upload is refused with BLOB_UPLOAD_INVALID.",
        "upload.digest-mismatch-code",
        &[Seam::Close(|_, right| right.map_err(|problem| problem.coded("BLOB_UPLOAD_INVALID")))],
    ),
    Defect::new(
        "upload-digest-mismatch-kept",
        "What is refused for its digest at the end of an upload is stored all the same.",
        "upload.unfinished",
        &[
            Seam::Close(|_, _| Ok(())),
            Seam::Finish(|asked, view, _, answer| {
                let stored =
                    claimed(asked, view).filter(|_| closes_upload(asked) && answer.status == StatusCode::CREATED);
                let lies = stored.is_some_and(|(digest, _)| {
                    let bytes = view.content.body(&digest).map(|body| body.to_bytes()).unwrap_or_default();
                    Digest::of(digest.algorithm(), &bytes) != digest
                });
                changed(lies && !mismatch(&answer), answer, |_| {
                    Problem::digest_invalid("provided digest did not match uploaded content", "").into()
                })
            }),
        ],
    ),
    Defect::new(
        "mount-without-blob",
        "A mount is answered with 201, and nothing is mounted.",
        "mount.honest",
        &[Seam::Store(|change, right| match change {
            Change::Mount(_) => Vec::new(),
            _ => right,
        })],
    )
    .also(&["mount.location", "blob.get.served"]),
    Defect::new(
        "mount-answers-200",
        "A mount that was done is answered with 200.",
        "mount.created",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = mounts(asked) && answer.status == StatusCode::CREATED;
            changed(wrong, answer, |a| a.status(StatusCode::OK))
        })],
    )
    .also(&["mount.created"]),
    Defect::new(
        "mount-digest-of-nothing",
        "The answer to a mount has the digest of no bytes.",
        "mount.digest",
        &[Seam::Finish(|asked, _, _, answer| {
            const NO_BYTES: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            let wrong = mounts(asked) && answer.status == StatusCode::CREATED;
            changed(wrong, answer, |a| a.with("docker-content-digest", NO_BYTES))
        })],
    ),
    Defect::new(
        "mount-absent-201",
        "The mount of a blob that the source does not have is answered with 201.",
        "mount.absent",
        &[Seam::Mount(|_, _| true)],
    ),
    Defect::new(
        "mount-unknown-source-500",
        "A mount from a repository that does not exist makes the registry fall over.",
        "mount.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let unknown = asked.query.get("from").is_some_and(|from| view.state.repository(from).is_none());
            changed(mounts(asked) && unknown, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "mount-moves",
        "A mounted blob is taken from its source.",
        "blob.get.served",
        &[Seam::Store(|change, right| match change {
            Change::Mount(blob) => plus(right, blob.from.and_then(|from| unlink(from, blob.digest.as_str()))),
            _ => right,
        })],
    ),
];
