//! Lawful differences in uploads request by request.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::route::Route;
use super::Variation;

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "uploads-end-with-a-refusal",
        "An upload of which a chunk was refused for its order is over.",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if answer.status == StatusCode::RANGE_NOT_SATISFIABLE {
                memory.keep(key, &answer);
            } else if memory.recall(key).is_some() {
                return Problem::upload_unknown("it ended").into();
            }
            answer
        })],
    ),
    Variation::new(
        "uploads-not-cancelled",
        "An upload cannot be cancelled: 405.",
        &[Seam::Hear(|asked, _, right| {
            match asked.method == Method::DELETE && matches!(asked.route, Route::Upload { .. }) {
                true => Err(Problem::unsupported("an upload ends by itself")),
                false => right,
            }
        })],
    ),
    Variation::new(
        "chunks-need-ranges",
        "A chunk without Content-Range is refused.",
        &[Seam::Append(|chunk, right| match !chunk.closing && chunk.range.is_none() {
            true => Err(Problem::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", "where does it belong?", Value::Null)),
            false => right,
        })],
    ),
    Variation::new(
        "chunks-at-odds-taken",
        "Whether a chunk is as long as its Content-Range says is not looked at: its bytes count.",
        &[Seam::Finish(|asked, _, _, answer| {
            let sized = answer.value().is_some_and(|value| value["errors"][0]["code"] == "SIZE_INVALID");
            match asked.method == Method::PATCH && asked.headers.contains_key("content-range") && sized {
                true => Answer::new(StatusCode::ACCEPTED).with("location", asked.uri.path()),
                false => answer,
            }
        })],
    ),
];
