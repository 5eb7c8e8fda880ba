//! Lawful differences in how an answer is given.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::manifest::is_digest;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::question::Asked;
use super::super::route::Route;
use super::Variation;

fn changed(different: bool, answer: Answer, change: impl FnOnce(Answer) -> Answer) -> Answer {
    if different { change(answer) } else { answer }
}

fn each_entry(answer: Answer, edit: impl Fn(&mut serde_json::Map<String, Value>)) -> Answer {
    if !answer.is_json() || answer.status.as_u16() < 400 {
        return answer;
    }
    let mut value = answer.value().unwrap_or_default();
    let entries = value.get_mut("errors").and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_object_mut).for_each(edit);
    answer.body(value.to_string())
}

fn with_location(answer: Answer, change: impl FnOnce(&str) -> String) -> Answer {
    match answer.header("location").filter(|location| location.starts_with('/')).map(change) {
        Some(location) => answer.with("location", &location),
        None => answer,
    }
}

fn is_upload(asked: &Asked) -> bool {
    matches!(asked.route, Route::Uploads { .. } | Route::Upload { .. })
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "locations-absolute",
        "Every Location is an absolute URL.",
        &[Seam::Finish(|asked, _, _, answer| match asked.header("host") {
            Some(host) => with_location(answer, |path| format!("http://{host}{path}")),
            None => answer,
        })],
    ),
    Variation::new(
        "upload-locations-with-query",
        "The Location of an upload has a query of its own, and changes with every step.",
        &[Seam::Finish(|asked, _, memory, answer| {
            let running = is_upload(asked) && answer.status != StatusCode::CREATED;
            let step = memory.count("steps");
            changed(running, answer, |a| with_location(a, |path| format!("{path}?_state=a%2Bb%3D%3D&step={step}")))
        })],
    ),
    Variation::new(
        "put-location-by-tag",
        "The Location of a manifest that is pushed by tag names the tag.",
        &[Seam::Finish(|asked, _, _, answer| {
            let put = asked.method == Method::PUT && matches!(asked.route, Route::Manifest { .. });
            let created = put && answer.status == StatusCode::CREATED;
            changed(created, answer, |a| a.with("location", asked.uri.path()))
        })],
    ),
    Variation::new(
        "blobs-redirected",
        "GET of a blob is answered with 307 to where it lies.",
        &[Seam::Finish(|asked, _, _, answer| {
            let blob = asked.method == Method::GET && matches!(asked.route, Route::Blob { .. });
            let there = blob && answer.status.is_success() && asked.query.get("signature").is_none();
            changed(there, answer, |_| {
                let to = format!("{}?signature=0a1b2c&expires=60", asked.uri.path());
                Answer::new(StatusCode::TEMPORARY_REDIRECT).with("location", &to)
            })
        })],
    ),
    Variation::new(
        "errors-otherwise-worded",
        "The messages of errors are other ones, and longer.",
        &[Seam::Finish(|_, _, _, answer| {
            each_entry(answer, |entry| {
                let text = "Das geht nicht – »siehe Handbuch«, §\u{a0}4 \"\\\" <br>\t";
                entry.insert("message".into(), text.into());
            })
        })],
    ),
    Variation::new(
        "errors-without-message",
        "Errors have no messages.",
        &[Seam::Finish(|_, _, _, answer| {
            each_entry(answer, |entry| {
                entry.shift_remove("message");
            })
        })],
    ),
    Variation::new(
        "errors-without-detail",
        "Errors have no details.",
        &[Seam::Finish(|_, _, _, answer| {
            each_entry(answer, |entry| {
                entry.shift_remove("detail");
            })
        })],
    ),
    Variation::new(
        "error-details-as-text",
        "The detail of an error is a text.",
        &[Seam::Finish(|_, _, _, answer| {
            each_entry(answer, |entry| {
                let text = entry.get("detail").map(Value::to_string);
                entry.extend(text.map(|text| ("detail".to_owned(), Value::String(text))));
            })
        })],
    ),
    Variation::new(
        "errors-with-charset",
        "Errors are application/json with a charset.",
        &[Seam::Finish(|_, _, _, answer| {
            let error = answer.status.as_u16() >= 400 && answer.is_json();
            changed(error, answer, |a| a.with("content-type", "application/json; charset=utf-8"))
        })],
    ),
    Variation::new(
        "errors-with-warnings",
        "Answers carry Warning headers, cookies and whatever else proxies add.",
        &[Seam::Finish(|_, _, _, answer| {
            answer
                .with("warning", "299 - \"this registry is read-only on Sundays\"")
                .with("set-cookie", "session=abc; HttpOnly")
                .with("x-content-type-options", "nosniff")
                .with("docker-distribution-api-version", "registry/2.0")
                .with("cache-control", "no-store")
                .with("vary", "Accept, Cookie")
                .with("strict-transport-security", "max-age=1")
        })],
    ),
    Variation::new(
        "not-found-as-page",
        "What is not there is answered with a page of HTML.",
        &[Seam::Finish(|asked, _, _, answer| {
            let missing = answer.status == StatusCode::NOT_FOUND && asked.reads();
            changed(missing, answer, |a| {
                a.with("content-type", "text/html; charset=utf-8")
                    .body("<!doctype html><title>404</title><p>Not here.\n")
            })
        })],
    ),
    Variation::new(
        "not-found-without-repository",
        "What is not there is coded for itself, also where the repository does not exist.",
        &[Seam::Finish(|asked, _, _, answer| {
            let code = match asked.route {
                Route::Manifest { .. } => "MANIFEST_UNKNOWN",
                Route::Blob { .. } => "BLOB_UNKNOWN",
                _ => return answer,
            };
            each_entry(answer, |entry| {
                if entry.get("code").is_some_and(|known| known == "NAME_UNKNOWN") {
                    entry.insert("code".into(), code.into());
                }
            })
        })],
    ),
    Variation::new(
        "malformed-not-found",
        "A malformed digest that is asked for is answered with 404.",
        &[Seam::Finish(|asked, _, _, answer| {
            let (malformed, problem) = match &asked.route {
                Route::Manifest { reference, .. } => {
                    (reference.contains(':') && !is_digest(reference), Problem::manifest_unknown(reference))
                }
                Route::Blob { digest, .. } => (!is_digest(digest), Problem::blob_unknown(digest)),
                _ => return answer,
            };
            changed(asked.reads() && malformed, answer, |_| problem.into())
        })],
    ),
    Variation::new(
        "slow",
        "Every answer takes ten milliseconds more.",
        &[Seam::Finish(|_, _, _, mut answer| {
            answer.delivery.delay += Duration::from_millis(10);
            answer
        })],
    ),
    Variation::new(
        "bodies-chunked",
        "Bodies are sent in chunks, without Content-Length.",
        &[Seam::Finish(|asked, _, _, mut answer| {
            let has_body = asked.method != Method::HEAD && answer.body.length() > 0;
            answer.delivery.chunked |= has_body && answer.status != StatusCode::PARTIAL_CONTENT;
            changed(has_body, answer, |a| a.without("content-length"))
        })],
    ),
    Variation::new(
        "digest-header-absent",
        "Docker-Content-Digest is never sent: v1.1.1 only recommends it.",
        &[Seam::Finish(|_, _, _, answer| answer.without("docker-content-digest"))],
    ),
    Variation::new(
        "digest-header-on-get-only",
        "HEAD carries no Docker-Content-Digest.",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.method == Method::HEAD, answer, |a| a.without("docker-content-digest"))
        })],
    ),
    Variation::new(
        "coding-named-identity",
        "What is served has a Content-Encoding: identity.",
        &[Seam::Finish(|asked, _, _, answer| {
            let served = asked.method == Method::GET && answer.status == StatusCode::OK;
            changed(served, answer, |a| a.with("content-encoding", "identity"))
        })],
    ),
    Variation::new(
        "ranges-in-part",
        "Of a range longer than ten bytes the first ten are sent, of a blob of which the length is not told.",
        &[Seam::Finish(|_, _, _, answer| {
            if answer.status != StatusCode::PARTIAL_CONTENT {
                return answer;
            }
            let range = answer.header("content-range").and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
            let Some(start) = range.and_then(|(start, _)| start.parse::<u64>().ok()) else { return answer };
            let length = answer.body.length().min(10);
            let body = answer.body.clone().slice(0, length);
            let sent = format!("bytes {start}-{}/*", start + length.saturating_sub(1));
            Answer { body, ..answer.without("content-length").with("content-range", &sent) }
        })],
    ),
    Variation::new(
        "etags-weak",
        "The entity tag is another one, and weak.",
        &[Seam::Finish(|_, _, _, answer| {
            changed(answer.header("etag").is_some(), answer, |a| a.with("etag", "W/\"1\""))
        })],
    ),
];
