//! Wrong about texts for people: warnings, and the messages of errors.

use axum::http::Method;
use serde_json::{Value, json};

use super::tools::*;

fn warned(answer: Answer, text: &str) -> Answer {
    answer.with("warning", text)
}

/// Whether it is the error of a request of this method whose reference is a digest.
fn is_error_by_digest(asked: &Asked, method: Method, answer: &Answer) -> bool {
    let by_digest = matches!(&asked.route, Route::Manifest { reference, .. } if reference.contains(':'));
    asked.method == method && by_digest && answer.status.is_client_error()
}

/// What many a framework calls a body of which nobody said what it is.
fn as_text(answer: Answer) -> Answer {
    answer.with("content-type", "text/plain; charset=utf-8")
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "warning-with-date",
        "A Warning to a push has a date.",
        "warning.form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(puts_manifest(asked), answer, |a| {
                warned(a, "299 - \"this repository is old\" \"Sun, 06 Nov 1994 08:49:37 GMT\"")
            })
        })],
    ),
    Defect::new(
        "warning-of-another-code",
        "A refusal has a Warning of code 199, of an agent with a name.",
        "warning.form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(unknown_tag(asked, &answer), answer, |a| warned(a, "199 registry \"look elsewhere\""))
        })],
    ),
    Defect::new(
        "warning-for-each-child",
        "An index has a long Warning for each of its children.",
        "warning.size",
        &[Seam::Finish(|asked, view, _, answer| {
            let Some((_, _, stored)) = named(asked, view, &answer) else { return answer };
            let text = "this image has vulnerabilities; ".repeat(40);
            let each: Vec<String> = stored.manifest.children.iter().map(|_| format!("299 - \"{text}\"")).collect();
            changed(gets_manifest(asked) && !each.is_empty(), answer, |a| warned(a, &each.join(", ")))
        })],
    ),
    Defect::new(
        "error-message-object",
        "The message of an error is an object of languages.",
        "error.message",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(unknown_tag(asked, &answer), answer, |a| {
                let mut value = a.value().unwrap_or_default();
                let errors = value.get_mut("errors").and_then(Value::as_array_mut);
                for error in errors.into_iter().flatten().filter_map(Value::as_object_mut) {
                    error.insert("message".into(), json!({ "en": "not here" }));
                }
                a.body(value.to_string())
            })
        })],
    ),
    Defect::new(
        "missing-manifest-error-as-text",
        "The error for a tag that is not there is JSON that is called plain text.",
        "error.type",
        &[Seam::Finish(|asked, _, _, answer| changed(unknown_tag(asked, &answer), answer, as_text))],
    ),
    Defect::new(
        "deletion-error-as-text",
        "The error for the deletion of what is not there is JSON that is called plain text.",
        "error.type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.method == Method::DELETE && answer.status.is_client_error(), answer, as_text)
        })],
    ),
    Defect::new(
        "missing-digest-error-as-text",
        "The error for a digest that is not there is JSON that is called plain text.",
        "error.type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(is_error_by_digest(asked, Method::GET, &answer), answer, as_text)
        })],
    ),
    Defect::new(
        "refusal-error-as-text",
        "The refusal of a manifest is JSON that is called plain text.",
        "error.type",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = asked.method == Method::PUT && answer.status.is_client_error();
            changed(wrong && matches!(asked.route, Route::Manifest { .. }), answer, as_text)
        })],
    ),
];
