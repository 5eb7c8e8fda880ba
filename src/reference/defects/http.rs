//! Wrong about HTTP itself: routes, methods, HEAD, bodies, header fields.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::tools::*;

/// Longer than anybody waits.
const EVER: Duration = Duration::from_secs(30);

fn is_base(asked: &Asked) -> bool {
    asked.route == Route::Base
}

fn heads(asked: &Asked) -> bool {
    asked.method == Method::HEAD
}

fn heads_list(asked: &Asked) -> bool {
    heads(asked) && matches!(asked.route, Route::Tags { .. })
}

fn denied(status: StatusCode) -> Answer {
    Problem::bad_request("this is not for you").coded("DENIED").status(status).into()
}

/// Whether a repository's path leads nowhere.
fn is_unknown(asked: &Asked) -> bool {
    asked.route == Route::Unknown && asked.uri.path().starts_with("/v2/")
}

/// A method that a resource which can be read does not have.
fn is_foreign(asked: &Asked) -> bool {
    let own = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE];
    matches!(asked.route, Route::Manifest { .. } | Route::Blob { .. }) && !own.contains(&asked.method)
}

/// What was taken away, by its path, is not there any more.
fn without_taken(
    asked: &Asked,
    memory: &mut Memory,
    takes: bool,
    answer: Answer,
    gone: impl FnOnce() -> Answer,
) -> Answer {
    let path = asked.uri.path();
    if takes {
        memory.keep(path, &answer);
        return Answer::new(StatusCode::ACCEPTED);
    }
    changed(asked.reads() && memory.recall(path).is_some(), answer, |_| gone())
}

fn not_there(asked: &Asked) -> Answer {
    Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
}

/// The length of a body as it would be if it were printed for people.
fn length_of_pretty(answer: Answer) -> Answer {
    let pretty = answer.value().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default();
    let length = pretty.len().max(answer.body.to_bytes().len() + 1);
    answer.with("content-length", &length.to_string())
}

fn in_chunks(asked: &Asked) -> bool {
    asked.header("transfer-encoding").is_some()
}

/// Whether a field is there under a spelling that is not usual.
fn is_oddly_spelled(asked: &Asked, usual: &str) -> bool {
    let mut names = asked.spelled.iter().filter(|name| name.eq_ignore_ascii_case(usual));
    names.any(|name| name != usual && *name != usual.to_ascii_lowercase())
}

