//! `etag`, `same-etag`: the name of what is served (RFC 9110 8.8.3).

use super::{Fault, Observation, World};
use crate::suite::assertion::Assertion;
use crate::wire::Response;

/// Evaluates the keys.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let form = assertion.etag.and_then(|_| well_formed(seen.response));
    let same = assertion.same_etag.as_deref().and_then(|name| same(name, seen, world));
    form.into_iter().chain(same).collect()
}

fn well_formed(response: &Response) -> Option<Fault> {
    let mut lines = response.values("etag");
    let fault = |got: &str| Some(Fault::new("etag", "one ETag in quotes, where there is one", got));
    match (lines.next(), lines.next()) {
        (None, _) => None,
        (Some(_), Some(_)) => fault("several ETags"),
        (Some(line), None) if is_entity_tag(line) => None,
        (Some(b""), None) => fault("an empty ETag"),
        (Some(_), None) => fault("an ETag that is none"),
    }
}

/// `[W/]"..."`: in the quotes no quote, no space and no control (RFC 9110 8.8.3).
fn is_entity_tag(line: &[u8]) -> bool {
    let quoted = line.strip_prefix(b"W/").unwrap_or(line);
    let inner = quoted.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.is_some_and(|inner| inner.iter().all(|&byte| byte == b'!' || (byte >= b'#' && byte != 0x7f)))
}

/// Where the step that is named was given one, so is this, and it is the same.
fn same(name: &str, seen: &Observation, world: &World) -> Option<Fault> {
    let fault = |got: &str| Some(Fault::new("same-etag", format!("the ETag of {name}"), got));
    let Some(earlier) = world.named.get(name) else { return fault("that step had no answer") };
    let earlier = earlier.etag.as_ref()?;
    match seen.response.header("etag") {
        _ if !(200..300).contains(&seen.response.status) => None,
        None => fault("no ETag"),
        Some(etag) if etag == *earlier => None,
        Some(_) => fault("another ETag"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_stands_in_quotes() {
        for right in [&b"\"\""[..], b"\"abc\"", b"W/\"abc\"", b"\"sha256:00\"", b"\"\xe4\""] {
            assert!(is_entity_tag(right), "{right:?}");
        }
        for wrong in [&b""[..], b"\"", b"abc", b"w/\"abc\"", b"\"a b\"", b"\"a\"b\"", b"\"abc\" "] {
            assert!(!is_entity_tag(wrong), "{wrong:?}");
        }
    }
}
