//! `location`, `digest`, `type`, `length`, `headers`, `warnings`, `link`.

use super::{Fault, Observation, World, node, schema1, warnings};
use crate::content::digest::Digest;
use crate::content::{Body, Node, media};
use crate::suite::assertion::{Assertion, LinkIs, LocationIs, NumberOrNode};
use crate::wire::{FailureKind, Response};

/// The header of digests.
pub const DIGEST: &str = "docker-content-digest";

/// A media type without its parameters, in lower case.
pub fn essence(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Evaluates the keys.
pub fn check(assertion: &Assertion, seen: &Observation, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(expected) = assertion.location {
        faults.extend(location(expected, seen));
    }
    if let Some(expected) = &assertion.digest {
        faults.extend(digest(expected, seen, world));
    }
    if let Some(expected) = &assertion.media_type {
        faults.extend(media_type(expected, seen, world));
    }
    if let Some(names) = &assertion.type_among {
        faults.extend(type_among(names, seen, world));
    }
    if let Some(expected) = &assertion.length {
        faults.extend(length(expected, seen, world));
    }
    for (name, expected) in assertion.headers.iter().flatten() {
        faults.extend(header(name, expected, seen, world));
    }
    faults.extend(assertion.warnings.and_then(|expected| warnings::check(expected, seen)));
    if let Some(expected) = assertion.link {
        // What others have in the list makes it longer.
        if expected != LinkIs::Absent || world.foreign.is_empty() {
            faults.extend(link(expected, seen));
        }
    }
    faults
}

fn location(expected: LocationIs, seen: &Observation) -> Option<Fault> {
    let text = match expected {
        LocationIs::Resolves => "a Location that gives what was sent",
        LocationIs::Present => "a Location",
    };
    let fault = |got: &str| Some(Fault::new("location", text, got));
    // What is refused is nowhere; that it was not to be is said by the status.
    if seen.response.status >= 400 {
        return None;
    }
    let first = seen.response.values("location").next();
    match seen.response.header("location") {
        _ if seen.response.values("location").any(|line| Some(line) != first) => return fault("several Locations"),
        None => return fault("no Location"),
        Some(value) if value.trim().is_empty() => return fault("an empty Location"),
        Some(_) if seen.response.location.is_none() => return fault("a Location that is no URL"),
        Some(_) => {}
    }
    // The Location of a 202 is an upload session, which is not for reading.
    if expected == LocationIs::Present || seen.response.status == 202 {
        return None;
    }
    let Some(located) = seen.located else { return fault("a Location that could not be asked") };
    match &located.result {
        // It is we who stopped asking.
        Err(failure) if failure.kind == FailureKind::Interrupted => None,
        Err(failure) => fault(&format!("a Location that gives no answer ({})", failure.kind.word())),
        Ok(response) if response.status != 200 => fault(&format!("a Location that gives status {}", response.status)),
        Ok(response) => match &seen.subject.node {
            Some(node) if !is_body_of(response, node) => fault("a Location that gives other bytes"),
            _ => None,
        },
    }
}

/// Whether all that came are the node's bytes.
fn is_body_of(response: &Response, node: &Node) -> bool {
    if response.body_digest.algorithm() == node.digest.algorithm() {
        return response.body_digest == node.digest;
    }
    response.body_is_whole && Digest::of(node.digest.algorithm(), &response.body) == node.digest
}

fn digest(expected: &str, seen: &Observation, world: &World) -> Option<Fault> {
    let fault = |expected: String, got: &str| Some(Fault::new("digest", expected, got));
    let came = seen.response.header(DIGEST);
    let body = || "Docker-Content-Digest of the body".to_owned();
    let is_head = seen.method.eq_ignore_ascii_case("HEAD");
    match (expected, came) {
        ("absent" | "body-or-absent" | "self-or-absent", None) => None,
        ("absent", Some(_)) => fault("no Docker-Content-Digest".into(), "a Docker-Content-Digest"),
        ("body" | "body-or-absent", Some(_)) if is_head => None,
        ("body", None) => fault(body(), NO_DIGEST),
        ("body" | "body-or-absent", Some(came)) => match Digest::parse(&came) {
            None => fault(body(), MALFORMED),
            Some(came) if schema1::is_digest_of(seen.response, &came) => None,
            Some(_) => fault(body(), OTHER),
        },
        (name, came) => {
            let (name, any_algorithm) = match name {
                "self-or-absent" => ("self", true),
                name => (name, !must_be_claimed(seen)),
            };
            let text = || format!("Docker-Content-Digest of {name}");
            let node = node(name, seen, world)?;
            let Some(came) = came else { return fault(text(), NO_DIGEST) };
            let Some(came) = Digest::parse(&came) else { return fault(text(), MALFORMED) };
            if came == node.digest || (any_algorithm && is_digest_of(node, &came)) {
                None
            } else {
                fault(text(), OTHER)
            }
        }
    }
}

const NO_DIGEST: &str = "no Docker-Content-Digest";
const MALFORMED: &str = "a malformed Docker-Content-Digest";
const OTHER: &str = "another digest";

/// The answer to a push by digest must repeat the client's digest (L488); one to a pull may be of another algorithm (L179).
fn must_be_claimed(seen: &Observation) -> bool {
    seen.method.eq_ignore_ascii_case("PUT") && seen.subject.path_digest.is_some()
}

fn is_digest_of(node: &Node, digest: &Digest) -> bool {
    digest.algorithm() != node.digest.algorithm()
        && match &node.body {
            Body::Bytes(bytes) => Digest::of(digest.algorithm(), bytes) == *digest,
            Body::Generated(source) => source.digest(digest.algorithm()) == *digest,
            Body::None => false,
        }
}

/// Whether all bytes that came hash to `digest`; true where that cannot be told (only the first bytes were kept).
pub fn hashes_to(response: &Response, digest: &Digest) -> bool {
    if response.body_digest.algorithm() == digest.algorithm() {
        return response.body_digest == *digest;
    }
    !response.body_is_whole || Digest::of(digest.algorithm(), &response.body) == *digest
}

fn type_among(names: &[String], seen: &Observation, world: &World) -> Option<Fault> {
    if !(200..300).contains(&seen.response.status) {
        return None;
    }
    let types: Vec<&str> =
        names.iter().filter_map(|name| node(name, seen, world)).map(|node| node.media_type.as_str()).collect();
    let came = own_type(seen.response);
    if came.as_deref().is_some_and(|came| types.contains(&came)) {
        return None;
    }
    Some(Fault::new("type-among", format!("Content-Type {}", types.join(" or ")), type_that_came(came.as_deref())))
}

/// What the lines of `Content-Type` say, without parameters, lower case, each once: one, rightly.
pub fn types(response: &Response) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for line in response.values("content-type") {
        let own = essence(&String::from_utf8_lossy(line));
        if !said.contains(&own) {
            said.push(own);
        }
    }
    said
}

