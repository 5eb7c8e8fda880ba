//! `code`, `not-code`, `form`, `detail`: the body of an error.

use serde_json::Value;

use super::{Fault, Observation, World};
use crate::suite::assertion::{Assertion, Detail, Form};
use crate::wire::Response;

/// The codes of v1.1.1, "Error Codes", code-1 to code-14.
pub const CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];

/// Codes of Docker's schema 1 that a registry may still answer with (v1.1.1 L56-57).
const LEGACY: [&str; 2] = ["TAG_INVALID", "MANIFEST_UNVERIFIED"];

/// What an error's body is.
enum ErrorBody {
    /// Nothing.
    Empty,
    /// No JSON, which the spec leaves open (L788).
    NotJson,
    /// JSON by its type, and none in truth.
    Broken,
    /// JSON by its type, of which only the beginning was kept.
    TooLong,
    /// JSON.
    Json(Value),
}

/// Evaluates the keys. A response to HEAD has no body, and the spec speaks of 4xx answers only: nothing else is asserted.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    if seen.method.eq_ignore_ascii_case("HEAD") || !(400..500).contains(&seen.response.status) {
        return faults;
    }
    let body = body_of(seen.response);
    // Of what was not kept whole nothing is known, and nothing said.
    if matches!(body, ErrorBody::TooLong) {
        return faults;
    }
    let strict = assertion.form == Some(Form::JsonErrors);
    match assertion.form {
        None => {}
        Some(Form::Messages) => faults.extend(messages(&body)),
        Some(Form::TypedErrors) => faults.extend(type_of(&body, seen.response)),
        Some(form) => faults.extend(form_of(&body, form)),
    }
    if let Some(codes) = &assertion.code {
        let expected = format!("code {}", codes.items().join(" or "));
        match &body {
            ErrorBody::Json(value) => {
                let found = codes_of(value);
                if !codes.items().iter().any(|code| found.contains(&code.as_str())) {
                    faults.push(Fault::new("code", expected, name_codes(&found)));
                }
            }
            // A code that an answer must carry cannot be carried by a body without codes.
            _ if strict => faults.push(Fault::new("code", expected, "no code")),
            _ => {}
        }
    }
    if let (Some(codes), ErrorBody::Json(value)) = (&assertion.not_code, &body) {
        let found = codes_of(value);
        for code in codes.items().iter().filter(|code| found.contains(&code.as_str())) {
            faults.push(Fault::new("not-code", format!("no code {code}"), format!("code {code}")));
        }
    }
    if assertion.detail == Some(Detail::AbsentChildren) {
        faults.extend(details(&body, world));
    }
    faults
}

fn body_of(response: &Response) -> ErrorBody {
    if response.body.iter().all(u8::is_ascii_whitespace) {
        return ErrorBody::Empty;
    }
    let says_json = says_json(response);
    if !response.body_is_whole {
        return if says_json { ErrorBody::TooLong } else { ErrorBody::NotJson };
    }
    match serde_json::from_slice::<Value>(&response.body) {
        // A bare word or number is JSON too, but nobody who writes `404` in plain text means that.
        Ok(value) if says_json || value.is_object() || value.is_array() => ErrorBody::Json(value),
        Ok(_) => ErrorBody::NotJson,
        Err(_) if says_json => ErrorBody::Broken,
        Err(_) => ErrorBody::NotJson,
    }
}

fn says_json(response: &Response) -> bool {
    let types = super::headers::types(response);
    !types.is_empty() && types.iter().all(|own| own == "application/json" || own.ends_with("+json"))
}

/// A client that looks at the type first does not see an error that is called something else.
fn type_of(body: &ErrorBody, response: &Response) -> Option<Fault> {
    let ErrorBody::Json(value) = body else { return None };
    let is_typed = codes_of(value).is_empty() || says_json(response);
    (!is_typed).then(|| {
        let got = super::headers::type_that_came(super::headers::own_type(response).as_deref());
        Fault::new("form", "an error in JSON whose Content-Type is JSON's", got)
    })
}

