//! Wrong about chunks of an upload: what is acknowledged of them, and in which order they come.

use axum::http::Method;

use super::super::question::Chunk;
use super::sessions::{chunk_taken, is_upload, last, let_through, stands};
use super::tools::*;

/// Whether a chunk of this upload was refused for its order, which is noted down too.
fn was_refused(asked: &Asked, memory: &mut Memory, answer: &Answer) -> bool {
    if answer.status == StatusCode::RANGE_NOT_SATISFIABLE {
        memory.keep(asked.uri.path(), answer);
    }
    memory.recall(asked.uri.path()).is_some()
}

/// First byte of a chunk, by its `Content-Range`.
fn first(range: Option<&str>) -> Option<u64> {
    range?.split_once('-')?.0.parse().ok()
}

/// A chunk that does not begin where the last one ended.
fn jumps(chunk: &Chunk, how: fn(u64, u64) -> bool) -> bool {
    !chunk.closing && chunk.have > 0 && first(chunk.range).is_some_and(|first| how(first, chunk.have))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "chunk-location-absent",
        "The answer to a chunk has no Location, but for the first.",
        "upload.chunk-location",
        &[Seam::Finish(|asked, _, _, answer| {
            let later =
                chunk_taken(asked, &answer) && first(asked.header("content-range")).is_some_and(|first| first > 0);
            changed(later, answer, |a| a.without("location"))
        })],
    )
    .also(&["upload.created"]),
    Defect::new(
        "chunk-range-of-chunk",
        "The Range of the answer to a chunk is that of the chunk.",
        "upload.chunk-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let range = asked.header("content-range").unwrap_or_default();
            changed(chunk_taken(asked, &answer) && !range.is_empty(), answer, |a| a.with("range", range))
        })],
    ),
    Defect::new(
        "chunk-range-counts",
        "The Range of the answer to a chunk ends with the number of bytes, not with the place of the last.",
        "upload.chunk-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let end = last(&answer).map_or(0, |last| last + 1);
            changed(chunk_taken(asked, &answer), answer, |a| a.with("range", &format!("0-{end}")))
        })],
    ),
    Defect::new(
        "chunk-range-stuck",
        "The Range of the answer to a chunk is that of the answer to the first.",
        "upload.chunk-range",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !chunk_taken(asked, &answer) {
                return answer;
            }
            let key = asked.uri.path();
            match memory.recall(key).as_ref().and_then(|first| first.header("range")) {
                Some(range) => answer.with("range", range),
                None => {
                    memory.keep(key, &answer);
                    answer
                }
            }
        })],
    ),
    Defect::new(
        "chunk-range-in-bytes",
        "The Range of the answer to a chunk has a unit, as HTTP's own has.",
        "upload.chunk-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let end = last(&answer).unwrap_or(0);
            changed(chunk_taken(asked, &answer), answer, |a| a.with("range", &format!("bytes=0-{end}")))
        })],
    ),
    Defect::new(
        "chunk-gap-taken",
        "A chunk that leaves a gap is appended.",
        "upload.chunk-order",
        &[Seam::Append(|chunk, right| let_through(jumps(chunk, |first, have| first > have), right))],
    ),
    Defect::new(
        "chunk-again-taken",
        "A chunk that came before, whole or in part, is appended again.",
        "upload.chunk-order",
        &[Seam::Append(|chunk, right| let_through(jumps(chunk, |first, have| first < have), right))],
    ),
    Defect::new(
        "chunk-out-of-order-400",
        "A chunk out of order is refused with 400.",
        "upload.chunk-order",
        &[Seam::Append(|chunk, right| match right {
            Err(problem) if jumps(chunk, |first, have| first != have) => Err(problem.status(StatusCode::BAD_REQUEST)),
            right => right,
        })],
    ),
    Defect::new(
        "chunk-refused-500",
        "An upload of which a chunk was refused makes the registry fall over when it is asked where it stands.",
        "upload.answered",
        &[Seam::Finish(|asked, _, memory, answer| {
            let wrong = was_refused(asked, memory, &answer) && stands(asked, &answer);
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "chunk-refused-and-counted",
        "What was refused with 416 counts: the chunk that belongs there is refused too.",
        "upload.chunk-order-kept",
        &[Seam::Finish(|asked, _, memory, answer| {
            let wrong = was_refused(asked, memory, &answer) && chunk_taken(asked, &answer);
            changed(wrong, answer, |a| a.status(StatusCode::RANGE_NOT_SATISFIABLE))
        })],
    ),
    Defect::new(
        "first-chunk-anywhere",
        "Where the first chunk says that it begins is not looked at.",
        "upload.chunk-first-refused",
        &[Seam::Append(|chunk, right| let_through(!chunk.closing && chunk.have == 0, right))],
    ),
    Defect::new(
        "put-range-unread",
        "The Content-Range of a closing PUT is not looked at.",
        "upload.put-order-refused",
        &[Seam::Append(|chunk, right| let_through(chunk.closing, right))],
    ),
    Defect::new(
        "last-chunk-in-put-refused",
        "A closing PUT with bytes, behind chunks, is refused.",
        "upload.last-chunk-put",
        &[Seam::Append(|chunk, right| match chunk.closing && chunk.have > 0 && chunk.length.is_some_and(|n| n > 0) {
            true => Err(Problem::upload_invalid("the closing PUT has a body")),
            false => right,
        })],
    ),
    Defect::new(
        "chunk-malformed-range-500",
        "A Content-Range that cannot be read makes the registry fall over.",
        "upload.chunk-malformed",
        &[Seam::Append(|chunk, right| {
            falls_over(chunk.range.is_some_and(|range| first(Some(range)).is_none() || range.ends_with('-')), right)
        })],
    ),
    Defect::new(
        "chunk-length-unread",
        "A chunk that is not as long as its Content-Range says is acknowledged.",
        "upload.chunk-length",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = is_upload(asked, Method::PATCH)
                && answer.value().is_some_and(|value| value["errors"][0]["code"] == "SIZE_INVALID");
            changed(wrong, answer, |_| Answer::new(StatusCode::ACCEPTED).with("location", asked.uri.path()))
        })],
    ),
    Defect::new(
        "chunk-without-range-500",
        "A chunk without Content-Range makes the registry fall over.",
        "upload.stream",
        &[Seam::Append(|chunk, right| falls_over(!chunk.closing && chunk.range.is_none(), right))],
    ),
    Defect::new(
        "chunk-without-range-uncounted",
        "What came without Content-Range does not count: the chunk that follows it is refused.",
        "upload.stream-kept",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            let wrong = chunk_taken(asked, &answer) && memory.recall(key).is_some();
            if chunk_taken(asked, &answer) && asked.header("content-range").is_none() {
                memory.keep(key, &answer);
            }
            changed(wrong, answer, |a| a.status(StatusCode::RANGE_NOT_SATISFIABLE))
        })],
    ),
];
