//! Bodies in both directions, and paths that one door would change.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::peer::{Peer, Say, say};
use super::{client, settings};
use crate::content::BlobSource;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::wire::{Ask, AskBody, Client, FailureKind, Keep, RawAsk};

#[tokio::test]
async fn a_slice_of_a_blob_is_streamed_with_its_length() {
    let peer = Peer::start(|_| say(201, &[], "")).await;
    let source = BlobSource { key: [7; 32], size: 300_000 };
    let mut whole = vec![0; 300_000];
    source.read(0, &mut whole);
    let body = AskBody::Generated { source, offset: 1, length: 200_000 };
    let exchange = client(&peer.url).send(Ask::new("PATCH", "/v2/a/blobs/uploads/x").body(body)).await;
    assert_eq!((exchange.status(), exchange.bytes_sent, exchange.request.body_length), (Some(201), 200_000, 200_000));
    assert_eq!(exchange.request.generated.unwrap().offset, 1);
    let seen = peer.seen().pop().unwrap();
    assert_eq!((seen.line("content-length"), seen.line("transfer-encoding")), (Some("200000"), None));
    assert!(seen.body == whole[1..200_001]);
}

#[tokio::test]
async fn a_hashed_body_is_not_held() {
    let peer = Peer::start(|seen| {
        let body = "x".repeat(2 << 20);
        say(if seen.path == "/ok" { 200 } else { 404 }, &[], if seen.path == "/ok" { &body } else { "an error" })
    })
    .await;
    let client = client(&peer.url);
    let mut ask = Ask::new("GET", "/ok");
    ask.keep = Keep::Hash(Algorithm::Sha512);
    let exchange = client.send(ask.clone()).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.body.len(), response.body_is_whole), (4096, false));
    assert_eq!(response.body_digest, Digest::of(Algorithm::Sha512, &vec![b'x'; 2 << 20]));
    assert_eq!(exchange.bytes_received, 2 << 20);

    // Held whole, it is over the limit.
    let failure = client.send(Ask::new("GET", "/ok")).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge);
    ask.target = "/error".into();
    let exchange = client.send(ask).await;
    assert!(exchange.response().unwrap().body_is_whole);
}

#[tokio::test]
async fn of_long_bodies_the_beginning_is_held() {
    let peer = Peer::start(|seen| {
        let (status, size) = if seen.path == "/ok" { (200, 9 << 20) } else { (404, 5 << 20) };
        say(status, &[], &"x".repeat(size))
    })
    .await;
    let mut settings = settings(&peer.url, None);
    settings.body_limit = 10 << 20;
    let client = Client::new(settings).unwrap();
    let exchange = client.send(Ask::new("GET", "/")).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.body.len(), response.body_is_whole), (4 << 20, false));
    assert_eq!(response.body_digest, Digest::of(Algorithm::Sha256, &vec![b'x'; 5 << 20]));
    let exchange = client.send(Ask::new("GET", "/ok")).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.body.len(), response.body_is_whole), (8 << 20, false));
    assert_eq!(response.body_digest, Digest::of(Algorithm::Sha256, &vec![b'x'; 9 << 20]));
}

