//! Headers.

use super::*;

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
fn a_type_may_be_among_several_where_something_is_served() {
    let row = Row::default();
    let expected = json!({ "type-among": ["index", "amd64"] });
    for (came, said) in [
        ("application/vnd.oci.image.index.v1+json", None),
        ("Application/vnd.oci.image.manifest.v1+json; charset=utf-8", None),
        ("application/json", Some("Content-Type application/json")),
    ] {
        let faults = row.ok(expected.clone(), &[("content-type", came)], b"");
        let said = said.map(|got| {
            format!(
                "r type-among: Content-Type application/vnd.oci.image.index.v1+json or \
                 application/vnd.oci.image.manifest.v1+json | {got}"
            )
        });
        assert_eq!(faults, said.into_iter().collect::<Vec<_>>(), "{came}");
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
    let table: [(&str, Headers<'_>, Option<&str>); 14] = [
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
            Some("r headers: X-A: (digest of amd64) | X-A: sha256:..."),
        ),
        (
            "{type:self}*",
            &[("X-A", "text/html")],
            Some("r headers: X-A: application/vnd.oci.image.index.v1+json* | X-A: text/html"),
        ),
        ("{type:amd64}", &[], Some("r headers: X-A: application/vnd.oci.image.manifest.v1+json | no X-A")),
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
    let failure =
        Failure { kind: FailureKind::Timeout, text: String::new(), after: std::time::Duration::ZERO, wrong: None };
    let dead = Exchange { result: Err(failure), ..exchange(response(200, &[], b"")) };
    let row = Row { located: Some(dead), ..Row::default() };
    let came = response(201, &there, b"");
    assert_eq!(
        row.faults(json!({ "r": { "location": "resolves" } }), &came),
        said("a Location that gives no answer (timeout)")
    );
    let ended =
        Failure { kind: FailureKind::Interrupted, text: String::new(), after: std::time::Duration::ZERO, wrong: None };
    let ended = Exchange { result: Err(ended), ..exchange(response(200, &[], b"")) };
    let row = Row { located: Some(ended), ..Row::default() };
    assert_eq!(row.faults(json!({ "r": { "location": "resolves" } }), &came), NONE, "we stopped asking");
    let nowhere = Response { location: None, ..response(201, &there, b"") };
    assert_eq!(
        Row::default().faults(json!({ "r": { "location": "present" } }), &nowhere),
        ["r location: a Location | a Location that is no URL"]
    );
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
            "r same-as: Content-Length 10, as of got | Content-Length 11",
            "r same-as: Docker-Content-Digest the same, as of got | Docker-Content-Digest another",
        ]
    );
    // To leave a header out of one of both answers is against a SHOULD only.
    assert_eq!(come(200, &[("Content-Type", "c/d")]), NONE);
    let unknown = json!({ "r": { "same-as": "never" } });
    assert_eq!(row.faults(unknown, &first), ["r same-as: as step \"never\" was answered | that step had no answer"]);
}

#[test]
fn a_refusal_is_compared_by_its_code() {
    let refusal = |code: &str, more: &str| {
        let body = json!({ "errors": [{ "code": code, "message": more }] }).to_string();
        let length = body.len().to_string();
        response(404, &[("Content-Length", &length)], body.as_bytes())
    };
    let named = BTreeMap::from([("before".to_owned(), Seen::of(&refusal("A", "")))]);
    let row = Row { named, ..Row::default() };
    let same = json!({ "r": { "same-as": "before" } });
    assert_eq!(row.faults(same.clone(), &refusal("A", "at noon")), NONE);
    assert_eq!(row.faults(same.clone(), &refusal("B", "")), ["r same-as: code A, as of before | code B"]);
    assert_eq!(row.faults(same, &response(404, &[], b"?")), ["r same-as: code A, as of before | no code"]);
}

#[test]
fn an_etag_is_one_and_the_same() {
    let first = response(200, &[("ETag", "\"a\"")], b"");
    let named = BTreeMap::from([("before".to_owned(), Seen::of(&first))]);
    let row = Row { named, ..Row::default() };
    let both = json!({ "r": { "etag": "well-formed", "same-etag": "before" } });
    let come = |status, headers: &[(&str, &str)]| row.faults(both.clone(), &response(status, headers, b""));
    assert_eq!(row.faults(both.clone(), &first), NONE);
    assert_eq!(come(206, &[]), ["r same-etag: the ETag of before | no ETag"]);
    assert_eq!(come(404, &[]), NONE);
    assert_eq!(
        come(206, &[("ETag", "b")]),
        [
            "r etag: one ETag in quotes, where there is one | an ETag that is none",
            "r same-etag: the ETag of before | another ETag"
        ]
    );
    assert_eq!(
        come(206, &[("ETag", "\"a\""), ("ETag", "\"a\"")]),
        ["r etag: one ETag in quotes, where there is one | several ETags"]
    );
    let bare = BTreeMap::from([("before".to_owned(), Seen::of(&response(200, &[], b"")))]);
    let row = Row { named: bare, ..Row::default() };
    assert_eq!(row.faults(both, &first), NONE, "what had none says nothing of what has one");
}

#[test]
fn headers_are_compared_where_both_are_served() {
    let first = response(
        200,
        &[("Content-Type", "a/b; x"), ("Content-Length", "10"), ("Docker-Content-Digest", "sha256:0")],
        b"",
    );
    let named = BTreeMap::from([("before".to_owned(), Seen::of(&first))]);
    let row = Row { method: "HEAD", named, ..Row::default() };
    let same = json!({ "r": { "same-headers": "before" } });
    let come = |status, headers: &[(&str, &str)]| row.faults(same.clone(), &response(status, headers, b""));
    assert_eq!(row.faults(same.clone(), &first), NONE);
    assert_eq!(
        come(200, &[("Content-Type", "A/B"), ("Docker-Content-Digest", "sha256:1")]),
        [
            "r same-headers: Content-Length 10, as of before | no Content-Length",
            "r same-headers: Docker-Content-Digest the same, as of before | Docker-Content-Digest another",
        ]
    );
    assert_eq!(
        come(200, &[("Content-Type", "a/c"), ("Content-Length", "0")]),
        [
            "r same-headers: Content-Type a/b, as of before | Content-Type a/c",
            "r same-headers: Content-Length 10, as of before | Content-Length 0",
            "r same-headers: a Docker-Content-Digest, as of before | no Docker-Content-Digest",
        ]
    );
    assert_eq!(come(404, &[("Content-Length", "11")]), NONE, "that it is not served is said by the status");
    let bare = BTreeMap::from([("before".to_owned(), Seen::of(&response(200, &[], b"")))]);
    let row = Row { named: bare, ..Row::default() };
    assert_eq!(
        row.faults(same, &response(200, &[("Docker-Content-Digest", "sha256:1")], b"")),
        ["r same-headers: no Docker-Content-Digest, as of before | a Docker-Content-Digest"]
    );
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
