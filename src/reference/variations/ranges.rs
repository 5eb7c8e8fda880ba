//! Lawful differences in how ranges of a blob, and conditions, are answered.

use axum::http::{Method, StatusCode};

use super::super::answer::Answer;
use super::super::parts::{in_parts, one_part, several};
use super::super::policy::Seam;
use super::super::question::Asked;
use super::super::route::Route;
use super::Variation;

/// The ranges of a blob that was served whole though several were asked for.
fn asked_several(asked: &Asked, answer: &Answer) -> Vec<(u64, u64)> {
    let whole = matches!(asked.route, Route::Blob { .. }) && asked.method == Method::GET;
    match whole && answer.status == StatusCode::OK {
        true => several(asked.header("range"), answer.body.length()),
        false => Vec::new(),
    }
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "ranges-in-parts",
        "Several ranges of a blob come in parts.",
        &[Seam::Finish(|asked, _, _, answer| {
            let parts: Vec<_> = asked_several(asked, &answer).into_iter().map(|part| (part, part)).collect();
            if parts.is_empty() { answer } else { in_parts(answer, &parts) }
        })],
    ),
    Variation::new(
        "ranges-first-alone",
        "Of several ranges of a blob the first comes, as if it alone was asked for.",
        &[Seam::Finish(|asked, _, _, answer| match asked_several(asked, &answer).first() {
            Some(first) => one_part(answer, *first),
            None => answer,
        })],
    ),
    Variation::new(
        "blobs-not-modified",
        "GET of a blob that the client says it has is answered with 304.",
        &[Seam::Finish(|asked, _, _, answer| {
            let blob = matches!(asked.route, Route::Blob { .. }) && answer.status == StatusCode::OK;
            let etag = answer.header("etag").unwrap_or_default().to_owned();
            match blob && !etag.is_empty() && asked.header("if-none-match") == Some(etag.as_str()) {
                true => Answer::new(StatusCode::NOT_MODIFIED).with("etag", &etag),
                false => answer,
            }
        })],
    ),
];
