//! Wrong about blobs: serving them, whole and in ranges.

use axum::http::StatusCode;

use super::super::answer::Body;
use super::tools::*;

fn served_whole(asked: &Asked, answer: &Answer) -> bool {
    gets_blob(asked) && answer.status == StatusCode::OK
}

fn partial(asked: &Asked, answer: &Answer) -> bool {
    gets_blob(asked) && answer.status == StatusCode::PARTIAL_CONTENT
}

/// The bytes of the whole blob that is asked for.
pub(super) fn whole(asked: &Asked, view: &View) -> Option<Body> {
    match &asked.route {
        Route::Blob { digest, .. } => view.content.body(&Digest::parse(digest)?),
        _ => None,
    }
}

/// The answer with another part of the blob in it.
fn part(asked: &Asked, view: &View, answer: Answer, start: u64) -> Answer {
    let length = answer.body.length();
    match whole(asked, view) {
        Some(all) => {
            let start = start.min(all.length().saturating_sub(length));
            Answer { body: all.slice(start, length), ..answer }
        }
        None => answer,
    }
}

/// First byte and total of `bytes 0-9/100`.
pub(super) fn content_range(answer: &Answer) -> Option<(u64, u64)> {
    let (range, total) = answer.header("content-range")?.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

/// Whether a manifest of the repository names the blob.
pub(super) fn is_named(asked: &Asked, view: &View) -> bool {
    let Route::Blob { repository, digest } = &asked.route else { return false };
    let manifests = view.state.repository(repository).into_iter().flat_map(|r| r.manifests.values());
    manifests.flat_map(|stored| &stored.manifest.blobs).any(|blob| blob.digest == *digest)
}

fn past_the_end(asked: &Asked, answer: &Answer) -> bool {
    gets_blob(asked) && answer.status == StatusCode::RANGE_NOT_SATISFIABLE
}

fn without_last_byte(answer: Answer) -> Answer {
    let body = answer.body.clone().slice(0, answer.body.length().saturating_sub(1));
    Answer { body, ..answer.without("content-length") }
}

fn recut(answer: Answer, body: impl Into<bytes::Bytes>) -> Answer {
    answer.without("content-length").body(body)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "blob-truncated",
        "A blob that no manifest names yet is read before its last byte was written: GET serves the others.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(served_whole(asked, &answer) && !is_named(asked, view), answer, without_last_byte)
        })],
    ),
    Defect::new(
        "blob-cut-when-coding-named",
        "GET of a blob with an Accept-Encoding loses the last byte.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, _, _, answer| {
            let named = asked.header("accept-encoding").is_some();
            changed(served_whole(asked, &answer) && named, answer, without_last_byte)
        })],
    ),
    Defect::new(
        "blob-digest-wrong",
        "HEAD of a blob carries the digest of no bytes.",
        "blob.head.digest",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = heads_blob(asked) && answer.status == StatusCode::OK;
            let empty = Digest::of(Default::default(), b"");
            changed(wrong, answer, |a| a.with("docker-content-digest", empty.as_str()))
        })],
    ),
    Defect::new(
        "blob-digest-header-absent",
        "A blob has no Docker-Content-Digest.",
        "blob.get.digest-header",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = matches!(asked.route, Route::Blob { .. }) && asked.reads();
            changed(wrong, answer, |a| a.without("docker-content-digest"))
        })],
    )
    .also(&["blob.head.digest-header"]),
    Defect::new(
        "blob-head-length-zero",
        "HEAD of a blob says Content-Length: 0.",
        "blob.head.length",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = heads_blob(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |a| a.with("content-length", "0"))
        })],
    ),
    Defect::new(
        "blob-head-404",
        "HEAD of a blob is answered with 404, GET with 200.",
        "blob.head.served",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = heads_blob(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |_| Problem::blob_unknown("").into())
        })],
    ),
    Defect::new(
        "range-off-by-one",
        "A range of a blob begins a byte late.",
        "blob.range.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let start = content_range(&answer).map_or(0, |(start, _)| start);
            changed(partial(asked, &answer), answer, |a| {
                let length = a.body.length();
                let total = whole(asked, view).map_or(0, |body| body.length());
                match start + length < total {
                    true => part(asked, view, a, start + 1),
                    false => part(asked, view, a, start.saturating_sub(1)),
                }
            })
        })],
    ),
    Defect::new(
        "range-ignored-206",
        "A range is answered with 206, its Content-Range, and the first bytes of the blob.",
        "blob.range.bytes",
        &[Seam::Finish(|asked, view, _, answer| changed(partial(asked, &answer), answer, |a| part(asked, view, a, 0)))],
    ),
    Defect::new(
        "range-total-wrong",
        "The Content-Range of a part gives the part's length for the whole size.",
        "blob.range.header",
        &[Seam::Finish(|asked, _, _, answer| {
            let start = content_range(&answer).map_or(0, |(start, _)| start);
            let length = answer.body.length();
            let last = (start + length).saturating_sub(1);
            let wrong = partial(asked, &answer) && content_range(&answer).is_some_and(|(_, total)| total != length);
            changed(wrong, answer, |a| a.with("content-range", &format!("bytes {start}-{last}/{length}")))
        })],
    ),
    Defect::new(
        "range-ignored",
        "A range of a blob is ignored: all of it comes, with 200.",
        "blob.range.partial",
        &[Seam::Finish(|asked, view, _, answer| match whole(asked, view).filter(|_| partial(asked, &answer)) {
            Some(body) => {
                Answer { body, ..answer.status(StatusCode::OK) }.without("content-length").without("content-range")
            }
            None => answer,
        })],
    ),
    Defect::new(
        "range-suffix-as-prefix",
        "The last bytes of a blob are asked for, the first come.",
        "blob.range.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let suffix = asked.header("range").is_some_and(|range| range.starts_with("bytes=-"));
            changed(partial(asked, &answer) && suffix, answer, |a| part(asked, view, a, 0))
        })],
    ),
    Defect::new(
        "range-past-end-500",
        "A range past the end of a blob makes the registry fall over.",
        "blob.range.unsatisfiable",
        &[Seam::Finish(|asked, _, _, answer| changed(past_the_end(asked, &answer), answer, |_| fault().into()))],
    ),
    Defect::new(
        "range-past-end-400",
        "A range past the end of a blob is refused with 400.",
        "blob.range.unsatisfiable-status",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(past_the_end(asked, &answer), answer, |a| a.status(StatusCode::BAD_REQUEST))
        })],
    ),
    Defect::new(
        "range-past-end-206",
        "A range past the end of a blob is answered with 206 and no bytes.",
        "blob.range.unsatisfiable",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(past_the_end(asked, &answer), answer, |_| Answer::new(StatusCode::PARTIAL_CONTENT))
        })],
    ),
    Defect::new(
        "range-odd-500",
        "A range in a unit or syntax that the registry does not know makes it fall over.",
        "blob.range.ignored",
        &[Seam::Finish(|asked, _, _, answer| {
            let odd = served_whole(asked, &answer) && asked.header("range").is_some();
            changed(odd, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "range-cached-as-whole",
        "A part of a blob that was asked for is remembered as all of it.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, _, memory, answer| {
            if partial(asked, &answer) {
                memory.keep(asked.uri.path(), &answer);
            }
            match memory.recall(asked.uri.path()).filter(|_| served_whole(asked, &answer)) {
                Some(part) => recut(answer, part.body.to_bytes()),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "range-absent-416",
        "A range of a blob that is not there is answered with 416.",
        "blob.get.absent",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_blob(asked) && asked.header("range").is_some() && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, |a| a.status(StatusCode::RANGE_NOT_SATISFIABLE))
        })],
    ),
];
