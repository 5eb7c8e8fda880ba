use std::time::Duration;

use super::super::policy::Seam;
use super::super::{Collected, GcConfig};
use super::*;

fn config(untagged: bool, grace: Duration) -> Config {
    Config { gc: GcConfig { admin: true, grace, untagged, ..GcConfig::default() }, ..Config::default() }
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
    let seams = vec![
        Seam::Reach(|_, _| Vec::new()),
        Seam::Expire(|doomed, garbage| garbage && doomed.collection.repository == "a"),
    ];
    let (peer, there, _) = filled(Config { seams, ..config(true, Duration::ZERO) }).await;
    let elsewhere = peer.image("b", b"kept").await;
    peer.running.collect().unwrap();
    assert!(!has(&peer, &there).await, "no edge leads to it any more");
    assert_eq!(peer.status("HEAD", &format!("/v2/b/manifests/{}", sha256(&elsewhere))).await, 200);
}

#[tokio::test]
async fn one_collection_may_have_other_rules_and_another_time() {
    let (peer, _, loose) = filled(config(true, Duration::from_secs(60))).await;
    let collect = |query: &str| Ask::new("POST", &format!("/_lacuna/gc{query}"));
    assert_eq!(peer.send(collect("?untagged=no")).await.status, 400);
    assert_eq!(peer.send(collect("?later=soon")).await.status, 400);
    let nothing = json!({ "manifests": 0, "blobs": 0, "contents": 0 });
    assert_eq!(value(&peer.send(collect("")).await), nothing);
    let blobs = value(&peer.send(collect("?later=61&untagged=false")).await);
    assert_eq!(blobs, json!({ "manifests": 0, "blobs": 1, "contents": 1 }));
    assert!(has(&peer, &loose).await);
    assert_eq!(value(&peer.send(collect("?grace=0")).await), json!({ "manifests": 1, "blobs": 1, "contents": 2 }));
    let (peer, ..) = filled(config(false, Duration::from_secs(60))).await;
    assert_eq!(peer.running.collect().unwrap().blobs, 0);
    assert_eq!(peer.running.collect_after(Duration::from_secs(61)).unwrap().blobs, 1);
}

#[tokio::test]
async fn an_error_in_one_repository_stops_the_collector_and_the_next_collection_goes_on() {
    let stop =
        Seam::Collect(|collection, plan| match collection.repository == "b" && collection.held.tags.is_empty() {
            true => Err(super::super::problem::Problem::manifest_invalid("no tags")),
            false => plan,
        });
    let (peer, ..) = filled(Config { seams: vec![stop], ..config(true, Duration::ZERO) }).await;
    peer.image("b", b"untagged").await;
    assert!(peer.running.collect().is_err_and(|e| e.to_string().contains("no tags")));
    assert_eq!(peer.status("POST", "/_lacuna/gc").await, 400);
    assert_eq!(peer.put("b", "tag", OCI_INDEX, &index(&[])).await.status, 201);
    assert_eq!(peer.running.collect().unwrap().manifests, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn requests_are_answered_while_it_collects_and_what_is_pushed_meanwhile_stays() {
    let dir = tempfile::tempdir().unwrap();
    for dir in [None, Some(dir.path().to_owned())] {
        let (peer, ..) = filled(Config { dir, ..config(true, Duration::ZERO) }).await;
        for n in 0..30u8 {
            peer.blob(&format!("r{n}"), &[n; 10]).await;
        }
        let peer = std::sync::Arc::new(peer);
        let collector = {
            let peer = peer.clone();
            tokio::task::spawn_blocking(move || {
                (0..20).for_each(|_| {
                    peer.running.collect().unwrap();
                })
            })
        };
        let mut pushed = Vec::new();
        let mut n = 0u32;
        while !collector.is_finished() || n < 10 {
            n += 1;
            // By tag at once: that which nothing names yet has no grace here.
            let bytes = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": { "n": n.to_string() } });
            let bytes = bytes.to_string().into_bytes();
            assert_eq!(peer.put("a", &format!("t{n}"), OCI_INDEX, &bytes).await.status, 201);
            assert_eq!(peer.status("GET", "/v2/a/manifests/release").await, 200);
            pushed.push((n, bytes));
        }
        collector.await.unwrap();
        for (n, bytes) in pushed {
            assert_eq!(peer.get(&format!("/v2/a/manifests/t{n}")).await.body.as_ref(), bytes);
        }
    }
}
