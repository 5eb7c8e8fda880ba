//! Tokens: asked for once, for the right scope, again when they end, never where they must not go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::peer::{Peer, Say, Seen, say};
use super::with;
use crate::wire::{Ask, Client, Credentials, FailureKind, Secret};

fn ask(target: &str, scopes: &[&str]) -> Ask {
    let mut ask = Ask::new("GET", target).header("Accept", "*/*");
    ask.scopes = scopes.iter().map(|s| (*s).to_owned()).collect();
    ask
}

/// A registry that takes the tokens for which `valid` is true.
async fn registry(realm: &str, scope: &str, valid: impl Fn(&str, &Seen) -> bool + Send + Sync + 'static) -> Peer {
    let challenge = format!("Bearer realm=\"{realm}/token\",service=\"reg istry\",scope=\"{scope}\"");
    Peer::start(move |seen| match seen.line("authorization").and_then(|a| a.strip_prefix("Bearer ")) {
        Some(token) if valid(token, seen) => say(200, &[], "in"),
        _ => say(401, &[("WWW-Authenticate", &challenge)], "out"),
    })
    .await
}

fn user() -> Option<Credentials> {
    Some(Credentials::basic("user", "password"))
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_sent_from_then_on() {
    let tokens =
        Peer::start(|seen| say(200, &[], &format!("{{\"token\":\"t{}\",\"expires_in\":300}}", seen.number))).await;
    let peer = registry(&tokens.url, "repository:a:pull", |token, _| token == "t0").await;
    let client = with(&peer.url, user());
    let first = client.send(ask("/v2/a/tags/list", &[])).await;
    assert_eq!((first.status(), first.requests), (Some(200), 3));
    let second = client.send(ask("/v2/a/tags/list", &[])).await;
    assert_eq!((second.status(), second.requests), (Some(200), 1));
    let seen = tokens.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/token?service=reg%20istry&scope=repository%3Aa%3Apull");
    assert_eq!(seen[0].line("authorization"), Some("Basic dXNlcjpwYXNzd29yZA=="));
    let shown = first.request.headers.iter().find(|(n, _)| n == "authorization").unwrap();
    assert_eq!(shown.1, "Bearer (redacted)");
}

#[tokio::test]
async fn scopes_that_are_named_are_sent_before_any_challenge() {
    let tokens = Peer::start(|_| say(200, &[], "{\"access_token\":\"t\"}")).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
    let client = with(&peer.url, user());
    client.send(ask("/v2/", &[])).await;
    let exchange = client.send(ask("/v2/b/tags/list", &["repository:b:push,pull", "repository:a:pull"])).await;
    assert_eq!(exchange.requests, 2);
    let path = tokens.seen().pop().unwrap().path;
    assert!(path.ends_with("&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush"), "{path}");
}

#[tokio::test]
async fn where_the_request_for_a_token_is_called_malformed_the_registrys_own_answer_stands() {
    let tokens = Peer::start(|_| say(400, &[], "no such scope")).await;
    let peer = registry(&tokens.url, "repository:A:pull", |_, _| true).await;
    let client = with(&peer.url, user());
    for _ in 0..2 {
        let exchange = client.send(ask("/v2/A/tags/list", &[])).await;
        assert_eq!(exchange.status(), Some(401));
    }
}

#[tokio::test]
async fn an_expired_or_refused_token_is_asked_for_again_once() {
    let tokens =
        Peer::start(|seen| say(200, &[], &format!("{{\"token\":\"t{}\",\"expires_in\":1}}", seen.number))).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
    let client = with(&peer.url, user());
    client.send(ask("/v2/a/tags/list", &[])).await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(client.send(ask("/v2/a/tags/list", &[])).await.requests, 2);
    assert_eq!(tokens.seen().len(), 2);

    // Refused before its time: one more token, one more request.
    let tokens = Peer::start(|seen| say(200, &[], &format!("{{\"token\":\"t{}\"}}", seen.number))).await;
    let peer = registry(&tokens.url, "repository:a:pull", |token, seen| token == "t1" || seen.number < 2).await;
    let client = with(&peer.url, user());
    client.send(ask("/v2/a/tags/list", &[])).await;
    let exchange = client.send(ask("/v2/a/tags/list", &[])).await;
    assert_eq!((exchange.status(), exchange.requests, tokens.seen().len()), (Some(200), 3, 2));

    // Refused before its time, and held for what was not asked for yet: shown by the repetition, then one more token.
    let tokens = Peer::start(|seen| say(200, &[], &format!("{{\"token\":\"t{}\"}}", seen.number))).await;
    let peer = registry(&tokens.url, "repository:a:pull", |token, seen| token == "t1" || seen.number < 2).await;
    let client = with(&peer.url, user());
    client.send(ask("/v2/a/tags/list", &[])).await;
    let exchange = client.send(ask("/v2/b/tags/list", &[])).await;
    assert_eq!((exchange.status(), exchange.requests, tokens.seen().len()), (Some(200), 4, 2));

    // Held, and refused for ever, like the one that is had then: two repetitions and no more.
    let tokens = Peer::start(|seen| say(200, &[], &format!("{{\"token\":\"t{}\"}}", seen.number))).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, seen| seen.number < 2).await;
    let client = with(&peer.url, user());
    client.send(ask("/v2/a/tags/list", &[])).await;
    let exchange = client.send(ask("/v2/b/tags/list", &[])).await;
    assert_eq!((exchange.status(), exchange.requests, tokens.seen().len()), (Some(401), 4, 2));

    // Refused for ever: the 401 is the answer.
    let tokens = Peer::start(|_| say(200, &[], "{\"token\":\"t\"}")).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| false).await;
    let exchange = with(&peer.url, user()).send(ask("/v2/a/tags/list", &[])).await;
    assert_eq!((exchange.status(), peer.seen().len(), tokens.seen().len()), (Some(401), 2, 1));
}

