//! What content promises, seen through its public functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod shapes;
mod walks;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::content::graph::Algorithm;

/// A graph from JSON, which says the same as YAML does.
fn graph(value: Value) -> Graph {
    serde_json::from_value(value).expect("a graph")
}

fn key(owner: &str) -> Key {
    Key { seed: 42, owner: owner.to_owned() }
}

fn build(value: Value, format: Format) -> Content {
    Content::build(&graph(value), format, &key("case")).expect("built")
}

fn text(node: &Node) -> &str {
    std::str::from_utf8(node.bytes().expect("held in memory")).expect("UTF-8")
}

fn parsed(node: &Node) -> Value {
    serde_json::from_str(text(node)).expect("JSON")
}

/// The running example, with one of everything.
fn release() -> Value {
    json!({
        "title": "A release",
        "blobs": {"base": {"size": 1000}, "big": {"size": 200_000, "algorithm": "sha512"}},
        "images": {
            "amd64": {"platform": "linux/amd64", "layers": ["base", {"size": 17}]},
            "arm64": {"platform": "linux/arm64/v8", "layers": ["base", "big"], "annotations": {"who": "me"}},
            "signature": {"subject": "index", "artifact-type": "application/vnd.example", "layers": [{}]}
        },
        "indexes": {"index": {"manifests": ["amd64", "arm64"], "absent": 2, "annotations": {"b": "c"}}}
    })
}

#[test]
fn one_key_gives_the_same_bytes_for_ever() {
    let golden = |format| {
        let content = build(release(), format);
        let mut hasher = digest::Hasher::new(Algorithm::Sha256);
        for node in content.nodes.values() {
            hasher.update(format!("{} {} {} {}\n", node.name, node.media_type, node.digest, node.size).as_bytes());
        }
        hasher.finish().to_string()
    };
    assert_eq!(golden(Format::Oci), "sha256:dbc18c4a3aa5ab83a062330aec32f4b2db3e00573f1a53de37ed4d162db695d4");
    assert_eq!(golden(Format::Docker), "sha256:ae84bce16a1686a6a48e53d779449f258f222de4f798441e1b3809b2254828b8");
    let content = build(release(), Format::Oci);
    assert_eq!(
        text(&content.nodes["index"]),
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:3ba081c3dd7ae2131cf6cecab6c3d065bc70f007bcefce513b2cc3059bb2967e","size":555,"platform":{"architecture":"amd64","os":"linux"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:02e5a8c8ee0e3bcd226f4526c796c60969dfad218520f32292a5ba9b97f32d13","size":650,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:2d7a911c178dfa105f15c29ee7e8f3201456c789b1d78f336838970c20d3894a","size":512,"platform":{"architecture":"mips64le","os":"linux"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:3a262fcdb2fdc6a7d9377ee7bfa3465cf58023d4ca2636293c34874276a797a4","size":512,"platform":{"architecture":"mips64le","os":"linux"}}],"annotations":{"b":"c","org.lacuna.key":"fe6775635f239598cd91476e4f2b9f0c"}}"#
    );
    assert_eq!(
        text(&content.nodes["amd64"]),
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:30f8e3ed7d79291ff50ee266edd736ddabb59cd3a2dae6cce3a06ae341dfeaf3","size":359},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:30005e58f1e3c435b5a1c9a08797f67ec8a9a898a78df759d7ce7d789b07aafa","size":1000},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:617f2630ac3780a717fd5b52bca207b4f58cf2bc4f4ffdfbc84cf1369e886b46","size":17}]}"#
    );
    assert_eq!(
        text(&content.nodes["arm64/config"]),
        r#"{"architecture":"arm64","os":"linux","variant":"v8","config":{"Labels":{"org.lacuna.key":"da3135315da6abe4a53e1c6d5ba0462a"}},"rootfs":{"type":"layers","diff_ids":["sha256:30005e58f1e3c435b5a1c9a08797f67ec8a9a898a78df759d7ce7d789b07aafa","sha512:28a7f8d5fda1f6ce2a1ffe702b9514e87015544bdbeb9a1c9e313b16ba3b416567864315260b09ea42fd8a47fce3e25ff17701cd9ee99daa752c02f5a1a4b5b6"]},"history":[{"created_by":"lacuna"},{"created_by":"lacuna"}]}"#
    );
}

