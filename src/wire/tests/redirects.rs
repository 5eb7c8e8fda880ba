//! Redirects, and what goes along with them.

use bytes::Bytes;

use super::peer::{Peer, Say, say};
use super::{client, with};
use crate::wire::{Ask, AskBody, Credentials, FailureKind};

fn put(target: &str) -> Ask {
    Ask::new("PUT", target).header("Content-Type", "a/b").body(AskBody::Bytes(Bytes::from_static(b"manifest")))
}

#[tokio::test]
async fn every_form_of_location_is_followed() {
    let peer = Peer::start(|seen| match seen.path.as_str() {
        "/v2/start" => say(307, &[("Location", "/v2/absolute?x=1&_state=s%3D")], "moved"),
        "/v2/absolute?x=1&_state=s%3D" => say(302, &[("Location", "relative?y=2")], ""),
        "/v2/relative?y=2" => say(301, &[("location", "?z=3")], ""),
        "/v2/relative?z=3" => say(200, &[], "there"),
        other => say(404, &[], other),
    })
    .await;
    let exchange = client(&peer.url).send(Ask::new("GET", "/v2/start")).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.status, response.body.as_ref()), (200, &b"there"[..]));
    let hops: Vec<String> = exchange.hops.iter().map(|h| format!("{} {}", h.status, &h.to[peer.url.len()..])).collect();
    assert_eq!(
        hops,
        [
            "307 /v2/absolute?x=(redacted)&_state=(redacted)",
            "302 /v2/relative?y=(redacted)",
            "301 /v2/relative?z=(redacted)"
        ]
    );
    assert_eq!(exchange.requests, 4);
    assert!(exchange.request.url.ends_with("/v2/start"));
}

#[tokio::test]
async fn method_and_body_are_kept_by_307_and_308_only() {
    for (status, method, body) in
        [(307, "PUT", "manifest"), (308, "PUT", "manifest"), (301, "GET", ""), (302, "GET", ""), (303, "GET", "")]
    {
        let peer = Peer::start(move |seen| match seen.path.as_str() {
            "/start" => say(status, &[("Location", "/end")], ""),
            _ => say(200, &[], ""),
        })
        .await;
        let exchange = client(&peer.url).send(put("/start")).await;
        let last = peer.seen().pop().unwrap();
        assert_eq!((last.method.as_str(), last.body.as_slice()), (method, body.as_bytes()), "{status}");
        assert_eq!(last.line("content-type").is_some(), method == "PUT", "{status}");
        assert_eq!(exchange.request.method, "PUT");
    }
    let peer = Peer::start(|seen| match seen.path.as_str() {
        "/start" => say(303, &[("Location", "/end")], ""),
        _ => Say::This(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n".to_vec()),
    })
    .await;
    client(&peer.url).send(Ask::new("HEAD", "/start")).await;
    assert_eq!(peer.seen().pop().unwrap().method, "HEAD");
}

#[tokio::test]
async fn more_than_five_are_too_many() {
    let peer = Peer::start(|seen| {
        let next = format!("/{}", seen.number + 1);
        say(if seen.number < 5 { 307 } else { 200 }, &[("Location", &next)], "")
    })
    .await;
    let exchange = client(&peer.url).send(Ask::new("GET", "/0")).await;
    assert_eq!((exchange.status(), exchange.hops.len()), (Some(200), 5));

    let peer = Peer::start(|seen| say(307, &[("Location", &format!("/{}", seen.number))], "")).await;
    let exchange = client(&peer.url).send(Ask::new("GET", "/")).await;
    let failure = exchange.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Redirect);
    assert!(failure.text.contains("more than 5"), "{}", failure.text);
    assert_eq!((exchange.hops.len(), peer.seen().len()), (5, 6));
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let storage = Peer::start(|_| say(200, &[], "blob")).await;
    let to = format!("{}/blob?X-Amz-Signature=canary", storage.url);
    let peer = Peer::start(move |seen| match seen.line("authorization") {
        None => say(401, &[("WWW-Authenticate", "Basic realm=x")], ""),
        Some(_) => say(307, &[("Location", &to)], ""),
    })
    .await;
    let ask = Ask::new("GET", "/v2/a/blobs/x").header("Cookie", "c=1").header("Accept", "*/*");
    let exchange = with(&peer.url, Some(Credentials::basic("u", "password"))).send(ask).await;
    assert_eq!(exchange.status(), Some(200));
    assert!(exchange.hops[0].to.ends_with("/blob?X-Amz-Signature=(redacted)"));
    let seen = storage.seen().pop().unwrap();
    assert_eq!((seen.line("authorization"), seen.line("cookie")), (None, None));
    assert_eq!(seen.path, "/blob?X-Amz-Signature=canary");
    assert!(peer.seen()[1].line("authorization").is_some());

    // The ask's own line is the registry's alone, too.
    let ask = Ask::new("GET", "/v2/").header("Authorization", "Bearer mine");
    with(&peer.url, None).send(ask).await;
    assert_eq!(storage.seen().pop().unwrap().line("authorization"), None);
}

