//! Statuses, and what is said of the rest when they do not hold.

use super::*;

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
    let world =
        World { content: &content, repository: "a/b", absent_children: &[], named: &named, foreign: &BTreeSet::new() };
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