/// The `Content-Type`. Lines that say different things are all of them said, `a and b`, which is no type: who reads the first one
/// and who reads the last one do not see the same (RFC 9110 5.3, 8.3).
pub fn own_type(response: &Response) -> Option<String> {
    let said = types(response);
    (!said.is_empty()).then(|| said.join(" and "))
}

/// A Content-Type that came, or none, in words.
pub fn type_that_came(essence: Option<&str>) -> String {
    essence.map_or_else(|| "no Content-Type".to_owned(), |came| format!("Content-Type {}", steady(came)))
}

fn media_type(expected: &str, seen: &Observation, world: &World) -> Option<Fault> {
    let (name, or_general) = match expected {
        "self-or-general" => ("self", true),
        name => (name, false),
    };
    let wanted = node(name, seen, world).map_or(name, |node| &node.media_type);
    let fault = |got: String| Some(Fault::new("type", format!("Content-Type {wanted}"), got));
    match own_type(seen.response) {
        Some(came) if or_general && !media::MANIFESTS.contains(&came.as_str()) => None,
        None if or_general => None,
        Some(came) if came == essence(wanted) => None,
        came => fault(type_that_came(came.as_deref())),
    }
}

fn length(expected: &NumberOrNode, seen: &Observation, world: &World) -> Option<Fault> {
    let wanted = match expected {
        NumberOrNode::Number(number) => *number,
        NumberOrNode::Node(name) => node(name, seen, world)?.size,
    };
    let fault = |got: String| Some(Fault::new("length", format!("Content-Length {wanted}"), got));
    match seen.response.header("content-length") {
        None => None,
        Some(value) => match value.trim().parse::<u64>() {
            Ok(came) if came == wanted => None,
            Ok(came) => fault(format!("Content-Length {came}")),
            Err(_) => fault("a Content-Length that is no number".into()),
        },
    }
}

