//! Every shape that an author may ask for.

use super::*;

fn entries(content: &Content, index: &str) -> Vec<Value> {
    parsed(&content.nodes[index])["manifests"].as_array().unwrap().clone()
}

#[test]
fn descriptors_differ_from_their_nodes_as_asked() {
    let value = json!({
        "blobs": {"blob": {"size": 5}},
        "images": {
            "plain": {},
            "windows": {"platform": "windows/amd64", "os-version": "10.0.1", "os-features": ["win32k"]},
            "docker": {"format": "docker", "platform": "linux/arm/v6"}
        },
        "indexes": {
            "inner": {"absent": 1},
            "index": {"manifests": [
                "plain",
                "windows",
                {"node": "windows", "platform": "none"},
                {"node": "windows", "platform": "empty", "size-off-by": -3},
                {"node": "plain", "platform": "linux/arm/v7", "media-type": "application/vnd.odd", "artifact-type": "a/b"},
                {"node": "blob", "data": true, "urls": ["http://127.0.0.1/x"], "annotations": {"k": "v"}, "fields": {"x": [1]}},
                "docker",
                "inner",
                "inner/absent-0000",
                {"node": "plain", "fields": {"size": -1}}
            ], "absent": 1}
        }
    });
    let content = build(value, Format::Oci);
    let entries = entries(&content, "index");
    let node = |name: &str| content.nodes[name].clone();
    assert_eq!(entries.len(), 11);
    assert_eq!(entries[0].get("platform"), None);
    let windows = json!({"architecture": "amd64", "os": "windows", "os.version": "10.0.1", "os.features": ["win32k"]});
    assert_eq!(entries[1]["platform"], windows);
    assert_eq!(entries[2].get("platform"), None);
    assert_eq!((&entries[3]["platform"], &entries[3]["size"]), (&json!({}), &json!(node("windows").size - 3)));
    assert_eq!(entries[4]["platform"]["variant"], "v7");
    assert_eq!((&entries[4]["mediaType"], &entries[4]["artifactType"]), (&json!("application/vnd.odd"), &json!("a/b")));
    let Body::Generated(source) = &node("blob").body else { panic!("a blob is generated") };
    let bytes: Vec<u8> = source.pieces(0, 5).flatten().collect();
    use base64::Engine as _;
    assert_eq!(entries[5]["data"], base64::engine::general_purpose::STANDARD.encode(bytes));
    assert_eq!(entries[5]["urls"], json!(["http://127.0.0.1/x"]));
    assert_eq!(entries[5]["annotations"], json!({"k": "v"}));
    assert_eq!(entries[5]["x"], json!([1]));
    assert_eq!(entries[5]["mediaType"], media::layer(Format::Oci));
    assert_eq!(entries[6]["mediaType"], media::DOCKER_IMAGE);
    assert_eq!(parsed(&node("docker"))["layers"][0]["mediaType"], media::layer(Format::Docker));
    assert_eq!(entries[7]["mediaType"], media::OCI_INDEX);
    assert_eq!(entries[8]["digest"], node("inner/absent-0000").digest.as_str());
    assert_eq!(entries[9]["size"], -1);
    assert_eq!(entries[10]["platform"], json!({"architecture": "mips64le", "os": "linux"}));
    assert_eq!(node("inner").children[0].digest, node("index").children[8].digest);
}

#[test]
fn a_docker_list_has_only_what_its_schema_knows_and_what_fields_says() {
    let value = json!({
        "images": {"image": {"platform": "linux/amd64", "annotations": {"k": "v"}}},
        "indexes": {
            "list": {"annotations": {"k": "v"}, "manifests": [
                {"node": "image", "data": true, "urls": ["u"], "annotations": {"k": "v"}, "artifact-type": "a/b", "fields": {"x": 1}}
            ]},
            "empty": {},
            "twin": {"manifests": ["image"]},
            "twin-too": {"manifests": ["image"]},
            "with-fields": {"manifests": ["image"], "fields": {"x": "y"}}
        }
    });
    let content = build(value, Format::Docker);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let list = parsed(&content.nodes["list"]);
    assert_eq!(keys(&list), ["schemaVersion", "mediaType", "manifests"]);
    assert_eq!(keys(&list["manifests"][0]), ["mediaType", "digest", "size", "platform", "x"]);
    assert_eq!(keys(&parsed(&content.nodes["empty"])), ["schemaVersion", "mediaType", "manifests", "org.lacuna.key"]);
    let twins = [&content.nodes["twin"], &content.nodes["twin-too"]];
    assert_ne!(twins[0].digest, twins[1].digest);
    assert_eq!(keys(&parsed(twins[0])), ["schemaVersion", "mediaType", "manifests"]);
    assert_eq!(keys(&parsed(&content.nodes["with-fields"])), ["schemaVersion", "mediaType", "manifests", "x"]);
    assert!(content.nodes["list"].annotations.is_empty());
}

