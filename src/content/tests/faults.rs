//! Every graph that must be refused, and how.

use super::*;

fn errors(value: Value) -> Vec<String> {
    let graph = graph(value);
    let errors = Content::build(&graph, Format::Oci, &key("case")).expect_err("a fault");
    assert_eq!(Content::check(&graph, Format::Oci), errors, "a check finds what building finds");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn names_that_are_none() {
    let found = errors(json!({
        "blobs": {"layer": {}},
        "images": {"amd64": {"layers": ["layr", "amd64"], "subject": "layer"}, "arm64": {"subject": "nowhere"}},
        "indexes": {"index": {"manifests": ["amd64", "amd46", {"node": "arm46"}], "subject": "inddex"}}
    }));
    assert_eq!(
        found,
        [
            "images.amd64.layers.0: nothing is named `layr`; did you mean `layer`?",
            "images.amd64.layers.1: `amd64` is an image; a layer is a blob",
            "images.amd64.subject: `layer` is a blob; a subject is a manifest",
            "images.arm64.subject: nothing is named `nowhere`",
            "indexes.index.manifests.1: nothing is named `amd46`; did you mean `amd64`?",
            "indexes.index.manifests.2: nothing is named `arm46`; did you mean `arm64`?",
            "indexes.index.subject: nothing is named `inddex`; did you mean `index`?",
        ]
    );
}

#[test]
fn configs_and_texts_that_are_none() {
    let found = errors(json!({
        "blobs": {"both": {"size": 2, "text": "{}"}},
        "images": {"a": {"config": "nothing"}, "b": {"config": "a"}}
    }));
    assert_eq!(
        found,
        [
            "blobs.both.size: a blob has `size` or `text`: its text is as long as it is",
            "images.a.config: nothing is named `nothing`",
            "images.b.config: `a` is an image; a config is a blob",
        ]
    );
}

#[test]
fn names_that_may_not_be() {
    let found = errors(
        json!({"blobs": {"x": {}, "self": {}, "a b": {}, "": {}, "y/config": {}}, "images": {"x": {}, "y": {}}, "indexes": {"y": {}}}),
    );
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(found[0].starts_with("blobs.: \"\" cannot be a name"), "{}", found[0]);
    assert!(found[1].starts_with("blobs.a b: \"a b\" cannot be a name"), "{}", found[1]);
    assert!(found[2].starts_with("blobs.self: "), "{}", found[2]);
    assert!(found[3].starts_with("images.x: the name `x` is taken by blobs.x"), "{}", found[3]);
    assert!(found[4].starts_with("images.y: the name `y/config` is taken by blobs.y/config"), "{}", found[4]);
    assert!(found[5].starts_with("indexes.y: the name `y` is taken by images.y"), "{}", found[5]);
}

#[test]
fn cycles_of_children_and_subjects() {
    let found = errors(json!({
        "images": {"signature": {"subject": "signed"}},
        "indexes": {
            "alone": {"manifests": ["alone"]},
            "a": {"manifests": ["b"]}, "b": {"manifests": ["c"]}, "c": {"manifests": ["a"]},
            "beside": {"manifests": ["a"]},
            "signed": {"manifests": ["signature"]}
        }
    }));
    assert_eq!(
        found,
        [
            "images.signature: names itself: signature -> signed -> signature; a digest cannot contain itself",
            "indexes.a: names itself: a -> b -> c -> a; a digest cannot contain itself",
            "indexes.alone: names itself: alone -> alone; a digest cannot contain itself",
        ]
    );
}

#[test]
fn depth_has_a_limit_and_no_depth_overflows() {
    let chain = |length: usize| {
        let mut indexes = serde_json::Map::new();
        for level in 0..length {
            let below: Vec<String> = level.checked_sub(1).map(|below| format!("i{below:05}")).into_iter().collect();
            indexes.insert(format!("i{level:05}"), json!({"manifests": below}));
        }
        json!({"indexes": indexes})
    };
    assert!(Content::build(&graph(chain(65)), Format::Oci, &key("case")).is_ok());
    assert_eq!(errors(chain(66)), ["indexes.i00065: nested deeper than 64"]);
    assert_eq!(errors(chain(20_000)).len(), 1);
    let mut ring = chain(20_000);
    ring["indexes"]["i00000"] = json!({"manifests": ["i19999"]});
    let found = errors(ring);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("i00000 -> i19999 -> i19998") && found[0].len() < 300, "{}", found[0]);
}

