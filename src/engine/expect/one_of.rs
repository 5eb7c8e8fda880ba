//! `one-of`: an answer that is one of several manifests, whole, and not parts of two.

use std::sync::Arc;

use super::headers::{DIGEST, essence, hashes_to};
use super::payload::equals;
use super::{Fault, Observation, World, node};
use crate::content::Node;
use crate::content::digest::Digest;

/// Evaluates it on a 200.
pub fn check(names: &[String], seen: &Observation, world: &World) -> Option<Fault> {
    if seen.response.status != 200 {
        return None;
    }
    let nodes: Vec<&Arc<Node>> = names.iter().filter_map(|name| node(name, seen, world)).collect();
    let expected = format!("{}, whole", names.join(" or "));
    let fault = |got: &str, diff: Option<String>| Some(Fault { diff, ..Fault::new("one-of", expected.clone(), got) });
    let digest = match seen.response.header(DIGEST).map(|value| Digest::parse(&value)) {
        Some(None) => return fault("a malformed Docker-Content-Digest", None),
        Some(Some(digest)) => Some(digest),
        None => None,
    };
    let length = seen.response.header("content-length").and_then(|value| value.trim().parse::<u64>().ok());
    let is_head = seen.method.eq_ignore_ascii_case("HEAD");
    let of_body = |node: &Node| equals(node, seen.response) == Some(true);
    let of_head = |node: &Node| {
        let named = digest.as_ref().is_none_or(|digest| {
            // What it hashes to by another algorithm cannot be seen without a body.
            digest.algorithm() != node.digest.algorithm() || *digest == node.digest
        });
        named && (digest.is_some() || length.is_none_or(|length| length == node.size))
    };
    let Some(is) = nodes.iter().find(|node| if is_head { of_head(node) } else { of_body(node) }) else {
        let smallest = nodes.iter().map(|node| node.size).min().unwrap_or(0);
        return match seen.response.body.len() as u64 {
            _ if is_head => fault("the headers of none of them", None),
            0 => fault("no bytes", None),
            came if seen.response.body_is_whole && came < smallest => fault("too few bytes", None),
            _ => fault("other bytes", None),
        };
    };
    let of = |what: &dyn Fn(&Node) -> bool| nodes.iter().find(|node| what(node)).map_or("none of them", |n| &n.name);
    let told = |what: &str, other: &str| Some(format!("the answer is {}, its {what} that of {other}", is.name));
    if !is_head && digest.as_ref().is_some_and(|digest| !hashes_to(seen.response, digest)) {
        let other = of(&|node| Some(&node.digest) == digest.as_ref());
        return fault("the bytes of one under the digest of another", told(DIGEST, other));
    }
    if let Some(length) = length.filter(|length| *length != is.size) {
        return fault("the length of another", told("Content-Length", of(&|node| node.size == length)));
    }
    let media_type = seen.response.header("content-type").map(|value| essence(&value));
    let is_type = |node: &Node| media_type.as_ref() == Some(&essence(&node.media_type));
    // That there is a type, and a fitting one, is asked for elsewhere; here no two answers may be mixed.
    let other = nodes.iter().find(|node| is_type(node)).filter(|_| !is_type(is));
    other.and_then(|other| fault("the type of another", told("Content-Type", &other.name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing;
    use super::*;
    use crate::content::Body;

    fn got(headers: &[(&str, &str)], body: &[u8]) -> Option<String> {
        let content = testing::content();
        let named = testing::unnamed();
        let world = World {
            content: &content,
            repository: "r",
            absent_children: &[],
            named: &named,
            foreign: &BTreeSet::new(),
        };
        let response = testing::response(200, headers, body);
        let subject = super::super::Subject::default();
        let seen = Observation {
            method: "GET",
            response: &response,
            subject: &subject,
            located: None,
            listing: None,
            page: 0,
        };
        check(&["index".into(), "amd64".into()], &seen, &world).map(|fault| fault.got)
    }

    #[test]
    fn an_answer_is_one_of_them_and_not_two() {
        let content = testing::content();
        let (index, image) = (content.nodes.get("index").unwrap(), content.nodes.get("amd64").unwrap());
        let Body::Bytes(bytes) = &index.body else { panic!() };
        let digest = |node: &Node| node.digest.as_str().to_owned();
        assert_eq!(got(&[(DIGEST, &digest(index)), ("content-type", &index.media_type)], bytes), None);
        assert_eq!(got(&[], bytes), None, "headers that are not there mix nothing");
        let mixed = got(&[(DIGEST, &digest(image))], bytes);
        assert_eq!(mixed.as_deref(), Some("the bytes of one under the digest of another"));
        assert_eq!(got(&[("content-type", &image.media_type)], bytes).as_deref(), Some("the type of another"));
        assert_eq!(got(&[], &bytes[..10]).as_deref(), Some("too few bytes"));
        assert_eq!(got(&[], b"").as_deref(), Some("no bytes"));
        assert_eq!(got(&[], &[b'x'; 9000]).as_deref(), Some("other bytes"));
    }
}