#[test]
fn forms_change_bytes_and_nothing_else() {
    let with = |form: Value, format| {
        let content = build(
            json!({
                "images": {"image": {"platform": "linux/amd64", "annotations": {"k": "v"}, "form": form}},
                "indexes": {"index": {"absent": 1, "annotations": {"note": "a \"b\" 1"}, "form": form}}
            }),
            format,
        );
        (content.nodes["index"].clone(), content.nodes["image"].clone())
    };
    for format in [Format::Oci, Format::Docker] {
        let (plain, image) = with(json!({}), format);
        for form in ["pretty", "newline", "reversed", "escaped"] {
            let (index, other) = with(json!({form: true}), format);
            assert_ne!(index.digest, plain.digest, "{form} in {format:?}");
            assert_eq!(parsed(&index), parsed(&plain), "{form} in {format:?}");
            assert_eq!(parsed(&other), parsed(&image), "{form} in {format:?}");
        }
        let (bare, _) = with(json!({"no-media-type": true}), format);
        let mut expected = parsed(&plain);
        expected.as_object_mut().unwrap().shift_remove("mediaType");
        assert_eq!(parsed(&bare), expected);
        assert_eq!(bare.media_type, plain.media_type);
    }
    let (all, _) = with(json!({"pretty": true, "newline": true, "reversed": true, "escaped": true}), Format::Oci);
    assert_eq!(
        text(&all),
        r#"{
   "annotations": {
      "\u006f\u0072\u0067.\u006c\u0061\u0063\u0075\u006e\u0061.\u006b\u0065\u0079": "\u0066\u00656775635\u0066239598\u0063\u006491476\u00654\u00662\u00629\u00660\u0063",
      "\u006e\u006f\u0074\u0065": "\u0061 \"\u0062\" 1"
   },
   "manifests": [
      {
         "platform": {
            "os": "linux",
            "architecture": "mips64le"
         },
         "size": 512,
         "digest": "sha256:2d7a911c178dfa105f15c29ee7e8f3201456c789b1d78f336838970c20d3894a",
         "mediaType": "application/vnd.oci.image.manifest.v1+json"
      }
   ],
   "mediaType": "application/vnd.oci.image.index.v1+json",
   "schemaVersion": 2
}
"#
    );
}

#[test]
fn padding_is_exact_in_every_form() {
    for format in [Format::Oci, Format::Docker] {
        for bits in 0..32_u32 {
            let form = json!({
                "pretty": bits & 1 != 0, "newline": bits & 2 != 0, "reversed": bits & 4 != 0,
                "escaped": bits & 8 != 0, "no-media-type": bits & 16 != 0
            });
            let content = build(json!({"indexes": {"index": {"absent": 2, "pad-to": 5000, "form": form}}}), format);
            let index = &content.nodes["index"];
            assert_eq!(text(index).len(), 5000);
            assert_eq!(parsed(index)["manifests"].as_array().unwrap().len(), 2);
            assert_eq!(text(index).ends_with('\n'), bits & 2 != 0);
        }
        let natural = build(json!({"indexes": {"index": {"absent": 2}}}), format).nodes["index"].size;
        let padded = |to: u64| {
            let graph = graph(json!({"indexes": {"index": {"absent": 2, "pad-to": to}}}));
            Content::build(&graph, format, &key("case")).map(|content| content.nodes["index"].size)
        };
        assert_eq!(padded(natural), Ok(natural), "as long as it is anyway");
        assert_eq!(padded(4_000_000), Ok(4_000_000));
        assert_eq!(padded(4_000_001), Ok(4_000_001));
        let errors = padded(natural - 1).unwrap_err();
        assert_eq!(errors[0].path, "indexes.index.pad-to");
    }
}

