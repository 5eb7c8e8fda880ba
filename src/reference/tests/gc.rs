use std::time::Duration;

use super::super::policy::Seam;
use super::super::{Collected, GcConfig};
use super::*;

fn config(untagged: bool, grace: Duration) -> Config {
    Config { gc: GcConfig { admin: true, grace, untagged }, ..Config::default() }
}

/// A tagged index with a gap over one image, an untagged image, and a loose blob.
async fn filled(config: Config) -> (Peer, Vec<u8>, Vec<u8>) {
    let peer = Peer::new(config).await;
    let there = peer.image("a", b"kept").await;
    let sparse = index(&[child(&there, None), child(b"gone", None)]);
    assert_eq!(peer.put("a", "release", OCI_INDEX, &sparse).await.status, 201);
    let loose = peer.image("a", b"untagged").await;
    peer.blob("a", b"nobody names it").await;
    (peer, there, loose)
}

async fn has(peer: &Peer, bytes: &[u8]) -> bool {
    peer.status("HEAD", &format!("/v2/a/manifests/{}", sha256(bytes))).await == 200
}

#[tokio::test]
async fn gaps_do_not_stop_the_collector_and_what_is_reached_stays() {
    let (peer, there, loose) = filled(config(true, Duration::ZERO)).await;
    let answer = peer.send(Ask::new("POST", "/_lacuna/gc")).await;
    assert_eq!(value(&answer), json!({ "manifests": 1, "blobs": 2, "contents": 3 }));
    assert!(has(&peer, &there).await && !has(&peer, &loose).await);
    assert_eq!(peer.status("GET", "/v2/a/manifests/release").await, 200);
    assert_eq!(peer.status("GET", &format!("/v2/a/blobs/{}", sha256(b"kept"))).await, 200);
    assert_eq!(peer.status("GET", &format!("/v2/a/blobs/{}", sha256(b"untagged"))).await, 404);
    assert_eq!(peer.running.collect().unwrap(), Collected::default());
}

#[tokio::test]
async fn untagged_manifests_stay_unless_they_are_garbage_and_the_young_stay_in_any_case() {
    let (peer, _, loose) = filled(config(false, Duration::ZERO)).await;
    assert_eq!(peer.running.collect().unwrap(), Collected { manifests: 0, blobs: 1, contents: 1 });
    assert!(has(&peer, &loose).await);
    let (peer, _, loose) = filled(config(true, Duration::from_secs(60))).await;
    assert_eq!(peer.running.collect().unwrap(), Collected::default());
    assert!(has(&peer, &loose).await);
    let (peer, ..) = filled(Config::default()).await;
    assert_eq!(peer.status("POST", "/_lacuna/gc").await, 404);
}

#[tokio::test]
async fn the_signature_of_a_missing_child_lives_with_the_index_that_names_it() {
    let (peer, ..) = filled(config(true, Duration::ZERO)).await;
    let (config, layer) = (peer.blob("a", b"{}").await, peer.blob("a", b"sig").await);
    let subject =
        |of: &[u8]| json!({ "subject": { "mediaType": OCI_IMAGE, "digest": sha256(of).as_str(), "size": 1 } });
    let (kept, lost) = (image(&config, 3, &layer, subject(b"gone")), image(&config, 3, &layer, subject(b"unheard of")));
    for bytes in [&kept, &lost] {
        assert_eq!(peer.put("a", sha256(bytes).as_str(), OCI_IMAGE, bytes).await.status, 201);
    }
    peer.running.collect().unwrap();
    assert!(has(&peer, &kept).await && !has(&peer, &lost).await);
}

#[tokio::test]
async fn what_is_reached_and_what_expires_pass_the_policy() {
    let seams =
        vec![Seam::Reach(|_, _| Vec::new()), Seam::Expire(|doomed, garbage| garbage && doomed.repository == "a")];
    let (peer, there, _) = filled(Config { seams, ..config(true, Duration::ZERO) }).await;
    let elsewhere = peer.image("b", b"kept").await;
    peer.running.collect().unwrap();
    assert!(!has(&peer, &there).await, "no edge leads to it any more");
    assert_eq!(peer.status("HEAD", &format!("/v2/b/manifests/{}", sha256(&elsewhere))).await, 200);
}
