//! Secrets are seeded everywhere that a registry could echo them; none may leave.

use std::sync::{Arc, Mutex};

use super::peer::{Peer, say};
use super::with;
use crate::wire::{Ask, Credentials, Exchange, RawAsk};

const PASSWORD: &str = "canary-pass\"word/1";

/// Every form in which the seeds could be recognised.
const SEEDS: &[&str] = &["canary", "Y2FuYXJ5", "Y2FuYXJ5LXBhc3M", "dXNlcjpjYW5hcnk", "Set-Me"];

/// All that a report could print of an exchange.
fn printed(exchange: &Exchange) -> String {
    let mut all = format!("{exchange:?}\n{exchange:#?}");
    if let Ok(response) = &exchange.result {
        for (name, value) in &response.headers {
            all.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value)));
        }
        all.push_str(&String::from_utf8_lossy(&response.body));
    }
    all
}

fn clean(exchange: &Exchange) {
    let all = printed(exchange);
    for seed in SEEDS {
        assert!(!all.contains(seed), "{seed} in {all}");
    }
}

#[tokio::test]
async fn nothing_that_a_registry_echoes_leaves() {
    let realm = Arc::new(Mutex::new(String::new()));
    let tokens = Peer::start(|_| say(200, &[], "{\"token\":\"canary.token-xyz\"}")).await;
    realm.lock().unwrap().clone_from(&tokens.url);
    let peer = Peer::start(move |seen| {
        let realm = realm.lock().unwrap().clone();
        let Some(authorization) = seen.line("authorization").map(str::to_owned) else {
            let challenge = format!("Bearer realm=\"{realm}/token?hint=canary\",service=\"s\",scope=\"repository:a:pull\"");
            return say(401, &[("WWW-Authenticate", &challenge), ("X-Secret", "canary")], "canary");
        };
        let token = authorization.split(' ').nth(1).unwrap_or_default().to_owned();
        let json = format!("{{\"errors\":[{{\"message\":\"{authorization} {}\",\"url\":\"https://canary@h/x?sig=canary&n=1\"}}]}}", PASSWORD.replace('"', "\\\""));
        let lines = [
            ("Set-Cookie", "session=canary; Path=/".to_owned()),
            ("X-Echo", authorization.clone()),
            ("Location", format!("http://canary:canary@127.0.0.1:1/x?X-Amz-Signature=canary&sig=canary&se=canary&sp=canary&Signature=canary&token={token}&digest=sha256:ab&canary#canary")),
            ("Link", format!("</v2/x?n=1&last=b&_state=canary>; rel=next, <//canary@h/?q=canary>; title=\"{token}\"")),
            ("Link", format!("http://canary@h/?q=canary,{token}")),
            ("Warning", format!("299 - \"{PASSWORD} http://h/?k=canary\"")),
            ("Docker-Content-Digest", token.clone()),
            ("Content-Type", format!("application/json; {authorization}")),
        ];
        let lines: Vec<(&str, &str)> = lines.iter().map(|(n, v)| (*n, v.as_str())).collect();
        match seen.path.as_str() {
            "/v2/ok" => say(200, &lines, &json.replace("https://canary@h/x?sig=canary", "")),
            "/v2/hop" => say(307, &[("Location", "/v2/error?other=canary")], ""),
            _ => say(403, &lines, &json),
        }
    })
    .await;
    let client = with(&peer.url, Some(Credentials::basic("user", PASSWORD)));
    for target in ["/v2/ok", "/v2/error", "/v2/hop", "/v2/error?_state=canary&n=5"] {
        let mut ask = Ask::new("GET", target).header("Cookie", "canary-cookie=1").header("X-Registry-Auth", "canary");
        ask.scopes = vec!["repository:a:pull".into()];
        clean(&client.send(ask).await);
    }
    let mut ask = RawAsk::new("GET", "/v2/../error?x=canary");
    ask.headers = vec![("Authorization".into(), "Bearer canary-mine".into())];
    clean(&client.send_raw(ask).await);
    assert!(peer.seen().iter().any(|seen| seen.line("authorization") == Some("Bearer canary.token-xyz")));
    // Debug of the client itself.
    assert!(!format!("{client:?}").contains("canary"));
}

#[tokio::test]
async fn what_is_no_secret_is_shown() {
    let peer = Peer::start(|_| {
        let lines = [
            ("Docker-Content-Digest", "sha256:ab"),
            ("Location", "/v2/a/blobs/sha256:ab?digest=sha256:ab&n=1&last=x&mount=m&from=f&artifactType=t&tag=u"),
            ("Content-Range", "bytes 0-1/2"),
            ("OCI-Subject", "sha256:cd"),
        ];
        say(400, &lines, "{\"errors\":[{\"code\":\"TAG_INVALID\",\"detail\":{\"what?\":\"a/b?c\"}}]}")
    })
    .await;
    let exchange = with(&peer.url, Some(Credentials::basic("user", "pw"))).send(Ask::new("GET", "/v2/?n=1")).await;
    let response = exchange.response().unwrap();
    assert_eq!(response.header("docker-content-digest").unwrap(), "sha256:ab");
    assert!(response.header("location").unwrap().ends_with("tag=u"));
    assert_eq!(response.header("content-range").unwrap(), "bytes 0-1/2");
    assert_eq!(response.header("oci-subject").unwrap(), "sha256:cd");
    assert!(exchange.request.url.ends_with("/v2/?n=1"));
    assert!(String::from_utf8_lossy(&response.body).contains("TAG_INVALID"));
}

#[tokio::test]
async fn a_failure_names_no_secret() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let peer =
        Peer::start(move |_| say(307, &[("Location", &format!("http://canary@{at}/canary-not?sig=canary"))], "")).await;
    let exchange = with(&peer.url, None).send(Ask::new("GET", "/")).await;
    let failure = exchange.result.clone().unwrap_err();
    assert!(!failure.text.contains("canary"), "{}", failure.text);
    assert!(!format!("{:?}", exchange.hops).contains("sig=canary"), "{:?}", exchange.hops);
    let exchange = with(&peer.url, None).send(Ask::new("GET", "ftp://canary@h/x?y=canary")).await;
    clean(&exchange);
}