#[test]
fn a_referrers_list_shows_what_the_spec_says() {
    let content = build(
        json!({
            "images": {
                "subject": {},
                "typed": {"subject": "subject", "artifact-type": "application/vnd.typed", "annotations": {"k": "v"}},
                "untyped": {"subject": "subject"}
            },
            "indexes": {
                "index": {"subject": "subject", "absent": 1},
                "typed-index": {"subject": "index/absent-0000", "artifact-type": "application/vnd.index", "absent": 1}
            }
        }),
        Format::Docker,
    );
    let node = |name: &str| &content.nodes[name];
    assert_eq!(node("typed").artifact_type.as_deref(), Some("application/vnd.typed"));
    assert_eq!(parsed(node("typed"))["artifactType"], "application/vnd.typed");
    assert_eq!(parsed(node("typed"))["config"]["mediaType"], media::ARTIFACT_CONFIG);
    assert_eq!(node("typed").annotations["k"], "v");
    assert_eq!(node("untyped").artifact_type.as_deref(), Some(media::config(Format::Oci)));
    assert_eq!(node("index").artifact_type, None);
    assert_eq!(node("index").annotations.len(), 1);
    assert_eq!(node("typed-index").artifact_type.as_deref(), Some("application/vnd.index"));
    assert_eq!(node("typed-index").subject.as_ref().unwrap().kind, NodeKind::Phantom);
    assert_eq!(parsed(node("typed-index"))["subject"]["digest"], node("index/absent-0000").digest.as_str());
    assert!(node("typed").children.iter().all(|child| child.name != "subject"));
}

#[test]
fn algorithms_are_per_node() {
    let content = build(
        json!({
            "images": {"image": {"algorithm": "sha512", "layers": [{"algorithm": "sha512"}, {}]}},
            "indexes": {"index": {"algorithm": "sha512", "manifests": ["image"], "absent": 1}}
        }),
        Format::Oci,
    );
    let of = |name: &str| content.nodes[name].digest.algorithm();
    for name in ["image", "index", "image/layer-0"] {
        assert_eq!(of(name), Algorithm::Sha512, "{name}");
    }
    for name in ["image/layer-1", "image/config", "index/absent-0000"] {
        assert_eq!(of(name), Algorithm::Sha256, "{name}");
    }
}

#[test]
fn an_empty_blob_and_an_image_without_layers_are_content_too() {
    let content = build(json!({"blobs": {"nothing": {"size": 0}}, "images": {"bare": {"layers": []}}}), Format::Oci);
    assert_eq!(content.nodes["nothing"].digest, Digest::of(Algorithm::Sha256, b""));
    assert_eq!(parsed(&content.nodes["bare"])["layers"], json!([]));
    assert_eq!(parsed(&content.nodes["bare/config"])["os"], "unknown");
}

#[test]
fn images_name_blobs_as_they_are_told() {
    let value = json!({
        "blobs": {
            "nothing": {"text": "{}", "media-type": "application/vnd.oci.empty.v1+json"},
            "notes": {"size": 9, "media-type": "application/vnd.example.notes"}
        },
        "images": {
            "plain": {},
            "hollow": {"config": "nothing", "config-type": "application/vnd.oci.empty.v1+json", "layers": ["nothing"]},
            "borrower": {"config": "plain/config", "layers": ["notes", {"size": 3}]},
            "listed": {"config": "nothing", "format": "docker", "layers": [{}]}
        }
    });
    let content = build(value.clone(), Format::Oci);
    let hollow = parsed(&content.nodes["hollow"]);
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let nothing = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": 2});
    assert_eq!((&hollow["config"], &hollow["layers"][0]), (&nothing, &nothing));
    assert!(!content.nodes.contains_key("hollow/config"));
    assert_eq!(content.nodes["hollow"].artifact_type.as_deref(), Some("application/vnd.oci.empty.v1+json"));
    // All that it names is everybody's: an annotation makes it this run's own.
    assert!(hollow["annotations"]["org.lacuna.key"].is_string());
    assert_eq!(content.nodes["hollow"].annotations.len(), 1);
    let other = Content::build(&graph(value), Format::Oci, &key("other")).unwrap();
    assert_ne!(other.nodes["hollow"].digest, content.nodes["hollow"].digest);
    let borrower = parsed(&content.nodes["borrower"]);
    assert_eq!(borrower["config"]["digest"], content.nodes["plain/config"].digest.as_str());
    assert_eq!(borrower["config"]["mediaType"], media::config(Format::Oci));
    assert_eq!(borrower["layers"][0]["mediaType"], "application/vnd.example.notes");
    assert_eq!(borrower["layers"][1]["mediaType"], media::layer(Format::Oci));
    let listed = parsed(&content.nodes["listed"]);
    assert_eq!(listed.get("annotations"), None);
    assert_eq!(listed["config"]["mediaType"], media::config(Format::Docker));
}