#[test]
fn two_keys_or_formats_share_no_manifest_and_two_keys_no_digest() {
    // Beside the release, whatever names too little to be unique by it.
    let mut value = release();
    value["indexes"]["empty"] = json!({});
    value["indexes"]["again"] = json!({"manifests": ["amd64"]});
    value["indexes"]["and-again"] = json!({"manifests": ["amd64"]});
    value["images"]["bare"] = json!({"layers": []});
    value["images"]["bare-too"] = json!({"layers": []});
    let mut seen = BTreeSet::new();
    let keys = [("a", 1), ("b", 1), ("a", 2), ("", 1), ("ab", 1)];
    for format in [Format::Oci, Format::Docker] {
        let mut nodes = 0;
        let mut digests = BTreeSet::new();
        for (owner, seed) in keys {
            let key = Key { seed, owner: owner.to_owned() };
            let content = Content::build(&graph(value.clone()), format, &key).unwrap();
            nodes += content.nodes.len();
            digests.extend(content.nodes.values().map(|node| node.digest.clone()));
            for node in content.nodes.values().filter(|node| node.is_manifest() && node.subject.is_none()) {
                assert!(seen.insert(node.digest.clone()), "{} in {format:?}", node.name);
            }
        }
        assert_eq!(digests.len(), nodes, "{format:?}");
    }
}

#[test]
fn digest_and_size_are_those_of_the_bytes() {
    for format in [Format::Oci, Format::Docker] {
        let content = build(release(), format);
        for node in content.nodes.values() {
            let algorithm = node.digest.algorithm();
            match &node.body {
                Body::Bytes(bytes) => {
                    assert_eq!((node.size, &node.digest), (bytes.len() as u64, &Digest::of(algorithm, bytes)));
                }
                Body::Generated(source) => {
                    assert_eq!((node.size, &node.digest), (source.size, &source.digest(algorithm)))
                }
                Body::None => assert_eq!(node.kind, NodeKind::Phantom),
            }
        }
        assert_eq!(content.nodes["big"].digest.algorithm(), Algorithm::Sha512);
    }
}

#[test]
fn every_descriptor_tells_the_truth_of_its_node() {
    for (format, oci) in [(Format::Oci, true), (Format::Docker, false)] {
        let content = build(release(), format);
        for node in content.nodes.values().filter(|node| node.is_manifest()) {
            let manifest = parsed(node);
            assert_eq!(manifest["schemaVersion"], 2);
            assert_eq!(manifest["mediaType"], *node.media_type);
            let entries = if node.kind == NodeKind::Index { "manifests" } else { "layers" };
            let config = manifest.get("config").cloned();
            let named: Vec<Value> = config.into_iter().chain(manifest[entries].as_array().unwrap().clone()).collect();
            assert_eq!(named.len(), node.children.len());
            for (descriptor, child) in named.iter().zip(&node.children) {
                assert_eq!(descriptor["digest"], child.digest.as_str());
                assert_eq!(descriptor["size"], child.size);
                // A shared layer has its parent's type: the artifact is OCI, and shares none.
                assert_eq!(descriptor["mediaType"], *child.media_type);
            }
        }
        let index = &content.nodes["index"];
        assert_eq!(index.media_type, if oci { media::OCI_INDEX } else { media::DOCKER_LIST });
        assert_eq!(
            parsed(index)["manifests"][1]["platform"],
            json!({"architecture": "arm64", "os": "linux", "variant": "v8"})
        );
        assert_eq!(parsed(index).get("annotations").is_some(), oci);
        assert_eq!(parsed(&content.nodes["arm64"]).get("annotations").is_some(), oci);
        assert_eq!(parsed(&content.nodes["amd64"]).as_object().unwrap().len(), 4);
        let signature = &content.nodes["signature"];
        assert_eq!(signature.media_type, media::OCI_IMAGE, "a subject is OCI's, whatever the format is");
        assert_eq!(parsed(signature)["subject"]["digest"], index.digest.as_str());
        assert_eq!(parsed(signature)["subject"]["mediaType"], *index.media_type);
    }
}

#[test]
fn ten_thousand_absent_children_take_no_time() {
    let started = std::time::Instant::now();
    let content = build(json!({"indexes": {"huge": {"absent": 10_000}}}), Format::Oci);
    let took = started.elapsed();
    assert_eq!(content.nodes.len(), 10_001);
    assert_eq!(parsed(&content.nodes["huge"])["manifests"].as_array().unwrap().len(), 10_000);
    assert!(content.nodes.contains_key("huge/absent-0000") && content.nodes.contains_key("huge/absent-9999"));
    // Milliseconds where it is optimised, and far from a second where it is not and the machine is busy.
    assert!(took < std::time::Duration::from_secs(2), "{took:?}");
}
