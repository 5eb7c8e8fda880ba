use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{AuthConfig, Scheme};
use super::*;

fn config(scheme: Scheme, token_lifetime: Duration) -> Config {
    let users = [("ann".to_owned(), "secret".to_owned())].into();
    Config { auth: Some(AuthConfig { scheme, users, anonymous_pull: false, token_lifetime }), ..Config::default() }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn basic_lets_in_who_knows_the_password() {
    let peer = Peer::new(config(Scheme::Basic, Duration::ZERO)).await;
    let refused = peer.get("/v2/").await;
    assert_eq!((refused.status, codes(&refused)), (401, vec!["UNAUTHORIZED".to_owned()]));
    for (header, status) in [
        (basic("ann", "secret"), 200),
        (basic("ann", "wrong"), 401),
        (basic("bob", "secret"), 401),
        ("Basic %%%".to_owned(), 401),
        ("Basic".to_owned(), 401),
    ] {
        let answer = peer.send(Ask::new("GET", "/v2/").header("Authorization", &header)).await;
        assert_eq!(answer.status, status, "{header}");
    }
}

async fn token(peer: &Peer, scope: &str) -> String {
    let path = format!("/token?service=lacuna&scope={scope}");
    let answer = peer.send(Ask::new("GET", &path).header("Authorization", &basic("ann", "secret"))).await;
    assert_eq!(answer.status, 200);
    value(&answer)["token"].as_str().unwrap().to_owned()
}

async fn with(peer: &Peer, method: &str, path: &str, token: &str) -> u16 {
    peer.send(Ask::new(method, path).header("Authorization", &format!("Bearer {token}"))).await.status
}

#[tokio::test]
async fn a_token_opens_its_scope_for_its_time() {
    let peer = Peer::new(config(Scheme::Bearer, Duration::from_millis(1500))).await;
    let refused = peer.send(Ask::new("GET", "/v2/a/tags/list").header("Authorization", "Bearer none")).await;
    let challenge = refused.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("scope=\"repository:a:pull\""), "{challenge}");

    let pull = token(&peer, "repository:a:pull").await;
    assert_eq!(with(&peer, "GET", "/v2/a/tags/list", &pull).await, 404);
    assert_eq!(with(&peer, "GET", "/v2/b/tags/list", &pull).await, 401);
    assert_eq!(with(&peer, "POST", "/v2/a/blobs/uploads/", &pull).await, 401);
    let push = token(&peer, "repository:a:pull,push").await;
    assert_eq!(with(&peer, "POST", "/v2/a/blobs/uploads/", &push).await, 202);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert_eq!(with(&peer, "GET", "/v2/a/tags/list", &pull).await, 401);

    let form = "grant_type=password&username=ann&password=secret&scope=repository%3Aa%3Apull";
    let post = |form: &str| peer.send(Ask::new("POST", "/token").body(body(form.as_bytes())));
    assert_eq!(post(form).await.status, 200);
    assert_eq!(post(&form.replace("secret", "wrong")).await.status, 401);
    assert_eq!(post("grant_type=magic").await.status, 400);
}
