//! Barriers through the binary: what happens to a launched registry, what outlasts it, and who is blamed when it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lacuna::record::{RunRecord, store};
use lacuna::verdict::Verdict;

const LACUNA: &str = env!("CARGO_BIN_EXE_lacuna");

/// Twelve cases that push a tag each, meet at one barrier, and read all of it again.
fn topic(barrier: &str) -> String {
    format!(
        r#"
title: What was pushed before a {barrier} is there after it
fixture: pair
cases:
  - name: one
    each: {{tag: [a, b, c, d, e, f, g, h, i, j, k, l]}}
    steps:
      - push: {{graphs: [index]}}
      - put: {{manifest: index, tag: "{{tag}}", expect: {{manifest.put.created: {{status: 201}}}}}}
      - barrier: {barrier}
      - pull: {{graphs: [index]}}
    caught-by: [index-trimmed]
"#
    )
}

/// Of those twelve, and four more.
fn more(barrier: &str) -> String {
    topic(barrier).replace("k, l]", "k, l, m, o, p, q]")
}

/// A run of a folder's suites against the profile that launches the reference registry on a folder.
fn run(barriers: &[&str], actions: &str) -> (i32, String, RunRecord, tempfile::TempDir) {
    run_of(topic, barriers, actions)
}

fn run_of(topic: fn(&str) -> String, barriers: &[&str], actions: &str) -> (i32, String, RunRecord, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let area = folder.path().join("suites/turn");
    std::fs::create_dir_all(&area).unwrap();
    for barrier in barriers {
        std::fs::write(area.join(format!("{barrier}.yaml")), topic(barrier)).unwrap();
    }
    for name in ["requirements.yaml", "expectations.yaml"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites").join(name);
        std::fs::copy(shipped, folder.path().join("suites").join(name)).unwrap();
    }
    let here = folder.path().display();
    let profile = format!(
        "url: http://127.0.0.1:{{port}}\nlaunch: {{command: [{LACUNA}, serve, --dir, '{{dir}}/data', --listen, '127.0.0.1:{{port}}']}}\n{}",
        actions.replace("HERE", &here.to_string()).replace("LACUNA", LACUNA)
    );
    std::fs::write(folder.path().join("p.yaml"), profile).unwrap();
    let arguments = ["run", "p.yaml", "--suites", "suites", "--out", "out", "--no-progress", "--seed", "1"];
    let output = Command::new(LACUNA).current_dir(folder.path()).args(arguments).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let record = store::read(&folder.path().join("out")).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (output.status.code().unwrap(), text, record, folder)
}

fn verdicts(record: &RunRecord) -> BTreeMap<Verdict, usize> {
    let mut all = BTreeMap::new();
    record.cases.iter().for_each(|case| *all.entry(case.verdict).or_default() += 1);
    all
}

/// A collector that fails where `condition` holds of the folder; `tag X` finds a case's tag in it.
fn collector(condition: &str) -> String {
    format!(
        "actions:\n  gc:\n    while: stopped\n    command:\n      - sh\n      - -c\n      - |\n        tag() {{ find data -path \"*one-$1*\" | grep -q . || find data -name \"$1\" | grep -q .; }}\n        \
         echo collecting\n        if {condition}; then echo 'cannot go on'; exit 7; fi\n"
    )
}

#[test]
fn what_was_pushed_outlasts_every_kind_of_action() {
    let actions = "actions:
  gc: {command: [sh, -c, 'test -d data && echo \"$0\" && echo swept', '{url}'], while: stopped}
  restart: {relaunch: {}}
  kill: {relaunch: {}}
  upgrade: {relaunch: {command: [LACUNA, serve, --stance, refuse, --dir, '{dir}/data', --listen, '127.0.0.1:{port}']}}
";
    let (code, text, record, _folder) = run(&["gc", "restart", "kill", "upgrade"], actions);
    assert_eq!(code, 0, "{text}");
    let names: Vec<&str> = record.rounds.iter().map(|round| round.barrier.as_str()).collect();
    assert_eq!(names, ["gc", "restart", "kill", "upgrade"]);
    for round in &record.rounds {
        assert!(round.cases == 12 && round.failed.is_none() && round.seconds > 0.0, "{round:?}");
    }
    assert_eq!(record.rounds[0].exit, Some(0));
    assert!(record.rounds[0].output.ends_with("\nswept"), "{}", record.rounds[0].output);
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Pass, 48)]));
    assert!(text.contains("barriers gc: 12 cases, "), "{text}");
}

#[test]
fn a_collection_is_asked_for_by_http() {
    let (code, text, record, _folder) = run(&["gc"], "actions: {gc: {http: {path: /_lacuna/gc}}}\n");
    assert_eq!(code, 0, "{text}");
    assert!(record.rounds[0].output.starts_with("POST /_lacuna/gc -> 200"), "{:?}", record.rounds);
}

#[test]
fn the_one_case_that_stops_the_collector_is_blamed_and_the_others_pass() {
    let (code, text, record, _folder) = run(&["gc"], &collector("tag g"));
    assert_eq!(code, 1, "{text}");
    assert_eq!(record.rounds[0].blamed, ["turn/gc/one/g"], "{:?}", record.rounds[0]);
    assert!(!record.rounds[0].tried.is_empty() && record.rounds[0].tried.len() < 20, "{:?}", record.rounds[0].tried);
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Pass, 11), (Verdict::Fail, 1)]));
    let case = record.cases.iter().find(|case| case.verdict == Verdict::Fail).unwrap();
    assert_eq!((case.mismatches[0].requirement.as_str(), case.mismatches[0].got.as_str()), ("gc.finishes", "exit 7"));
    assert!(text.contains("cannot go on") && text.contains("blamed: turn/gc/one/g"), "{text}");
}

