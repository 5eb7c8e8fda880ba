//! Ends that nobody planned, through the binary: nothing that was launched outlives a run, and what is not there is told.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const LACUNA: &str = env!("CARGO_BIN_EXE_lacuna");

fn write(folder: &Path, profile: &str) {
    std::fs::write(folder.join("p.yaml"), profile.replace("HERE", &folder.display().to_string())).unwrap();
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn wait_for(what: impl Fn() -> bool) {
    let since = Instant::now();
    while !what() {
        assert!(since.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_signals_at_once_are_one_and_nothing_that_was_launched_stays() {
    let folder = tempfile::tempdir().unwrap();
    let serve = format!("echo $$ > HERE/pid; exec {LACUNA} serve --listen 127.0.0.1:$0");
    write(
        folder.path(),
        &format!(
            "url: http://127.0.0.1:{{port}}\nlaunch: {{command: [sh, -c, \"{serve}\", '{{port}}'], ready: {{within: 60s}}}}\n"
        ),
    );
    let mut lacuna = Command::new(LACUNA)
        .args(["run", "p.yaml", "--repeat", "100", "--out", "out", "--no-progress"])
        .current_dir(folder.path())
        .process_group(0)
        .spawn()
        .unwrap();
    wait_for(|| std::fs::read_to_string(folder.path().join("pid")).is_ok_and(|pid| pid.ends_with('\n')));
    wait_for(|| folder.path().join("out/journal.jsonl").is_file());
    // As GNU timeout does: its child, and then the group that both are in.
    let id = rustix::process::Pid::from_child(&lacuna);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    rustix::process::kill_process_group(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(lacuna.wait().unwrap().code(), Some(143));
    assert!(folder.path().join("out/results.json").is_file(), "the reports are written all the same");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = PathBuf::from("/proc").join(pid.trim()).join("stat");
    wait_for(|| std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z ")));
}

#[test]
fn a_launch_that_finds_no_program_is_told_as_one_that_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let launch = "{command: [sh, -c, 'echo no-such-database: not found >&2; exit 127'], missing: apt-get install no-such-database}";
    write(folder.path(), &format!("url: http://127.0.0.1:{{port}}\nlaunch: {launch}\n"));
    let arguments = ["run", "p.yaml", "--out", "out", "--no-progress"];
    let output = Command::new(LACUNA).current_dir(folder.path()).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for said in [
        "sh ended with 127: what it needs is not installed",
        "no-such-database: not found",
        "install it by\n    apt-get install no-such-database",
    ] {
        assert!(text(&output).contains(said), "{}", text(&output));
    }
}

#[test]
fn a_second_server_that_is_not_installed_is_told_and_the_rest_runs() {
    let folder = tempfile::tempdir().unwrap();
    let profile = format!(
        "url: http://127.0.0.1:{{port}}\nlaunch: {{command: [{LACUNA}, serve, --listen, '127.0.0.1:{{port}}']}}\nbeside:\n  \
         url: http://127.0.0.1:{{port}}\n  launch: {{command: [no-such-registry], missing: apt-get install no-such-registry}}\n"
    );
    write(folder.path(), &profile);
    let arguments = ["run", "p.yaml", "skew/late", "missing/blob", "--out", "out", "--no-progress"];
    let output = Command::new(LACUNA).current_dir(folder.path()).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = "note  8 cases skipped (no second server here): no-such-registry is not installed; install it by";
    assert!(text(&output).contains(said) && text(&output).contains(" passed, 8 skipped"), "{}", text(&output));
}
