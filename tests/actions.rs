//! Actions that go wrong: by HTTP, by a command, by a registry that does not end. Each ends in time and says what was seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod door;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use door::Served;
use lacuna::record::{RunRecord, store};
use lacuna::verdict::Verdict;

const LACUNA: &str = env!("CARGO_BIN_EXE_lacuna");

const TOPIC: &str = "title: What was pushed is there after a collection
fixture: pair
cases:
  - name: kept
    each: {tag: [a, b]}
    steps:
      - push: {graphs: [index]}
      - put: {manifest: index, tag: '{tag}', expect: created}
      - barrier: gc
      - get: {manifest: index, tag: '{tag}', expect: gc-tagged}
    caught-by: [gc-rewrites-index]
  - name: at-once
    steps:
      - push: {graphs: [index]}
      - pull: {graphs: [index]}
    caught-by: [index-trimmed]
";

fn folder(profile: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let area = folder.path().join("suites/turn");
    std::fs::create_dir_all(&area).unwrap();
    std::fs::write(area.join("gc.yaml"), TOPIC).unwrap();
    for name in ["requirements.yaml", "expectations.yaml"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites").join(name);
        std::fs::copy(shipped, folder.path().join("suites").join(name)).unwrap();
    }
    std::fs::write(folder.path().join("p.yaml"), profile).unwrap();
    folder
}

fn command(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(LACUNA);
    command.current_dir(folder.path());
    command.args(["run", "p.yaml", "--suites", "suites", "--out", "out", "--no-progress", "--seed", "1"]);
    command
}

/// A whole run: exit code, what was printed, and the record.
fn run(profile: &str) -> (i32, String, RunRecord) {
    let folder = folder(profile);
    let output = command(&folder).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let record = store::read(&folder.path().join("out")).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (output.status.code().unwrap(), text, record)
}

/// The reference registry as a process of the run, with what happens to it.
fn launched(command: &str, actions: &str) -> String {
    let serve = format!("{LACUNA} serve --dir {{dir}}/data --listen 127.0.0.1:{{port}}");
    let command = command.replace("SERVE", &serve);
    format!("url: http://127.0.0.1:{{port}}\nlaunch: {{command: [sh, -c, '{command}']}}\nactions:\n{actions}")
}

#[test]
fn a_collection_by_http_that_goes_wrong_is_told_and_ends_in_time() {
    let served = Served::start();
    let poll = "poll: {at: task, key: state, done: [completed], failed: [failed]}";
    let rows = [
        ("completed", poll, None),
        ("failed", poll, Some("it ended as `failed`")),
        ("running", poll, Some("no end within 1s")),
        ("html", poll, Some("the answer has no `task`")),
        ("huge", poll, Some("the answer has no `task`")),
        ("silent", poll, Some("no end within 1s")),
        ("refused", "", Some("status 403")),
        ("conflict", "", Some("no end within 1s")),
    ];
    for (how, poll, failed) in rows {
        let since = Instant::now();
        let actions = format!("actions: {{gc: {{http: {{path: /collect/{how}}}, within: 1s, {poll}}}}}");
        let (code, text, record) = run(&format!("url: {}\n{actions}\n", served.url));
        assert!(since.elapsed() < Duration::from_secs(30), "{how}: {:?}", since.elapsed());
        let round = &record.rounds[0];
        assert_eq!(round.failed.as_deref(), failed, "{how}: {text}");
        assert!(round.output.len() < 10_000, "{how}: {} bytes of output", round.output.len());
        let verdicts: Vec<Verdict> = record.cases.iter().map(|case| case.verdict).collect();
        let waited = if failed.is_none() { Verdict::Pass } else { Verdict::Error };
        // Nobody's fault is shown on a registry that cannot be had afresh, and who waits for nothing is not concerned.
        assert_eq!(verdicts, [waited, waited, Verdict::Pass], "{how}: {text}");
        assert_eq!((code, record.complete), (i32::from(failed.is_some()), true), "{how}: {text}");
    }
}

