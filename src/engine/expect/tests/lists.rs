//! Lists of tags and of referrers.

use super::*;

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
fn what_others_left_counts_for_nobody() {
    let foreign = BTreeSet::from(["old".to_owned(), "t".to_owned()]);
    let mut row = Row { pages: 1, node: None, foreign, ..Row::default() };
    let said = |row: &Row, tags: serde_json::Value, listed: &[&str]| {
        let page = serde_json::to_vec(&json!({ "name": "a/b", "tags": listed })).unwrap();
        row.ok(json!({ "tags": tags }), &[], &page)
    };
    for (tags, listed) in [
        (json!({ "exactly": ["a", "t"] }), vec!["a", "old", "t"]),
        (json!({ "within": ["a"] }), vec!["old", "t"]),
        (json!({ "excluding": ["t"] }), vec!["a", "t"]),
        (json!({ "count": 1 }), vec!["a", "old", "t"]),
    ] {
        assert_eq!(said(&row, tags, &listed), Vec::<String>::new());
    }
    assert_eq!(said(&row, json!({ "exactly": ["a", "b"] }), &["a", "c", "old"]).len(), 1);
    assert_eq!(said(&row, json!({ "count": 2 }), &["a", "old"]).len(), 1);
    assert_eq!(said(&row, json!({ "excluding": ["a"] }), &["a", "old"]).len(), 1);
    // Which of them stand on one page of several nobody knows; what holds of every page holds.
    row.whole = false;
    assert_eq!(said(&row, json!({ "exactly": ["a"] }), &["old", "t"]), Vec::<String>::new());
    assert_eq!(said(&row, json!({ "including": ["a"] }), &["old", "t"]), Vec::<String>::new());
    assert_eq!(said(&row, json!({ "at-most": 1 }), &["old", "t"]).len(), 1);
    assert_eq!(said(&row, json!({ "ordered": true }), &["t", "old", "x", "a"]).len(), 1);
}

#[test]
fn pages_are_one_list() {
    let content = content();
    let page = |tags: &[&str]| {
        TagPage::of(&response(200, &[], &serde_json::to_vec(&json!({ "name": "a/b", "tags": tags })).unwrap()))
    };
    let listing = |trail: Option<&str>| Listing::Tags {
        pages: vec![page(&["b"]), page(&["a"])],
        whole: true,
        trail: trail.map(str::to_owned),
    };
    let expect = expectations(
        json!({ "a": { "tags": { "exactly": ["a", "b"], "ordered": true } }, "b": { "link": "well-formed" } }),
    );
    let named = unnamed();
    let world =
        World { content: &content, repository: "a/b", absent_children: &[], named: &named, foreign: &BTreeSet::new() };
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
    let index = json!({ "referrers": { "index": true } });
    assert_eq!(said(&index, json!([good])), NONE);
    for (body, problem) in [
        (json!({ "manifests": [] }), "a schemaVersion that is not 2"),
        (json!({ "schemaVersion": 2, "mediaType": "a/b", "manifests": [] }), "a mediaType that is not an index's"),
        (json!({ "schemaVersion": 2, "manifests": null }), "\"manifests\" is null"),
        (
            json!({ "schemaVersion": 2, "manifests": [{ "mediaType": "a/b", "digest": "x:y" }] }),
            "a descriptor without size",
        ),
    ] {
        let expected = format!("r referrers: an image index of descriptors | {problem}");
        assert_eq!(row.ok(index.clone(), &[], &serde_json::to_vec(&body).unwrap()), [expected]);
    }
    // A list that was filtered says so; one that does not is whole.
    let whole = json!({ "referrers": { "unfiltered": ["sig"], "filtered": "application/x.sig" } });
    let missing = "r referrers: a descriptor of sig, where nothing says that it was filtered | missing: sig";
    assert_eq!(said(&whole, json!([])), [missing]);
    assert_eq!(said(&whole, json!([good])), NONE);
    assert_eq!(row.ok(whole, &[("OCI-Filters-Applied", "artifactType")], &body(json!([]))), NONE);
}