#[tokio::test]
async fn requests_at_once_share_one_token() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n".to_owned();
    let tokens = Peer::start(move |_| {
        Say::Slowly(vec![head.clone().into_bytes(), b"{\"token\":\"t\"}".to_vec()], Duration::from_millis(100))
    })
    .await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
    let client = with(&peer.url, user());
    let all = futures_util::future::join_all((0..16).map(|_| client.send(ask("/v2/a/tags/list", &[])))).await;
    assert!(all.iter().all(|exchange| exchange.status() == Some(200)));
    assert_eq!(tokens.seen().len(), 1);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let tokens = Peer::start(|seen| match seen.method.as_str() {
        "POST" => say(200, &[], "{\"access_token\":\"t\",\"expires_in\":60}"),
        _ => say(405, &[], ""),
    })
    .await;
    let peer = registry(&tokens.url, "repository:a:pull", |token, _| token == "t").await;
    let client = with(&peer.url, Some(Credentials::IdentityToken(Secret("re/fresh".into()))));
    assert_eq!(client.send(ask("/v2/a/tags/list", &[])).await.status(), Some(200));
    let seen = tokens.seen().pop().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        "grant_type=refresh_token&refresh_token=re%2Ffresh&client_id=lacuna&service=reg%20istry&scope=repository%3Aa%3Apull"
    );
    // A password goes by POST, where there is no GET.
    let exchange = with(&peer.url, user()).send(ask("/v2/a/tags/list", &[])).await;
    assert_eq!((exchange.status(), exchange.requests), (Some(200), 4));
    assert!(String::from_utf8_lossy(&tokens.seen().pop().unwrap().body).contains("grant_type=password&username=user"));
}

