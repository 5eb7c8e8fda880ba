use super::*;

fn tags(answer: &Response) -> Vec<String> {
    serde_json::from_value(value(answer)["tags"].clone()).unwrap()
}

#[tokio::test]
async fn tags_are_paged_in_bytewise_order() {
    let peer = Peer::new(Config::default()).await;
    assert_eq!(codes(&peer.get("/v2/a/tags/list").await), ["NAME_UNKNOWN"]);
    for tag in ["b", "B", "1.20", "1.2", "a"] {
        assert_eq!(peer.put("a", tag, OCI_INDEX, &index(&[])).await.status, 201);
    }
    assert_eq!(tags(&peer.get("/v2/a/tags/list").await), ["1.2", "1.20", "B", "a", "b"]);
    let first = peer.get("/v2/a/tags/list?n=2").await;
    assert_eq!(tags(&first), ["1.2", "1.20"]);
    assert_eq!(first.header("link").as_deref(), Some("</v2/a/tags/list?n=2&last=1.20>; rel=\"next\""));
    let last = peer.get("/v2/a/tags/list?n=3&last=1.200").await;
    assert_eq!((tags(&last).join(" "), last.header("link")), ("B a b".to_owned(), None));
    let zero = peer.get("/v2/a/tags/list?n=0").await;
    assert_eq!((tags(&zero).len(), zero.header("link")), (0, None));
    assert_eq!(tags(&peer.get("/v2/a/tags/list?n=99999999999999999999999").await).len(), 5);
    for n in ["-1", "abc", "1.5", ""] {
        assert_eq!(peer.get(&format!("/v2/a/tags/list?n={n}")).await.status, 400, "{n}");
    }
    assert_eq!(value(&peer.get("/v2/_catalog?n=1").await)["repositories"], json!(["a"]));
}

#[tokio::test]
async fn referrers_are_listed_filtered_and_paged() {
    let peer = Peer::new(Config { referrers_page: 1, ..Config::default() }).await;
    let subject = sha256(b"absent");
    let path = format!("/v2/a/referrers/{subject}");
    assert_eq!(value(&peer.get(&path).await)["manifests"], json!([]));
    assert_eq!(peer.get("/v2/a/referrers/sha256:zz").await.status, 400);

    let (config, layer) = (peer.blob("a", b"{}").await, peer.blob("a", b"x").await);
    for kind in ["application/vnd.test.one+json", "application/vnd.test.two"] {
        let more = json!({
            "artifactType": kind, "annotations": { "k": kind },
            "subject": { "mediaType": OCI_IMAGE, "digest": subject.as_str(), "size": 1 },
        });
        let bytes = image(&config, 1, &layer, more);
        let answer = peer.put("a", sha256(&bytes).as_str(), OCI_IMAGE, &bytes).await;
        assert_eq!((answer.status, answer.header("oci-subject")), (201, Some(subject.to_string())));
    }
    let first = peer.get(&path).await;
    assert_eq!(first.header("content-type").as_deref(), Some(OCI_INDEX));
    let next = first.header("link").unwrap();
    let next = next.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap().0;
    let second = peer.get(next).await;
    assert_eq!(second.header("link"), None);
    let both = [value(&first), value(&second)].map(|v| v["manifests"][0]["artifactType"].as_str().unwrap().to_owned());
    assert_ne!(both[0], both[1]);

    let filtered = peer.get(&format!("{path}?artifactType=application/vnd.test.one+json")).await;
    assert_eq!(filtered.header("oci-filters-applied").as_deref(), Some("artifactType"));
    assert_eq!(value(&filtered)["manifests"][0]["annotations"], json!({ "k": "application/vnd.test.one+json" }));
    assert_eq!(value(&filtered)["manifests"].as_array().unwrap().len(), 1);
}