#[tokio::test]
async fn bytes_are_not_decoded() {
    let peer = Peer::start(|_| say(200, &[("Content-Encoding", "gzip")], "no gzip at all")).await;
    let exchange = client(&peer.url).send(Ask::new("GET", "/").header("Accept-Encoding", "gzip")).await;
    assert_eq!(exchange.response().unwrap().body.as_ref(), b"no gzip at all");
    assert_eq!(peer.seen()[0].line("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn header_lines_are_sent_as_asked() {
    let peer = Peer::start(|_| say(200, &[], "")).await;
    let client = client(&peer.url);
    client.send(Ask::new("GET", "/v2/a/manifests/t").header("Accept", "a/b").header("Accept", "c/d;q=0.1")).await;
    let lines: Vec<_> = peer.seen()[0].lines.iter().filter(|(n, _)| n == "accept").map(|(_, v)| v.clone()).collect();
    assert_eq!(lines, ["a/b", "c/d;q=0.1"]);
    // No Accept is no Accept, where types are negotiated.
    client.send(Ask::new("GET", "/v2/a/manifests/t")).await;
    let seen = peer.seen().pop().unwrap();
    assert_eq!((seen.line("accept"), seen.line("user-agent")), (None, Some(crate::wire::USER_AGENT)));
    let exchange = client.send(Ask::new("GET", "/v2/a/tags/list")).await;
    assert!(exchange.request.headers.contains(&("accept".into(), "*/*".into())));
}

#[tokio::test]
async fn odd_paths_are_sent_unchanged() {
    let peer = Peer::start(|_| say(404, &[], "")).await;
    let client = client(&peer.url);
    for path in
        ["/v2/../x", "/v2/%2e%2E/manifests/a", "/v2/a\\b/c", "/v2//a", "/v2/a|b{}^", "/v2/a%2Fb", "/v2/a#b", "*"]
    {
        let exchange = client.send(Ask::new("GET", path).header("Accept", "*/*")).await;
        assert_eq!(exchange.status(), Some(404), "{path}: {exchange:?}");
        assert_eq!(peer.seen().pop().unwrap().path, path);
    }
    let lying = Ask::new("PUT", "/x").header("Content-Length", "1").body(AskBody::Bytes(Bytes::from_static(b"abc")));
    client.send(lying).await;
    assert_eq!(peer.seen().pop().unwrap().body, b"a");
}

#[tokio::test]
async fn raw_bytes_are_as_given() {
    let peer = Peer::start(|seen| match seen.method.as_str() {
        "HEAD" => Say::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody".to_vec()),
        _ => say(307, &[("Location", "/x")], ""),
    })
    .await;
    let client = client(&peer.url);
    let exchange = client.send_raw(RawAsk::new("HEAD", "/v2/")).await;
    assert_eq!(exchange.response().unwrap().body.as_ref(), b"body");
    let mut ask = RawAsk::new("FROB", "/a/../b");
    ask.bare = true;
    ask.headers = vec![("hOST".into(), "example".into()), ("X".into(), "".into())];
    let exchange = client.send_raw(ask).await;
    assert_eq!((exchange.status(), exchange.hops.len()), (Some(307), 0));
    let seen = peer.seen().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.lines.len()), ("FROB", "/a/../b", 2));

    // A length that promises more, and a sending half that ends: the server sees the end.
    let mut ask = RawAsk::new("PUT", "/x");
    ask.headers = vec![("Content-Length".into(), "10".into())];
    ask.body = Bytes::from_static(b"abc");
    ask.finish = true;
    assert_eq!(client.send_raw(ask).await.status(), Some(307));
    assert_eq!(peer.seen().pop().unwrap().body, b"abc");
    let cut = Ask::new("PUT", "/x").header("Content-Length", "10").body(AskBody::Bytes(Bytes::from_static(b"abc")));
    assert!(cut.is_cut_short());
    client.send(cut).await;
    assert_eq!(peer.seen().pop().unwrap().body, b"abc");
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_an_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut some = [0; 1024];
            let _ = stream.read(&mut some).await;
            let _ = stream.write_all(b"HTTP/1.1 413 X\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let body = AskBody::Generated { source: BlobSource { key: [1; 32], size: 64 << 20 }, offset: 0, length: 64 << 20 };
    let exchange = client(&url).send(Ask::new("PUT", "/v2/a/blobs/uploads/x").body(body)).await;
    assert_eq!(exchange.status(), Some(413), "{exchange:?}");
}

#[tokio::test]
async fn connections_are_reused() {
    let peer = Peer::start(|_| say(200, &[], "")).await;
    let client = client(&peer.url);
    for _ in 0..5 {
        client.send(Ask::new("GET", "/v2/")).await;
    }
    assert!(peer.seen().iter().all(|seen| seen.connection == 0));
}

#[tokio::test]
async fn the_rate_is_kept_to() {
    let peer = Peer::start(|_| say(200, &[], "")).await;
    let mut settings = settings(&peer.url, None);
    settings.rate = Some(20.0);
    let client = Client::new(settings.clone()).unwrap();
    let started = Instant::now();
    for _ in 0..5 {
        client.send(Ask::new("GET", "/")).await;
    }
    assert!(started.elapsed() >= Duration::from_millis(190), "{:?}", started.elapsed());
    settings.rate = Some(0.0);
    assert!(Client::new(settings).unwrap_err().contains("rate"));
}
