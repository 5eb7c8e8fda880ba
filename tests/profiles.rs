//! Profiles: what they say in schema and docs, targets that do not start, and the verb `probe`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use lacuna::target::argument::TargetSpec;
use lacuna::target::findings::CAPABILITIES;
use lacuna::target::load;
use lacuna::target::open::open;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_there_is_told_within_seconds_with_what_was_tried() {
    let start = Instant::now();
    let error = open(&TargetSpec::parse(Some("127.0.0.1:1")).unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("GET http://127.0.0.1:1/v2/ -> connect"), "{error}");
    let mut spec = TargetSpec::parse(Some("docker-registry")).unwrap();
    let launch = spec.profile.launch.as_mut().unwrap();
    launch.command = ["sh", "-c", "echo no such storage >&2; exit 3"].map(str::to_owned).to_vec();
    let error = open(&spec).await.unwrap_err().to_string();
    assert!(error.contains("ended (exit status: 3)") && error.contains("no such storage"), "{error}");
    launch_never_ready(&mut spec).await;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

async fn launch_never_ready(spec: &mut TargetSpec) {
    let launch = spec.profile.launch.as_mut().unwrap();
    launch.command = ["sleep", "100"].map(str::to_owned).to_vec();
    launch.ready.within.0 = Duration::from_millis(300);
    let error = open(spec).await.unwrap_err().to_string();
    assert!(error.contains("was not ready within 300ms") && error.contains("connect"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_somebody_took_is_tried_again() {
    let mut spec = TargetSpec::parse(Some("docker-registry")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let marks = folder.path().join("starts");
    let script = format!("echo x >> {}; echo 'listen: address already in use' >&2; exit 1", marks.display());
    spec.profile.launch.as_mut().unwrap().command = vec!["sh".into(), "-c".into(), script];
    assert!(open(&spec).await.is_err());
    assert_eq!(std::fs::read_to_string(marks).unwrap().lines().count(), 4);
}

/// `schemas/profile.schema.json` is what the types say; `UPDATE_SCHEMAS=1` writes it.
#[test]
fn the_schema_of_profiles_is_current_and_takes_every_shipped_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/profile.schema.json");
    let schema = lacuna::target::profile::schema();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).is_ok_and(|old| old == text),
        "run UPDATE_SCHEMAS=1 cargo test --test profiles"
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in load::shipped_names() {
        let file = format!("{}/fixtures/targets/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let value: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"url": "http://h", "claims": {"refferers": "absent"}})));
    assert!(!validator.is_valid(&serde_json::json!({"url": "http://h", "limits": {"connect": "5"}})));
}

#[test]
fn the_documentation_lists_every_capability() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/profiles.md")).unwrap();
    for (name, meaning) in CAPABILITIES {
        assert!(text.contains(&format!("| `{name}` | {meaning} |\n")), "{name}");
    }
}

/// Ctrl-C and SIGTERM end what was launched, and are told by the exit code.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_launched_registry_too() {
    let folder = tempfile::tempdir().unwrap();
    let (profile, mark) = (folder.path().join("slow.yaml"), folder.path().join("pid"));
    let text = format!(
        "url: http://127.0.0.1:{{port}}\nlaunch:\n  command: [sh, -c, 'echo $$ > {}; sleep 300']\n  ready: {{within: 1m}}\n",
        mark.display()
    );
    std::fs::write(&profile, text).unwrap();
    let mut lacuna =
        std::process::Command::new(env!("CARGO_BIN_EXE_lacuna")).arg("probe").arg(&profile).spawn().unwrap();
    let start = Instant::now();
    let pid = loop {
        match std::fs::read_to_string(&mark) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it never started");
    };
    let kill = std::process::Command::new("kill").args(["-TERM", &lacuna.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(lacuna.wait().unwrap().code(), Some(143));
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    assert!(stat.map_or(true, |stat| stat.contains(") Z ")), "{pid} still runs");
}

#[test]
fn the_verb_prints_json_and_its_exit_codes_can_be_trusted() {
    let run = |arguments: &[&str]| {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_lacuna")).arg("probe").args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(json["target"]["name"], "reference");
    assert_eq!(json["oci"]["is"], "accept");
    assert_eq!(json["capabilities"]["referrers"]["is"], "supported");
    let (code, out, _) = run(&["--color", "never"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("stance oci     accept\n    PUT an index of 8 platforms, none present, by tag -> 201\n"),
        "{out}"
    );
    assert!(!out.contains('\u{1b}'));
    let (code, out, err) = run(&["127.0.0.1:1"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.starts_with("lacuna probe: no registry answers: GET http://127.0.0.1:1/v2/"), "{err}");
    let (code, _, err) = run(&["olarag"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("did you mean `olareg`?"), "{err}");
}

/// What was started may write what it was given; an error that tells its output must not.
#[test]
fn the_output_of_a_launch_that_failed_shows_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let probe = |text: &str| {
        let profile = folder.path().join("leak.yaml");
        std::fs::write(&profile, text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lacuna"));
        command.arg("probe").arg(&profile).envs([("WHO", "somebody"), ("SECRET", "hunter2-S3cret")]);
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    let url = "url: http://127.0.0.1:{port}\nauth: {env: [WHO, SECRET]}\n";
    let says = "[sh, -c, 'echo it is $SECRET; exit 3']";
    for launch in [
        format!("launch: {{command: {says}}}\n"),
        format!("launch: {{before: [{{command: {says}}}], command: [sleep, '9']}}\n"),
    ] {
        let said = probe(&format!("{url}{launch}"));
        assert!(said.contains("it is (redacted)") && !said.contains("hunter2"), "{said}");
    }
    let said = probe("url: http://user:hunter2-S3cret@127.0.0.1:1\n");
    assert!(said.contains("credentials") && !said.contains("hunter2"), "{said}");
}
