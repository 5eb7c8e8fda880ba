//! `lacuna run` against registries as they are: what it writes, and what a gate reads from its exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kit::{Run, Served};
use lacuna::record::store;
use lacuna::verdict::Verdict;

#[test]
fn the_embedded_registry_passes_and_the_reports_are_whole() {
    let run = Run::of(&["missing/**", "--seed", "c0ffee"]);
    assert_eq!(run.code(), 0, "{}", run.text());
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.out().join("results.json")).unwrap()).unwrap();
    let schema = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/results.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let faults: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(json.as_object().unwrap().keys().next_back().unwrap(), "complete");
    let record = run.record();
    assert!(record.complete && record.count(Verdict::Pass) > 20);
    assert_eq!(record.seed, "0000000000c0ffee");
    for file in ["junit.xml", "report.html", "journal.jsonl"] {
        assert!(run.out().join(file).is_file(), "no {file}");
    }
    assert!(!run.text().contains("FAIL"), "quiet on success");
    let again = Run::of(&["missing/**", "--seed", "c0ffee", "--jobs", "2"]);
    assert_eq!(run.verdicts(), again.verdicts(), "the order is the plan's, whatever ended first");
}

#[test]
fn a_filter_of_every_form_selects_and_one_that_selects_nothing_is_exit_4() {
    let id = "missing/child/gap/oci/tag/amd64";
    let one = Run::of(&[id]);
    assert_eq!(one.code(), 0, "{}", one.text());
    assert_eq!(one.verdicts(), [(id.to_owned(), Verdict::Pass)]);
    let none = Run::of(&["missing/chidl"]);
    assert_eq!(none.code(), 4);
    assert!(none.text().contains("did you mean `missing/child`"), "{}", none.text());
    let skipped = Run::of(&["sparse/refuse/error-is-json"]);
    assert_eq!(skipped.code(), 4, "{}", skipped.text());
    assert!(skipped.record().cases.iter().all(|case| case.verdict == Verdict::Skip && case.reason.is_some()));
}

#[test]
fn usage_and_refused_files_are_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("suites/area")).unwrap();
    std::fs::write(folder.path().join("suites/area/topic.yaml"), "title: x\ncasse: []\n").unwrap();
    let refused = Run::within(folder, &["--suites", "suites"]);
    assert_eq!(refused.code(), 2);
    assert!(refused.text().contains("topic.yaml:2:1"), "{}", refused.text());
    for (arguments, said) in [
        (&["refrence"][..], "reference"),
        (&["--seed", "xyz"], "hex digits"),
        (&["--shard", "3/2"], "K/N"),
        (&["--level", "mustn't"], "must, should and may"),
        (&["--jobs", "0"], "1..=1024"),
        (&["--known", "no-such-file.yaml"], "no-such-file.yaml"),
        (&["a b/c"], "is in no id"),
        (&["--fail-fats"], "--fail-fast"),
    ] {
        let run = Run::of(arguments);
        assert_eq!(run.code(), 2, "{arguments:?}: {}", run.text());
        assert!(run.text().contains(said), "{arguments:?}: {}", run.text());
    }
}

#[test]
fn a_target_that_is_not_there_is_exit_3_within_seconds() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let begun = Instant::now();
    let run = Run::of(&[&format!("http://{free}")]);
    assert_eq!(run.code(), 3, "{}", run.text());
    assert!(run.text().contains(&free.to_string()), "it says what was tried: {}", run.text());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// Answers `/v2/`, and everything else with `bytes`; none: it hangs up.
fn mute(bytes: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 65536];
            let came = stream.read(&mut head).unwrap_or(0);
            let root = head[..came].starts_with(b"GET /v2/ ");
            let said = if root { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" } else { bytes };
            let _ = stream.write_all(said.as_bytes());
        }
    });
    url
}