fn form_of(body: &ErrorBody, form: Form) -> Option<Fault> {
    const EXPECTED: &str = "{\"errors\": [{\"code\": ...}]} with a code of the spec's list";
    let value = match (body, form) {
        (ErrorBody::Json(value), _) => value,
        // The form is demanded of JSON; what is called JSON and is none has a wrong type (v1.1.1 L788; RFC 9110 8.3).
        (ErrorBody::Broken, _) => {
            let fault = Fault::new("form", EXPECTED, "a body that is called JSON and is none");
            return Some(Fault { requirement: Some("error.type"), ..fault });
        }
        (_, Form::Errors | Form::TypedErrors | Form::Messages) => return None,
        (other, Form::JsonErrors) => {
            let got = if matches!(other, ErrorBody::Empty) { "no body" } else { "a body that is not JSON" };
            return Some(Fault { requirement: Some("error.json"), ..Fault::new("form", EXPECTED, got) });
        }
    };
    let fault = |got: String| Some(Fault::new("form", EXPECTED, got));
    let Some(object) = value.as_object() else { return fault("JSON that is no object".into()) };
    let Some(errors) = object.get("errors") else { return fault("no key \"errors\"".into()) };
    let Some(errors) = errors.as_array() else { return fault("\"errors\" is no list".into()) };
    if errors.is_empty() {
        return fault("\"errors\" is empty".into());
    }
    for error in errors {
        let Some(error) = error.as_object() else { return fault("an error that is no object".into()) };
        match error.get("code") {
            None => return fault("an error without code".into()),
            Some(Value::String(code)) if CODES.iter().chain(&LEGACY).any(|known| known == code) => {}
            Some(Value::String(code)) => return fault(format!("code {}", shown(code))),
            Some(_) => return fault("a code that is no string".into()),
        }
    }
    None
}

/// A message that is no text; none at all is lawful (v1.1.1 L805).
fn messages(body: &ErrorBody) -> Option<Fault> {
    let ErrorBody::Json(value) = body else { return None };
    let errors = value.get("errors").and_then(Value::as_array).into_iter().flatten();
    let mut messages = errors.filter_map(|error| error.get("message"));
    let odd = messages.find(|message| !message.is_string() && !message.is_null())?;
    let kind = match odd {
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        Value::Bool(_) => "true or false",
        _ => "a number",
    };
    Some(Fault::new("form", "messages that are text", format!("a message that is {kind}")))
}

/// Every code in the body, in order.
pub fn codes_of(value: &Value) -> Vec<&str> {
    let errors = value.get("errors").and_then(Value::as_array);
    errors.into_iter().flatten().filter_map(|error| error.get("code").and_then(Value::as_str)).collect()
}

/// The first code of a refusal, printable, where its body is in the spec's form.
pub fn first_code(response: &Response) -> Option<String> {
    let body = (response.status >= 400).then(|| body_of(response))?;
    match body {
        ErrorBody::Json(value) => codes_of(&value).first().map(|code| shown(code)),
        _ => None,
    }
}

fn name_codes(codes: &[&str]) -> String {
    let mut names: Vec<String> = codes.iter().map(|code| shown(code)).collect();
    names.sort();
    names.dedup();
    names.truncate(4);
    if names.is_empty() { "no code".into() } else { format!("code {}", names.join(", ")) }
}

/// A registry's word, fit for a line.
fn shown(word: &str) -> String {
    let clean: String = word.chars().take(60).flat_map(char::escape_default).collect();
    if clean.is_empty() { "\"\"".into() } else { clean }
}

fn details(body: &ErrorBody, world: &World) -> Option<Fault> {
    if world.absent_children.is_empty() {
        return None;
    }
    let texts: Vec<String> = match body {
        ErrorBody::Json(value) => value
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|error| error.get("detail"))
            .map(Value::to_string)
            .collect(),
        _ => Vec::new(),
    };
    let whole = texts.join("\n");
    let named = world.absent_children.iter().filter(|digest| whole.contains(digest.as_str())).count();
    let all = world.absent_children.len();
    (named < all).then(|| {
        Fault::new(
            "detail",
            format!("a detail for each of {all} absent children"),
            format!("details name {named} of {all}"),
        )
    })
}
