//! Bodies, their hashes, and slices of them.

use super::*;

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
    // Less than was asked for, and a length that nobody knows, are lawful; other bytes than those named are not.
    assert_eq!(part(&row("bytes=0-99"), 206, Some("bytes 0-98/1000"), &layer[..99]), NONE);
    assert_eq!(part(&row("bytes=0-99"), 206, Some("bytes 0-99/*"), &layer[..100]), NONE);
    assert_eq!(
        part(&row("bytes=0-99"), 206, Some("bytes 0-98/1000"), &layer[..100]),
        ["r body: bytes 0 to 98 of self | another number of bytes"]
    );
    assert_eq!(part(&row("bytes=5000-"), 416, Some("bytes */1000"), b""), NONE);
    for (range, got) in [(None, "no Content-Range"), (Some("bytes */999"), "another Content-Range")] {
        let fault = format!("s content-range: Content-Range: bytes */1000 | {got}");
        assert_eq!(part(&row("bytes=5000-"), 416, range, b""), [fault]);
    }
    assert_eq!(part(&row("bytes=0-99"), 200, None, &layer[..100]), ["r body: the bytes of self | too few bytes"]);
    assert_eq!(
        part(&row("bytes=0-99"), 206, Some("bytes 0-100/1000"), &layer[..101]),
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
        assert_eq!(crate::engine::expect::payload::asked_range(range, size), asked, "{range}");
    }
}

#[test]
fn several_ranges_are_what_they_say() {
    let row = Row { node: Some("layer"), range: Some("bytes=0-9,20-29"), ..Row::default() };
    let layer = bytes(&content(), "layer");
    let expect = json!({ "r": { "body": "range" } });
    let came = |headers: &[(&str, &str)], body: &[u8]| row.faults(expect.clone(), &response(206, headers, body));
    let parts = |range: &str, bytes: &[u8]| {
        let head = format!("--b\r\nContent-Type: a/b\r\ncontent-range: {range}\r\n\r\n");
        [
            b"--b\r\nContent-Range: bytes 0-9/1000\r\n\r\n".as_slice(),
            &layer[..10],
            b"\r\n",
            head.as_bytes(),
            bytes,
            b"\r\n--b--\r\n",
        ]
        .concat()
    };
    let multipart = [("Content-Type", "multipart/byteranges; boundary=\"b\"")];
    assert_eq!(came(&multipart, &parts("bytes 20-29/1000", &layer[20..30])), NONE);
    assert_eq!(came(&[("Content-Range", "bytes 20-29/1000")], &layer[20..30]), NONE);
    let fault = |got: &str| [format!("r body: parts that are what their Content-Range says | {got}")];
    for (range, bytes) in
        [("bytes 20-29/1000", &layer[..10]), ("bytes 20-28/1000", &layer[20..30]), ("bytes 20-29/999", &layer[20..30])]
    {
        assert_eq!(
            came(&multipart, &parts(range, bytes)),
            fault("a part of other bytes, or without Content-Range"),
            "{range}"
        );
    }
    assert_eq!(came(&multipart, &layer[..10]), fault("a body that is not in parts"));
    assert_eq!(came(&[], &layer[..20]), fault("a part without Content-Range"));
    assert_eq!(came(&[("Content-Range", "bytes 5-3/1000")], b""), fault("other bytes"));
}
