//! Wrong about ranges of a blob that few clients ask for: several, odd ones, none that is there, and under a condition.

use super::super::parts::{in_parts, several, slice};
use super::blobs::whole;
use super::tools::*;

/// The ranges that are asked for, where several are and the blob is served whole.
fn asked_several(asked: &Asked, answer: &Answer) -> Vec<(u64, u64)> {
    match gets_blob(asked) && answer.status == StatusCode::OK {
        true => several(asked.header("range"), answer.body.length()),
        false => Vec::new(),
    }
}

/// A range with a number that no 64 bits hold.
fn is_huge(asked: &Asked) -> bool {
    let numbers = asked.header("range").unwrap_or_default().split(['=', '-', ',']);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    gets_blob(asked) && numbers.filter(|text| digits(text)).any(|text| text.parse::<u64>().is_err())
}

fn is_part(answer: &Answer) -> bool {
    answer.status == StatusCode::PARTIAL_CONTENT
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "ranges-joined",
        "Of several ranges the bytes come one behind the other, and nothing says which they are.",
        "blob.range.several",
        &[Seam::Finish(|asked, _, _, answer| {
            let ranges = asked_several(asked, &answer);
            let joined: Vec<u8> = ranges.iter().flat_map(|range| slice(&answer.body, *range)).collect();
            let partial = |a: Answer| a.status(StatusCode::PARTIAL_CONTENT).without("content-length").body(joined);
            changed(!ranges.is_empty(), answer, partial)
        })],
    ),
    Defect::new(
        "ranges-parts-shifted",
        "Of several ranges each part has the bytes of the first.",
        "blob.range.several",
        &[Seam::Finish(|asked, _, _, answer| {
            let ranges = asked_several(asked, &answer);
            let first = ranges.first().copied().unwrap_or_default();
            let parts: Vec<_> = ranges.iter().map(|range| (*range, first)).collect();
            changed(parts.len() > 1, answer, |a| in_parts(a, &parts))
        })],
    ),
    Defect::new(
        "range-huge-500",
        "A range with a number beyond 64 bits makes the registry fall over.",
        "blob.range.odd",
        &[Seam::Finish(|asked, _, _, answer| changed(is_huge(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "range-huge-wraps",
        "A number beyond 64 bits wraps around: the last bytes of the blob are sent for a range of the first.",
        "blob.range.odd",
        &[Seam::Finish(|asked, view, _, answer| {
            let Some(body) = whole(asked, view).filter(|body| is_huge(asked) && body.length() > 9) else {
                return answer;
            };
            let total = body.length();
            let answer = Answer { body: body.slice(total - 5, 5), ..answer.status(StatusCode::PARTIAL_CONTENT) };
            answer.without("content-length").with("content-range", &format!("bytes 0-4/{total}"))
        })],
    ),
    Defect::new(
        "range-empty-suffix-206",
        "A range of the last bytes, none of them, is answered with 206, and a Content-Range that ends before it begins.",
        "blob.range.empty-suffix",
        &[Seam::Finish(|asked, view, _, answer| {
            let total = whole(asked, view).map_or(0, |body| body.length());
            let wrong = gets_blob(asked) && asked.header("range") == Some("bytes=-0") && total > 0;
            let range = format!("bytes {total}-{}/{total}", total.saturating_sub(1));
            changed(wrong, answer, |_| Answer::new(StatusCode::PARTIAL_CONTENT).with("content-range", &range))
        })],
    ),
    Defect::new(
        "range-416-bare",
        "A 416 does not say how long the blob is: who resumes a finished download cannot see that it is finished.",
        "blob.range.unsatisfied-length",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = gets_blob(asked) && answer.status == StatusCode::RANGE_NOT_SATISFIABLE;
            changed(wrong, answer, |a| a.without("content-range"))
        })],
    ),
    Defect::new(
        "if-range-unread",
        "A range that is wanted of another version of the blob only is sent.",
        "blob.range.if-range",
        &[Seam::Finish(|asked, _, _, answer| {
            let whole = gets_blob(asked) && answer.status == StatusCode::OK && answer.body.length() > 9;
            changed(whole && asked.header("if-range").is_some(), answer, |a| super::super::parts::one_part(a, (0, 9)))
        })],
    ),
    Defect::new(
        "range-without-etag",
        "A part of a blob has no ETag, though the whole blob has one.",
        "blob.range.etag",
        &[Seam::Finish(|_, _, _, answer| changed(is_part(&answer), answer, |a| a.without("etag")))],
    ),
    Defect::new(
        "range-etag-of-part",
        "The ETag of a part of a blob is that of its bytes.",
        "blob.range.etag",
        &[Seam::Finish(|_, _, _, answer| {
            let digest = Digest::of(crate::content::graph::Algorithm::Sha256, &answer.body.to_bytes());
            changed(is_part(&answer), answer, |a| a.with("etag", &format!("\"{digest}\"")))
        })],
    ),
    Defect::new(
        "etag-without-quotes",
        "An ETag stands there without quotes.",
        "http.etag",
        &[Seam::Finish(|_, _, _, answer| {
            let bare = answer.header("etag").map(|etag| etag.trim_matches('"').to_owned());
            match bare {
                Some(bare) => answer.with("etag", &bare),
                None => answer,
            }
        })],
    ),
];