#[tokio::test]
async fn what_must_not_be_followed_is_not() {
    for location in ["file:///etc/passwd", "ftp://h/x", "http://", "gopher://127.0.0.1:1/"] {
        let peer = Peer::start(move |_| say(302, &[("Location", location)], "")).await;
        let exchange = client(&peer.url).send(Ask::new("GET", "/")).await;
        assert_eq!(exchange.result.unwrap_err().kind, FailureKind::Redirect, "{location}");
    }
    // Nowhere to go: the answer is the answer.
    let peer = Peer::start(|_| say(307, &[], "")).await;
    assert_eq!(client(&peer.url).send(Ask::new("GET", "/")).await.status(), Some(307));
    let peer = Peer::start(|_| say(304, &[("Location", "/x")], "")).await;
    assert_eq!(client(&peer.url).send(Ask::new("GET", "/")).await.status(), Some(304));
}

#[tokio::test]
async fn where_to_go_on_is_absolute_and_secret() {
    let peer = Peer::start(|_| {
        let link = "</v2/a/tags/list?n=1&last=b>; rel=\"next\"";
        say(202, &[("Location", "/v2/a/blobs/uploads/id?_state=canary"), ("Link", link)], "")
    })
    .await;
    let exchange = client(&peer.url).send(Ask::new("POST", "/v2/a/blobs/uploads/")).await;
    let response = exchange.response().unwrap();
    assert_eq!(response.location.as_ref().unwrap().0, format!("{}/v2/a/blobs/uploads/id?_state=canary", peer.url));
    assert_eq!(response.next.as_ref().unwrap().0, format!("{}/v2/a/tags/list?n=1&last=b", peer.url));
    assert_eq!(response.header("location").unwrap(), "/v2/a/blobs/uploads/id?_state=(redacted)");
    assert!(!format!("{exchange:?}").contains("canary"));
    assert_eq!(peer.seen()[0].line("content-length"), Some("0"));
}

#[tokio::test]
async fn a_base_with_a_path_is_put_before_targets_but_not_before_locations() {
    let peer = Peer::start(|seen| match seen.path.as_str() {
        "/prefix/v2/" => say(307, &[("Location", "/elsewhere")], ""),
        "/elsewhere" => say(200, &[], ""),
        _ => say(404, &[], ""),
    })
    .await;
    let client = client(&format!("{}/prefix/", peer.url));
    assert_eq!(client.send(Ask::new("GET", "/v2/")).await.status(), Some(200));
    assert_eq!(client.base(), format!("{}/prefix", peer.url));
    assert_eq!(client.send(Ask::new("GET", &format!("{}/elsewhere", peer.url))).await.status(), Some(200));
}
