//! `body`, `not-body`, `not-text`, `hashes`: the bytes that came.

use std::borrow::Cow;

use super::headers::{DIGEST, hashes_to};
use super::parts;
use super::schema1;
use super::{Fault, Observation, World, diff, node};
use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::suite::assertion::Assertion;
use crate::wire::Response;

/// Bytes up to which a generated blob is made again to show where a response differs from it.
const SHOWN: u64 = 1 << 20;

/// Evaluates the keys that speak of an answer as it was expected.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Of an answer to HEAD only that there is none can be said.
    let is_head = seen.method.eq_ignore_ascii_case("HEAD");
    match assertion.body.as_deref() {
        None => {}
        Some("empty") if seen.response.body.is_empty() => {}
        Some("empty") => faults.push(Fault::new("body", "no body", "a body")),
        Some(_) if is_head => {}
        Some("range") => faults.extend(range(seen)),
        Some(name) => faults.extend(node(name, seen, world).and_then(|node| same_bytes(name, node, seen.response))),
    }
    if is_head {
        return faults;
    }
    if assertion.content_range == Some(true) {
        faults.extend(content_range(seen));
    }
    if assertion.hashes == Some(true) && seen.response.status == 200 {
        faults.extend(hashes(seen));
    }
    faults
}

/// `not-body` and `not-text`: looked for in every answer, whatever its status.
pub fn foreign_body(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(text) = &assertion.not_text
        && !text.is_empty()
        && seen.response.body.windows(text.len()).any(|part| part == text.as_bytes())
    {
        faults.push(Fault::new("not-text", format!("a body without `{text}`"), format!("a body with `{text}`")));
    }
    for name in assertion.not_body.iter().flatten() {
        if let Some(node) = node(name, seen, world)
            && node.size > 0
            && equals(node, seen.response) == Some(true)
        {
            faults.push(Fault::new("not-body", format!("not the bytes of {name}"), format!("the bytes of {name}")));
        }
    }
    faults
}

/// A node's bytes, where there are any and they are not too many.
fn bytes_of(node: &Node) -> Option<Cow<'_, [u8]>> {
    match &node.body {
        Body::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
        Body::Generated(source) if source.size <= SHOWN => {
            Some(Cow::Owned(source.pieces(0, source.size).flatten().collect()))
        }
        Body::Generated(_) | Body::None => None,
    }
}

/// Whether what came is the node's bytes; `None` where that cannot be told.
pub(super) fn equals(node: &Node, response: &Response) -> Option<bool> {
    if response.body_digest.algorithm() == node.digest.algorithm() {
        return Some(response.body_digest == node.digest);
    }
    response.body_is_whole.then(|| Digest::of(node.digest.algorithm(), &response.body) == node.digest)
}

fn same_bytes(name: &str, node: &Node, response: &Response) -> Option<Fault> {
    if equals(node, response) == Some(true) {
        return None;
    }
    let got = if response.body_is_whole && response.body.is_empty() {
        "no bytes"
    } else if response.body_is_whole && (response.body.len() as u64) < node.size {
        "too few bytes"
    } else {
        "other bytes"
    };
    let mut fault = Fault::new("body", format!("the bytes of {name}"), got);
    if let Some(expected) = bytes_of(node) {
        let shown = if response.body_is_whole {
            &expected[..]
        } else {
            expected.get(..response.body.len()).unwrap_or(&expected)
        };
        fault.diff = diff::describe(shown, &response.body);
    }
    Some(fault)
}

fn hashes(seen: &Observation) -> Vec<Fault> {
    let mut faults = Vec::new();
    const EXPECTED: &str = "a body that hashes to its Docker-Content-Digest";
    match seen.response.header(DIGEST).map(|value| Digest::parse(&value)) {
        None => {}
        Some(None) => faults.push(Fault::new("hashes", EXPECTED, "a malformed Docker-Content-Digest")),
        Some(Some(digest)) if schema1::is_digest_of(seen.response, &digest) => {}
        Some(Some(_)) => faults.push(Fault::new("hashes", EXPECTED, "another hash")),
    }
    if let Some(digest) = &seen.subject.path_digest
        && !hashes_to(seen.response, digest)
    {
        faults.push(Fault::new("hashes", "a body that hashes to the digest that was asked for", "another hash"));
    }
    faults
}

