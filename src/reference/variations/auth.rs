//! Lawful differences in how a registry asks who is there.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::super::answer::Answer;
use super::super::caller::Caller;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::question::Asked;
use super::super::route::Route;
use super::Variation;

/// The refusal with another challenge.
fn challenged(answer: Answer, edit: impl FnOnce(&str) -> String) -> Answer {
    match answer.header("www-authenticate").filter(|_| answer.status == StatusCode::UNAUTHORIZED).map(edit) {
        Some(text) => answer.with("www-authenticate", &text),
        None => answer,
    }
}

fn without_parameter(challenge: &str, name: &str) -> String {
    match challenge.split_once(&format!(",{name}=\"")) {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => challenge.to_owned(),
    }
}

fn by_nobody(asked: &Asked) -> bool {
    asked.header("authorization").is_none()
}

fn gives_token(asked: &Asked, answer: &Answer) -> bool {
    asked.route == Route::Token && answer.status == StatusCode::OK
}

/// The answer of a token endpoint with its fields changed.
fn fields(answer: Answer, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Answer {
    let mut body = answer.value().unwrap_or_default();
    if let Some(map) = body.as_object_mut() {
        edit(map);
    }
    answer.body(body.to_string())
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "auth-base-open",
        "/v2/ is open to anybody, and the rest asks.",
        &[Seam::Enter(|entering, right| {
            right || (entering.asked.route == Route::Base && *entering.caller == Caller::Nobody)
        })],
    ),
    Variation::new(
        "auth-hides",
        "Who does not say who they are is told of a read that nothing is there.",
        &[Seam::Finish(|asked, _, _, answer| {
            // Tokens need a challenge: of them no client would know where to ask.
            let basic =
                answer.header("www-authenticate").is_some_and(|text| text.to_ascii_lowercase().contains("basic"));
            match asked.route.repository() {
                Some(name) if basic && asked.reads() && by_nobody(asked) => Problem::name_unknown(name).into(),
                _ => answer,
            }
        })],
    ),
    Variation::new(
        "auth-scheme-in-capitals",
        "The schemes of challenges are written in capital letters, with another one before them, and spaces behind commas.",
        &[Seam::Finish(|_, _, _, answer| {
            challenged(answer, |text| {
                let spaced = text.replace("\",", "\", ");
                let (scheme, rest) = spaced.split_once(' ').unwrap_or((&spaced, ""));
                format!("Negotiate, {} {rest}, charset=\"UTF-8\"", scheme.to_uppercase())
            })
        })],
    ),
    Variation::new(
        "auth-challenge-without-service",
        "A Bearer challenge names no service.",
        &[Seam::Finish(|_, _, _, answer| challenged(answer, |text| without_parameter(text, "service")))],
    ),
    Variation::new(
        "auth-challenge-with-more-scopes",
        "A challenge asks for more than the request needs.",
        &[Seam::Finish(|_, _, _, answer| {
            challenged(answer, |text| text.replace(":pull\"", ":push,pull repository:other/one:pull\""))
        })],
    ),
    Variation::new(
        "auth-lacking-403",
        "Who comes with a token that is not enough for a push is answered 403.",
        &[Seam::Finish(|asked, _, _, answer| {
            let lacks = answer.header("www-authenticate").is_some_and(|text| text.contains("insufficient_scope"));
            if lacks && !asked.reads() && asked.method != Method::DELETE {
                return Problem::new(StatusCode::FORBIDDEN, "DENIED", "requested access is denied", Value::Null).into();
            }
            answer
        })],
    ),
    Variation::new(
        "auth-malformed-400",
        "Credentials that cannot be read are answered 400.",
        &[Seam::Finish(|asked, _, _, answer| {
            let line = asked.header("authorization").unwrap_or_default();
            let odd = matches!(line.split(' ').next(), Some("Lacuna")) || line.ends_with("%%%");
            if odd && answer.status == StatusCode::UNAUTHORIZED {
                return Problem::bad_request("the Authorization header cannot be read").into();
            }
            answer
        })],
    ),
    Variation::new(
        "auth-wrong-refused-where-open",
        "Wrong credentials are refused at what is open to anybody.",
        &[Seam::Enter(|entering, right| {
            right && !(entering.auth.anonymous_pull && *entering.caller == Caller::Stranger)
        })],
    ),
    Variation::new(
        "auth-token-by-post-only",
        "The token endpoint knows POST alone to somebody with a password.",
        &[Seam::Finish(|asked, _, _, answer| {
            if asked.route == Route::Token && asked.method == Method::GET && !by_nobody(asked) {
                return Problem::unsupported("a token has POST").into();
            }
            answer
        })],
    ),
    Variation::new(
        "auth-token-access-only",
        "A token is given as access_token alone, and says when it was issued and not how long it lives.",
        &[Seam::Finish(|asked, view, _, answer| {
            let brief = view.config.auth.as_ref().is_some_and(|auth| auth.token_lifetime.as_secs() < 60);
            if brief || !gives_token(asked, &answer) {
                return answer;
            }
            fields(answer, |map| {
                map.remove("token");
                map.remove("expires_in");
                map.insert("issued_at".into(), "2026-01-02T03:04:05Z".into());
            })
        })],
    ),
    Variation::new(
        "auth-tokens-of-the-user",
        "A token of a user is good for all that the user may do, whatever was asked.",
        &[Seam::Enter(|entering, right| {
            let alive = matches!(entering.caller, Caller::Bearer(grant) if grant.is_alive());
            right || (alive && !entering.auth.anonymous_pull && entering.asked.route != Route::Token)
        })],
    ),
    Variation::new(
        "auth-nobody-without-token",
        "Nobody in particular is refused a token, though pulls are open.",
        &[Seam::Enter(|entering, right| {
            right && !(entering.asked.route == Route::Token && *entering.caller == Caller::Nobody)
        })],
    ),
];