#[test]
fn a_target_that_answers_no_case_is_exit_3_in_bounded_time() {
    let busy = "HTTP/1.1 503 X\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let begun = Instant::now();
    for answer in [busy, ""] {
        let run = Run::of(&[&mute(answer), "missing/**"]);
        assert_eq!(run.code(), 3, "{}", run.text());
        assert!(run.text().contains("no answer to any question of the probe"), "{}", run.text());
        assert!(!run.folder.path().join("out/results.json").exists(), "nothing was judged");
    }
    let run = Run::of(&[&mute("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), CASE]);
    assert_eq!((run.code(), run.record().count(Verdict::Error)), (1, 0), "a wrong answer is one: {}", run.text());
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_run_that_fails_leaves_no_report_of_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (arguments, code) in [(&[format!("http://{free}")][..], 3), (&["refrence".into()], 2), (&["no/case".into()], 4)]
    {
        for name in ["results.json", "junit.xml", "report.html"] {
            std::fs::create_dir_all(folder.path().join("out")).unwrap();
            std::fs::write(folder.path().join("out").join(name), "green").unwrap();
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = Run::command(folder.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 0, "{arguments:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_exit_5_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("out"), "a file").unwrap();
    let run = Run::within(folder, &["missing/**"]);
    assert_eq!(run.code(), 5, "{}", run.text());
    assert!(run.text().contains("nothing was sent"), "{}", run.text());
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_results_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("out/results.json")).unwrap();
    let run = Run::within(folder, &["missing/child/gap/oci/tag/amd64"]);
    assert_eq!(run.code(), 5, "{}", run.text());
    let text = run.text();
    let saved = text.lines().find_map(|line| line.strip_prefix("lacuna run: the results are in ")).expect("a place");
    assert!(store::read(Path::new(saved)).unwrap().complete);
    std::fs::remove_file(saved).unwrap();
}

/// The status that each failure printed, and the line that repeats it.
fn printed(text: &str) -> Vec<(u16, String)> {
    let mut lines = Vec::new();
    let mut status = None;
    for line in text.lines().map(str::trim) {
        if let Some(came) = line.strip_prefix("< ") {
            status = came.get(..3).and_then(|s| s.parse().ok());
        } else if let (true, Some(status)) = (line.starts_with("curl "), status) {
            lines.push((status, line.to_owned()));
        }
    }
    lines
}

#[test]
fn printed_lines_see_the_same_status_again() {
    let served = Served::start(&[
        "missing-child-head-200",
        "unknown-repository-500",
        "malformed-digest-500",
        "malformed-blob-digest-500",
        "tags-n-text-500",
        "odd-tag-500",
        "foreign-algorithm-500",
        "put-answers-200",
        "put-garbage-500",
        "missing-blob-remembered-empty",
        "blob-digest-header-absent",
        "range-past-end-500",
    ]);
    let run = Run::of(&[&served.url, "missing/**", "tags/paging", "pull/**", "--keep"]);
    assert_eq!(run.code(), 1, "{}", run.text());
    let lines = printed(&run.text());
    let replayed: Vec<_> = lines.iter().filter(|(_, line)| !line.contains(" # ")).collect();
    assert!(replayed.len() >= 10, "{} lines in\n{}", replayed.len(), run.text());
    let methods: BTreeSet<bool> =
        replayed.iter().map(|(_, line)| line.contains("--data-binary @out/exchanges/")).collect();
    assert_eq!(methods.len(), 2, "some with a body, some without");
    for (status, line) in replayed {
        let output = Command::new("sh").args(["-c", line]).current_dir(run.folder.path()).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let again: Option<u16> = answer.split_whitespace().nth(1).and_then(|s| s.parse().ok());
        assert_eq!(again, Some(*status), "{line}\n{answer}{}", String::from_utf8_lossy(&output.stderr));
    }
}

const CASE: &str = "missing/child/gap/docker/tag/amd64";

fn known(folder: &Path, cases: &str, got: &str) {
    let list = format!(
        "- {{cases: {cases}, requirement: manifest.head.absent, got: {got}, reason: it is so, source: here}}\n"
    );
    std::fs::write(folder.join("known.yaml"), list).unwrap();
}

#[test]
fn known_failures_excuse_exactly_themselves() {
    let served = Served::start(&["missing-child-head-200"]);
    for (cases, got, code, verdict) in [
        (CASE, "status 200", 0, Some(Verdict::Known)),
        (CASE, "status 500", 1, Some(Verdict::Fail)),
        ("missing/child/gap/*", "status 200", 0, Some(Verdict::Known)),
        ("missing/child/gape/*", "status 200", 2, None),
        ("missing/*/gap", "status 200", 2, None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        known(folder.path(), cases, got);
        let run = Run::within(folder, &[&served.url, CASE, "--known", "known.yaml"]);
        assert_eq!(run.code(), code, "{cases}, {got}: {}", run.text());
        if let Some(verdict) = verdict {
            assert_eq!(run.verdicts(), [(CASE.to_owned(), verdict)]);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    known(folder.path(), CASE, "status 200");
    let fixed = Run::within(folder, &[CASE, "--known", "known.yaml"]);
    assert_eq!((fixed.code(), fixed.record().count(Verdict::Fixed)), (1, 1), "{}", fixed.text());
}

#[test]
fn shards_together_are_the_run() {
    let whole = Run::of(&["missing/**"]);
    let parts = [Run::of(&["missing/**", "--shard", "1/2"]), Run::of(&["missing/**", "--shard", "2/2"])];
    let out = whole.folder.path().join("joined");
    let mut report = Command::new(env!("CARGO_BIN_EXE_lacuna"));
    report.arg("report").args(parts.iter().map(Run::out)).arg("--out").arg(&out);
    assert!(report.output().unwrap().status.success());
    let joined = store::read(&out).unwrap();
    let verdicts: Vec<_> = joined.cases.into_iter().map(|case| (case.id, case.verdict)).collect();
    assert_eq!(verdicts, whole.verdicts());
}

#[test]
fn repeated_cases_are_asked_as_often() {
    let run = Run::of(&[CASE, "--repeat", "3"]);
    assert_eq!(run.code(), 0, "{}", run.text());
    assert_eq!(run.record().cases[0].attempts, 3);
}

#[test]
fn fail_fast_stops_and_says_that_it_is_not_all() {
    let served = Served::start(&["missing-child-head-200"]);
    let run = Run::of(&[&served.url, "missing/child", "--fail-fast", "--jobs", "1"]);
    assert_eq!(run.code(), 1);
    let record = run.record();
    assert!(!record.complete && record.count(Verdict::Error) > 0 && record.count(Verdict::Fail) == 1, "{}", run.text());
}
