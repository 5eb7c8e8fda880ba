//! Every way in which no answer comes, by its kind and in words.

use std::time::Duration;

use super::peer::{Peer, Say, say};
use super::{client, settings};
use crate::wire::{Ask, Client, Exchange, FailureKind, RawAsk};

async fn both(url: &str) -> [Exchange; 2] {
    let client = client(url);
    [client.send(Ask::new("PUT", "/v2/a/manifests/t")).await, client.send_raw(RawAsk::new("PUT", "/v2/x")).await]
}

async fn fails(url: &str, kind: FailureKind, word: &str) {
    for exchange in both(url).await {
        let failure = exchange.result.unwrap_err();
        assert_eq!(failure.kind, kind, "{}", failure.text);
        assert!(failure.text.contains(word), "{}", failure.text);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    drop(listener);
    let text = format!("connection refused: nothing listens on {at}");
    fails(&format!("http://{at}"), FailureKind::Connect, &text).await;
}

#[tokio::test]
async fn the_name_is_unknown() {
    fails("http://no-such-host.invalid", FailureKind::Connect, "no-such-host.invalid").await;
}

#[tokio::test]
async fn the_connection_ends() {
    let peer = Peer::start(|_| Say::Last(Vec::new())).await;
    fails(&peer.url, FailureKind::Closed, "before it answered").await;
    let peer = Peer::start(|_| Say::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec())).await;
    fails(&peer.url, FailureKind::Closed, "within the body, after status 200 and 3 bytes").await;
    let peer =
        Peer::start(|_| Say::Last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc".to_vec())).await;
    fails(&peer.url, FailureKind::Closed, "within the body").await;
}

#[tokio::test]
async fn nothing_comes() {
    let peer = Peer::start(|_| Say::Silence).await;
    fails(&peer.url, FailureKind::Timeout, "sent nothing for 400 ms after the request").await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec();
    let peer = Peer::start(move |_| Say::Slowly(vec![head.clone()], Duration::from_secs(60))).await;
    fails(&peer.url, FailureKind::Timeout, "sent nothing for 400 ms within the body").await;
}

#[tokio::test]
async fn it_never_ends() {
    let mut pieces = vec![b"HTTP/1.1 200 OK\r\n\r\n".to_vec()];
    pieces.extend(std::iter::repeat_n(b"x".to_vec(), 100));
    let peer = Peer::start(move |_| Say::Slowly(pieces.clone(), Duration::from_millis(100))).await;
    let mut settings = settings(&peer.url, None);
    settings.total = Duration::from_millis(700);
    let exchange = Client::new(settings).unwrap().send(Ask::new("GET", "/")).await;
    let failure = exchange.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.text.contains("no end within 700 ms"), "{}", failure.text);
    assert!(exchange.bytes_received > 1 && failure.after < Duration::from_secs(2));
}

#[tokio::test]
async fn it_is_not_http() {
    for bytes in [&b"SSH-2.0-OpenSSH\r\n"[..], b"HTTP/1.1 abc\r\n\r\n", b"\x15\x03\x01\x00\x02\x02"] {
        let peer = Peer::start(move |_| Say::Last(bytes.to_vec())).await;
        fails(&peer.url, FailureKind::Protocol, "does not answer in HTTP").await;
    }
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc";
    let peer = Peer::start(move |_| Say::Last(chunked.to_vec())).await;
    fails(&peer.url, FailureKind::Protocol, "broke the protocol").await;
}

#[tokio::test]
async fn tls_is_spoken_to_a_peer_that_has_none() {
    let peer = Peer::start(|_| say(200, &[], "")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    fails(&format!("https://{at}"), FailureKind::Tls, "does not speak TLS; is its URL http://").await;
    drop(peer);
}

#[tokio::test]
async fn a_stale_connection_is_opened_again_for_reading_only() {
    // The second request on any connection finds it closed.
    let script = || {
        let last = std::sync::Mutex::new(usize::MAX);
        move |seen: &super::peer::Seen| {
            let again = std::mem::replace(&mut *last.lock().unwrap(), seen.connection) == seen.connection;
            if again { Say::Last(Vec::new()) } else { say(200, &[], "") }
        }
    };
    let peer = Peer::start(script()).await;
    let client = super::client(&peer.url);
    assert_eq!(client.send(Ask::new("GET", "/1")).await.requests, 1);
    let exchange = client.send(Ask::new("GET", "/2")).await;
    assert_eq!((exchange.status(), exchange.requests), (Some(200), 2));
    let failure = client.send(Ask::new("PUT", "/3")).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Closed);
    // A fresh connection that ends is no stale one.
    let peer = Peer::start(|_| Say::Last(Vec::new())).await;
    let exchange = super::client(&peer.url).send(Ask::new("GET", "/")).await;
    assert_eq!((exchange.requests, peer.seen().len()), (1, 1));
}

#[tokio::test]
async fn stopping_ends_what_runs_and_starts_nothing() {
    let peer = Peer::start(|seen| if seen.path == "/hang" { Say::Silence } else { say(200, &[], "") }).await;
    let client = client(&peer.url);
    let (running, clone) = (client.clone(), client.clone());
    let hanging = tokio::spawn(async move { running.send(Ask::new("GET", "/hang")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    clone.stop();
    assert_eq!(hanging.await.unwrap().result.unwrap_err().kind, FailureKind::Interrupted);
    let exchange = client.send(Ask::new("GET", "/")).await;
    assert_eq!((exchange.result.unwrap_err().kind, exchange.requests), (FailureKind::Interrupted, 0));
    assert_eq!(peer.seen().len(), 1);
    assert_eq!(client.afresh().send(Ask::new("GET", "/")).await.status(), Some(200));
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    for (base, word) in [
        ("127.0.0.1:5000", "no scheme"),
        ("http://user:canary@127.0.0.1", "credentials"),
        ("http://h/?q=canary", "query"),
        ("ftp://h", "neither http nor https"),
    ] {
        let problem = Client::new(settings(base, None)).unwrap_err();
        assert!(problem.contains(word) && !problem.contains("canary"), "{problem}");
    }
    let mut settings = settings("https://h", None);
    settings.ca = Some("/no/such/ca.pem".into());
    assert!(Client::new(settings).unwrap_err().contains("/no/such/ca.pem"));
}
