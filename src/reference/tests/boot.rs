use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::policy::Seam;
use super::super::state::Write;
use super::super::uploads::Resumed;
use super::super::{Ended, Stance};
use super::*;

/// In memory, and in a folder.
fn both() -> (tempfile::TempDir, [Config; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Config { dir: Some(dir.path().to_owned()), ..Config::default() };
    (dir, [Config::default(), folder])
}

/// A tagged index with a gap over one image, a signature of each, and a tag that was deleted.
async fn fill(peer: &Peer) -> Vec<u8> {
    let there = peer.image("a", b"layer").await;
    let sparse = index(&[child(&there, None), child(b"gone", None)]);
    assert_eq!(peer.put("a", "release", OCI_INDEX, &sparse).await.status, 201);
    assert_eq!(peer.put("a", "old", OCI_INDEX, &sparse).await.status, 201);
    assert_eq!(peer.status("DELETE", "/v2/a/manifests/old").await, 202);
    let (config, layer) = (peer.blob("a", b"{}").await, peer.blob("a", b"signature").await);
    for subject in [&sparse[..], b"gone"] {
        let subject = json!({ "subject": { "mediaType": OCI_IMAGE, "digest": sha256(subject).as_str(), "size": 1 } });
        let bytes = image(&config, 9, &layer, subject);
        assert_eq!(peer.put("a", sha256(&bytes).as_str(), OCI_IMAGE, &bytes).await.status, 201);
    }
    sparse
}

async fn is_there(peer: &Peer, sparse: &[u8]) {
    let got = peer.get("/v2/a/manifests/release").await;
    assert_eq!((got.body.as_ref(), got.header("content-type").as_deref()), (sparse, Some(OCI_INDEX)));
    assert_eq!(value(&peer.get("/v2/a/tags/list").await)["tags"], json!(["release"]));
    assert_eq!(peer.get(&format!("/v2/a/blobs/{}", sha256(b"layer"))).await.body.as_ref(), b"layer");
    for subject in [sparse, b"gone"] {
        let answer = peer.get(&format!("/v2/a/referrers/{}", sha256(subject))).await;
        assert_eq!(value(&answer)["manifests"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_restart_a_kill_and_an_upgrade_keep_the_address_and_everything() {
    let (_dir, configs) = both();
    for config in configs {
        let mut peer = Peer::new(config).await;
        let url = peer.running.url.clone();
        let sparse = fill(&peer).await;
        peer.running.restart(Ended::Orderly, |_| {}).await.unwrap();
        is_there(&peer, &sparse).await;
        peer.running.restart(Ended::Killed, |_| {}).await.unwrap();
        is_there(&peer, &sparse).await;
        peer.running.restart(Ended::Orderly, |config| config.stance = Stance::Refuse).await.unwrap();
        is_there(&peer, &sparse).await;
        let other = index(&[child(b"another", None)]);
        assert_eq!(peer.put("a", "other", OCI_INDEX, &other).await.status, 400);
        peer.running.restart(Ended::Orderly, |config| config.stance = Stance::Accept).await.unwrap();
        is_there(&peer, &sparse).await;
        assert_eq!(peer.put("a", "other", OCI_INDEX, &other).await.status, 201);
        assert_eq!(peer.running.url, url);
        peer.running.stop().await;
    }
}

#[tokio::test]
async fn unfinished_uploads_are_forgotten_unless_somebody_says_otherwise() {
    let (_dir, configs) = both();
    for config in configs {
        let mut peer = Peer::new(config).await;
        let part = peer.send(Ask::new("POST", "/v2/a/blobs/uploads/")).await.header("location").unwrap();
        peer.send(Ask::new("PATCH", &part).body(body(b"half"))).await;
        peer.running.restart(Ended::Orderly, |_| {}).await.unwrap();
        assert_eq!(peer.status("GET", &part).await, 404);

        let keep = |config: &mut Config| {
            config.seams = vec![Seam::Resume(|_, upload, _| Some(Resumed { kept: 2, says: upload.length }))];
        };
        peer.running.restart(Ended::Orderly, keep).await.unwrap();
        let part = peer.send(Ask::new("POST", "/v2/a/blobs/uploads/")).await.header("location").unwrap();
        peer.send(Ask::new("PATCH", &part).body(body(b"half"))).await;
        peer.running.restart(Ended::Killed, |_| {}).await.unwrap();
        assert_eq!(peer.get(&part).await.header("range").as_deref(), Some("0-3"));
        let close = Ask::new("PUT", &format!("{part}?digest={}", sha256(b"half!"))).body(body(b"!"));
        assert_eq!(peer.send(close).await.status, 400, "two bytes were lost");
        peer.running.stop().await;
    }
}

#[tokio::test]
async fn a_start_knows_how_the_run_before_ended_and_what_it_was_also_in_another_process() {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    let dir = tempfile::tempdir().unwrap();
    let seams = vec![Seam::Boot(|rebuild, found| {
        let expected = match STARTS.fetch_add(1, Ordering::SeqCst) {
            0 => (Ended::Orderly, false, false),
            1 => (Ended::Killed, false, false),
            2 => (Ended::Orderly, true, false),
            3 => (Ended::Killed, false, true),
            // The folder, opened anew after an end in order, and after none.
            4 => (Ended::Orderly, false, false),
            _ => (Ended::Killed, true, false),
        };
        assert_eq!((rebuild.ended, rebuild.upgraded(), rebuild.downgraded()), expected);
        found
    })];
    let config = Config { dir: Some(dir.path().to_owned()), seams, ..Config::default() };
    let mut peer = Peer::new(config.clone()).await;
    for ended in [Ended::Orderly, Ended::Killed] {
        peer.running.restart(ended, |_| {}).await.unwrap();
    }
    peer.running.restart(Ended::Orderly, |config| config.version = 2).await.unwrap();
    peer.running.restart(Ended::Killed, |config| config.version = 1).await.unwrap();
    peer.running.stop().await;
    drop(Peer::new(config.clone()).await);
    Peer::new(Config { version: 2, ..config }).await.running.stop().await;
    assert_eq!(STARTS.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn what_a_start_finds_passes_the_policy_in_order_with_what_is_gone() {
    let (_dir, configs) = both();
    for config in configs {
        let seams = vec![Seam::Boot(|rebuild, mut found| {
            let kinds: Vec<u8> = found
                .iter()
                .map(|f| match f.write {
                    Write::Link { .. } => 0,
                    Write::Manifest { .. } => 1,
                    _ => 2,
                })
                .collect();
            assert!(kinds.is_sorted() && kinds.contains(&2));
            found.extend(rebuild.gone.iter().cloned());
            found
        })];
        let mut peer = Peer::new(Config { seams, ..config }).await;
        fill(&peer).await;
        peer.running.restart(Ended::Orderly, |_| {}).await.unwrap();
        assert_eq!(value(&peer.get("/v2/a/tags/list").await)["tags"], json!(["old", "release"]));
        peer.running.stop().await;
    }
}

#[tokio::test]
async fn a_kill_cuts_half_a_request_and_an_orderly_end_waits_for_an_answer() {
    const SLOW: Seam = Seam::Finish(|_, _, _, mut answer| {
        answer.delivery.delay = Duration::from_millis(400);
        answer
    });
    for (ended, answered) in [(Ended::Orderly, true), (Ended::Killed, false)] {
        let mut peer = Peer::new(Config { seams: vec![SLOW], ..Config::default() }).await;
        let client = peer.client.clone();
        let asked = tokio::spawn(async move { client.send(Ask::new("GET", "/v2/")).await.result.is_ok() });
        tokio::time::sleep(Duration::from_millis(150)).await;
        let start = Instant::now();
        peer.running.restart(ended, |config| config.seams.clear()).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(4));
        assert_eq!(asked.await.unwrap(), answered);
        assert_eq!(peer.status("GET", "/v2/").await, 200);
    }
}

#[tokio::test]
async fn a_restart_that_cannot_be_leaves_the_registry_as_it_was() {
    let mut peer = Peer::new(Config::default()).await;
    let wrong = |config: &mut Config| {
        config.defects.insert("no-such-defect");
    };
    assert!(peer.running.restart(Ended::Killed, wrong).await.is_err());
    assert_eq!(peer.status("GET", "/v2/").await, 200);
}

#[tokio::test]
async fn two_on_one_storage_have_what_either_writes_and_their_own_seams() {
    let (_dir, configs) = both();
    for config in configs {
        let mut old = Peer::new(config).await;
        let refusing = |config: &mut Config| {
            config.stance = Stance::Refuse;
            config.seams = vec![Seam::List(|_, _| Vec::new())];
        };
        let running = old.running.beside(refusing).unwrap();
        let client = Client::new(Settings::new(&running.url)).unwrap();
        let new = Peer { running, client };
        let sparse = fill(&old).await;
        assert_eq!(new.get("/v2/a/manifests/release").await.body.as_ref(), sparse);
        assert_eq!(value(&new.get("/v2/a/tags/list").await)["tags"], json!([]));
        assert_eq!(new.put("a", "refused", OCI_INDEX, &index(&[child(b"never", None)])).await.status, 400);
        assert_eq!(new.put("a", "new", OCI_INDEX, &index(&[])).await.status, 201);
        assert_eq!(old.status("GET", "/v2/a/manifests/new").await, 200);
        old.running.restart(Ended::Killed, |_| {}).await.unwrap();
        assert_eq!(old.put("a", "after", OCI_INDEX, &index(&[])).await.status, 201);
        assert_eq!(new.status("GET", "/v2/a/manifests/after").await, 200);
        new.running.stop().await;
        assert_eq!(old.status("GET", "/v2/a/manifests/after").await, 200);
        old.running.stop().await;
    }
}