#[test]
fn a_busy_registry_is_asked_again_and_a_task_that_is_not_seen_yet_is_waited_for() {
    let served = Served::start();
    let poll = "poll: {at: task, key: state, done: [completed], failed: [failed]}";
    let since = Instant::now();
    let actions = format!("actions: {{gc: {{http: {{path: /collect/busy}}, within: 30s, {poll}}}}}");
    let (code, text, record) = run(&format!("url: {}\n{actions}\n", served.url));
    assert_eq!((code, record.rounds[0].failed.as_deref()), (0, None), "{text}");
    assert!(since.elapsed() > Duration::from_secs(1), "Retry-After is heeded: {:?}", since.elapsed());
    assert_eq!(*served.door.asked.lock().unwrap(), BTreeMap::from([("collect".into(), 4), ("task".into(), 4)]));
}

#[test]
fn a_registry_that_does_not_answer_at_once_after_an_action_is_waited_for() {
    let served = Served::start();
    let (code, text, record) =
        run(&format!("url: {}\nactions: {{gc: {{http: {{path: /collect/sick}}}}}}\n", served.url));
    assert_eq!((code, record.rounds[0].failed.as_deref()), (0, None), "{text}");
    assert!(record.rounds[0].seconds > 1.0, "{:?}", record.rounds[0]);
}

const DURING: &str = "title: A tag is set while a collection goes on
fixture: pair
cases:
  - name: during
    steps:
      - push: {graphs: [index]}
      - put: {manifest: index, tag: before, expect: created}
      - barrier: gc
      - put: {manifest: index, tag: during, during: gc, expect: gc-during}
      - get: {manifest: index, tag: during, expect: {gc.during: {status: 200, body: self}}}
    caught-by: [gc-during-tag-lost]
";

