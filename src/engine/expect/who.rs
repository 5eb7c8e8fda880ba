//! `challenge`, `token`: what a registry says to somebody who has to say who it is.

use serde_json::Value;

use super::{Fault, Observation, World};
use crate::suite::assertion::{Assertion, ChallengeIs, TokenIs};
use crate::wire::Response;
use crate::wire::challenge::{self, Challenge};

/// A token that lives shorter is of no use to clients that keep none (distribution: token.md, `expires_in`).
const LEAST: f64 = 60.0;

/// Evaluates the keys.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let challenge = assertion.challenge.filter(|_| seen.response.status == 401);
    let challenge = challenge.and_then(|expected| of_challenge(expected, seen, world));
    let token = assertion.token.and_then(|expected| of_token(expected, seen.response));
    challenge.into_iter().chain(token).collect()
}

fn of_challenge(expected: ChallengeIs, seen: &Observation, world: &World) -> Option<Fault> {
    let lines: Vec<&[u8]> = seen.response.values("www-authenticate").collect();
    let fault = |expected: &str, got: &str| Some(Fault::new("challenge", expected, got));
    let challenges = challenge::parse(lines.iter().copied());
    let bearer = challenges.iter().find(|challenge| challenge.scheme == "bearer");
    match expected {
        ChallengeIs::Present => match (lines.is_empty(), challenges.is_empty()) {
            (true, _) => fault("a challenge", "no WWW-Authenticate"),
            (false, true) => fault("a challenge", "a WWW-Authenticate that names no scheme"),
            (false, false) => None,
        },
        ChallengeIs::WellFormed => {
            let texts: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            challenge::malformed(&texts).and_then(|wrong| fault("challenges of the grammar", wrong))
        }
        ChallengeIs::Realm => realm(bearer?).and_then(|wrong| fault("a realm of Bearer that is a URL", wrong)),
        ChallengeIs::Scope => {
            let scope = bearer?.parameter("scope")?;
            let action = match seen.method.to_ascii_uppercase().as_str() {
                "GET" | "HEAD" => Some("pull"),
                "DELETE" => None,
                _ => Some("push"),
            };
            if names(scope, world.repository, action) {
                return None;
            }
            let expected = format!("a scope of this repository to {}", action.unwrap_or("delete"));
            fault(&expected, if names(scope, world.repository, None) { "another action" } else { "another repository" })
        }
        ChallengeIs::InvalidToken => match bearer?.parameter("error") {
            None | Some("invalid_token") => None,
            Some(_) => fault("error=\"invalid_token\"", "another error"),
        },
        ChallengeIs::LackingScope => match bearer.and_then(|bearer| bearer.parameter("scope")) {
            Some(scope) if names(scope, world.repository, None) => None,
            Some(_) => fault("the scope that is lacking", "another repository"),
            None => fault("the scope that is lacking", "a challenge without scope"),
        },
    }
}

/// What is wrong with the URL at which tokens are to be had.
fn realm(bearer: &Challenge) -> Option<&'static str> {
    match bearer.parameter("realm") {
        None => Some("no realm"),
        Some(realm) if realm.starts_with("https://") || realm.starts_with("http://") => None,
        Some(_) => Some("a realm that is no absolute URL"),
    }
}

/// Whether a scope names a repository, and one of its actions is this one, or all.
fn names(scope: &str, repository: &str, action: Option<&str>) -> bool {
    let of = |resource: &str| {
        // A class may stand behind the type, and a port in the name: `repository(plugin):h:5000/a:pull`.
        let (kind, rest) = resource.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':').filter(|_| kind.split('(').next() == Some("repository"))?;
        let has = |action: &str| actions.split(',').any(|own| own == action || own == "*");
        Some(name == repository && action.is_none_or(has))
    };
    scope.split_ascii_whitespace().any(|resource| of(resource) == Some(true))
}

fn of_token(expected: TokenIs, response: &Response) -> Option<Fault> {
    let fault = |expected: &str, got: &str| Some(Fault::new("token", expected, got));
    let read: Option<Value> = serde_json::from_slice(&response.body).ok();
    let text = |name: &str| read.as_ref()?.get(name)?.as_str().filter(|text| !text.is_empty());
    let given = text("token").or_else(|| text("access_token")).is_some();
    match expected {
        TokenIs::Given if read.is_none() => fault("a token", "no JSON"),
        TokenIs::Given if !given => fault("a token", "neither token nor access_token"),
        TokenIs::None if given => fault("no token", "a token"),
        TokenIs::Lasting => {
            let lives = read.as_ref()?.get("expires_in")?;
            match lives.as_f64() {
                Some(seconds) if seconds >= LEAST => None,
                Some(seconds) => fault("a life of a minute at least", &format!("{seconds} s")),
                None => fault("a life of a minute at least", "an expires_in that is no number"),
            }
        }
        TokenIs::Dated => {
            let issued = read.as_ref()?.get("issued_at")?;
            let is_time = issued.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
            (!is_time).then(|| Fault::new("token", "a time of RFC 3339", "an issued_at that is none"))
        }
        TokenIs::Given | TokenIs::None => None,
    }
}
