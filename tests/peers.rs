//! Real software: every shipped profile that launches a registry is judged by the binary, and the OCI's own suite is put
//! before the reference registry. A product that is not installed is said loudly; with `CI` set it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// The profiles, and the program that each needs.
const PROFILES: &[(&str, &str)] = &[
    ("docker-registry", "docker-registry"),
    ("distribution-none", "registry"),
    ("distribution-list", "registry"),
    ("distribution-all", "registry"),
    ("olareg", "olareg"),
    ("olareg-sparse", "olareg"),
    ("olareg-dir", "olareg"),
    ("olareg-sparse-dir", "olareg"),
];

/// With `PEERS=all` in the environment these too; `.ci/peers` installs their programs with the same.
const MORE: &[(&str, &str)] = &[
    ("distribution-3.0-none", "registry-3.0.0"),
    ("distribution-3.0-list", "registry-3.0.0"),
    ("distribution-3.0-all", "registry-3.0.0"),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // Registries that run side by side on two cores would only measure each other.
    arguments.test_threads.get_or_insert(1);
    let more = if std::env::var("PEERS").is_ok_and(|which| which == "all") { MORE } else { &[] };
    let judged = PROFILES
        .iter()
        .chain(more)
        .map(|&(profile, program)| Trial::test(format!("judges::{profile}"), move || judge(profile, program)));
    let suites = ["1.1", "dev"].map(|version| Trial::test(format!("oci-suite::{version}"), move || oci_suite(version)));
    libtest_mimic::run(&arguments, judged.chain(suites).collect()).exit();
}

/// The program's path: in PATH, or where Go installs.
fn find(program: &str) -> Option<PathBuf> {
    let go = [("GOBIN", ""), ("GOPATH", "bin"), ("HOME", "go/bin")]
        .into_iter()
        .filter_map(|(name, below)| std::env::var_os(name).map(|value| PathBuf::from(value).join(below)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(go).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What is to be done when a program is not here: a failure in CI, a loud line elsewhere.
fn missing(program: &str) -> Result<(), Failed> {
    let text = format!("NOT RUN: `{program}` is not installed; .ci/peers installs it");
    if std::env::var_os("CI").is_some() {
        return Err(text.into());
    }
    eprintln!("{text}");
    Ok(())
}

/// The profile's registry shows nothing that is not recorded: exit 0, whole results, and not all of it skipped.
fn judge(profile: &str, program: &str) -> Result<(), Failed> {
    if find(program).is_none() {
        return missing(program);
    }
    let out = tempfile::tempdir()?;
    let run = Command::new(env!("CARGO_BIN_EXE_lacuna"))
        .args(["run", profile, "--no-progress", "--out"])
        .arg(out.path())
        .output()?;
    let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.code() != Some(0) {
        return Err(format!("`lacuna run {profile}` ended with {}\n{text}", run.status).into());
    }
    let results: serde_json::Value = serde_json::from_slice(&std::fs::read(out.path().join("results.json"))?)?;
    if results["complete"] != true {
        return Err(format!("the run is not complete\n{text}").into());
    }
    let passed = results["totals"]["pass"].as_u64().unwrap_or(0);
    if passed < 100 {
        return Err(format!("only {passed} cases passed\n{text}").into());
    }
    Ok(())
}

/// The OCI's suite, everything on, finds no failure in the reference registry.
fn oci_suite(version: &str) -> Result<(), Failed> {
    let Some(suite) = find("conformance") else { return missing("conformance") };
    let (_registry, address) = Serve::start()?;
    let out = tempfile::tempdir()?;
    let run = Command::new(suite)
        .env("OCI_REGISTRY", &address)
        .env("OCI_TLS", "disabled")
        .env("OCI_VERSION", version)
        .env("OCI_DATA_SPARSE", "true")
        .env("OCI_RESULTS_DIR", out.path())
        .current_dir(out.path())
        .output()?;
    let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    // That suite ends with 0 when its configuration is broken, so its own counts are read.
    let count = |name: &str| {
        text.lines().filter_map(|line| line.split_once(':')).find_map(|(key, value)| {
            (key.trim().trim_end_matches('.') == name).then(|| value.trim().parse::<u64>().ok()).flatten()
        })
    };
    match (count("FAIL"), count("Error"), count("Total")) {
        (Some(0), Some(0), Some(total)) if total > 500 => Ok(()),
        counts => Err(format!("FAIL, Error, Total: {counts:?}\n{text}").into()),
    }
}

/// `lacuna serve` on a free port, ended when dropped.
struct Serve(Child);

impl Serve {
    fn start() -> Result<(Serve, String), Failed> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lacuna"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let serve = Serve(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim().split_once("http://") {
            Some((_, address)) => Ok((serve, address.to_owned())),
            None => Err(format!("no address in {line:?}").into()),
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