#[test]
fn what_is_to_meet_an_action_is_sent_when_that_has_begun() {
    let served = Served::start();
    let folder = folder(&format!("url: {}\nactions: {{gc: {{http: {{path: /collect/slow}}}}}}\n", served.url));
    std::fs::write(folder.path().join("suites/turn/gc.yaml"), DURING).unwrap();
    let output = command(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(*served.door.met.lock().unwrap(), [true]);
}

#[test]
fn a_declared_window_is_counted_from_the_end_of_an_action() {
    let served = Served::start();
    let profile = format!("url: {}\nactions: {{gc: {{http: {{path: /collect/blind}}}}}}\n", served.url);
    let verdicts = |record: &RunRecord| record.cases.iter().map(|case| case.verdict).collect::<Vec<_>>();
    let (code, text, record) = run(&format!("{profile}windows: {{read: 10s}}\n"));
    assert_eq!((code, verdicts(&record)), (0, vec![Verdict::Warn, Verdict::Warn, Verdict::Pass]), "{text}");
    let (code, text, record) = run(&profile);
    assert_eq!((code, verdicts(&record)), (1, vec![Verdict::Fail, Verdict::Fail, Verdict::Pass]), "{text}");
}

#[test]
fn a_skip_names_the_key_that_is_not_there_or_says_what_it_says() {
    let reason = |record: &RunRecord| record.cases[0].reason.clone().unwrap();
    let served = Served::start();
    let (_, _, record) = run(&format!("url: {}\n", served.url));
    assert_eq!(reason(&record), "no gc here: the profile p has no `actions.gc` (docs/profiles.md)");

    let folder = folder("url: http://127.0.0.1:1\n");
    let mut bare = Command::new(LACUNA);
    bare.current_dir(folder.path()).args(["run", &served.url, "turn/gc/kept", "--suites", "suites", "--out", "out"]);
    assert_eq!(bare.output().unwrap().status.code(), Some(4));
    let record = store::read(&folder.path().join("out")).unwrap();
    assert_eq!(
        reason(&record),
        "no gc here: it is asked without a profile, whose `actions.gc` would say how (docs/profiles.md)"
    );

    let stopped = "  gc: {command: [sh, -c, \"echo swept\"], while: stopped}\n";
    let folder = self::folder(&launched("exec SERVE", stopped));
    std::fs::write(folder.path().join("suites/turn/gc.yaml"), DURING).unwrap();
    assert_eq!(command(&folder).output().unwrap().status.code(), Some(4));
    let record = store::read(&folder.path().join("out")).unwrap();
    assert_eq!(
        reason(&record),
        "the target does not answer during gc: `actions.gc` of its profile has `while: stopped`"
    );
}

#[test]
fn a_relaunch_has_the_time_of_its_action() {
    let actions = "  gc: {relaunch: {command: [sh, -c, \"sleep 7; exec SERVE\"]}, within: 40s}\n";
    let serve = format!("{LACUNA} serve --dir {{dir}}/data --listen 127.0.0.1:{{port}}");
    let profile = launched("exec SERVE", &actions.replace("SERVE", &serve));
    let (code, text, record) = run(&profile.replacen("launch: {", "launch: {ready: {get: /v2/, within: 6s}, ", 1));
    assert_eq!((code, record.rounds[0].failed.as_deref()), (0, None), "{text}");
    let late = actions.replace("within: 40s", "within: 2s").replace("SERVE", &serve);
    let (code, text, record) = run(&launched("exec SERVE", &late));
    assert_eq!((code, record.rounds[0].failed.as_deref()), (1, Some("it did not come back")), "{text}");
}

#[test]
fn a_product_that_never_collects_is_not_waited_for_without_end() {
    let (code, text, record) = run(&launched("exec SERVE", "  gc: {until: untagged-gone, within: 1s}\n"));
    assert_eq!((code, record.rounds[0].failed.as_deref()), (1, Some("no end within 1s")), "{text}");
    assert!(record.rounds[0].blamed.is_empty() && text.contains("nobody is blamed"), "{text}");
}

#[test]
fn a_registry_that_does_not_hear_is_killed_and_that_is_told() {
    let deaf = "trap : TERM; SERVE & while :; do wait; done";
    let (code, text, record) = run(&launched(deaf, "  gc: {command: [sh, -c, \"echo swept\"], while: stopped}\n"));
    assert_eq!(code, 0, "{text}");
    let output = &record.rounds[0].output;
    assert!(output.starts_with("swept") && output.contains("did not end within 10 s of SIGTERM"), "{output}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_during_an_action_ends_it_and_the_registry_and_loses_nothing() {
    let folder = folder(&launched(
        "echo $$ > HERE/registry; exec SERVE",
        "  gc: {command: [sh, -c, \"echo $$ > HERE/action; sleep 300\"]}\n",
    ));
    let profile = folder.path().join("p.yaml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, text.replace("HERE", &folder.path().display().to_string())).unwrap();
    let process = command(&folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid =
        |name: &str| -> Option<u32> { std::fs::read_to_string(folder.path().join(name)).ok()?.trim().parse().ok() };
    let wait_until = |what: &str, done: &dyn Fn() -> bool| {
        let since = Instant::now();
        while !done() {
            assert!(since.elapsed() < Duration::from_secs(30), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_until("the action begins", &|| pid("action").is_some());
    let id = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = process.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{text}");
    for name in ["action", "registry"] {
        let stat = format!("/proc/{}/stat", pid(name).unwrap());
        wait_until(name, &|| std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")));
    }
    let record = store::read(&folder.path().join("out")).unwrap();
    assert!(!record.complete && record.cases.iter().any(|case| case.verdict == Verdict::Pass), "{text}");
}

#[test]
fn a_command_while_read_only_runs_beside_the_registry_started_so_and_then_as_before() {
    let seen = tempfile::NamedTempFile::new().unwrap();
    let modes = seen.path().display();
    let command = format!("echo $MODE >> {modes}; exec SERVE");
    for (end, code) in [("exit 0", 0), ("exit 3", 1)] {
        let actions = format!(
            "  gc: {{command: [sh, -c, \"cat {modes}; {end}\"], while: read-only, read-only: {{env: {{MODE: read-only}}}}}}\n"
        );
        seen.as_file().set_len(0).unwrap();
        let profile = launched(&command, &actions).replace("launch: {", "launch: {env: {MODE: writes}, ");
        let (came, text, record) = run(&profile);
        assert_eq!(came, code, "{text}");
        assert!(record.rounds[0].output.ends_with("writes\nread-only"), "{}", record.rounds[0].output);
        // Whatever became of the command, the registry was started as before.
        let all = std::fs::read_to_string(seen.path()).unwrap();
        assert!(all.contains("read-only\nwrites\n") && !all.ends_with("read-only\n"), "{all}");
    }
}
