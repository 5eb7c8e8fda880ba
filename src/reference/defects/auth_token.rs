//! Wrong about tokens: who is given one, what it opens, and for how long.

use serde_json::Value;

use super::super::caller::{self, Caller, Entering, Grant};
use super::tools::*;

/// The caller's grant, where it comes with a token that was given out.
pub(super) fn grant<'a>(entering: &'a Entering) -> Option<&'a Grant> {
    match entering.caller {
        Caller::Bearer(grant) => Some(grant),
        _ => None,
    }
}

/// Whether a grant has this action for some repository.
pub(super) fn has_action(grant: &Grant, action: &str) -> bool {
    grant.scopes.iter().any(|scope| scope.rsplit_once(':').is_some_and(|(_, own)| own == action))
}

/// An answer that gives a token.
fn gives(asked: &Asked, answer: &Answer) -> bool {
    asked.route == Route::Token && answer.status == StatusCode::OK
}

/// The answer with one field set.
fn with_field(answer: Answer, name: &str, value: Value) -> Answer {
    let mut body = answer.value().unwrap_or_default();
    if let Some(map) = body.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
    answer.body(body.to_string())
}

/// Whether the token is none of lacuna's own making, by its form.
fn is_long(asked: &Asked) -> bool {
    caller::bearer(asked).is_some_and(|token| token.len() > 20)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "token-short-lived",
        "A token that lives for long says that it lives for thirty seconds.",
        "token.lasting",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(gives(asked, &answer), answer, |a| with_field(a, "expires_in", 30.into()))
        })],
    ),
    Defect::new(
        "token-issued-at-no-time",
        "The time at which a token was issued is written as one reads it aloud.",
        "token.dated",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(gives(asked, &answer), answer, |a| with_field(a, "issued_at", "Monday, at noon".into()))
        })],
    ),
    Defect::new(
        "token-cacheable",
        "The answer with a token says nothing to caches.",
        "token.private",
        &[Seam::Finish(|asked, _, _, answer| changed(gives(asked, &answer), answer, |a| a.without("cache-control")))],
    ),
    Defect::new(
        "token-needs-a-scope",
        "A token is refused to who names no scope: nobody can log in.",
        "token.given",
        &[Seam::Finish(|asked, _, _, answer| {
            let bare = asked.query.get("scope").is_none();
            changed(bare && gives(asked, &answer), answer, |_| Problem::bad_request("scope is required").into())
        })],
    ),
    Defect::new(
        "token-for-the-first-scope",
        "Of several scopes the first alone is put into the token.",
        "token.opens",
        &[Seam::Grant(|granting, right| {
            let of = |scope: &str| scope.rsplit_once(':').map(|(resource, _)| resource.to_owned());
            let first = granting.wanted.first().and_then(|scope| of(scope));
            right.into_iter().filter(|scope| of(scope) == first).collect()
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "token-for-wrong-password",
        "The endpoint gives a token whatever the password is.",
        "token.refused",
        &[Seam::Enter(|entering, right| right || entering.asked.route == Route::Token)],
    ),
    Defect::new(
        "token-refusal-403",
        "A wrong password is answered 403 at the token endpoint.",
        "token.refused-status",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Token && asks(&answer), answer, |a| a.status(StatusCode::FORBIDDEN))
        })],
    ),
    Defect::new(
        "token-to-pull-without-blobs",
        "A token to pull opens manifests, and no blobs.",
        "token.opens",
        &[Seam::Enter(|entering, right| {
            let reads = grant(entering).is_some_and(|grant| !has_action(grant, "push"));
            right && !(reads && gets_blob(entering.asked))
        })],
    ),
    Defect::new(
        "token-grants-what-was-asked",
        "A token is good for what was asked for, whoever asked.",
        "token.subset",
        &[Seam::Grant(|granting, _| granting.wanted.to_vec())],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "token-subset-refused",
        "Who asks for more than they may do is refused a token for the rest.",
        "token.subset-given",
        &[Seam::Finish(|asked, _, _, answer| {
            let nobody = asked.header("authorization").is_none();
            let more = asked.query.all("scope").any(|scope| scope.contains("push"));
            changed(nobody && more && gives(asked, &answer), answer, |_| {
                Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "not all of this is allowed", Value::Null).into()
            })
        })],
    ),
    Defect::new(
        "token-garbage-500",
        "What is no token makes the registry fall over.",
        "token.invalid",
        &[Seam::Finish(|asked, _, _, answer| {
            let garbage = caller::bearer(asked).is_some_and(|token| token.split('.').count() == 3);
            changed(garbage && asks(&answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "token-unchecked",
        "Whatever has the length of a token is taken for one.",
        "token.invalid",
        &[Seam::Enter(|entering, right| {
            right
                || (*entering.caller == Caller::Stranger
                    && is_long(entering.asked)
                    && entering.asked.route != Route::Token)
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "token-invalid-called-scope",
        "A token that was never given out is said to lack a scope, so that clients ask for more instead of anew.",
        "token.invalid-told",
        &[Seam::Finish(|_, _, _, answer| {
            let other =
                answer.header("www-authenticate").map(|text| text.replace("invalid_token", "insufficient_scope"));
            match other.filter(|_| asks(&answer)) {
                Some(text) => answer.with("www-authenticate", &text),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "scheme-in-one-spelling",
        "The scheme is understood as Bearer alone, and not as bearer.",
        "auth.scheme-case",
        &[Seam::Enter(|entering, right| {
            let spelt =
                caller::credentials(entering.asked).is_none_or(|(scheme, _)| matches!(scheme, "Basic" | "Bearer"));
            right && spelt
        })],
    ),
    Defect::new(
        "token-never-expires",
        "A token is good for ever.",
        "token.expired",
        &[Seam::Enter(|entering, right| right || grant(entering).is_some_and(|grant| grant.covers(entering.need)))],
    ),
    Defect::new(
        "token-expired-may-push",
        "That a token's time is over is looked at when it reads, and not when it pushes.",
        "token.expired",
        &[Seam::Enter(|entering, right| {
            let covers = grant(entering).is_some_and(|grant| grant.covers(entering.need));
            right || (covers && puts_manifest(entering.asked))
        })],
    ),
    Defect::new(
        "token-dies-early",
        "A token is good for a quarter of the time that it is said to be.",
        "token.opens",
        &[Seam::Enter(|entering, right| {
            let old = grant(entering).is_some_and(|grant| grant.since.elapsed() > entering.auth.token_lifetime / 4);
            right && !old
        })],
    ),
    Defect::new(
        "token-expired-500",
        "A token whose time is over makes the registry fall over.",
        "token.expired",
        &[Seam::Finish(|asked, view, _, answer| {
            let brief = view.config.auth.as_ref().is_some_and(|auth| auth.token_lifetime.as_secs() < 60);
            changed(brief && is_long(asked) && asks(&answer), answer, |_| fault().into())
        })],
    ),
];
