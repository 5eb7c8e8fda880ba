use super::super::Stance;
use super::*;

#[tokio::test]
async fn a_manifest_is_served_as_it_came_whatever_the_accept_says() {
    let peer = Peer::new(Config::default()).await;
    let bytes = b"{\"schemaVersion\" : 2,\n \"manifests\":[] , \"x\":1.0}\n";
    let answer = peer.put("a/b", "latest", &format!("{OCI_INDEX}; charset=utf-8"), bytes).await;
    assert_eq!(answer.status, 201, "{}", text(&answer));
    assert_eq!(answer.header("docker-content-digest").unwrap(), sha256(bytes).as_str());
    for reference in ["latest", sha256(bytes).as_str()] {
        let path = format!("/v2/a/b/manifests/{reference}");
        let got = peer.send(Ask::new("GET", &path).header("Accept", "image/png")).await;
        assert_eq!(got.body.as_ref(), bytes);
        assert_eq!(got.header("content-type").as_deref(), Some(OCI_INDEX));
        assert_eq!(peer.send(Ask::new("HEAD", &path)).await.header("content-length"), Some(bytes.len().to_string()));
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_with_its_code() {
    let peer = Peer::new(Config::default()).await;
    let empty = index(&[]);
    for (reference, bytes, status, code) in [
        (sha256(b"other").as_str(), empty.as_slice(), 400, "DIGEST_INVALID"),
        ("sha256:zz", &empty, 400, "DIGEST_INVALID"),
        ("blake3:00", &empty, 400, "DIGEST_INVALID"),
        (".a", &empty, 400, "MANIFEST_INVALID"),
        ("a", b"nonsense", 400, "MANIFEST_INVALID"),
        ("a", &vec![b' '; 4 * 1024 * 1024 + 1], 413, "MANIFEST_INVALID"),
    ] {
        let answer = peer.put("a", reference, OCI_INDEX, bytes).await;
        assert_eq!((answer.status, codes(&answer)), (status, vec![code.to_owned()]), "{reference}");
    }
    assert_eq!(codes(&peer.put("A", "a", OCI_INDEX, &empty).await), ["NAME_INVALID"]);
    assert_eq!(peer.get("/v2/a/manifests/a").await.status, 404);
}

#[tokio::test]
async fn four_million_bytes_and_ten_thousand_children_are_taken() {
    let peer = Peer::new(Config::default()).await;
    let children: Vec<Value> = (0..10_000_u32).map(|i| child(&i.to_le_bytes(), Some("linux/amd64"))).collect();
    let mut bytes = index(&children);
    bytes.resize(4_000_000, b' ');
    assert_eq!(peer.put("a", "wide", OCI_INDEX, &bytes).await.status, 201);
    assert_eq!(peer.get("/v2/a/manifests/wide").await.body.len(), 4_000_000);
}

#[tokio::test]
async fn each_stance_treats_gaps_in_its_way() {
    let refuse = Peer::new(Config { stance: Stance::Refuse, ..Config::default() }).await;
    let there = refuse.image("a", b"layer").await;
    let sparse = index(&[
        child(&there, None),
        child(b"gone", Some("linux/arm64")),
        child(b"gone", None),
        child(b"lost", Some("linux/s390x")),
    ]);
    let answer = refuse.put("a", "tag", OCI_INDEX, &sparse).await;
    assert_eq!((answer.status, codes(&answer)), (400, vec!["MANIFEST_BLOB_UNKNOWN".to_owned(); 2]));
    let named: Vec<Value> =
        value(&answer)["errors"].as_array().unwrap().iter().map(|e| e["detail"]["digest"].clone()).collect();
    assert_eq!(named, [sha256(b"gone").as_str(), sha256(b"lost").as_str()]);
    assert_eq!(refuse.get("/v2/a/manifests/tag").await.status, 404);
    assert_eq!(refuse.get(&format!("/v2/a/manifests/{}", sha256(&sparse))).await.status, 404);

    let stance = Stance::Require(vec!["linux/arm64".into(), "plan9/386".into()]);
    let require = Peer::new(Config { stance, ..Config::default() }).await;
    let answer = require.put("a", "tag", OCI_INDEX, &sparse).await;
    assert_eq!((answer.status, codes(&answer).len()), (400, 1));
    let others = index(&[child(b"gone", None), child(b"lost", Some("linux/s390x"))]);
    assert_eq!(require.put("a", "tag", OCI_INDEX, &others).await.status, 201);

    let accept = Peer::new(Config::default()).await;
    assert_eq!(accept.put("a", "tag", OCI_INDEX, &sparse).await.status, 201);
    assert_eq!(codes(&accept.get(&format!("/v2/a/manifests/{}", sha256(b"gone"))).await), ["MANIFEST_UNKNOWN"]);
}

#[tokio::test]
async fn deletes_take_what_they_name() {
    let peer = Peer::new(Config::default()).await;
    let image = peer.image("a", b"layer").await;
    let digest = sha256(&image);
    for tag in ["one", "two"] {
        assert_eq!(peer.put("a", tag, OCI_IMAGE, &image).await.status, 201);
    }
    assert_eq!(peer.status("DELETE", "/v2/a/manifests/one").await, 202);
    assert_eq!(peer.status("DELETE", "/v2/a/manifests/one").await, 404);
    assert_eq!(peer.status("GET", "/v2/a/manifests/two").await, 200);
    assert_eq!(peer.status("DELETE", &format!("/v2/a/manifests/{digest}")).await, 202);
    assert_eq!(peer.status("GET", "/v2/a/manifests/two").await, 404);
    assert_eq!(peer.status("DELETE", &format!("/v2/b/manifests/{digest}")).await, 404);
    let layer = format!("/v2/a/blobs/{}", sha256(b"layer"));
    assert_eq!((peer.status("DELETE", &layer).await, peer.status("DELETE", &layer).await), (202, 404));
    assert_eq!(peer.status("POST", "/v2/a/manifests/x").await, 405);
    assert_eq!(peer.status("GET", "/v3/").await, 404);
}