fn asks_to_delete(asked: &Asked) -> bool {
    let names = ["x-http-method-override", "x-method-override", "x-http-method"];
    names.iter().any(|name| asked.header(name) == Some("DELETE"))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "other-methods-404",
        "A method that a manifest or a blob does not have is answered with 404, as of a path that nobody knows.",
        "http.method.refused",
        &[Seam::Finish(|asked, _, _, answer| changed(is_foreign(asked), answer, |a| a.status(StatusCode::NOT_FOUND)))],
    ),
    Defect::new(
        "base-204",
        "GET of /v2/ is answered with 204, as a page that has nothing to say.",
        "http.base",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = is_base(asked) && asked.method == Method::GET;
            changed(wrong, answer, |_| Answer::new(StatusCode::NO_CONTENT))
        })],
    ),
    Defect::new(
        "base-head-500",
        "HEAD of /v2/ makes the registry fall over.",
        "http.method.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(is_base(asked) && heads(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "base-head-404",
        "HEAD of /v2/ is answered with 404.",
        "http.head.as-get",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_base(asked) && heads(asked), answer, |_| denied(StatusCode::NOT_FOUND))
        })],
    ),
    Defect::new(
        "unknown-route-is-a-page",
        "A path that nobody knows is answered with the page of the user interface.",
        "http.route.unknown",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_unknown(asked) && asked.reads(), answer, |_| {
                Answer::new(StatusCode::OK)
                    .with("content-type", "text/html")
                    .body("<!doctype html><title>Registry</title>\n")
            })
        })],
    ),
    Defect::new(
        "unknown-route-500",
        "A path that nobody knows makes the registry fall over.",
        "http.route.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(is_unknown(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "other-methods-delete",
        "Every method of a manifest or a blob that is not known is taken for DELETE.",
        "http.method.no-effect",
        &[Seam::Finish(|asked, _, memory, answer| {
            without_taken(asked, memory, is_foreign(asked), answer, || not_there(asked))
        })],
    ),
    Defect::new(
        "odd-method-500",
        "A method that HTTP does not have makes the registry fall over.",
        "http.method.answered",
        &[Seam::Finish(|asked, _, _, answer| {
            let known = [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE];
            changed(!known.contains(&asked.method), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "tag-list-deleted",
        "DELETE of the list of tags empties it.",
        "http.method.no-effect",
        &[Seam::Finish(|asked, _, memory, answer| {
            let deletes = asked.method == Method::DELETE && matches!(asked.route, Route::Tags { .. });
            let name = asked.route.repository().unwrap_or_default();
            without_taken(asked, memory, deletes, answer, || {
                Answer::json(StatusCode::OK, &json!({ "name": name, "tags": [] }))
            })
        })],
    ),
    Defect::new(
        "head-refused-with-body",
        "HEAD of a tag that is not there is answered with the error's body.",
        "http.head.no-body",
        &[Seam::Finish(|asked, _, _, mut answer| {
            let by_tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
            answer.delivery.body_to_head |= heads(asked) && by_tag && answer.status.is_client_error();
            answer
        })],
    ),
    Defect::new(
        "head-list-with-body",
        "HEAD of a list is answered with the list.",
        "http.head.no-body",
        &[Seam::Finish(|asked, _, _, mut answer| {
            answer.delivery.body_to_head |= heads_list(asked);
            answer
        })],
    ),
    Defect::new(
        "head-of-list-500",
        "HEAD of a list makes the registry fall over.",
        "http.method.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(heads_list(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "head-of-list-404",
        "HEAD of a list is answered with 404.",
        "http.head.as-get",
        &[Seam::Finish(|asked, _, _, answer| changed(heads_list(asked), answer, |_| denied(StatusCode::NOT_FOUND)))],
    ),
    Defect::new(
        "chunked-manifest-500",
        "A manifest that comes without its length makes the registry fall over.",
        "http.chunked.answered",
        &[Seam::Hear(|asked, _, right| falls_over(puts_manifest(asked) && in_chunks(asked), right))],
    ),
    Defect::new(
        "chunked-manifest-refused",
        "A manifest that comes without its length is taken for one without bytes.",
        "http.chunked.read",
        &[Seam::Hear(|asked, _, right| {
            let wrong = puts_manifest(asked) && in_chunks(asked);
            if wrong { Err(Problem::manifest_invalid("unexpected end of JSON input")) } else { right }
        })],
    ),
    Defect::new(
        "chunked-blob-500",
        "A blob that comes by one POST without its length makes the registry fall over.",
        "upload.answered",
        &[Seam::Hear(|asked, _, right| {
            let wrong = matches!(asked.route, Route::Uploads { .. }) && in_chunks(asked);
            falls_over(wrong, right)
        })],
    ),
    Defect::new(
        "expectation-waits-for-body",
        "Who waits for 100 (Continue) waits for ever: so does the registry, for the body.",
        "http.expect.answered",
        &[Seam::Begin(|asked| if asked.header("expect").is_some() { EVER } else { Duration::ZERO })],
    ),
    Defect::new(
        "list-length-too-large",
        "The length of a list is that of its text for people, which goes to nobody.",
        "http.length",
        &[Seam::Finish(|asked, _, _, answer| {
            let list = asked.method == Method::GET && matches!(asked.route, Route::Tags { .. });
            let wrong = list && asked.header("accept").is_none() && answer.is_json();
            changed(wrong, answer, length_of_pretty)
        })],
    ),
    Defect::new(
        "error-length-too-large",
        "The length of an error is that of its text for people, which goes to nobody.",
        "http.length",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = asked.method == Method::GET && asked.header("accept").is_none();
            changed(wrong && answer.status == StatusCode::NOT_FOUND && answer.is_json(), answer, length_of_pretty)
        })],
    ),
    Defect::new(
        "content-type-by-exact-name",
        "A Content-Type is found by its usual spelling alone.",
        "http.field-case",
        &[Seam::Hear(|asked, _, right| {
            let wrong = puts_manifest(asked) && is_oddly_spelled(asked, "Content-Type");
            if wrong { Err(Problem::manifest_invalid("no Content-Type")) } else { right }
        })],
    ),
    Defect::new(
        "range-by-exact-name",
        "A Range is found by its usual spelling alone.",
        "http.field-case",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = gets_blob(asked) && is_oddly_spelled(asked, "Range");
            let whole = answer.header("docker-content-digest").and_then(Digest::parse);
            match whole.and_then(|digest| view.content.body(&digest)).filter(|_| wrong) {
                Some(body) => {
                    Answer { body, ..answer.status(StatusCode::OK).without("content-range").without("content-length") }
                }
                None => answer,
            }
        })],
    ),
    Defect::new(
        "method-by-header",
        "A header field that names another method prevails.",
        "http.unknown-fields",
        &[Seam::Finish(|asked, _, memory, answer| {
            let deletes = asks_to_delete(asked) && answer.status.is_success();
            without_taken(asked, memory, deletes, answer, || not_there(asked))
        })],
    )
    .also(&["http.method.no-effect"]),
];
