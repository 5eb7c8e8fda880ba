//! Tables of responses that do not match, each with everything that must be said of them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::lists::{Listing, TagPage, descriptors};
use super::testing::{content, exchange, response, unnamed, wide};
use super::*;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::suite::model::Source;
use crate::wire::{Failure, FailureKind, Response, Secret};

/// What a table's row is about.
struct Row {
    method: &'static str,
    content: Content,
    node: Option<&'static str>,
    by_digest: bool,
    range: Option<&'static str>,
    located: Option<Exchange>,
    absent: Vec<Digest>,
    named: BTreeMap<String, Seen>,
    pages: usize,
}

impl Default for Row {
    fn default() -> Self {
        Row {
            method: "GET",
            content: content(),
            node: Some("index"),
            by_digest: true,
            range: None,
            located: None,
            absent: Vec::new(),
            named: unnamed(),
            pages: 0,
        }
    }
}

fn expectations(value: serde_json::Value) -> Vec<Expectation> {
    let map: BTreeMap<String, Assertion> = serde_json::from_value(value).unwrap();
    let source = Source { file: "t.yaml".into(), line: 1, column: 1 };
    map.into_iter()
        .map(|(requirement, assertion)| Expectation { requirement, assertion, source: source.clone() })
        .collect()
}

fn level(requirement: &str) -> Level {
    match requirement.split('.').next() {
        Some("should") => Level::Should,
        Some("may") => Level::May,
        _ => Level::Must,
    }
}

impl Row {
    /// `requirement key: expected | got`, a line each.
    fn faults(&self, expect: serde_json::Value, response: &Response) -> Vec<String> {
        let expect = expectations(expect);
        let node = self.node.map(|name| self.content.nodes.get(name).expect(name).clone());
        let path_digest = node.as_ref().filter(|_| self.by_digest).map(|node| node.digest.clone());
        let subject = Subject { node, path_digest, range: self.range.map(str::to_owned) };
        let listing = self.listing(response);
        let seen = Observation {
            method: self.method,
            response,
            subject: &subject,
            located: self.located.as_ref(),
            listing: listing.as_ref(),
            page: 0,
        };
        let world =
            World { content: &self.content, repository: "a/b", absent_children: &self.absent, named: &self.named };
        let judged = judge(&expect, &seen, &world, &level);
        let line = |(e, f): (&Expectation, Fault)| {
            format!("{} {}: {} | {}", f.requirement.unwrap_or(&e.requirement), f.key, f.expected, f.got)
        };
        judged.faults.into_iter().map(line).collect()
    }

    fn listing(&self, response: &Response) -> Option<Listing> {
        match self.pages {
            0 => None,
            1 => Some(Listing::Tags { pages: vec![TagPage::of(response)], trail: None }),
            _ => Some(Listing::Referrers { entries: descriptors(response), trail: None }),
        }
    }

    /// With one expectation, `r`, on an answer of 200.
    fn ok(&self, assertion: serde_json::Value, headers: &[(&str, &str)], body: &[u8]) -> Vec<String> {
        self.faults(json!({ "r": assertion }), &response(200, headers, body))
    }
}

fn bytes(content: &Content, name: &str) -> Vec<u8> {
    match &content.nodes.get(name).unwrap().body {
        crate::content::Body::Bytes(bytes) => bytes.to_vec(),
        crate::content::Body::Generated(source) => source.pieces(0, source.size).flatten().collect(),
        crate::content::Body::None => Vec::new(),
    }
}

fn digest(content: &Content, name: &str) -> String {
    content.nodes.get(name).unwrap().digest.to_string()
}

const NONE: [&str; 0] = [];

#[test]
fn a_status_is_a_value_a_class_or_a_set() {
    let row = Row::default();
    let table = [
        (json!(200), 200, None),
        (json!(200), 404, Some("r status: status 200 | status 404")),
        (json!("4xx"), 404, None),
        (json!("4xx"), 500, Some("r status: status 4xx | status 500")),
        (json!([400, 405]), 405, None),
        (json!([400, 405]), 404, Some("r status: status 400 or 405 | status 404")),
        (json!([201, "4xx"]), 202, Some("r status: status 201 or 4xx | status 202")),
        (json!(404), 200, Some("r status: status 404 | status 200")),
    ];
    for (expected, came, said) in table {
        let faults = row.faults(json!({ "r": { "status": expected } }), &response(came, &[], b""));
        assert_eq!(faults, said.into_iter().collect::<Vec<_>>(), "{expected} {came}");
    }
}

