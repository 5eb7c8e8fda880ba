//! The binary as a user meets it: verbs, help, exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use lacuna::record::{RunRecord, store};
use lacuna::verdict::Verdict;

fn lacuna(arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("lacuna").unwrap();
    command.env_remove("NO_COLOR").args(arguments).timeout(std::time::Duration::from_secs(120)).output().unwrap()
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

fn save(record: &RunRecord, folder: &Path) -> String {
    let path = folder.join("results.json");
    store::write(&path, &store::to_json(record).unwrap()).unwrap();
    path.display().to_string()
}

#[test]
fn usage_errors_are_exit_2_and_say_what_was_meant() {
    for arguments in [&[][..], &["nonsense"], &["report"], &["report", "x", "--out"], &["serve", "--stance", "maybe"]] {
        let output = lacuna(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(!stderr(&output).is_empty(), "{arguments:?} says nothing");
    }
    let output = lacuna(&["reprot"]);
    assert!(stderr(&output).contains("report"), "{}", stderr(&output));
}

/// A profile of a registry that runs somewhere else can be listed by everybody, and be run once its user has said where.
#[test]
fn a_profile_by_url_is_listed_without_network_and_asks_for_what_it_needs() {
    let with = |arguments: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::cargo_bin("lacuna").unwrap();
        for name in lacuna::target::load::shipped_names() {
            let profile = lacuna::target::load::shipped(name).unwrap().unwrap();
            for variable in profile.variables.keys() {
                command.env_remove(variable);
            }
        }
        command.envs(set.iter().copied()).args(arguments).timeout(std::time::Duration::from_secs(60)).output().unwrap()
    };
    for name in ["harbor", "docker-hub"] {
        let profile = lacuna::target::load::shipped(name).unwrap().unwrap();
        let listed = with(&["list", name, "late/**"], &[]);
        let told = stderr(&listed);
        assert_eq!(code(&listed), 0, "{name}: {told}");
        let caution = format!("lacuna list: `{name}` was not run here yet: {}; ", profile.not_run.unwrap());
        assert!(told.starts_with(&caution), "{told}");
        assert!(stdout(&listed).contains("late/stays/by-digest/oci/expiry"), "{name}");
        let out = tempfile::tempdir().unwrap();
        let refused = with(&["run", name, "late/**", "--out", out.path().to_str().unwrap()], &[]);
        let told = stderr(&refused);
        assert_eq!(code(&refused), 2, "{name}: {told}");
        let mut asked = profile.variables.keys();
        assert!(asked.all(|variable| told.contains(variable)) && told.contains("docs/url-profiles.md"), "{told}");
    }
    assert_eq!(code(&with(&["probe", "ecr"], &[])), 2);
    let nobody = [("ZOT_URL", "http://127.0.0.1:1"), ("DOCKER_CONFIG", "/nowhere")];
    let told = with(&["probe", "zot"], &nobody);
    assert_eq!(code(&told), 3, "{}", stderr(&told));
    let told = with(&["list", "zot"], &[("ZOT_URL", "zot.example.org"), nobody[1]]);
    assert!(stderr(&told).contains("with ZOT_URL as it is set the profile's `url` is none"), "{}", stderr(&told));
}

#[test]
fn no_error_repeats_a_password_or_an_escape() {
    for arguments in [
        &["run", "u:hunter2@127.0.0.1:5000"][..],
        &["run", "reference", "u:hunter2@127.0.0.1:5000"],
        &["list", "u:hunter2@host/x"],
        &["probe", "u:hunter2@127.0.0.1:5000"],
        &["clean", "u:hunter2@127.0.0.1:5000", "journal.jsonl"],
        &["serve", "--defect", "hunter2\x1b[31mX"],
        &["serve", "--variation", "hunter2\x1b[31mX"],
    ] {
        let output = lacuna(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let text = stderr(&output);
        assert!(!text.contains('\x1b'), "{arguments:?}: {text}");
        assert!(arguments[0] == "serve" || !text.contains("hunter2"), "{arguments:?}: {text}");
    }
}

#[test]
fn help_names_every_verb_and_every_exit_code() {
    let output = lacuna(&["--help"]);
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    const VERBS: [&str; 8] = ["run", "list", "check", "probe", "serve", "clean", "report", "diff"];
    for wanted in VERBS.into_iter().chain(["Exit codes", "128+signal"]) {
        assert!(text.contains(wanted), "no {wanted} in\n{text}");
    }
    for verb in VERBS {
        assert_eq!(code(&lacuna(&[verb, "--help"])), 0, "{verb}");
    }
    assert_eq!(stdout(&lacuna(&["--version"])).trim(), format!("lacuna {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn report_renders_again_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let results = save(&sample::mixed(), dir.path());
    let out = dir.path().join("again");
    let output = lacuna(&["report", &results, "--out", &out.display().to_string()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("FAIL  manifest.get.absent"));
    assert!(!stdout(&output).contains('\x1b'), "colour in a pipe");
    for file in ["report.html", "junit.xml"] {
        assert!(out.join(file).is_file(), "no {file}");
    }
    let (before, after) = (std::fs::read(&results).unwrap(), std::fs::read(out.join("results.json")).unwrap());
    assert_eq!(before, after, "a record is its own rendering");

    let mut liar = sample::mixed();
    liar.totals.values_mut().for_each(|total| *total = 999);
    let results = save(&liar, dir.path());
    let output = lacuna(&["report", &results, "--out", &out.display().to_string()]);
    assert_eq!(code(&output), 0, "totals that its cases do not have: {}", stderr(&output));
}

#[test]
fn report_joins_shards_and_refuses_what_does_not_belong_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (k, verdict) in [("1/2", Verdict::Pass), ("2/2", Verdict::Fail)] {
        let cases = [
            ("stance/claims/oci", verdict),
            (&format!("pull/b/{}", &k[..1]), verdict),
            (&format!("pull/a/{}", &k[..1]), verdict),
        ];
        let mut record = sample::record(cases.map(|(id, verdict)| sample::case(id, verdict)).into());
        record.selection.shard = Some(k.into());
        let folder = dir.path().join(&k[..1]);
        save(&record, &folder);
        paths.push(folder.display().to_string());
    }
    let out = dir.path().join("whole").display().to_string();
    let output = lacuna(&["report", &paths[1], &paths[0], "--out", &out]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let whole = store::read(Path::new(&out)).unwrap();
    let ids: Vec<&str> = whole.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["stance/claims/oci", "pull/b/1", "pull/b/2", "pull/a/1", "pull/a/2"], "the plan's order");
    assert_eq!((whole.complete, whole.count(Verdict::Pass), whole.count(Verdict::Fail)), (true, 2, 3));

    let half = lacuna(&["report", &paths[0], &paths[0], "--out", &out]);
    assert_eq!(code(&half), 2);
    assert!(stderr(&half).contains("pull/b/1"), "{}", stderr(&half));
}

#[test]
fn report_tells_unreadable_from_unwritable() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out").display().to_string();
    let torn = dir.path().join("torn.json");
    std::fs::write(&torn, br#"{"schema": 1, "lacuna": {"#).unwrap();
    for missing in [torn.display().to_string(), dir.path().join("none").display().to_string()] {
        let output = lacuna(&["report", &missing, "--out", &out]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(&missing), "{}", stderr(&output));
    }
    std::fs::write(&torn, "[]").unwrap();
    let output = lacuna(&["report", &torn.display().to_string(), "--out", &out]);
    assert!(code(&output) == 2 && stderr(&output).contains("expected a map"), "{}", stderr(&output));
    let taken = dir.path().join("taken");
    std::fs::write(&taken, "a file").unwrap();
    let results = save(&sample::mixed(), dir.path());
    let output = lacuna(&["report", &results, "--out", &taken.display().to_string()]);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("taken"), "{}", stderr(&output));
}

#[test]
fn list_names_every_case_and_says_what_would_be_skipped() {
    let all = lacuna(&["list"]);
    assert_eq!(code(&all), 0, "{}", stderr(&all));
    let ids = stdout(&all);
    assert!(ids.lines().count() > 500 && ids.lines().all(|id| id.split('/').count() >= 3 && !id.contains(' ')));
    let first = ids.lines().next().unwrap();
    assert_eq!(stdout(&lacuna(&["list", first])).lines().next(), Some(first), "every id is a filter");

    let some = lacuna(&["list", "reference", "sparse/push", "sparse/refuse"]);
    assert_eq!(code(&some), 0, "{}", stderr(&some));
    let text = stdout(&some);
    assert!(text.lines().any(|line| line.contains("  skipped: oci stance is accept: ")), "{text}");
    assert!(text.lines().any(|line| !line.contains("skipped")), "{text}");

    let json = lacuna(&["list", "sparse/push", "--json"]);
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).unwrap();
    assert!(cases.iter().all(|case| case["id"].is_string() && case["source"].is_string() && case["skip"].is_null()));
    for what in ["--defects", "--variations", "--requirements"] {
        assert_eq!(code(&lacuna(&["list", what])), 0);
        let json = lacuna(&["list", what, "--json"]);
        let lines: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).unwrap();
        assert!(lines.len() > 50, "{what}");
    }
}

#[test]
fn list_and_probe_know_what_is_no_target_and_what_does_not_answer() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for verb in ["list", "probe"] {
        let mistyped = lacuna(&[verb, "refrence"]);
        assert_eq!(code(&mistyped), 2, "{verb}");
        assert!(stderr(&mistyped).contains("did you mean `reference`?"), "{}", stderr(&mistyped));
        assert_eq!(code(&lacuna(&[verb, &free])), 3, "{verb}");
    }
    assert_eq!(code(&lacuna(&["list", "sparse/pusch"])), 4);
    assert_eq!(code(&lacuna(&["list", "reference", "sparse/refuse"])), 4, "all would be skipped");
    assert_eq!(code(&lacuna(&["probe", "reference", "--json"])), 0);
}