#[tokio::test]
async fn nobody_may_ask_for_a_token_too() {
    let tokens = Peer::start(|_| say(200, &[], "{\"token\":\"t\"}")).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
    assert_eq!(with(&peer.url, None).send(ask("/v2/a/tags/list", &[])).await.status(), Some(200));
    assert_eq!(tokens.seen()[0].line("authorization"), None);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_a_failure_that_says_why() {
    let huge = format!("{{\"token\":\"{}\"}}", "x".repeat(2 << 20));
    for (status, body, word) in [
        (401, "password", "answered 401: it does not take these credentials"),
        (500, "", "answered 500"),
        (302, "", "redirects"),
        (200, "not json", "not the JSON"),
        (200, "{}", "neither `token` nor `access_token`"),
        (200, "{\"token\":\"a\\nX-Evil: 1\"}", "control characters"),
        (200, huge.as_str(), "larger than the limit"),
    ] {
        let body = body.to_owned();
        let tokens = Peer::start(move |_| say(status, &[("Location", "/x")], &body)).await;
        let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
        let failure = with(&peer.url, user()).send(ask("/v2/a/tags/list", &[])).await.result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Auth, "{}", failure.text);
        assert!(failure.text.contains(word), "{}", failure.text);
        assert!(failure.text.contains("/token"), "{}", failure.text);
    }
    let tokens = Peer::start(|_| Say::Silence).await;
    let peer = registry(&tokens.url, "repository:a:pull", |_, _| true).await;
    let client = with(&peer.url, user());
    let started = std::time::Instant::now();
    let all = futures_util::future::join_all((0..8).map(|_| client.send(ask("/v2/a/tags/list", &[])))).await;
    assert!(all.iter().all(|e| e.result.as_ref().is_err_and(|f| f.kind == FailureKind::Auth)));
    assert!(started.elapsed() < Duration::from_secs(2), "those who wait share the failure: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_to_another_host() {
    let challenge = "Bearer realm=\"http://token.example/token\",service=s";
    let peer = Peer::start(move |_| say(401, &[("WWW-Authenticate", challenge)], "")).await;
    let failure = with(&peer.url, user()).send(ask("/v2/", &[])).await.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Auth);
    assert!(failure.text.contains("not sent there"), "{}", failure.text);
    let peer = Peer::start(|_| say(401, &[("WWW-Authenticate", "Bearer service=s")], "")).await;
    let failure = with(&peer.url, user()).send(ask("/v2/", &[])).await.result.unwrap_err();
    assert!(failure.text.contains("no realm"), "{}", failure.text);
}

#[tokio::test]
async fn basic_is_sent_after_the_first_challenge_and_bodies_are_sent_again() {
    let count = AtomicUsize::new(0);
    let peer = Peer::start(move |seen| match seen.line("authorization") {
        Some("Basic dXNlcjpwYXNzd29yZA==") => say(201, &[], &count.fetch_add(1, Ordering::SeqCst).to_string()),
        _ => say(401, &[("WWW-Authenticate", "Basic realm=\"r\"")], ""),
    })
    .await;
    let put = || {
        let source = crate::content::BlobSource { key: [3; 32], size: 100_000 };
        Ask::new("PUT", "/v2/a/blobs/uploads/x").body(crate::wire::AskBody::Generated {
            source,
            offset: 0,
            length: 100_000,
        })
    };
    let client = with(&peer.url, user());
    let first = client.send(put()).await;
    assert_eq!((first.status(), first.requests, first.bytes_sent), (Some(201), 2, 200_000));
    assert_eq!(peer.seen()[0].body, peer.seen()[1].body);
    assert_eq!(client.send(put()).await.requests, 1);
    // Without credentials, with wrong ones, and where the ask says that it brings none: 401 is the answer.
    for (client, requests) in [(with(&peer.url, None), 1), (with(&peer.url, Some(Credentials::basic("u", "wrong"))), 2)]
    {
        let exchange: crate::wire::Exchange = Client::send(&client, put()).await;
        assert_eq!((exchange.status(), exchange.requests), (Some(401), requests));
    }
    let exchange = client.send(put().header("Authorization", "")).await;
    assert_eq!((exchange.status(), exchange.requests), (Some(401), 1));
    assert_eq!(peer.seen().pop().unwrap().line("authorization"), None);
}