fn header(name: &str, expected: &str, seen: &Observation, world: &World) -> Option<Fault> {
    let lines: Vec<String> =
        seen.response.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    let fault = |expected: String, got: String| Some(Fault::new("headers", expected, got));
    match (expected, lines.first()) {
        ("absent", None) | ("present", Some(_)) => None,
        ("absent", Some(_)) => fault(format!("no {name}"), format!("a {name}")),
        ("present", None) => fault(format!("a {name}"), format!("no {name}")),
        (glob, first) => {
            let wanted = fill(glob, seen, world, |_, node| node.digest.to_string());
            if lines.iter().any(|line| matches(&wanted, line.trim())) {
                return None;
            }
            // A digest is another one in each case: its name tells more, and lets like failures be told as one.
            let shown = fill(glob, seen, world, |name, _| format!("(digest of {name})"));
            let got = first.map_or_else(|| format!("no {name}"), |first| format!("{name}: {}", steady(first)));
            fault(format!("{name}: {shown}"), got)
        }
    }
}

/// Puts values in for `{digest:NODE}` and `{type:NODE}`; any other brace stays.
fn fill(glob: &str, seen: &Observation, world: &World, digest: impl Fn(&str, &Node) -> String) -> String {
    let mut out = String::new();
    let mut rest = glob;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(inside, after)| {
            let (what, name) = inside.split_once(':')?;
            let node = node(name, seen, world)?;
            match what {
                "digest" => Some((digest(name, node), after)),
                "type" => Some((node.media_type.clone(), after)),
                _ => None,
            }
        });
        match value {
            Some((value, after)) => {
                out.push_str(&value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A registry's words, fit for a line, and the same in every run: digests and ids are left out.
pub fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().take(400).chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        // Sixteen hex digits or more are a digest, an id, a nonce.
        let is_id = word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
        out.push_str(if is_id { "..." } else { &word });
        word.clear();
        out.extend(c.escape_default());
    }
    out.trim_end().chars().take(120).collect()
}

/// Whether `text` is matched by `glob`, in which only `*` is special.
fn matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn link(expected: LinkIs, seen: &Observation) -> Option<Fault> {
    const WELL_FORMED: &str = "a Link <URL>; rel=\"next\" by RFC 8288";
    if let Some(trail) = seen.listing.and_then(|listing| listing.trail())
        && expected != LinkIs::Absent
    {
        return Some(Fault::new("link", "links that lead from page to page and end", trail));
    }
    let is_there = seen.response.header("link").is_some();
    // Of several pages the first one has a Link, and the last one has none.
    match expected {
        LinkIs::Absent if is_there && seen.page == 0 => Some(Fault::new("link", "no Link", "a Link")),
        LinkIs::Present if !is_there && seen.page == 0 => Some(Fault::new("link", WELL_FORMED, "no Link")),
        LinkIs::Absent => None,
        LinkIs::Present | LinkIs::WellFormed if !is_there => None,
        LinkIs::Present | LinkIs::WellFormed => match (&seen.response.link_problem, &seen.response.next) {
            (Some(problem), _) => Some(Fault::new("link", WELL_FORMED, brief(problem))),
            (None, None) => Some(Fault::new("link", WELL_FORMED, "a Link without rel=\"next\"")),
            (None, Some(_)) => None,
        },
    }
}

/// What is wrong with a Link, without the URL in it, which is another in each run.
pub fn brief(problem: &str) -> String {
    problem.split([',', ':', ';']).next().unwrap_or_default().trim().to_owned()
}