#[test]
fn two_that_stop_it_only_together_are_blamed_together() {
    let (code, text, record, _folder) = run(&["gc"], &collector("tag b && tag k"));
    assert_eq!(code, 1, "{text}");
    assert_eq!(record.rounds[0].blamed, ["turn/gc/one/b", "turn/gc/one/k"], "{:?}", record.rounds[0]);
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Pass, 10), (Verdict::Fail, 2)]));
    assert!(text.contains("only together"), "{text}");
}

#[test]
fn so_many_culprits_are_looked_for_and_of_the_others_nobody_knows() {
    let (code, text, record, _folder) = run_of(more, &["gc"], &collector("find data -path '*one-*' | grep -q ."));
    assert_eq!(code, 1, "{text}");
    let round = &record.rounds[0];
    assert_eq!((round.blamed.len(), round.smallest.as_ref().map(Vec::len)), (12, Some(1)), "{round:?}");
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Fail, 12), (Verdict::Error, 4)]), "{text}");
    assert!(text.contains("the smallest: turn/gc/one/"), "{text}");
    let of = |case: &&lacuna::record::CaseRecord| case.verdict == Verdict::Error;
    let reason = record.cases.iter().find(of).unwrap().reason.clone().unwrap();
    for said in ["on a fresh one with ", "was not found out (12 others were found before; tried ", "turn/gc/one/"] {
        assert!(reason.contains(said), "{said}: {reason}");
    }
    assert!(round.tried.iter().any(|line| line.contains("of which some make it fail, undivided")), "{round:?}");
}

#[test]
fn a_collector_that_fails_now_and_then_is_nobodys_fault() {
    // It fails in the run, with all of them on a fresh registry, and with the first half; never with so few again.
    let condition = "echo x >> HERE/runs; case $(wc -l < HERE/runs) in 1|3|4) true;; *) false;; esac";
    let (code, text, record, _folder) = run(&["gc"], &collector(condition));
    assert_eq!(code, 1, "{text}");
    assert!(record.rounds[0].blamed.is_empty(), "{:?}", record.rounds[0]);
    assert_eq!(verdicts(&record).get(&Verdict::Fail), None, "{text}");
    assert!(verdicts(&record).contains_key(&Verdict::Error), "{text}");
}

#[test]
fn a_collector_that_fails_once_blames_nobody() {
    let (code, text, record, _folder) = run(&["gc"], &collector("mkdir HERE/once 2> /dev/null"));
    assert_eq!(code, 1, "{text}");
    assert!(record.rounds[0].blamed.is_empty() && !record.rounds[0].tried.is_empty(), "{:?}", record.rounds[0]);
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Error, 12)]));
    assert!(text.contains("nobody is blamed"), "{text}");
}

#[test]
fn a_collector_that_fails_where_nothing_was_pushed_blames_nobody() {
    let actions = format!("{}  restart: {{relaunch: {{}}}}\n", collector("true"));
    let (code, text, record, _folder) = run(&["gc", "restart"], &actions);
    assert_eq!(code, 1, "{text}");
    let round = &record.rounds[0];
    assert!(round.blamed.is_empty() && round.tried[0] == "0 cases: exit 7", "{round:?}");
    assert_eq!(verdicts(&record), BTreeMap::from([(Verdict::Pass, 12), (Verdict::Error, 12)]));
    assert!(text.contains("on a fresh one with one ordinary image in it"), "{text}");
}

#[test]
fn what_an_upgrade_changes_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "upgrade/keep/complete", "upgrade/back/pushed-since", "--out", "out", "--no-progress"];
    let output = Command::new(LACUNA).current_dir(folder.path()).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let record = store::read(&folder.path().join("out")).unwrap();
    let rounds: Vec<_> = record.rounds.iter().map(|round| (round.barrier.as_str(), round.changes.as_deref())).collect();
    let [("upgrade", Some(changes)), ("upgrade", None), ("downgrade", Some([]))] = rounds.as_slice() else {
        panic!("{rounds:?}");
    };
    let said = |what: &str| changes.iter().find(|change| change.text.starts_with(what));
    let refuses = said("stance for oci: was accept; now refuse").unwrap();
    assert!(
        refuses.worse && refuses.was.contains("201") && refuses.now.contains("400 MANIFEST_BLOB_UNKNOWN"),
        "{refuses:?}"
    );
    assert!(said("stance for docker: was accept; now refuse").is_some(), "{changes:?}");
    assert!(text.contains("change  after upgrade: stance for oci: was accept; now refuse"), "{text}");
    assert!(text.contains("on purpose: the embedded registry is upgraded"), "{text}");
    assert!(text.contains("barriers upgrade: ") && text.contains(" in 2 rounds, "), "{text}");
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("now refuse") && page.contains("are as they were before"));
}

#[test]
fn what_two_servers_are_asked_begins_with_nothing_in_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let serve = format!("{LACUNA} serve --listen 127.0.0.1:{{port}}");
    let starts = folder.path().join("starts");
    let profile = format!(
        "url: http://127.0.0.1:{{port}}\nlaunch: {{command: [sh, -c, 'echo x >> {}; exec {serve}']}}\n\
         beside: {{url: 'http://127.0.0.1:{{port}}', launch: {{command: [sh, -c, 'exec {serve}']}}}}\n",
        starts.display()
    );
    std::fs::write(folder.path().join("p.yaml"), profile).unwrap();
    let arguments = ["run", "p.yaml", "skew/push/**", "--out", "out", "--no-progress"];
    let output = Command::new(LACUNA).current_dir(folder.path()).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The two have no storage in common here, which the cases tell; the probe had a registry of its own.
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(std::fs::read_to_string(starts).unwrap().lines().count(), 2, "{text}");
}