#[test]
fn all_that_does_not_hold_is_said_at_once() {
    let row = Row::default();
    let expect = json!({ "r": { "status": 200, "type": "self", "digest": "self", "length": "self", "body": "self",
        "headers": { "X-A": "present" }, "link": "absent" } });
    let other = response(
        203,
        &[
            ("Content-Type", "text/plain"),
            ("Docker-Content-Digest", "sha256:0"),
            ("Content-Length", "5"),
            ("Link", "x"),
        ],
        b"hello",
    );
    let faults = row.faults(expect, &other);
    assert_eq!(
        faults,
        [
            "r status: status 200 | status 203",
            "r digest: Docker-Content-Digest of self | a malformed Docker-Content-Digest",
            "r type: Content-Type application/vnd.oci.image.index.v1+json | Content-Type text/plain",
            &format!("r length: Content-Length {} | Content-Length 5", row.content.nodes.get("index").unwrap().size),
            "r headers: a X-A | no X-A",
            "r link: no Link | a Link",
            "r body: the bytes of self | too few bytes",
        ]
    );
}

#[test]
fn the_consequences_of_another_kind_of_status_are_not_said() {
    let row = Row::default();
    let served = json!({ "a": { "status": 200 }, "b": { "body": "self", "hashes": true }, "c": { "digest": "self" } });
    assert_eq!(row.faults(served.clone(), &response(404, &[], b"{}")), ["a status: status 200 | status 404"]);
    assert_eq!(row.faults(served, &response(500, &[], b"")), ["a status: status 200 | status 500"]);
    let refused =
        json!({ "a": { "status": "4xx" }, "b": { "code": "MANIFEST_BLOB_UNKNOWN" }, "c": { "form": "errors" } });
    assert_eq!(row.faults(refused.clone(), &response(201, &[], b"")), ["a status: status 4xx | status 201"]);
    assert_eq!(row.faults(refused, &response(500, &[], b"oops")), ["a status: status 4xx | status 500"]);
}