/// First and last byte that a `Range` header asks of `size` bytes (RFC 9110, 14.1.2), where it asks for one satisfiable range.
pub fn asked_range(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    let bounds = match (first.trim(), last.trim()) {
        ("", suffix) => (size.saturating_sub(suffix.parse().ok().filter(|n| *n > 0)?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (bounds.0 <= bounds.1).then_some(bounds)
}

/// The slice that was asked for, where the answer is 206; all of it, where the server passed over the header (200).
fn range(seen: &Observation) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (Some(node), Some(asked)) = (&seen.subject.node, &seen.subject.range) else { return faults };
    if seen.response.status == 200 {
        return same_bytes("self", node, seen.response).into_iter().collect();
    }
    if seen.response.status != 206 {
        return faults;
    }
    // What asks for several, or for none, may be answered in several ways: then it has to be what it says.
    let Some(asked) = asked_range(asked, node.size) else { return parts::check(seen, node) };
    // A server may send less than was asked for, and says so (RFC 9110 15.3.7).
    let sent = sent_range(seen, node.size).filter(|sent| asked.0 <= sent.0 && sent.1 <= asked.1);
    let (first, last) = sent.unwrap_or(asked);
    let size = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    let expected: Vec<u8> = match &node.body {
        Body::Bytes(bytes) => {
            bytes.iter().skip(usize::try_from(first).unwrap_or(usize::MAX)).take(size).copied().collect()
        }
        Body::Generated(source) => source.pieces(first, last - first + 1).flatten().collect(),
        Body::None => return faults,
    };
    if expected[..] != seen.response.body[..] {
        let got = if seen.response.body.len() == expected.len() { "other bytes" } else { "another number of bytes" };
        let diff = diff::describe(&expected, &seen.response.body);
        faults.push(Fault { diff, ..Fault::new("body", format!("bytes {first} to {last} of self"), got) });
    }
    faults
}

/// RFC 9110 14.4, 15.3.7.1: a 206 for a single range carries it; 15.5.17: a 416 tells the size.
fn content_range(seen: &Observation) -> Option<Fault> {
    let (Some(node), Some(asked)) = (&seen.subject.node, &seen.subject.range) else { return None };
    if seen.response.status == 416 {
        let expected = format!("Content-Range: bytes */{}", node.size);
        return match seen.response.header("content-range") {
            None => Some(Fault::new("content-range", expected, "no Content-Range")),
            Some(came) if came.trim().strip_prefix("bytes */").map(str::parse) == Some(Ok(node.size)) => None,
            Some(_) => Some(Fault::new("content-range", expected, "another Content-Range")),
        };
    }
    if seen.response.status != 206 {
        return None;
    }
    let (first, last) = asked_range(asked, node.size)?;
    let fault = |got: &str| {
        let expected = format!("Content-Range: bytes {first}-{last}/{}", node.size);
        Some(Fault::new("content-range", expected, got))
    };
    match (seen.response.header("content-range"), sent_range(seen, node.size)) {
        (None, _) => fault("no Content-Range"),
        (_, Some(sent)) if first <= sent.0 && sent.1 <= last => None,
        _ => fault("another Content-Range"),
    }
}

/// First and last byte that a Content-Range of `size` bytes, or of nobody knows how many, names (RFC 9110 14.4).
fn sent_range(seen: &Observation, size: u64) -> Option<(u64, u64)> {
    named_range(&seen.response.header("content-range")?, size)
}

/// The same of the header's value.
pub(super) fn named_range(value: &str, size: u64) -> Option<(u64, u64)> {
    let (unit, rest) = value.trim().split_once(' ')?;
    let (range, total) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let bounds = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let whole = total.trim() == "*" || total.trim().parse() == Ok(size);
    (unit.eq_ignore_ascii_case("bytes") && whole && bounds.0 <= bounds.1).then_some(bounds)
}
