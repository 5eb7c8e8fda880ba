//! What a run leaves, and how it goes: on a signal, when it is killed, where it was told to keep it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kit::{Run, Served};

const CASE: &str = "missing/child/gap/docker/tag/amd64";

/// A run that has sent something, and has not ended.
fn begun(folder: &Path, url: &str) -> Child {
    let mut command = Run::command(folder, &[url]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = folder.join("out/journal.jsonl");
    let begun = Instant::now();
    while std::fs::metadata(&journal).map_or(0, |m| m.len()) < 100_000 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is sent");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn clean(target: &str, journal: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lacuna")).args(["clean", target]).arg(journal).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_signal_ends_it_with_whole_reports_and_nothing_left() {
    let served = Served::start(&[]);
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        if signal == "HUP" && ignores_hangups() {
            eprintln!("SKIPPED: SIGHUP is ignored here (nohup), and what is ignored stays so");
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let child = begun(folder.path(), &served.url);
        let id = child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let begun = Instant::now();
        let run = Run { folder, output: child.wait_with_output().unwrap() };
        assert_eq!(run.code(), code, "{}", run.text());
        assert!(begun.elapsed() < Duration::from_secs(15));
        let record = run.record();
        assert!(!record.complete && record.cases.len() > 500);
        assert!(record.clean_up.left.is_empty(), "{:?}", record.clean_up.left);
        for file in ["junit.xml", "report.html"] {
            assert!(run.out().join(file).is_file(), "no {file}");
        }
    }
}

#[test]
fn what_a_killed_run_left_is_known_after_the_next_one() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut child = begun(folder.path(), &served.url);
    child.kill().unwrap();
    child.wait().unwrap();
    let run = Run::within(folder, &[&served.url, CASE]);
    assert_eq!(run.code(), 0, "{}", run.text());
    let journals = std::fs::read_dir(run.out()).unwrap().map(|entry| entry.unwrap().path());
    let aside: Vec<_> = journals.filter(|path| path.to_string_lossy().contains("journal-")).collect();
    let [aside] = aside.as_slice() else { panic!("{aside:?}") };
    let name = aside.file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        run.text().contains("an earlier run did not come to its end") && run.text().contains(&name),
        "{}",
        run.text()
    );
    let (code, text) = clean(&served.url, aside);
    assert!(code == 0 && !text.starts_with("0 of"), "{text}");
    assert!(lacuna::engine::journal::read(aside).unwrap().things.is_empty());
    // One that ended leaves nothing to be kept.
    let again = Run::within(run.folder, &[&served.url, CASE]);
    assert!(!again.text().contains("an earlier run"), "{}", again.text());
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut first = begun(folder.path(), &served.url);
    let output = Run::command(folder.path(), &[&served.url, CASE]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(5) && text.contains("has not ended"), "{text}");
    let (code, text) = clean(&served.url, &folder.path().join("out/journal.jsonl"));
    assert!(code == 2 && text.contains("has not ended"), "{text}");
    first.kill().unwrap();
    first.wait().unwrap();
}

/// Whether this process, and so every one that it starts, ignores SIGHUP.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[test]
fn what_was_refused_when_it_was_created_is_not_left() {
    let served = Served::start(&[]);
    // Malformed references among it, which a registry refuses to create and to delete.
    let run = Run::of(&[&served.url, "missing/reference/**", "tags/**", "--keep"]);
    let journal = run.out().join("journal.jsonl");
    for removed in ["", "0 of 0 removed"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
        let output = command.args(["clean", &served.url]).arg(&journal).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(0) && text.contains(removed), "{text}");
    }
}

#[test]
fn what_a_run_kept_is_removed_by_its_journal() {
    let (served, other) = (Served::start(&[]), Served::start(&[]));
    let run = Run::of(&[&served.url, CASE, "--keep"]);
    let journal = run.out().join("journal.jsonl");
    let clean = |target: &str, journal: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
        let output = command.args(["clean", target]).arg(journal).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = clean(&other.url, &journal);
    assert!(code == 2 && text.contains(&served.url), "{text}");
    assert_eq!(clean("reference", &journal).0, 2);
    assert_eq!(clean(&served.url, Path::new("no-such-journal")).0, 2);
    let whole = std::fs::read_to_string(&journal).unwrap();
    for (line, said) in [
        (r#"{"op":"created","kind":"tag","repository":"library/precious","ref":"v1"}"#, "is no repository of run"),
        (r#"{"op":"crea"#, "not a line of a journal"),
    ] {
        let spoilt = run.folder.path().join("spoilt.jsonl");
        let (header, rest) = whole.split_once('\n').unwrap();
        std::fs::write(&spoilt, format!("{header}\n{line}\n{rest}")).unwrap();
        let (code, text) = clean(&served.url, &spoilt);
        assert!(code == 2 && text.contains("spoilt.jsonl:2: ") && text.contains(said), "{text}");
    }
    assert_eq!(clean(&served.url, &journal).0, 0);
    let left = lacuna::engine::journal::read(&journal).unwrap().things;
    assert!(left.is_empty(), "{left:?}");
}