#[test]
fn an_error_is_looked_at_though_another_status_was_wished_for() {
    let expect = json!({ "a": { "status": [201, "4xx"] }, "should.b": { "status": 201 }, "c": { "form": "errors" } });
    let bad = response(400, &[], br#"{"errors": {}}"#);
    assert_eq!(
        Row::default().faults(expect, &bad),
        [
            "c form: {\"errors\": [{\"code\": ...}]} with a code of the spec's list | \"errors\" is no list",
            "should.b status: status 201 | status 400"
        ]
    );
}

#[test]
fn a_status_is_said_once_by_the_strongest_and_by_those_that_say_nothing_else() {
    let row = Row::default();
    let come = response(500, &[], b"");
    let guarded = json!({ "may.a": { "status": 404, "form": "errors" }, "must.b": { "status": 404, "code": "X" },
        "must.c": { "status": 404, "form": "errors" } });
    assert_eq!(row.faults(guarded, &come), ["must.b status: status 404 | status 500"]);
    let bare = json!({ "must.a": { "status": 404 }, "must.b": { "status": 404, "code": "X" } });
    assert_eq!(row.faults(bare, &come), ["must.a status: status 404 | status 500"]);
    let weaker = json!({ "should.a": { "status": 404 }, "must.b": { "status": 404, "code": "X" } });
    assert_eq!(
        row.faults(weaker, &come),
        ["must.b status: status 404 | status 500", "should.a status: status 404 | status 500"]
    );
    let apart = json!({ "must.a": { "status": "4xx" }, "must.b": { "status": 404 } });
    assert_eq!(row.faults(apart, &come).len(), 2);
}

#[test]
fn requirements_are_observed_where_they_were_evaluated() {
    let expect = expectations(json!({ "a": { "status": 200 }, "b": { "body": "self" } }));
    let content = content();
    let subject = Subject { node: content.nodes.get("index").cloned(), ..Subject::default() };
    let named = unnamed();
    let world = World { content: &content, repository: "a/b", absent_children: &[], named: &named };
    let observed = |status| {
        let response = response(status, &[], b"");
        let seen = Observation {
            method: "GET",
            response: &response,
            subject: &subject,
            located: None,
            listing: None,
            page: 0,
        };
        judge(&expect, &seen, &world, &level).observed.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(observed(200), ["a", "b"]);
    assert_eq!(observed(404), ["a"]);
}

#[test]
fn the_body_is_that_of_the_node_to_the_last_byte() {
    let row = Row::default();
    let index = bytes(&row.content, "index");
    assert_eq!(row.ok(json!({ "body": "self" }), &[], &index), NONE);
    assert_eq!(row.ok(json!({ "body": "amd64" }), &[], &bytes(&row.content, "amd64")), NONE);
    let mut longer = index.clone();
    longer.push(b'\n');
    let table: [(&[u8], &str); 4] = [
        (b"", "r body: the bytes of self | no bytes"),
        (&index[..index.len() - 1], "r body: the bytes of self | too few bytes"),
        (&longer, "r body: the bytes of self | other bytes"),
        (&bytes(&row.content, "outer"), "r body: the bytes of self | too few bytes"),
    ];
    for (body, said) in table {
        assert_eq!(row.ok(json!({ "body": "self" }), &[], body), [said]);
    }
    let head = Row { method: "HEAD", ..Row::default() };
    assert_eq!(head.ok(json!({ "body": "self", "hashes": true }), &[], b""), NONE);
    assert_eq!(row.ok(json!({ "body": "empty" }), &[], b"x"), ["r body: no body | a body"]);
}

#[test]
fn a_large_blob_is_compared_by_its_hash() {
    let row = Row { node: Some("big"), ..Row::default() };
    let all = bytes(&row.content, "big");
    let hashed = |bytes: &[u8]| Response {
        body: bytes[..100].to_vec().into(),
        body_is_whole: false,
        body_digest: Digest::of(Algorithm::Sha256, bytes),
        ..response(200, &[], b"")
    };
    let expect = json!({ "r": { "body": "self", "hashes": true } });
    assert_eq!(row.faults(expect.clone(), &hashed(&all)), NONE);
    let mut flipped = all;
    flipped[150_000] ^= 1;
    assert_eq!(
        row.faults(expect, &hashed(&flipped)),
        [
            "r body: the bytes of self | other bytes",
            "r hashes: a body that hashes to the digest that was asked for | another hash"
        ]
    );
}

#[test]
fn a_body_that_must_not_be_served_is_looked_for_in_any_answer() {
    let row = Row::default();
    let image = bytes(&row.content, "amd64");
    let expect = json!({ "r": { "status": 404, "not-body": ["amd64", "index"] } });
    assert_eq!(
        row.faults(expect.clone(), &response(200, &[], &image)),
        ["r status: status 404 | status 200", "r not-body: not the bytes of amd64 | the bytes of amd64"]
    );
    assert_eq!(row.faults(expect, &response(404, &[], b"")), NONE);
}

#[test]
fn a_body_hashes_to_what_its_header_and_its_path_say() {
    let row = Row::default();
    let index = bytes(&row.content, "index");
    let own = digest(&row.content, "index");
    let other = digest(&row.content, "amd64");
    let sha512 = Digest::of(Algorithm::Sha512, &index).to_string();
    let hashes = json!({ "hashes": true });
    for good in [&own, &sha512] {
        assert_eq!(row.ok(hashes.clone(), &[("docker-content-digest", good)], &index), NONE);
    }
    assert_eq!(row.ok(hashes.clone(), &[], &index), NONE);
    assert_eq!(
        row.ok(hashes.clone(), &[("Docker-Content-Digest", &other)], &index),
        ["r hashes: a body that hashes to its Docker-Content-Digest | another hash"]
    );
    assert_eq!(
        row.ok(hashes.clone(), &[("Docker-Content-Digest", "nonsense")], b"x"),
        [
            "r hashes: a body that hashes to its Docker-Content-Digest | a malformed Docker-Content-Digest",
            "r hashes: a body that hashes to the digest that was asked for | another hash"
        ]
    );
    let by_tag = Row { by_digest: false, ..Row::default() };
    assert_eq!(by_tag.ok(hashes, &[], b"whatever"), NONE);
}

#[test]
fn digest_headers() {
    let row = Row::default();
    let put = Row { method: "PUT", ..Row::default() };
    let head = Row { method: "HEAD", ..Row::default() };
    let index = bytes(&row.content, "index");
    let own = digest(&row.content, "index");
    let other = digest(&row.content, "amd64");
    let sha512 = Digest::of(Algorithm::Sha512, &index).to_string();
    let no = "no Docker-Content-Digest";
    let malformed = "a malformed Docker-Content-Digest";
    let table: Vec<(&Row, &str, Option<&str>, Option<String>)> = vec![
        (&row, "self", Some(&own), None),
        (&row, "self", None, Some(format!("r digest: Docker-Content-Digest of self | {no}"))),
        (&row, "self", Some(&other), Some("r digest: Docker-Content-Digest of self | another digest".into())),
        (&row, "self", Some("sha256:XYZ"), Some(format!("r digest: Docker-Content-Digest of self | {malformed}"))),
        (&row, "self", Some(&sha512), None),
        (&put, "self", Some(&sha512), Some("r digest: Docker-Content-Digest of self | another digest".into())),
        (&put, "self-or-absent", Some(&sha512), None),
        (&row, "self-or-absent", None, None),
        (&row, "self-or-absent", Some(&other), Some("r digest: Docker-Content-Digest of self | another digest".into())),
        (&row, "amd64", Some(&other), None),
        (&row, "absent", None, None),
        (&row, "absent", Some(&own), Some(format!("r digest: {no} | a Docker-Content-Digest"))),
        (&row, "body", Some(&own), None),
        (&row, "body", None, Some(format!("r digest: Docker-Content-Digest of the body | {no}"))),
        (&row, "body", Some(&other), Some("r digest: Docker-Content-Digest of the body | another digest".into())),
        (&row, "body-or-absent", None, None),
        (&head, "body-or-absent", Some(&other), None),
        (&head, "self", Some(&other), Some("r digest: Docker-Content-Digest of self | another digest".into())),
    ];
    for (row, expected, header, said) in table {
        let headers: Vec<(&str, &str)> = header.iter().map(|value| ("Docker-Content-Digest", *value)).collect();
        let body: &[u8] = if row.method == "HEAD" { b"" } else { &index };
        let faults = row.ok(json!({ "digest": expected }), &headers, body);
        assert_eq!(faults, said.into_iter().collect::<Vec<_>>(), "{} {expected} {header:?}", row.method);
    }
}

#[test]
fn types_are_compared_without_parameters_and_case() {
    let row = Row::default();
    let table = [
        ("self", Some("application/vnd.oci.image.index.v1+json"), None),
        ("self", Some("Application/vnd.OCI.image.index.v1+json; charset=utf-8"), None),
        ("amd64", Some("application/vnd.oci.image.manifest.v1+json"), None),
        ("application/json", Some("application/json"), None),
        ("application/json", None, Some("r type: Content-Type application/json | no Content-Type")),
        (
            "application/json",
            Some("text/\u{1b}[31m"),
            Some(r"r type: Content-Type application/json | Content-Type text/\u{1b}[31m"),
        ),
    ];
    for (expected, came, said) in table {
        let headers: Vec<(&str, &str)> = came.iter().map(|value| ("content-type", *value)).collect();
        let faults = row.ok(json!({ "type": expected }), &headers, b"");
        assert_eq!(faults, said.into_iter().collect::<Vec<_>>(), "{expected} {came:?}");
    }
}

#[test]
fn lengths() {
    let row = Row::default();
    let head = Row { method: "HEAD", ..Row::default() };
    let size = row.content.nodes.get("index").unwrap().size.to_string();
    assert_eq!(row.ok(json!({ "length": "self" }), &[("Content-Length", &size)], b""), NONE);
    assert_eq!(row.ok(json!({ "length": "self" }), &[], b""), NONE);
    assert_eq!(head.ok(json!({ "length": 3 }), &[], b""), NONE, "v1.1.1 L214 is a should, which `headers` asks for");
    assert_eq!(
        row.ok(json!({ "length": 3 }), &[("Content-Length", "4")], b""),
        ["r length: Content-Length 3 | Content-Length 4"]
    );
    assert_eq!(
        row.ok(json!({ "length": 3 }), &[("Content-Length", "3, 3")], b""),
        ["r length: Content-Length 3 | a Content-Length that is no number"]
    );
}

#[test]
fn headers_are_present_absent_or_match() {
    let row = Row::default();
    let twice = [("X-A", "one"), ("x-a", "two=2; q")];
    let table: [(&str, &[(&str, &str)], Option<&str>); 12] = [
        ("present", &twice, None),
        ("present", &[], Some("r headers: a X-A | no X-A")),
        ("absent", &[], None),
        ("absent", &twice, Some("r headers: no X-A | a X-A")),
        ("one", &twice, None),
        ("two=*", &twice, None),
        ("*=*; q", &twice, None),
        ("*=3*", &twice, Some("r headers: X-A: *=3* | X-A: one")),
        ("a*", &[], Some("r headers: X-A: a* | no X-A")),
        ("{type:self}", &[("X-A", "application/vnd.oci.image.index.v1+json")], None),
        (
            "{digest:amd64}",
            &[("X-A", "sha256:0123456789abcdef01")],
            Some("r headers: X-A: {digest:amd64} | X-A: sha256:..."),
        ),
        ("{else}", &[("X-A", "{else}")], None),
    ];
    for (expected, headers, said) in table {
        let faults = row.ok(json!({ "headers": { "X-A": expected } }), headers, b"");
        assert_eq!(faults, said.into_iter().collect::<Vec<_>>(), "{expected}");
    }
}

#[test]
fn a_location_resolves_to_what_was_sent() {
    let index = bytes(&content(), "index");
    let with = |located: Option<Response>, header: &[(&str, &str)]| {
        let row = Row { method: "PUT", located: located.map(exchange), ..Row::default() };
        let came = Response { status: 201, ..response(201, header, b"") };
        row.faults(json!({ "r": { "location": "resolves" } }), &came)
    };
    let there = [("Location", "/v2/a/b/manifests/x")];
    let said = |got: &str| vec![format!("r location: a Location that gives what was sent | {got}")];
    assert_eq!(with(Some(response(200, &[], &index)), &there), NONE);
    assert_eq!(with(None, &[]), said("no Location"));
    assert_eq!(with(None, &[("Location", " ")]), said("an empty Location"));
    assert_eq!(with(Some(response(404, &[], b"")), &there), said("a Location that gives status 404"));
    assert_eq!(with(Some(response(200, &[], b"{}")), &there), said("a Location that gives other bytes"));
    let failure = Failure { kind: FailureKind::Timeout, text: String::new(), after: std::time::Duration::ZERO };
    let dead = Exchange { result: Err(failure), ..exchange(response(200, &[], b"")) };
    let row = Row { located: Some(dead), ..Row::default() };
    let came = response(201, &there, b"");
    assert_eq!(
        row.faults(json!({ "r": { "location": "resolves" } }), &came),
        said("a Location that gives no answer (timeout)")
    );
    let nowhere = Response { location: None, ..response(201, &there, b"") };
    assert_eq!(
        Row::default().faults(json!({ "r": { "location": "present" } }), &nowhere),
        ["r location: a Location | a Location that is no URL"]
    );
}

#[test]
fn error_bodies() {
    const FORM: &str = "r form: {\"errors\": [{\"code\": ...}]} with a code of the spec's list";
    let json_type: &[(&str, &str)] = &[("Content-Type", "application/json; charset=utf-8")];
    let table: Vec<(&[(&str, &str)], &str, Option<&str>)> = vec![
        (&[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#, None),
        (&[], r#"{"errors":[{"code":"DENIED","message":"","detail":{"a":[1]}}],"more":1}"#, None),
        (&[], "", None),
        (&[], "404 page not found", None),
        (&[], "404", None),
        (&[], "<html>", None),
        (json_type, "", None),
        (&[], "[]", Some("JSON that is no object")),
        (&[], "{}", Some("no key \"errors\"")),
        (&[], r#"{"errors":null}"#, Some("\"errors\" is no list")),
        (&[], r#"{"errors":[]}"#, Some("\"errors\" is empty")),
        (&[], r#"{"errors":["MANIFEST_UNKNOWN"]}"#, Some("an error that is no object")),
        (&[], r#"{"errors":[{"message":"x"}]}"#, Some("an error without code")),
        (&[], r#"{"errors":[{"code":404}]}"#, Some("a code that is no string")),
        (&[], r#"{"errors":[{"code":"manifest unknown"}]}"#, Some("code manifest unknown")),
        (&[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"},{"code":"NOT_FOUND"}]}"#, Some("code NOT_FOUND")),
        (json_type, "404", Some("JSON that is no object")),
        (json_type, "not found", Some("a body that is called JSON and is none")),
    ];
    let row = Row::default();
    for (headers, body, got) in table {
        let faults = row.faults(json!({ "r": { "form": "errors" } }), &response(404, headers, body.as_bytes()));
        assert_eq!(faults, got.map(|got| format!("{FORM} | {got}")).into_iter().collect::<Vec<_>>(), "{body}");
    }
    let head = Row { method: "HEAD", ..Row::default() };
    assert_eq!(
        head.faults(json!({ "r": { "form": "json-errors", "code": "DENIED" } }), &response(404, &[], b"[]")),
        NONE
    );
}

#[test]
fn what_is_no_json_is_said_under_its_own_requirement() {
    const FORM: &str = "{\"errors\": [{\"code\": ...}]} with a code of the spec's list";
    let row = Row::default();
    let expect = json!({ "r": { "status": 404, "form": "json-errors" } });
    assert_eq!(
        row.faults(expect.clone(), &response(404, &[], b"no")),
        [format!("error.json form: {FORM} | a body that is not JSON")]
    );
    assert_eq!(row.faults(expect, &response(404, &[], b"")), [format!("error.json form: {FORM} | no body")]);
}

#[test]
fn codes() {
    let row = Row::default();
    let one = br#"{"errors":[{"code":"MANIFEST_INVALID"},{"code":"DENIED"}]}"#;
    let said = |expect: serde_json::Value, body: &[u8]| row.faults(json!({ "r": expect }), &response(400, &[], body));
    assert_eq!(said(json!({ "code": "DENIED" }), one), NONE);
    assert_eq!(said(json!({ "code": ["X", "DENIED"] }), one), NONE);
    assert_eq!(
        said(json!({ "code": "MANIFEST_BLOB_UNKNOWN" }), one),
        ["r code: code MANIFEST_BLOB_UNKNOWN | code DENIED, MANIFEST_INVALID"]
    );
    assert_eq!(
        said(json!({ "code": ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"] }), b"{}"),
        ["r code: code MANIFEST_UNKNOWN or NAME_UNKNOWN | no code"]
    );
    assert_eq!(said(json!({ "code": "DENIED" }), b"plain text"), NONE);
    assert_eq!(said(json!({ "not-code": ["DENIED", "X"] }), one), ["r not-code: no code DENIED | code DENIED"]);
    let strict = said(json!({ "code": "DENIED", "form": "json-errors" }), b"plain text");
    assert!(strict.contains(&"r code: code DENIED | no code".to_owned()), "{strict:?}");
}

#[test]
fn details_name_each_absent_child() {
    let content = content();
    let absent: Vec<Digest> =
        ["ppc64le", "s390x"].iter().map(|n| content.nodes.get(*n).unwrap().digest.clone()).collect();
    let (a, b) = (absent[0].to_string(), absent[1].to_string());
    let row = Row { absent, ..Row::default() };
    let body = |details: serde_json::Value| {
        let errors: Vec<_> = details
            .as_array()
            .unwrap()
            .iter()
            .map(|d| json!({ "code": "MANIFEST_BLOB_UNKNOWN", "detail": d }))
            .collect();
        serde_json::to_vec(&json!({ "errors": errors })).unwrap()
    };
    let said = |body: &[u8]| row.faults(json!({ "r": { "detail": "absent-children" } }), &response(400, &[], body));
    assert_eq!(said(&body(json!([a, { "digest": b }]))), NONE);
    assert_eq!(said(&body(json!([a, a]))), ["r detail: a detail for each of 2 absent children | details name 1 of 2"]);
    assert_eq!(said(b"nope"), ["r detail: a detail for each of 2 absent children | details name 0 of 2"]);
}

#[test]
fn ranges() {
    let row = |range| Row { node: Some("layer"), range: Some(range), ..Row::default() };
    let layer = bytes(&content(), "layer");
    let expect = json!({ "r": { "body": "range" }, "s": { "content-range": true } });
    let part = |row: &Row, status, range: Option<&str>, body: &[u8]| {
        let headers: Vec<(&str, &str)> = range.iter().map(|value| ("Content-Range", *value)).collect();
        row.faults(expect.clone(), &response(status, &headers, body))
    };
    assert_eq!(part(&row("bytes=0-99"), 206, Some("bytes 0-99/1000"), &layer[..100]), NONE);
    assert_eq!(part(&row("bytes=900-"), 206, Some("bytes 900-999/1000"), &layer[900..]), NONE);
    assert_eq!(part(&row("bytes=-10"), 206, Some("bytes 990-999/1000"), &layer[990..]), NONE);
    assert_eq!(part(&row("bytes=990-5000"), 206, Some("bytes 990-999/1000"), &layer[990..]), NONE);
    assert_eq!(part(&row("bytes=0-99"), 200, None, &layer), NONE);
    assert_eq!(part(&row("bytes=0-99"), 416, None, b""), NONE);
    assert_eq!(part(&row("bytes=0-99"), 200, None, &layer[..100]), ["r body: the bytes of self | too few bytes"]);
    assert_eq!(
        part(&row("bytes=0-99"), 206, Some("bytes 0-98/1000"), &layer[..99]),
        [
            "r body: bytes 0 to 99 of self | another number of bytes",
            "s content-range: Content-Range: bytes 0-99/1000 | another Content-Range"
        ]
    );
    assert_eq!(
        part(&row("bytes=1-100"), 206, None, &layer[..100]),
        [
            "r body: bytes 1 to 100 of self | other bytes",
            "s content-range: Content-Range: bytes 1-100/1000 | no Content-Range"
        ]
    );
    for (range, size, asked) in [
        ("bytes=5-4", 10, None),
        ("bytes=10-", 10, None),
        ("bytes=a-b", 10, None),
        ("lines=1-2", 10, None),
        ("bytes=-0", 10, None),
        ("bytes=0-0", 0, None),
        ("bytes=-99", 10, Some((0, 9))),
        ("bytes=0-18446744073709551615", 10, Some((0, 9))),
    ] {
        assert_eq!(payload::asked_range(range, size), asked, "{range}");
    }
}

#[test]
fn head_is_compared_with_get() {
    let first = response(
        200,
        &[("Content-Type", "a/b; x"), ("Content-Length", "10"), ("Docker-Content-Digest", "sha256:0")],
        b"",
    );
    let row = Row { method: "HEAD", named: BTreeMap::from([("got".to_owned(), Seen::of(&first))]), ..Row::default() };
    let same = json!({ "r": { "same-as": "got" } });
    let come = |status, headers: &[(&str, &str)]| row.faults(same.clone(), &response(status, headers, b""));
    assert_eq!(come(200, &[("Content-Type", "A/B"), ("Docker-Content-Digest", "sha256:0")]), NONE);
    assert_eq!(
        come(404, &[("Content-Length", "11"), ("Docker-Content-Digest", "sha256:1")]),
        [
            "r same-as: status 200, as of got | status 404",
            "r same-as: Content-Type a/b, as of got | Content-Type none",
            "r same-as: Content-Length 10, as of got | Content-Length 11",
            "r same-as: Docker-Content-Digest the same, as of got | Docker-Content-Digest another",
        ]
    );
    assert_eq!(
        come(200, &[("Content-Type", "a/b")]),
        ["r same-as: Docker-Content-Digest one, as of got | Docker-Content-Digest none"]
    );
    let unknown = json!({ "r": { "same-as": "never" } });
    assert_eq!(row.faults(unknown, &first), ["r same-as: as step \"never\" was answered | that step had no answer"]);
}

#[test]
fn links() {
    let row = Row::default();
    let with = |link: Option<&str>, next: Option<&str>, problem: Option<&str>| {
        let headers: Vec<(&str, &str)> = link.iter().map(|value| ("Link", *value)).collect();
        Response {
            next: next.map(|url| Secret(url.to_owned())),
            link_problem: problem.map(str::to_owned),
            ..response(200, &headers, b"")
        }
    };
    let said = |expected: &str, response: &Response| row.faults(json!({ "r": { "link": expected } }), response);
    let good = with(Some("</x>; rel=\"next\""), Some("http://h/x"), None);
    let none = with(None, None, None);
    let torn = with(Some("/x"), None, Some("Link without angle brackets: <x>"));
    let prev = with(Some("</x>; rel=prev"), None, None);
    assert_eq!(said("present", &good), NONE);
    assert_eq!(said("well-formed", &good), NONE);
    assert_eq!(said("well-formed", &none), NONE);
    assert_eq!(said("absent", &none), NONE);
    assert_eq!(said("present", &none), ["r link: a Link <URL>; rel=\"next\" by RFC 8288 | no Link"]);
    assert_eq!(said("absent", &good), ["r link: no Link | a Link"]);
    assert_eq!(
        said("well-formed", &torn),
        ["r link: a Link <URL>; rel=\"next\" by RFC 8288 | Link without angle brackets"]
    );
    assert_eq!(
        said("well-formed", &prev),
        ["r link: a Link <URL>; rel=\"next\" by RFC 8288 | a Link without rel=\"next\""]
    );
}

#[test]
fn tag_lists() {
    let row = Row { pages: 1, node: None, ..Row::default() };
    let page = |tags: serde_json::Value| serde_json::to_vec(&json!({ "name": "a/b", "tags": tags })).unwrap();
    let table: Vec<(serde_json::Value, serde_json::Value, Vec<&str>)> = vec![
        (json!({ "exactly": ["a", "b"] }), json!(["b", "a"]), vec![]),
        (json!({ "exactly": ["a", "b"] }), json!(["a", "c"]), vec!["exactly a, b | missing: b; unexpected: c"]),
        (json!({ "exactly": [] }), json!(["x"]), vec!["exactly none | unexpected: x"]),
        (
            json!({ "exactly": { "numbered": 8 } }),
            json!([]),
            vec![
                "exactly t0000, t0001, t0002, t0003, t0004 and 3 more | missing: t0000, t0001, t0002, t0003, t0004 and 3 more",
            ],
        ),
        (json!({ "exactly": ["a"] }), json!(["a", "a"]), vec!["each tag once | twice: a"]),
        (json!({ "including": ["a", "z"] }), json!(["a"]), vec!["including a, z | missing: z"]),
        (json!({ "excluding": ["a", "z"] }), json!(["a", "b"]), vec!["without a, z | unexpected: a"]),
        (json!({ "within": ["a", "b"] }), json!(["a", "c"]), vec!["nothing but a, b | unexpected: c"]),
        (
            json!({ "within": [] }),
            json!([format!("sha256:{}", "0".repeat(64))]),
            vec!["nothing but none | unexpected: a sha256 digest"],
        ),
        (json!({ "ordered": true }), json!(["B", "a", "c"]), vec![]),
        (json!({ "ordered": true }), json!(["a", "B", "c"]), vec![]),
        (json!({ "ordered": true }), json!(["A", "_", "b"]), vec![]),
        (json!({ "ordered": true }), json!(["1.10", "1.2", "1.20"]), vec![]),
        (
            json!({ "ordered": true }),
            json!(["1.2", "1.10"]),
            vec!["one ascending order, bytewise or case-insensitive, on all pages | out of order"],
        ),
        (
            json!({ "ordered": true }),
            json!(["a", "B", "A"]),
            vec!["one ascending order, bytewise or case-insensitive, on all pages | out of order"],
        ),
        (json!({ "unique": true }), json!(["a", "b", "a", "b"]), vec!["each tag once | twice: a, b"]),
        (json!({ "at-most": 1 }), json!(["a", "b"]), vec!["at most 1 tags on a page | 2 tags on a page"]),
        (json!({ "count": 3 }), json!(["a"]), vec!["3 tags | 1 tags"]),
        (json!({ "fills": 2 }), json!(["a"]), vec!["2 tags, or fewer and a Link | 1 tags and no Link"]),
        (json!({ "fills": 1 }), json!(["a", "b"]), vec!["1 tags, or fewer and a Link | 2 tags and no Link"]),
        (json!({ "fills": 1 }), json!(["a"]), vec![]),
        (json!({ "list": true }), json!(null), vec!["\"tags\" is a list | \"tags\" is null"]),
        (json!({ "exactly": [] }), json!(null), vec![]),
        (json!({ "unique": true }), json!("a"), vec!["{\"name\": ..., \"tags\": [...]} | \"tags\" is no list"]),
        (
            json!({ "unique": true }),
            json!(["a", 1]),
            vec!["{\"name\": ..., \"tags\": [...]} | a tag that is no string"],
        ),
    ];
    for (expected, tags, said) in table {
        let faults = row.ok(json!({ "tags": expected }), &[], &page(tags.clone()));
        let said: Vec<String> = said.into_iter().map(|s| format!("r tags: {s}")).collect();
        assert_eq!(faults, said, "{expected} {tags}");
    }
    let all = json!({ "tags": { "list": true, "named": true, "exactly": ["a"] } });
    assert_eq!(
        row.ok(all.clone(), &[], br#"{"name":"b"}"#),
        [
            "r tags: \"tags\" is a list | no key \"tags\"",
            "r tags: exactly a | missing: a",
            "r tags: \"name\" is the repository's | another name"
        ]
    );
    assert_eq!(
        row.ok(all, &[], b"<html>"),
        ["r tags: {\"name\": ..., \"tags\": [...]} | a body that is no JSON object"]
    );
    let linked = response(200, &[("Link", "</x>; rel=next")], &page(json!(["a"])));
    assert_eq!(row.faults(json!({ "r": { "tags": { "fills": 2 } } }), &linked), NONE);
    let refused = response(404, &[], b"{}");
    assert_eq!(
        row.faults(json!({ "a": { "status": [200, 404] }, "b": { "tags": { "exactly": ["a"] } } }), &refused),
        NONE
    );
}

#[test]
fn pages_are_one_list() {
    let content = content();
    let page = |tags: &[&str]| {
        TagPage::of(&response(200, &[], &serde_json::to_vec(&json!({ "name": "a/b", "tags": tags })).unwrap()))
    };
    let listing = |trail: Option<&str>| Listing::Tags {
        pages: vec![page(&["b"]), page(&["a"])],
        trail: trail.map(str::to_owned),
    };
    let expect = expectations(
        json!({ "a": { "tags": { "exactly": ["a", "b"], "ordered": true } }, "b": { "link": "well-formed" } }),
    );
    let named = unnamed();
    let world = World { content: &content, repository: "a/b", absent_children: &[], named: &named };
    let subject = Subject::default();
    let said = |listing: &Listing| {
        let response = response(200, &[], b"{}");
        let seen = Observation {
            method: "GET",
            response: &response,
            subject: &subject,
            located: None,
            listing: Some(listing),
            page: 0,
        };
        judge(&expect, &seen, &world, &level).faults.into_iter().map(|(_, f)| f.got).collect::<Vec<_>>()
    };
    assert_eq!(said(&listing(None)), ["out of order"]);
    assert_eq!(said(&listing(Some("a Link that leads back"))), ["out of order", "a Link that leads back"]);
}

#[test]
fn referrers_lists() {
    let row = Row { pages: 2, node: Some("amd64"), ..Row::default() };
    let sig: &Arc<Node> = row.content.nodes.get("sig").unwrap();
    let good = json!({ "mediaType": sig.media_type, "digest": sig.digest.as_str(), "size": sig.size,
        "artifactType": "application/x.sig", "annotations": { "k": "v", "more": "1" } });
    let body =
        |entries: serde_json::Value| serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": entries })).unwrap();
    let exactly = json!({ "referrers": { "exactly": ["sig"] } });
    let said = |expect: &serde_json::Value, entries: serde_json::Value| row.ok(expect.clone(), &[], &body(entries));
    assert_eq!(said(&exactly, json!([good])), NONE);
    assert_eq!(said(&exactly, json!([])), ["r referrers: a descriptor of sig | missing: sig"]);
    assert_eq!(said(&exactly, json!([good, good])), ["r referrers: each referrer once | a referrer twice"]);
    let bad = json!({ "mediaType": "a/b", "digest": sig.digest.as_str(), "size": 1 });
    assert_eq!(
        said(&exactly, json!([bad, { "digest": "sha256:1" }])),
        [
            &format!("r referrers: mediaType {} of sig | another mediaType of sig", sig.media_type),
            &format!("r referrers: size {} of sig | another size of sig", sig.size),
            "r referrers: artifactType application/x.sig of sig | no artifactType of sig",
            "r referrers: annotation k of sig | no annotation of sig",
            "r referrers: exactly sig | 1 unexpected",
        ]
    );
    assert_eq!(
        said(&json!({ "referrers": { "excluding": ["sig"] } }), json!([good])),
        ["r referrers: no descriptor of sig | unexpected: sig"]
    );
    assert_eq!(
        row.ok(exactly, &[], b"[]"),
        ["r referrers: an index with a list of descriptors | JSON that is no object"]
    );
}

#[test]
fn hostile_bodies_do_no_harm() {
    let row = Row { pages: 1, absent: wide(3).nodes.values().map(|n| n.digest.clone()).collect(), ..Row::default() };
    let deep = "[".repeat(100_000);
    let expect = json!({ "r": { "form": "json-errors", "code": "X", "detail": "absent-children", "body": "self",
        "tags": { "exactly": ["a"], "ordered": true, "list": true }, "hashes": true } });
    for body in
        [deep.as_bytes(), b"\xff\xfe\0", b"{\"tags\":", b"{\"errors\":[{\"code\":\"\\ud800\"}]}", &[b'{'; 70_000]]
    {
        for status in [200, 404] {
            let faults = row.faults(expect.clone(), &response(status, &[("Content-Type", "application/json")], body));
            assert!(!faults.is_empty());
            assert!(faults.iter().all(|fault| fault.len() < 400), "{faults:?}");
        }
    }
}