#[test]
fn platforms_that_are_none() {
    let found = errors(json!({
        "images": {"a": {"platform": "linux"}, "b": {"os-version": "1"}, "c": {"platform": "none"}},
        "indexes": {"index": {"manifests": [{"node": "a", "platform": "linux/"}, {"node": "b", "platform": "none"}]}}
    }));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("images.a.platform: \"linux\" is no platform; write"), "{}", found[0]);
    assert!(found[1].starts_with("images.b: `os-version`"), "{}", found[1]);
    assert!(found[2].starts_with("images.c.platform: "), "{}", found[2]);
    assert!(found[3].starts_with("indexes.index.manifests.0.platform: "), "{}", found[3]);
}

#[test]
fn sizes_without_end() {
    let found = errors(json!({
        "blobs": {"huge": {"size": u64::MAX}, "big": {"size": 1_u64 << 33}},
        "images": {"image": {"layers": [{"size": u64::MAX}]}},
        "indexes": {
            "padded": {"pad-to": u64::MAX}, "many": {"absent": u32::MAX}
        }
    }));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("blobs.huge.size: a blob has at most"), "{}", found[0]);
    assert!(found[1].starts_with("images.image.layers.0.size: "), "{}", found[1]);
    assert!(found[2].starts_with("indexes.many.absent: "), "{}", found[2]);
    assert!(found[3].starts_with("indexes.padded.pad-to: "), "{}", found[3]);
}

#[test]
fn what_is_found_only_while_building_is_found_all_at_once() {
    let found = errors(json!({
        "indexes": {
            "small": {"pad-to": 10},
            "index": {"absent": 1, "pad-to": 20, "manifests": [
                "small",
                {"node": "small", "size-off-by": i64::MIN},
                {"node": "small", "size-off-by": i64::MAX},
                {"node": "index-too/absent-0000", "data": true}
            ]},
            "index-too": {"absent": 1}
        }
    }));
    let places: Vec<&str> = found.iter().filter_map(|error| error.split(": ").next()).collect();
    assert_eq!(places, ["indexes.small.pad-to", "indexes.index.manifests.1", "indexes.index.manifests.3"], "{found:?}");
}

#[test]
fn embedded_data_does_not_grow_without_end() {
    let mut indexes = serde_json::Map::new();
    indexes.insert("i0".into(), json!({"absent": 1000}));
    for level in 1..50 {
        let below = json!({"node": format!("i{}", level - 1), "data": true});
        indexes.insert(format!("i{level}"), json!({"manifests": [below, below]}));
    }
    let found = Content::check(&graph(json!({"indexes": indexes})), Format::Oci);
    assert!(!found.is_empty() && found.iter().all(|error| error.problem.contains("`data`")), "{found:?}");
    let big =
        json!({"blobs": {"big": {"size": 1 << 30}}, "indexes": {"i": {"manifests": [{"node": "big", "data": true}]}}});
    assert_eq!(Content::check(&graph(big), Format::Oci).len(), 1);
}

#[test]
fn docker_has_neither_subjects_nor_artifact_types() {
    let found = errors(json!({
        "images": {"a": {"format": "docker", "subject": "b"}, "b": {"format": "docker"}},
        "indexes": {"i": {"format": "docker", "artifact-type": "x/y"}}
    }));
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("images.a.format: Docker's types have neither"), "{}", found[0]);
    assert!(found[1].starts_with("indexes.i.format: "), "{}", found[1]);
}

#[test]
fn fields_that_are_computed_are_not_unknown() {
    let found = errors(json!({
        "images": {"a": {"fields": {"config": 1, "x": 1, "schemaVersion": 1}}},
        "indexes": {"i": {"fields": {"manifests": []}, "manifests": [{"node": "a", "fields": {"digest": "sha256:x"}}]}}
    }));
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("images.a.fields.config: this field is computed"), "{}", found[0]);
    assert!(found[2].starts_with("indexes.i.manifests.0.fields.digest: "), "{}", found[2]);
}

#[test]
fn many_indexes_together_have_no_more_absent_entries_than_one() {
    let indexes: serde_json::Map<String, Value> =
        (0..200).map(|n| (format!("i{n:03}"), json!({"absent": 100_000}))).collect();
    let start = std::time::Instant::now();
    let found = errors(json!({"indexes": indexes}));
    assert_eq!(found, ["indexes.i001.absent: the indexes of a graph have at most 100000 absent entries together"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(1), "they are made before they are counted");
}
