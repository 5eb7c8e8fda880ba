//! What the loader makes of good suites: ids, order, types of what is put in, what a folder adds to the shipped ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lacuna::content::graph::Format;
use lacuna::suite::assertion::{StatusItem, Statuses};
use lacuna::suite::model::{Action, By, CaseInstance, Presence, StanceWord};
use lacuna::suite::{Library, SuiteSource, load};

/// Loads a folder of these files.
fn library(files: &[(&str, &str)]) -> Library {
    let folder = tempfile::tempdir().unwrap();
    for (place, text) in files {
        let path = folder.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    load(&SuiteSource::Folder(folder.path().to_owned())).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn ids(library: &Library) -> Vec<&str> {
    library.instances.iter().map(|instance| instance.id.as_str()).collect()
}

fn case(keys: &str, steps: &str) -> String {
    format!(
        "title: A topic\nfixture: pair\ncases:\n  - name: one\n{keys}    steps:\n{steps}    caught-by: [put-answers-200]\n"
    )
}

#[test]
fn the_shipped_suites_load() {
    let library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert!(library.instances.len() > 500 && library.requirements.len() > 100, "{}", library.instances.len());
    let mut unique = ids(&library);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), library.instances.len(), "ids are unique");
    let clean = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/".contains(c)) && !id.contains("//");
    assert!(ids(&library).into_iter().all(clean));
    assert!(library.instances.iter().all(|instance| !instance.caught_by.is_empty() && !instance.steps.is_empty()));
}

#[test]
fn an_id_is_a_path_of_values_in_the_order_of_each() {
    let keys = "    each:\n      by: [tag, digest]\n      present: [[], [image], [image, second]]\n      note: [\"a b\", linux/arm]\n";
    let steps = "      - push: {images: \"{present}\"}\n      \
                 - put: {manifest: index, by: \"{by}\", headers: {X-Note: \"{note}\"}, expect: created}\n";
    let library = library(&[("area/topic.yaml", &case(keys, steps))]);
    assert_eq!(
        ids(&library)[..4],
        [
            "area/topic/one/tag/none/a-b",
            "area/topic/one/tag/none/linux-arm",
            "area/topic/one/tag/image/a-b",
            "area/topic/one/tag/image/linux-arm",
        ]
    );
    assert_eq!(ids(&library)[11], "area/topic/one/digest/image+second/linux-arm");
}

#[test]
fn instances_come_by_area_topic_and_the_order_of_the_file() {
    let step = "    steps:\n      - put: {manifest: index, expect: created}\n    caught-by: [put-answers-200]\n";
    let two = format!("title: A topic\nfixture: pair\ncases:\n  - name: z\n{step}  - name: a\n{step}");
    let library = library(&[("b/a.yaml", &two), ("a/z.yaml", &two), ("a/b.yaml", &two)]);
    assert_eq!(ids(&library), ["a/b/z", "a/b/a", "a/z/z", "a/z/a", "b/a/z", "b/a/a"]);
    assert_eq!(library.topics, 3);
}

#[test]
fn what_is_put_in_keeps_its_type() {
    let keys = "    title: \"Put {by}, {status} of {format}\"\n    needs: {stance: \"{stance}\", \"media.{format}\": supported}\n    \
                each: {format: [docker], by: [digest], status: [201], stance: [[accept, refuse]], tags: [[\"1.2\", 1.20, 7]]}\n";
    let steps = "      - put: {manifest: index, by: \"{by}\", expect: {manifest.put.created: {status: \"{status}\"}}}\n      \
                 - put: {manifest: index, tags: \"{tags}\", expect: created}\n";
    let library = library(&[("area/topic.yaml", &case(keys, steps))]);
    let [CaseInstance { title, needs, format, steps, .. }] = &library.instances[..] else { panic!() };
    assert_eq!(title, "Put digest, 201 of docker");
    assert_eq!(*format, Format::Docker);
    assert_eq!(needs.stance, [StanceWord::Accept, StanceWord::Refuse]);
    assert_eq!(needs.capabilities.get("media.docker"), Some(&Presence::Supported));
    let Action::Put(put) = &steps[0].action else { panic!() };
    assert_eq!(put.by, By::Digest);
    assert_eq!(steps[0].expect[0].assertion.status, Some(Statuses::One(StatusItem::Value(201))));
    let Action::Put(put) = &steps[1].action else { panic!() };
    assert_eq!(put.tags.as_ref().unwrap().tags(), ["1.2", "1.20", "7"], "tags are as they are written");
}

#[test]
fn expectations_know_where_they_stand_and_steps_too() {
    let steps = "      - get:\n          manifest: index\n          expect:\n            - served\n            - manifest.get.bytes: {not-body: [image]}\n";
    let library = library(&[("area/topic.yaml", &case("", steps))]);
    let step = &library.instances[0].steps[0];
    assert_eq!((step.source.line, step.source.column), (6, 9));
    let own = step.expect.last().unwrap();
    assert_eq!((own.source.line, own.source.column), (10, 15));
    assert!(own.source.file.ends_with("area/topic.yaml"));
    assert_eq!(&*step.expect[0].source.file, "suites/expectations.yaml");
    assert_eq!(library.instances[0].source.line, 4);
}

#[test]
fn a_folder_adds_to_the_shipped_ones_and_stands_in_for_them() {
    let steps = "      - put: {manifest: ours, expect: ours}\n      - get: {manifest: ours, expect: served}\n";
    let library = library(&[
        ("area/topic.yaml", &case("", steps).replace("fixture: pair", "fixture: own")),
        (
            "requirements.yaml",
            "our.own: {level: {1.1: should, dev: must}, basis: lacuna, source: here, text: Ours., question: 2}\n",
        ),
        ("expectations.yaml", "ours: {our.own: {status: 201}}\nserved: {manifest.get.served: {status: 200}}\n"),
        ("content/own.yaml", "title: Ours\nimages: {ours: {platform: linux/amd64}}\n"),
    ]);
    assert!(library.requirements.contains_key("our.own") && library.requirements.contains_key("manifest.put.created"));
    assert_eq!(library.bundles["served"].len(), 1, "it stands in for the shipped one");
    assert!(library.bundles.contains_key("created"));
    assert!(library.graphs.contains_key("own"));
}

#[test]
fn the_digest_is_of_what_the_files_say_not_of_where_they_are() {
    let text = case("", "      - put: {manifest: index, expect: created}\n");
    let (one, same) = (library(&[("area/topic.yaml", &text)]), library(&[("area/topic.yaml", &text)]));
    let other = library(&[("area/topic.yaml", &text.replace("A topic", "Another"))]);
    assert_eq!(one.digest, same.digest);
    assert_ne!(one.digest, other.digest);
    assert!(one.digest.starts_with("sha256:") && one.digest.len() == 71);
}

#[test]
fn braces_that_are_no_template_are_text() {
    let steps = "      - raw: {method: PUT, path: \"/v2/{repo}/manifests/x\", body: '{\"a\": {\"b\": [1]}}', expect: \
                 {manifest.put.invalid: {status: 4xx}}}\n";
    let library = library(&[("area/topic.yaml", &case("", steps))]);
    let Action::Raw(raw) = &library.instances[0].steps[0].action else { panic!() };
    assert_eq!(raw.body.as_deref(), Some("{\"a\": {\"b\": [1]}}"));
    assert_eq!(raw.path, "/v2/{repo}/manifests/x");
}
