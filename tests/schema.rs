//! `schemas/case.schema.json`: current, and of one mind with the loader. `UPDATE_SCHEMAS=1` writes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use serde_json::Value;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/case.schema.json");

fn yaml(path: &Path) -> Option<Value> {
    serde_saphyr::from_slice(&std::fs::read(path).unwrap()).ok()
}

fn cases(root: &str, depth: usize) -> Vec<PathBuf> {
    let all = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(root)).unwrap();
    let mut out = Vec::new();
    for path in all.map(|entry| entry.unwrap().path()) {
        if depth > 0 && path.is_dir() {
            out.extend(cases(path.to_str().unwrap(), depth - 1));
        } else if depth == 0 && path.extension().is_some_and(|extension| extension == "yaml") {
            out.push(path);
        }
    }
    out
}

#[test]
fn the_schema_is_current() {
    let current = serde_json::to_string_pretty(&lacuna::suite::schema::case_file()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(SCHEMA, &current).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA).expect("UPDATE_SCHEMAS=1 writes it");
    assert!(kept == current, "schemas/case.schema.json is not what the types say: UPDATE_SCHEMAS=1 writes it anew");
}

#[test]
fn every_shipped_case_file_satisfies_the_schema() {
    let validator = jsonschema::validator_for(&lacuna::suite::schema::case_file()).unwrap();
    let files = cases("suites", 1);
    assert!(files.len() > 20, "{files:?}");
    for path in files {
        let value = yaml(&path).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}:\n{}", path.display(), errors.join("\n"));
    }
}

/// Keys, words and types are for the schema to see; names are not. It may never be stricter than the loader.
#[test]
fn the_schema_refuses_what_an_editor_can_see() {
    let validator = jsonschema::validator_for(&lacuna::suite::schema::case_file()).unwrap();
    let must = [
        "unknown-key-in-file",
        "unknown-key-in-case",
        "unknown-key-in-step",
        "unknown-key-in-assertion",
        "unknown-step",
        "two-actions",
        "expect-beside-action",
        "step-is-text",
        "action-without-keys",
        "word-unknown",
        "text-where-list",
        "missing-key",
        "no-title",
        "no-cases",
        "no-name",
        "no-steps",
        "cases-empty",
        "steps-empty",
        "caught-by-empty",
        "capability-unknown",
        "capability-presence",
        "stance-unknown",
        "status-999",
        "each-value-not-a-list",
        "name-not-a-slug",
        "nothing-where-text",
    ];
    for name in must {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/bad/cases/{name}.yaml"));
        let value = yaml(&path).unwrap_or_else(|| panic!("{name} is not YAML"));
        assert!(!validator.is_valid(&value), "{name} satisfies the schema");
    }
}

/// A template may stand for any value within a step, since it takes its parameter's type.
#[test]
fn templates_stand_for_values_of_every_type() {
    let validator = jsonschema::validator_for(&lacuna::suite::schema::case_file()).unwrap();
    let value: Value = serde_saphyr::from_str(
        r#"
title: A topic
fixture: pair
cases:
  - name: one
    each: {status: [200], by: [tag], images: [[image]], stance: [accept], n: [1]}
    needs: {stance: "{stance}", "media.{format}": supported}
    steps:
      - push: {images: "{images}"}
      - "{verb}": {manifest: index}
      - tags: {n: "{n}", follow: "{follow}", accept: "{accept}", expect: {tags.listed: {status: "{status}", tags: {count: "{n}"}}}}
    caught-by: [put-answers-200]
"#,
    )
    .unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
