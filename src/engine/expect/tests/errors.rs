//! Bodies of errors.

use super::*;

#[test]
fn error_bodies() {
    const FORM: &str = "r form: {\"errors\": [{\"code\": ...}]} with a code of the spec's list";
    let json_type: &[(&str, &str)] = &[("Content-Type", "application/json; charset=utf-8")];
    let table: Vec<(Headers<'_>, &str, Option<&str>)> = vec![
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
        (&[], r#"{"errors":[{"code":"TAG_INVALID"}]}"#, None),
        (json_type, "404", Some("JSON that is no object")),
    ];
    let row = Row::default();
    for (headers, body, got) in table {
        let faults = row.faults(json!({ "r": { "form": "errors" } }), &response(404, headers, body.as_bytes()));
        assert_eq!(faults, got.map(|got| format!("{FORM} | {got}")).into_iter().collect::<Vec<_>>(), "{body}");
    }
    // The form is demanded of JSON (v1.1.1 L788): what is called so and is none has a wrong type.
    let faults = row.faults(json!({ "r": { "form": "errors" } }), &response(404, json_type, b"not found"));
    assert_eq!(faults, [format!("{} | a body that is called JSON and is none", FORM.replacen('r', "error.type", 1))]);
    let head = Row { method: "HEAD", ..Row::default() };
    assert_eq!(
        head.faults(json!({ "r": { "form": "json-errors", "code": "DENIED" } }), &response(404, &[], b"[]")),
        NONE
    );
}

#[test]
fn of_a_long_error_only_the_beginning_is_there() {
    let said = |kind: &str| {
        let headers = [("Content-Type", kind)];
        let came = Response { body_is_whole: false, ..response(404, &headers, br#"{"errors":[{"code""#) };
        Row::default().faults(json!({ "r": { "form": "json-errors", "code": "DENIED" } }), &came)
    };
    assert_eq!(said("application/json"), NONE, "nobody knows");
    assert_eq!(said("text/html").len(), 2, "that it is no JSON is known");
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
fn an_error_in_json_is_called_json() {
    let said = |headers: &[(&str, &str)], body: &str| {
        Row::default().faults(json!({ "r": { "form": "typed-errors" } }), &response(404, headers, body.as_bytes()))
    };
    const EXPECTED: &str = "r form: an error in JSON whose Content-Type is JSON's";
    let error = r#"{"errors":[{"code":"DENIED"}]}"#;
    assert_eq!(said(&[("Content-Type", "application/json; charset=utf-8")], error), NONE);
    assert_eq!(said(&[("Content-Type", "application/problem+json")], error), NONE);
    assert_eq!(said(&[("Content-Type", "text/plain")], error), [format!("{EXPECTED} | Content-Type text/plain")]);
    assert_eq!(said(&[], error), [format!("{EXPECTED} | no Content-Type")]);
    assert_eq!(said(&[("Content-Type", "text/html")], "<p>not here</p>"), NONE, "any format will do");
    assert_eq!(said(&[], r#"{"message":"not here"}"#), NONE, "that it is no error of the spec's is said elsewhere");
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
