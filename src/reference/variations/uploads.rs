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
            let refused =
                matches!(asked.route, Route::Upload { .. }) && answer.status == StatusCode::RANGE_NOT_SATISFIABLE;
            if refused {
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
        "uploads-without-bytes-unknown",
        "An upload into which nothing came yet is not told of: 404.",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if asked.method == Method::PATCH {
                memory.keep(key, &answer);
            }
            let stands = asked.method == Method::GET && matches!(asked.route, Route::Upload { .. });
            match stands && answer.status == StatusCode::NO_CONTENT && memory.recall(key).is_none() {
                true => Problem::upload_unknown("nothing came").into(),
                false => answer,
            }
        })],
    ),
    Variation::new(
        "empty-blobs-refused",
        "A blob without bytes is refused.",
        &[Seam::Close(|closing, right| match closing.length {
            0 => Err(Problem::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", "there are no bytes", Value::Null)),
            _ => right,
        })],
    ),
    Variation::new(
        "unknown-algorithms-refused",
        "An upload that begins with an algorithm that the registry does not have is refused.",
        &[Seam::Hear(|asked, _, right| match asked.query.get("digest-algorithm") {
            Some(name) if !matches!(name, "sha256" | "sha512") => {
                Err(Problem::digest_invalid("no such algorithm", name))
            }
            _ => right,
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
