//! `same-as`, `same-headers`: the answer is as one of an earlier step was.

use super::headers::steady;
use super::{Fault, Observation, Seen, World};
use crate::suite::assertion::Assertion;

const DIGEST: &str = "Docker-Content-Digest";

/// Evaluates the keys.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let as_before = assertion.same_as.iter().flat_map(|name| same_as(name, seen, world));
    let headers = assertion.same_headers.iter().flat_map(|name| same_headers(name, seen, world));
    as_before.chain(headers).collect()
}

/// The same status, and the same length and digest where both answers have one: to send a header with the one answer and
/// not with the other is against a SHOULD only (RFC 9110 9.3.2), which requirements of their own hold it to.
fn same_as(name: &str, seen: &Observation, world: &World) -> Vec<Fault> {
    let Some(earlier) = world.named.get(name) else {
        return vec![Fault::new("same-as", format!("as step {name:?} was answered"), "that step had no answer")];
    };
    let now = Seen::of(seen.response);
    let mut faults = Vec::new();
    let mut differ = |what: &str, expected: String, got: String| {
        faults.push(Fault::new("same-as", format!("{what} {expected}, as of {name}"), format!("{what} {got}")));
    };
    if now.status != earlier.status {
        differ("status", earlier.status.to_string(), now.status.to_string());
    }
    // The text of a refusal is free, and may say when it was made.
    let refused = earlier.status >= 400 && now.status >= 400;
    if let (Some(a), Some(b)) = (&earlier.length, &now.length)
        && a != b
        && !refused
    {
        differ("Content-Length", a.clone(), b.clone());
    }
    if let (Some(a), Some(b)) = (&earlier.digest, &now.digest)
        && a != b
    {
        differ("Docker-Content-Digest", "the same".into(), "another".into());
    }
    if let Some(code) = earlier.code.as_ref().filter(|_| refused && !seen.method.eq_ignore_ascii_case("HEAD"))
        && now.code.as_ref() != Some(code)
    {
        let got = now.code.as_ref().map_or("no code".to_owned(), |code| format!("code {code}"));
        faults.push(Fault::new("same-as", format!("code {code}, as of {name}"), got));
    }
    faults
}

/// The headers that say what is served are there as they were, with the same values.
fn same_headers(name: &str, seen: &Observation, world: &World) -> Vec<Fault> {
    let Some(earlier) = world.named.get(name) else {
        return vec![Fault::new("same-headers", format!("as step {name:?} was answered"), "that step had no answer")];
    };
    let now = Seen::of(seen.response);
    if [earlier.status, now.status].iter().any(|status| !(200..300).contains(status)) {
        return Vec::new();
    }
    let headers = [
        ("Content-Type", &earlier.media_type, &now.media_type),
        ("Content-Length", &earlier.length, &now.length),
        (DIGEST, &earlier.digest, &now.digest),
    ];
    let differ = headers.into_iter().filter(|(_, before, after)| before != after);
    let said = |header: &str, value: Option<&String>| match value {
        None => format!("no {header}"),
        // A digest is another one in each case.
        Some(_) if header == DIGEST => format!("a {header}"),
        Some(value) => format!("{header} {}", steady(value)),
    };
    differ
        .map(|(header, before, after)| match (before, after) {
            (Some(_), Some(_)) if header == DIGEST => {
                Fault::new("same-headers", format!("{header} the same, as of {name}"), format!("{header} another"))
            }
            _ => {
                let expected = format!("{}, as of {name}", said(header, before.as_ref()));
                Fault::new("same-headers", expected, said(header, after.as_ref()))
            }
        })
        .collect()
}