#[test]
fn check_is_0_or_2() {
    assert_eq!(code(&lacuna(&["check"])), 0);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(&lacuna(&["check", &dir.path().display().to_string()])), 2);
}

/// A full disk is no success; a reader that has seen enough is.
#[test]
fn what_cannot_be_said_is_exit_5_and_a_closed_pipe_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let results = save(&sample::mixed(), dir.path());
    let out = |name: &str| dir.path().join(name).display().to_string();
    let (run, report) = (out("run"), out("report"));
    for arguments in [
        &["run", "missing/child/gap/oci/tag/amd64", "--out", &run][..],
        &["list"],
        &["list", "--json"],
        &["list", "--defects"],
        &["list", "--variations"],
        &["list", "--requirements"],
        &["probe"],
        &["report", &results, "--out", &report],
        &["check"],
    ] {
        let command = || {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lacuna"));
            command.args(arguments).stderr(std::process::Stdio::piped());
            command
        };
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command().stdout(full).output().unwrap();
        assert_eq!(code(&output), 5, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("cannot write to standard output"), "{arguments:?}: {}", stderr(&output));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command().stdout(writer).output().unwrap();
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_file_without_end_is_refused_wherever_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo.yaml").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let out = dir.path().join("out").display().to_string();
    for arguments in [
        &["probe", &fifo][..],
        &["run", "--out", &out, "--known", &fifo],
        &["run", "--out", &out, "--known", "/dev/zero"],
        &["run", "--out", &out, "--suites", &fifo],
        &["check", &fifo],
        &["check", "/dev/zero"],
        &["report", &fifo, "--out", &out],
        &["report", "/dev/zero", "--out", &out],
        &["report", "/proc/self/stat", "--out", &out],
        &["clean", "127.0.0.1:1", &fifo],
        &["clean", "127.0.0.1:1", "/dev/zero"],
    ] {
        assert_eq!(code(&lacuna(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn known_failures_are_refused_in_words_and_the_documented_ones_load() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("known.yaml"), dir.path().join("out").display().to_string());
    let run = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let known = file.display().to_string();
        lacuna(&["run", "missing/child/gap/oci/tag/amd64", "--out", &out, "--known", &known])
    };
    let entry = |cases: &str, requirement: &str| {
        format!("- {{cases: {cases}, requirement: {requirement}, got: x, reason: x, source: x}}\n")
    };
    for (text, said) in [
        (entry("missing/child/gap/*", "manifest.get.absnt"), "did you mean `manifest.get.absent`?"),
        ("cases: x\ncases: y\n".into(), "known.yaml:1:1: a map instead of a list"),
        ("- {cases: x, cases: y}\n".into(), "known.yaml:1:14: the key `cases` stands twice"),
        (String::new(), "known.yaml:1:1: "),
    ] {
        let output = run(&text);
        assert_eq!(code(&output), 2, "{text}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{text}: {}", stderr(&output));
    }
    let documentation = include_str!("../docs/profiles.md");
    let section = documentation.split("## Known failures").nth(1).unwrap();
    let example = section.split("```yaml\nknown:\n").nth(1).unwrap().split("```").next().unwrap();
    let output = run(example);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}
