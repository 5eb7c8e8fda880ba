//! Wrong about how it asks who is there.

use serde_json::Value;

use super::tools::*;

/// A refused GET of a manifest by its digest or tag.
fn refused_get(asked: &Asked, answer: &Answer) -> bool {
    gets_manifest(asked) && asks(answer)
}

/// The same refusal with another challenge.
fn rewritten_challenge(answer: Answer, edit: impl FnOnce(&str) -> String) -> Answer {
    match answer.header("www-authenticate").map(edit) {
        Some(text) => answer.with("www-authenticate", &text),
        None => answer,
    }
}

/// The value of a parameter as it stands in quotes.
fn quoted<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.split_once(&format!("{name}=\""))?.1.split('"').next()
}

/// The challenge with the name in its scope changed.
fn with_name(challenge: &str, edit: impl FnOnce(&str) -> String) -> String {
    let name = quoted(challenge, "scope").and_then(|scope| scope.strip_prefix("repository:")?.split(':').next());
    match name {
        Some(name) => challenge.replace(&format!("repository:{name}:"), &format!("repository:{}:", edit(name))),
        None => challenge.to_owned(),
    }
}

/// Whether it is asked by somebody who says who they are.
fn says_who(asked: &Asked) -> bool {
    asked.header("authorization").is_some()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "auth-challenge-absent",
        "401 to GET of a manifest comes without WWW-Authenticate.",
        "auth.challenge",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer), answer, |a| a.without("www-authenticate"))
        })],
    ),
    Defect::new(
        "auth-ping-without-challenge",
        "401 to /v2/ comes without WWW-Authenticate.",
        "auth.challenge",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Base && asks(&answer), answer, |a| a.without("www-authenticate"))
        })],
    ),
    Defect::new(
        "auth-ping-500",
        "/v2/ by nobody makes the registry fall over.",
        "auth.ping-nobody",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Base && asks(&answer) && asked.method == "GET", answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "auth-ping-refuses-user",
        "/v2/ is answered 403 to a user, who may do everything else.",
        "auth.ping",
        &[Seam::Finish(|asked, _, _, answer| {
            let pings = asked.route == Route::Base && says_who(asked) && answer.status == StatusCode::OK;
            changed(pings, answer, |_| Problem::new(StatusCode::FORBIDDEN, "DENIED", "denied", Value::Null).into())
        })],
    ),
    Defect::new(
        "auth-challenge-absent-on-head",
        "401 to HEAD comes without WWW-Authenticate.",
        "auth.challenge",
        &[Seam::Finish(|asked, _, _, answer| {
            let head = heads_manifest(asked) || heads_blob(asked);
            changed(head && asks(&answer), answer, |a| a.without("www-authenticate"))
        })],
    ),
    Defect::new(
        "auth-challenge-absent-on-catalog",
        "401 to the catalog comes without WWW-Authenticate.",
        "auth.challenge",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Catalog && asks(&answer), answer, |a| a.without("www-authenticate"))
        })],
    ),
    Defect::new(
        "auth-challenge-absent-on-put",
        "401 to PUT of a manifest comes without WWW-Authenticate.",
        "auth.challenge",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(puts_manifest(asked) && asks(&answer), answer, |a| a.without("www-authenticate"))
        })],
    ),
    Defect::new(
        "auth-challenge-without-realm",
        "The challenge to GET of a manifest is the scheme's name alone.",
        "auth.challenge-form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer), answer, |a| {
                rewritten_challenge(a, |text| text.split(' ').next().unwrap_or_default().to_owned())
            })
        })],
    ),
    Defect::new(
        "auth-challenge-realm-twice",
        "A registry behind a proxy names two realms in one challenge.",
        "auth.challenge-form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer), answer, |a| {
                rewritten_challenge(a, |text| format!("{text},realm=\"proxy\""))
            })
        })],
    ),
    Defect::new(
        "auth-challenge-realm-unquoted",
        "The realm stands without quotes.",
        "auth.challenge-form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer), answer, |a| {
                rewritten_challenge(a, |text| {
                    let realm = quoted(text, "realm").unwrap_or_default().to_owned();
                    text.replace(&format!("realm=\"{realm}\""), &format!("realm={realm}"))
                })
            })
        })],
    ),
    Defect::new(
        "auth-challenge-scope-unquoted",
        "The scope stands without quotes, so that its comma ends it.",
        "auth.challenge-form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer), answer, |a| {
                rewritten_challenge(a, |text| {
                    let scope = quoted(text, "scope").unwrap_or_default().to_owned();
                    text.replace(&format!("scope=\"{scope}\""), &format!("scope={scope}"))
                })
            })
        })],
    ),
    Defect::new(
        "auth-realm-relative",
        "The realm of a Bearer challenge is a path, of which clients make no URL.",
        "auth.challenge-realm",
        &[Seam::Finish(|_, _, _, answer| {
            changed(asks(&answer), answer, |a| {
                rewritten_challenge(a, |text| {
                    let realm = quoted(text, "realm").unwrap_or_default().to_owned();
                    let path = realm.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
                    path.map_or(text.to_owned(), |(_, path)| text.replace(&realm, &format!("/{path}")))
                })
            })
        })],
    ),
    Defect::new(
        "auth-scope-of-first-component",
        "The scope in a challenge names the first part of the repository's name alone.",
        "auth.challenge-scope",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asks(&answer) && !says_who(asked), answer, |a| {
                rewritten_challenge(a, |text| {
                    with_name(text, |name| name.split('/').next().unwrap_or_default().to_owned())
                })
            })
        })],
    ),
    Defect::new(
        "auth-scope-of-last-components",
        "The scope in a challenge names the last three parts of a longer name.",
        "auth.challenge-scope",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asks(&answer) && !says_who(asked), answer, |a| {
                rewritten_challenge(a, |text| {
                    with_name(text, |name| {
                        let parts: Vec<&str> = name.split('/').collect();
                        parts[parts.len().saturating_sub(3)..].join("/")
                    })
                })
            })
        })],
    ),
    Defect::new(
        "auth-scope-pull-for-push",
        "The challenge to PUT of a manifest has the scope of a pull, so that clients go in circles.",
        "auth.challenge-scope",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asks(&answer) && puts_manifest(asked) && !says_who(asked), answer, |a| {
                rewritten_challenge(a, |text| text.replace(":pull,push", ":pull"))
            })
        })],
    ),
    Defect::new(
        "auth-error-text",
        "401 is explained in plain text.",
        "error.json",
        &[Seam::Finish(|_, _, _, answer| {
            changed(asks(&answer), answer, |a| a.with("content-type", "text/plain").body("unauthorized"))
        })],
    ),
    Defect::new(
        "auth-error-misshapen",
        "The body of a 401 is JSON of another form than that of errors.",
        "error.form",
        &[Seam::Finish(|_, _, _, answer| {
            changed(asks(&answer), answer, |a| a.body("{\"details\":\"authentication required\"}"))
        })],
    ),
    Defect::new(
        "auth-code-of-another-fault",
        "401 to GET of a manifest is coded NAME_INVALID.",
        "auth.code",
        &[Seam::Finish(|asked, _, _, answer| {
            let text = answer.body.to_bytes();
            let other = String::from_utf8_lossy(&text).replace("UNAUTHORIZED", "NAME_INVALID");
            changed(refused_get(asked, &answer), answer, |a| a.body(other))
        })],
    ),
    Defect::new(
        "auth-answers-403",
        "Who does not say who they are is answered 403 to GET of a manifest, and never asked.",
        "auth.asked",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_get(asked, &answer) && !says_who(asked), answer, |a| {
                a.status(StatusCode::FORBIDDEN).without("www-authenticate")
            })
        })],
    ),
    Defect::new(
        "auth-head-403",
        "HEAD of what may not be read is answered 403, GET 401.",
        "manifest.head.as-get",
        &[Seam::Finish(|asked, _, _, answer| {
            let head = heads_manifest(asked) || heads_blob(asked);
            changed(head && asks(&answer), answer, |a| a.status(StatusCode::FORBIDDEN))
        })],
    )
    .also(&["auth.asked"]),
    Defect::new(
        "scheme-unknown-500",
        "A scheme that the registry does not know makes it fall over.",
        "auth.refused",
        &[Seam::Finish(|asked, _, _, answer| {
            let scheme = asked.header("authorization").and_then(|line| line.split(' ').next());
            let known =
                scheme.is_none_or(|scheme| ["basic", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known)));
            changed(!known && asks(&answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "basic-500-without-colon",
        "Basic credentials without a colon make the registry fall over.",
        "auth.refused",
        &[Seam::Finish(|asked, _, _, answer| {
            let text = super::super::caller::basic(asked);
            changed(text.is_some_and(|text| !text.contains(':')) && asks(&answer), answer, |_| fault().into())
        })],
    ),
];
