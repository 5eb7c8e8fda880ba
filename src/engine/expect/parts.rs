//! A 206 whose bytes are those that its own `Content-Range` names: one slice, or several parts (RFC 9110 15.3.7).
//!
//! It is asked of ranges that a server may answer in more than one way: several at once, or one that it may read otherwise.

use super::{Fault, Observation};
use crate::content::{Body, Node};

/// Parts of one answer at most.
const MOST: usize = 64;

/// Compares each part that came with the bytes that it says it has.
pub fn check(seen: &Observation, node: &Node) -> Vec<Fault> {
    let body = &seen.response.body;
    let fault = |got: &str| vec![Fault::new("body", "parts that are what their Content-Range says", got)];
    let Some(boundary) = boundary(seen) else {
        return match seen.response.header("content-range") {
            None => fault("a part without Content-Range"),
            Some(range) if is_slice(node, &range, body) => Vec::new(),
            Some(_) => fault("other bytes"),
        };
    };
    let Some(parts) = split(body, boundary.as_bytes()) else { return fault("a body that is not in parts") };
    let wrong = |part: &&[u8]| {
        let Some((head, bytes)) = halves(part) else { return true };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let range = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-range"));
        !range.is_some_and(|(_, range)| is_slice(node, range, bytes))
    };
    if parts.iter().any(wrong) { fault("a part of other bytes, or without Content-Range") } else { Vec::new() }
}

/// The boundary of an answer in parts.
fn boundary(seen: &Observation) -> Option<String> {
    let value = seen.response.header("content-type")?;
    let (essence, parameters) = value.split_once(';')?;
    let mut named = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let (_, boundary) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    essence.trim().eq_ignore_ascii_case("multipart/byteranges").then(|| boundary.trim().trim_matches('"').to_owned())
}

/// Whether these are the bytes of the node that a Content-Range names, and its size is right where it has one.
fn is_slice(node: &Node, range: &str, bytes: &[u8]) -> bool {
    let Some((first, last)) = super::payload::named_range(range, node.size) else { return false };
    if last >= node.size || last - first + 1 != bytes.len() as u64 {
        return false;
    }
    match &node.body {
        Body::Bytes(all) => all.iter().skip(usize::try_from(first).unwrap_or(usize::MAX)).take(bytes.len()).eq(bytes),
        Body::Generated(source) => source.pieces(first, last - first + 1).flatten().eq(bytes.iter().copied()),
        Body::None => true,
    }
}

/// What stands between the boundaries; `None` where it does not begin and end with one.
fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Option<Vec<&'a [u8]>> {
    let line = [b"--", boundary].concat();
    let find = |from: usize| {
        let rest = body.get(from..)?;
        rest.windows(line.len()).position(|window| window == line).map(|at| from + at)
    };
    let mut parts = Vec::new();
    let mut from = find(0)? + line.len();
    while parts.len() < MOST && !body.get(from..)?.starts_with(b"--") {
        let end = find(from)?;
        let part = body.get(from..end)?;
        parts.push(part.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?);
        from = end + line.len();
    }
    (!parts.is_empty()).then_some(parts)
}

/// Head and bytes of a part.
fn halves(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((part.get(..at)?, part.get(at + 4..)?))
}
