//! Lawful differences in paths, methods, and the bodies of requests.

use axum::http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::super::answer::Answer;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::question::Asked;
use super::super::route::Route;
use super::Variation;

fn changed(different: bool, answer: Answer, change: impl FnOnce(Answer) -> Answer) -> Answer {
    if different { change(answer) } else { answer }
}

/// What a path normalises to, where that is another one (RFC 3986 5.2.4).
fn normalised(asked: &Asked) -> Option<String> {
    let path = percent_decode_str(asked.uri.path()).decode_utf8().ok()?;
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let dots = path.split('/').any(|part| matches!(part, "." | "..")) || path.contains("//");
    let clean = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_alphanumeric() || b":._-".contains(&b)));
    (dots && clean).then(|| format!("/{}", parts.join("/")))
}

fn puts_manifest(asked: &Asked) -> bool {
    asked.method == Method::PUT && matches!(asked.route, Route::Manifest { .. })
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "dots-redirected",
        "A path with dot segments is answered with 307 to what it normalises to.",
        &[Seam::Finish(|asked, _, _, answer| match normalised(asked) {
            Some(path) if !answer.status.is_success() => {
                Answer::new(StatusCode::TEMPORARY_REDIRECT).with("location", &path)
            }
            _ => answer,
        })],
    ),
    Variation::new(
        "percent-signs-refused",
        "A path with a percent sign in it is refused.",
        &[Seam::Hear(|asked, _, right| match asked.uri.path().contains('%') {
            true => Err(Problem::bad_request("nothing here has such a path")),
            false => right,
        })],
    ),
    Variation::new(
        "odd-names-unknown",
        "A push to a name outside the grammar is answered with 404, as one without a route.",
        &[Seam::Finish(|_, _, _, answer| {
            let value = answer.value().unwrap_or_default();
            let odd = answer.status == StatusCode::BAD_REQUEST && value.to_string().contains("NAME_INVALID");
            changed(odd, answer, |a| {
                a.status(StatusCode::NOT_FOUND).with("content-type", "text/plain").body("404 page not found\n")
            })
        })],
    ),
    Variation::new(
        "unknown-methods-501",
        "Methods that a resource does not have are answered with 501.",
        &[Seam::Finish(|asked, _, _, answer| {
            let refused = answer.status == StatusCode::METHOD_NOT_ALLOWED && asked.method != Method::DELETE;
            changed(refused, answer, |a| a.status(StatusCode::NOT_IMPLEMENTED))
        })],
    ),
    Variation::new(
        "lengths-demanded",
        "A manifest without its length is answered with 411.",
        &[Seam::Hear(|asked, _, right| match puts_manifest(asked) && asked.header("transfer-encoding").is_some() {
            true => Err(Problem::bad_request("the length is needed")
                .coded("SIZE_INVALID")
                .status(StatusCode::LENGTH_REQUIRED)),
            false => right,
        })],
    ),
    Variation::new(
        "expectations-refused",
        "Who expects 100 (Continue) is answered with 417.",
        &[Seam::Hear(|asked, _, right| match asked.header("expect").is_some() {
            true => Err(Problem::unsupported("send it at once").status(StatusCode::EXPECTATION_FAILED)),
            false => right,
        })],
    ),
    Variation::new(
        "version-header-absent",
        "/v2/ has no Docker-Distribution-API-Version.",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Base, answer, |a| a.without("docker-distribution-api-version"))
        })],
    ),
];
