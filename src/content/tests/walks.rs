//! Finding nodes, and the order of a push.

use super::*;

fn names(nodes: &[Arc<Node>]) -> Vec<&str> {
    nodes.iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn reachable_is_each_once_and_children_first() {
    let content = build(release(), Format::Oci);
    let all = content.reachable(&["index", "amd64"]).unwrap();
    assert_eq!(
        names(&all),
        [
            "amd64/config",
            "base",
            "amd64/layer-1",
            "amd64",
            "arm64/config",
            "big",
            "arm64",
            "index/absent-0000",
            "index/absent-0001",
            "index"
        ]
    );
    assert_eq!(blobs(&all).count(), 5);
    assert_eq!(manifests(&all).map(|node| node.name.as_str()).collect::<Vec<_>>(), ["amd64", "arm64", "index"]);
    assert_eq!(phantoms(&all).count(), 2);
    let signature = content.reachable(&["signature"]).unwrap();
    assert_eq!(names(&signature), ["signature/config", "signature/layer-0", "signature"], "a subject is no child");
    assert!(content.reachable::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn a_diamond_a_thousand_times_over_is_walked_once() {
    let mut indexes = serde_json::Map::new();
    indexes.insert("i0".into(), json!({"absent": 1}));
    for level in 1..60 {
        let below = format!("i{}", level - 1);
        indexes.insert(format!("i{level}"), json!({"manifests": [below, below]}));
    }
    let content = build(json!({"indexes": indexes}), Format::Oci);
    assert_eq!(content.reachable(&["i59"]).unwrap().len(), 61);
}

#[test]
fn images_come_with_config_and_layers_and_share_them() {
    let content = build(release(), Format::Docker);
    let images = content.images(&["arm64", "amd64", "arm64"]).unwrap();
    assert_eq!(names(&images), ["arm64/config", "base", "big", "arm64", "amd64/config", "amd64/layer-1", "amd64"]);
    assert_eq!(names(&content.images(&["index"]).unwrap()), ["index"]);
}

#[test]
fn an_unknown_name_says_what_is_near() {
    let content = build(release(), Format::Oci);
    let error = content.reachable(&["amd46"]).unwrap_err();
    assert_eq!(error.to_string(), "no node of the fixture is named `amd46`; did you mean `amd64`?");
    assert_eq!(content.images(&["zebra"]).unwrap_err().to_string(), "no node of the fixture is named `zebra`");
    assert_eq!(content.node("amd64/layer-1").unwrap().size, 17);
    assert_eq!(content.nearest("signatur"), Some("signature"));
}

#[test]
fn what_is_left_out_takes_along_only_what_it_alone_reaches() {
    let content = build(release(), Format::Oci);
    let rest = content.reachable_except(&["index"], &["amd64", "index/absent-0000"]).unwrap();
    assert_eq!(names(&rest), ["arm64/config", "base", "big", "arm64", "index/absent-0001", "index"]);
    let below = content.below(&["index"], &["arm64"]).unwrap();
    assert_eq!(
        names(&below),
        ["amd64/config", "base", "amd64/layer-1", "amd64", "index/absent-0000", "index/absent-0001"]
    );
    assert!(content.below(&["base"], &["amd64"]).unwrap().is_empty());
    assert!(content.below(&["index"], &["nowhere"]).is_err());
}
