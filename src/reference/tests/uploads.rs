use super::*;

async fn begin(peer: &Peer) -> String {
    let answer = peer.send(Ask::new("POST", "/v2/a/blobs/uploads/")).await;
    assert_eq!(answer.status, 202);
    answer.header("location").unwrap()
}

async fn patch(peer: &Peer, session: &str, range: &str, bytes: &[u8]) -> Response {
    peer.send(Ask::new("PATCH", session).header("Content-Range", range).body(body(bytes))).await
}

#[tokio::test]
async fn a_blob_comes_in_chunks_out_of_order_is_refused_and_the_upload_goes_on() {
    let peer = Peer::new(Config::default()).await;
    let session = begin(&peer).await;
    let first = patch(&peer, &session, "0-3", b"abcd").await;
    assert_eq!((first.status, first.header("range").as_deref()), (202, Some("0-3")));
    let hole = patch(&peer, &session, "5-6", b"fg").await;
    assert_eq!((hole.status, hole.header("range").as_deref()), (416, Some("0-3")));
    assert_eq!(patch(&peer, &session, "4-9", b"ef").await.status, 400);
    let standing = peer.get(&session).await;
    assert_eq!((standing.status, standing.header("range").as_deref()), (204, Some("0-3")));
    let end = format!("{session}?digest={}", sha256(b"abcdef"));
    let ask = Ask::new("PUT", &end).header("Content-Range", "4-5").body(body(b"ef"));
    assert_eq!(peer.send(ask).await.status, 201);
    assert_eq!(peer.get(&format!("/v2/a/blobs/{}", sha256(b"abcdef"))).await.body.as_ref(), b"abcdef");
    assert_eq!(peer.get(&session).await.status, 404);
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing_and_a_cancelled_upload_is_gone() {
    let peer = Peer::new(Config::default()).await;
    let session = begin(&peer).await;
    let claimed = sha256(b"other");
    let ask = Ask::new("PUT", &format!("{session}?digest={claimed}")).body(body(b"these"));
    let answer = peer.send(ask).await;
    assert_eq!((answer.status, codes(&answer)), (400, vec!["DIGEST_INVALID".to_owned()]));
    assert_eq!(peer.status("HEAD", &format!("/v2/a/blobs/{claimed}")).await, 404);

    let session = begin(&peer).await;
    assert_eq!(peer.status("DELETE", &session).await, 204);
    assert_eq!(codes(&patch(&peer, &session, "0-0", b"x").await), ["BLOB_UPLOAD_UNKNOWN"]);
    // A session belongs to its repository.
    let session = begin(&peer).await.replace("/v2/a/", "/v2/b/");
    assert_eq!(peer.get(&session).await.status, 404);
}

#[tokio::test]
async fn a_mount_links_what_the_source_has_and_nothing_else() {
    let peer = Peer::new(Config::default()).await;
    let digest = peer.blob("a", b"layer").await;
    let mount = |query: String| peer.send(Ask::new("POST", &format!("/v2/b/blobs/uploads/?{query}")));
    assert_eq!(mount(format!("mount={digest}")).await.status, 202);
    assert_eq!(mount(format!("mount={digest}&from=c")).await.status, 202);
    assert_eq!(peer.status("HEAD", &format!("/v2/b/blobs/{digest}")).await, 404);
    assert_eq!(mount(format!("mount={digest}&from=a")).await.status, 201);
    assert_eq!(peer.status("HEAD", &format!("/v2/b/blobs/{digest}")).await, 200);

    let peer = Peer::new(Config { anonymous_mount: true, ..Config::default() }).await;
    let digest = peer.blob("a", b"layer").await;
    let answer = peer.send(Ask::new("POST", &format!("/v2/b/blobs/uploads/?mount={digest}"))).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn sha512_ranges_and_heads() {
    let peer = Peer::new(Config::default()).await;
    let digest = Digest::of(Algorithm::Sha512, b"0123456789");
    let path = format!("/v2/a/blobs/uploads/?digest={digest}");
    assert_eq!(peer.send(Ask::new("POST", &path).body(body(b"0123456789"))).await.status, 201);
    let path = format!("/v2/a/blobs/{digest}");
    let part = peer.send(Ask::new("GET", &path).header("Range", "bytes=2-4")).await;
    assert_eq!((part.status, part.body.as_ref()), (206, b"234".as_slice()));
    assert_eq!(part.header("content-range").as_deref(), Some("bytes 2-4/10"));
    assert_eq!(peer.send(Ask::new("GET", &path).header("Range", "bytes=10-")).await.status, 416);
    let head = peer.send(Ask::new("HEAD", &path)).await;
    assert_eq!((head.status, head.header("content-length").as_deref()), (200, Some("10")));
}
