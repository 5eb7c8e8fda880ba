//! `lacuna diff` through the binary: runs that differ in one thing, and files that are no results.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use std::path::Path;
use std::process::{Command, Output};

use lacuna::record::{RunRecord, store};
use lacuna::report::diff;
use lacuna::verdict::Verdict;
use serde_json::Value;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/diff.schema.json");

fn lacuna(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lacuna")).env_remove("NO_COLOR").args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// `lacuna serve` as a process of its own, ended with this value.
struct Served {
    process: std::process::Child,
    url: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        use std::io::{BufRead as _, BufReader};
        let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).stdout(std::process::Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("it listens").to_owned();
        Served { process, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Best effort: it may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The report folder of a run against the reference registry, served this way.
fn run(folder: &Path, name: &str, serve: &[&str], filters: &[&str]) -> String {
    let served = Served::start(serve);
    let out = folder.join(name).display().to_string();
    let arguments = ["run", &served.url, "--seed", "1", "--no-progress", "--out", &out];
    lacuna(&[arguments.as_slice(), filters].concat());
    assert!(store::read(Path::new(&out)).unwrap().complete);
    out
}

fn save(record: &RunRecord, folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    store::write(&path, &store::to_json(record).unwrap()).unwrap();
    path.display().to_string()
}

#[test]
fn the_shipped_schema_is_current() {
    let current = serde_json::to_string_pretty(&diff::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(SCHEMA, &current).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA).expect("UPDATE_SCHEMAS=1 writes it");
    assert_eq!(kept, current, "run `UPDATE_SCHEMAS=1 cargo test --test diff`");
}

#[test]
fn another_stance_is_no_regression_and_disrupts_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let filters = ["sparse/push", "sparse/refuse", "missing/child", "tags/fresh", "blob/read"];
    let off = run(dir.path(), "off", &["--stance", "refuse"], &filters);
    let on = run(dir.path(), "on", &["--stance", "accept"], &filters);
    let plain = lacuna(&["diff", &off, &on]);
    assert_eq!(code(&plain), 0, "{}", stderr(&plain));
    let text = stdout(&plain);
    for said in ["oci: was refuse; now accept", "docker: was refuse; now accept", "nothing is worse", "sparse/push"] {
        assert!(text.contains(said), "no {said} in\n{text}");
    }
    assert!(!text.contains("REGRESSION") && !text.contains('\x1b'), "{text}");

    let promised = lacuna(&["diff", &off, &on, "--only-in", "sparse/**", "--only-in", "late/**"]);
    assert_eq!(code(&promised), 0, "{}", stdout(&promised));
    assert!(stdout(&promised).contains("nothing else changed"), "{}", stdout(&promised));

    let json = lacuna(&["diff", &off, &on, "--json", "--only-in", "sparse"]);
    assert_eq!(code(&json), 0);
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    let schema: Value = serde_json::from_slice(&std::fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!((&value["worse"], &value["only-in"]["outside"]), (&false.into(), &0.into()));
    assert!(value["only-in"]["excused"].as_u64().unwrap() > 10, "{value}");
    assert!(value["cases"].as_array().unwrap().iter().all(|case| case["place"] != "outside"));
}

#[test]
fn a_defect_is_a_regression_and_its_end_a_fix() {
    let dir = tempfile::tempdir().unwrap();
    let good = run(dir.path(), "good", &[], &["missing/child"]);
    let bad = run(dir.path(), "bad", &["--defect", "missing-child-head-200"], &["missing/child"]);
    let worse = lacuna(&["diff", &good, &bad, "--color", "always"]);
    assert_eq!(code(&worse), 1, "{}", stdout(&worse));
    let plain = stdout(&lacuna(&["diff", &good, &bad]));
    for said in ["REGRESSION  missing/child", "manifest.head.absent (must, ", "now status 200", "verdict  worse"] {
        assert!(plain.contains(said), "no {said} in\n{plain}");
    }
    assert!(stdout(&worse).contains("\x1b[1;31mREGRESSION"), "colour is always");

    let better = lacuna(&["diff", &bad, &good]);
    assert_eq!(code(&better), 0);
    assert!(stdout(&better).contains("fixed  missing/child"), "{}", stdout(&better));
    let elsewhere = lacuna(&["diff", &bad, &good, "--only-in", "sparse/**"]);
    assert_eq!(code(&elsewhere), 1, "what got better elsewhere changed all the same");
    assert!(stdout(&elsewhere).contains("OUTSIDE"), "{}", stdout(&elsewhere));
    let same = lacuna(&["diff", &bad, &bad]);
    assert!(code(&same) == 0 && stdout(&same).contains("of one run"), "{}", stdout(&same));
}

#[test]
fn a_capability_that_goes_with_the_switch_is_a_disruption() {
    let dir = tempfile::tempdir().unwrap();
    let off = run(dir.path(), "off", &["--stance", "refuse"], &["sparse/push", "blob/read"]);
    let on = run(dir.path(), "on", &["--variation", "tags-not-deleted"], &["sparse/push", "blob/read"]);
    let plain = lacuna(&["diff", &off, &on]);
    assert_eq!(code(&plain), 0, "absent is lawful: {}", stdout(&plain));
    assert!(stdout(&plain).contains("delete.tag: was supported; now absent"), "{}", stdout(&plain));
    let promised = lacuna(&["diff", &off, &on, "--only-in", "sparse/**"]);
    assert_eq!(code(&promised), 1, "{}", stdout(&promised));
    let named = lacuna(&["diff", &off, &on, "--only-in", "sparse/**", "--only-in", "stance/claims/delete.tag"]);
    assert_eq!(code(&named), 0, "{}", stdout(&named));
}

#[test]
fn what_cannot_be_read_is_exit_2_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let good = save(&sample::mixed(), dir.path(), "good.json");
    let whole = std::fs::read_to_string(&good).unwrap();
    let spoil = |name: &str, text: &str| {
        let path = dir.path().join(name).display().to_string();
        std::fs::write(&path, text).unwrap();
        path
    };
    let folder = dir.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    for (path, said) in [
        (spoil("torn.json", &whole[..whole.len() / 2]), "torn.json:"),
        (spoil("empty.json", ""), "empty.json:1:0: not a results.json of lacuna"),
        (spoil("list.json", "[]"), "list.json:1:2: not a results.json of lacuna: invalid length 0, expected a map"),
        (spoil("deep.json", &format!("{{\"x\": {}", "[".repeat(100_000))), "deep.json:1:1000"),
        (spoil("text.json", "hello\u{1b}[31m"), "text.json:1:1: "),
        (spoil("verdict.json", &whole.replacen("\"pass\"", "\"green\"", 1)), "unknown variant"),
        (spoil("newer.json", r#"{"schema": 2, "runs": []}"#), "format 2; this version of lacuna reads format 1"),
        (spoil("newer-like.json", &whole.replacen("\"schema\": 1", "\"schema\": 7", 1)), "format 7"),
        (folder.display().to_string(), "results.json"),
        (dir.path().join("none").display().to_string(), "none"),
    ] {
        for pair in [[path.as_str(), &good], [&good, path.as_str()]] {
            let output = lacuna(&["diff", pair[0], pair[1]]);
            assert_eq!(code(&output), 2, "{path}");
            let text = stderr(&output);
            assert!(text.contains(said) && output.stdout.is_empty(), "{path}: {text}");
            assert!(!text.contains('\x1b') && text.lines().count() == 1, "{path}: {text}");
        }
    }
    for arguments in [&["diff", &good][..], &["diff", &good, &good, "--only-in", "a//b"], &["diff"]] {
        assert_eq!(code(&lacuna(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn an_unfinished_run_is_said_aloud_and_hostile_text_is_only_text() {
    let dir = tempfile::tempdir().unwrap();
    let good = save(&sample::mixed(), dir.path(), "good.json");
    let mut unfinished = sample::mixed();
    unfinished.complete = false;
    unfinished.started = "2026-11-25T05:00:00Z".into();
    let unfinished = save(&unfinished, dir.path(), "unfinished.json");
    let output = lacuna(&["diff", &good, &unfinished]);
    assert!(code(&output) == 0 && stdout(&output).contains("NEW is incomplete"), "{}", stdout(&output));

    let hostile = save(&sample::hostile(), dir.path(), "hostile.json");
    let output = lacuna(&["diff", &good, &hostile]);
    let bad = stdout(&output).chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
    assert_eq!(bad, None, "in {}", stdout(&output));
    serde_json::from_slice::<Value>(&lacuna(&["diff", &good, &hostile, "--json"]).stdout).unwrap();
}

#[test]
fn new_and_vanished_cases_are_said_and_fail_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let few = sample::record(vec![sample::case("pull/bytes/oci", Verdict::Pass)]);
    let many = sample::record(vec![
        sample::case("pull/bytes/oci", Verdict::Pass),
        sample::case("pull/bytes/docker", Verdict::Pass),
        sample::case("tags/list/odd", Verdict::Fail),
    ]);
    let (few, many) = (save(&few, dir.path(), "few.json"), save(&many, dir.path(), "many.json"));
    let output = lacuna(&["diff", &few, &many]);
    assert!(code(&output) == 0 && stdout(&output).contains("new  tags/list  fail  1 case"), "{}", stdout(&output));
    let output = lacuna(&["diff", &many, &few]);
    assert!(code(&output) == 0 && stdout(&output).contains("vanished  pull/bytes"), "{}", stdout(&output));
}
