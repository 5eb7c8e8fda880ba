use super::*;

fn config(dir: &std::path::Path) -> Config {
    Config { dir: Some(dir.to_owned()), ..Config::default() }
}

#[tokio::test]
async fn a_folder_is_read_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::new(config(dir.path())).await;
    let there = peer.image("a/b", b"layer").await;
    let sparse = index(&[child(&there, None), child(b"gone", None)]);
    for tag in ["Release", "release", "old"] {
        assert_eq!(peer.put("a/b", tag, OCI_INDEX, &sparse).await.status, 201);
    }
    assert_eq!(peer.status("DELETE", "/v2/a/b/manifests/old").await, 202);
    let part = peer.send(Ask::new("POST", "/v2/a/blobs/uploads/")).await.header("location").unwrap();
    peer.send(Ask::new("PATCH", &part).body(body(b"half"))).await;
    peer.running.stop().await;

    let peer = Peer::new(config(dir.path())).await;
    assert_eq!(value(&peer.get("/v2/a/b/tags/list").await)["tags"], json!(["Release", "release"]));
    let got = peer.get("/v2/a/b/manifests/release").await;
    assert_eq!((got.body.as_ref(), got.header("content-type").as_deref()), (sparse.as_slice(), Some(OCI_INDEX)));
    assert_eq!(peer.get(&format!("/v2/a/b/manifests/{}", sha256(&there))).await.body.as_ref(), there);
    let range = Ask::new("GET", &format!("/v2/a/b/blobs/{}", sha256(b"layer"))).header("Range", "bytes=-2");
    assert_eq!(peer.send(range).await.body.as_ref(), b"er");
    assert_eq!(peer.get(&part).await.status, 404);
    assert_eq!(std::fs::read_dir(dir.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_damaged_is_left_out_and_the_rest_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::new(config(dir.path())).await;
    let (good, bad) = (peer.image("a", b"good").await, peer.image("a", b"bad").await);
    peer.running.stop().await;
    std::fs::write(dir.path().join("content/sha256").join(sha256(&bad).hex()), b"").unwrap();
    std::fs::remove_file(dir.path().join("content/sha256").join(sha256(b"bad").hex())).unwrap();
    std::fs::write(dir.path().join("repositories/a/_manifests/sha256/odd"), b"?").unwrap();
    std::fs::create_dir_all(dir.path().join("repositories/a/_tags")).unwrap();
    std::fs::write(dir.path().join("repositories/a/_tags/torn"), b"sha2").unwrap();
    std::fs::write(dir.path().join("repositories/stray"), b"").unwrap();

    let peer = Peer::new(config(dir.path())).await;
    assert_eq!(peer.status("GET", &format!("/v2/a/manifests/{}", sha256(&good))).await, 200);
    assert_eq!(peer.status("GET", &format!("/v2/a/manifests/{}", sha256(&bad))).await, 404);
    assert_eq!(peer.status("GET", &format!("/v2/a/blobs/{}", sha256(b"bad"))).await, 404);
    assert_eq!(value(&peer.get("/v2/a/tags/list").await)["tags"], json!([]));
    // It can be pushed again.
    peer.image("a", b"bad").await;
}
