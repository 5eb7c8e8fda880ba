//! Real software: every shipped profile that launches a registry is judged by the binary; what differs between two
//! configurations of one product is what was decided to; and the OCI's own suite is put before the reference registry. A product that is not installed is said loudly; with `CI` set it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use kit::{OciSuite, find, missing};
use lacuna::plan::Filter;
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
    ("distribution-memory", "registry"),
    ("olareg-gc", "olareg"),
    ("olareg-sparse-gc", "olareg"),
    ("crane", "crane"),
    ("distribution-s3", "moto_server"),
    ("ferro", "ferro-oci-server"),
    ("pulp", "pulpcore-api"),
];

/// Of these a part of the cases is asked: all would take half an hour, each request being several of Python's, and differ from a disk
/// in each case that reads a blob.
const IN_PART: &[(&str, &[&str])] = &[("distribution-s3", S3)];

/// Where the kind of storage could show: bytes, ranges, redirects, what is not there, lists, deletes, collection.
const S3: &[&str] = &[
    "blob/**",
    "mount/**",
    "pull/range/**",
    "pull/encoding/**",
    "missing/blob/**",
    "missing/elsewhere/**",
    "missing/repository/**",
    "tags/fresh/**",
    "tags/paging/**",
    "delete/**",
    "gc/finish/**",
    "gc/keep/sparse/**",
    "gc/keep/nothing-present/**",
    "gc/keep/two-repositories/**",
];

/// Two profiles of one product, and in what alone they may differ: a filter, and why.
type Pair = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SPARSE: (&str, &str) = ("sparse/**", "this is what the switch is for");
const LATE: (&str, &str) = ("late/**", "a child can be late only where it may be absent");

const DIGESTS: (&str, &str) =
    ("push/malformed/descriptor-digest/*", "a digest that is not looked for is not found malformed");
const NOTHING: (&str, &str) = ("push/malformed/no-image", "a manifest that may lack everything may be {}");

/// Sparse indexes refused and taken.
const SWITCHES: &[Pair] = &[
    ("distribution-all", "distribution-none", &[SPARSE, LATE, DIGESTS]),
    ("olareg", "olareg-sparse", &[SPARSE, NOTHING]),
    ("olareg-dir", "olareg-sparse-dir", &[SPARSE, LATE, NOTHING]),
    ("distribution-3.0-all", "distribution-3.0-none", &[SPARSE, LATE, DIGESTS]),
];

const RESTART: (&str, &str) = ("restart/**", "memory keeps nothing over a restart");
const UPGRADE: (&str, &str) = ("upgrade/**", "nor over an upgrade");
const AFTER: (&str, &str) = ("after/**", "as restart and upgrade");
const SUCCESSORS: (&str, &str) = ("gc/successors/**", "a collection, or a restart in its place");
const SAVINGS: (&str, &str) = ("savings/**", "what is in memory no folder shows");

const LONG: (&str, &str) = ("names/refused/long-component", "a name of memory's is no folder's, which may be too long");
const BLOBS: (&str, &str) = ("names/repositories/path-words/*", "a folder of blobs is where a repository's blobs are");
const TWICE: (&str, &str) = ("delete/blob/twice", "memory does not look whether a blob is there to be deleted");

const OLAREG_MEMORY: &[(&str, &str)] = &[RESTART, UPGRADE, AFTER, SUCCESSORS, SAVINGS, LONG, BLOBS, TWICE];
const OLAREG_SPARSE_MEMORY: &[(&str, &str)] =
    &[RESTART, UPGRADE, AFTER, SUCCESSORS, SAVINGS, LONG, BLOBS, TWICE, ("late/**", "as restart")];

const NO_PATHS: &str = "a NUL is no fault where there is no file system";

const DISTRIBUTION_MEMORY: &[(&str, &str)] = &[
    ("gc/**", "the collector is another program, which cannot see the registry's memory"),
    ("late/**", "as gc and restart"),
    RESTART,
    UPGRADE,
    AFTER,
    SAVINGS,
    ("skew/**", "no second server sees the first one's memory"),
    ("tags/list/complete/*", "the driver in memory never lists a tag that is called index"),
    ("docker/catalog/odd/*", NO_PATHS),
    ("names/bytes/query/*", NO_PATHS),
];

const FROM_THE_STORE: &str = "a blob's bytes come from the store, which names no digest";
const NO_FOLDERS: &str = "in a bucket a repository without blobs lacks no folder, which on a disk stops the collector";

const DISTRIBUTION_S3: &[(&str, &str)] = &[
    ("blob/read/sizes/*", FROM_THE_STORE),
    ("blob/read/empty", FROM_THE_STORE),
    ("blob/read/before-any-manifest", FROM_THE_STORE),
    ("blob/upload/post-put/*", FROM_THE_STORE),
    ("blob/upload/chunked/*", FROM_THE_STORE),
    ("blob/upload/again", FROM_THE_STORE),
    ("delete/blob/*", FROM_THE_STORE),
    ("delete/manifest/others-stay/*", FROM_THE_STORE),
    ("delete/tag/sparse/*", FROM_THE_STORE),
    ("missing/blob/deleted", FROM_THE_STORE),
    ("missing/elsewhere/blobs/*", FROM_THE_STORE),
    ("missing/elsewhere/one-layer-in-common/*", FROM_THE_STORE),
    ("missing/elsewhere/deleted-elsewhere/*", FROM_THE_STORE),
    ("mount/blob/from", FROM_THE_STORE),
    ("mount/blob/source-keeps", FROM_THE_STORE),
    ("pull/range/whole-after-slice", FROM_THE_STORE),
    ("tags/fresh/after-sparse-delete/*", FROM_THE_STORE),
    ("pull/range/unknown-unit", "this store takes any unit for bytes"),
    ("gc/finish/empty-index/*", NO_FOLDERS),
    ("gc/finish/gap-alone/*", NO_FOLDERS),
    ("gc/keep/nothing-present/*", NO_FOLDERS),
];

/// One kind of storage and another.
const STORAGES: &[Pair] = &[
    ("olareg-dir", "olareg", OLAREG_MEMORY),
    ("olareg-sparse-dir", "olareg-sparse", OLAREG_SPARSE_MEMORY),
    ("distribution-none", "distribution-memory", DISTRIBUTION_MEMORY),
    ("distribution-none", "distribution-s3", DISTRIBUTION_S3),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // Registries that run side by side on two cores would only measure each other.
    arguments.test_threads.get_or_insert(1);
    let all = std::env::var("PEERS").is_ok_and(|which| which == "all");
    if !all {
        let names: Vec<&str> = MORE.iter().map(|(profile, _)| *profile).collect();
        eprintln!("NOT RUN without PEERS=all: {}", names.join(", "));
    }
    let is_more = |profile: &str| MORE.iter().any(|(more, _)| *more == profile);
    let judged = PROFILES.iter().chain(MORE).map(|&(profile, _)| {
        Trial::test(format!("judges::{profile}"), move || judge(profile)).with_ignored_flag(!all && is_more(profile))
    });
    let compared = [("switch", SWITCHES), ("storage", STORAGES)].into_iter().flat_map(|(kind, pairs)| {
        pairs.iter().map(move |&(old, new, only)| {
            Trial::test(format!("{kind}::{old}-{new}"), move || differ_only(old, new, only))
                .with_ignored_flag(!all && (is_more(old) || is_more(new)))
        })
    });
    let secrets = Trial::test("secrets::distribution-s3", secrets).with_ignored_flag(!all);
    let suites = ["1.1", "dev"].map(|version| Trial::test(format!("oci-suite::{version}"), move || oci_suite(version)));
    libtest_mimic::run(&arguments, judged.chain(compared).chain([secrets]).chain(suites).collect()).exit();
}

/// The profile's registry shows nothing that is not recorded: exit 0, whole results, and not all of it skipped.
fn judge(profile: &'static str) -> Result<(), Failed> {
    let Some(results) = results(profile, part(profile))? else { return Ok(()) };
    let results: serde_json::Value = serde_json::from_slice(&std::fs::read(results)?)?;
    if results["complete"] != true {
        return Err("the run is not complete".into());
    }
    let asked = |verdict: &str| results["totals"][verdict].as_u64().unwrap_or(0);
    if asked("pass") + asked("known") < 100 {
        return Err(format!("next to nothing was asked: {}", results["totals"]).into());
    }
    Ok(())
}

/// A profile, and the filters by which it is asked.
type Asked = (&'static str, &'static [&'static str]);

/// The filters by which a profile is asked; none: all.
fn part(profile: &str) -> &'static [&'static str] {
    IN_PART.iter().find(|(name, _)| *name == profile).map_or(&[], |(_, filters)| filters)
}

/// The `results.json` of a profile's run, which is made once for all tests that look at it; `None` where its program is not here.
fn results(profile: &'static str, part: &'static [&'static str]) -> Result<Option<PathBuf>, Failed> {
    static RUNS: Mutex<BTreeMap<Asked, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let Some(&(_, program)) = PROFILES.iter().chain(MORE).find(|(name, _)| *name == profile) else {
        return Err(format!("`{profile}` is in no list").into());
    };
    if find(program).is_none() {
        return missing(program).map(|()| None);
    }
    let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    let made = runs.entry((profile, part)).or_insert_with(|| run(profile, part));
    made.clone().map(Some).map_err(Failed::from)
}

/// Runs a profile. The seed is the same for all, so that two of them can be held against each other.
fn run(profile: &str, part: &[&str]) -> Result<PathBuf, String> {
    let what = if part.is_empty() { "all" } else { "part" };
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers").join(what).join(profile);
    let run = Command::new(env!("CARGO_BIN_EXE_lacuna"))
        .args(["run", profile, "--no-progress", "--seed", "5eed", "--out"])
        .arg(&out)
        .args(part)
        .envs([("PULP_USER", "admin"), ("PULP_PASSWORD", "of-this-test")])
        .output()
        .map_err(|error| error.to_string())?;
    if run.status.code() == Some(0) {
        return Ok(out.join("results.json"));
    }
    let text = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    Err(format!("`lacuna run {profile}` ended with {}\n{text}", run.status))
}

/// Two profiles differ in nothing but what is listed, and there they do differ.
fn differ_only(old: &'static str, new: &'static str, only: &[(&str, &str)]) -> Result<(), Failed> {
    let part = part(new);
    let (Some(old), Some(new)) = (results(old, part)?, results(new, part)?) else { return Ok(()) };
    let diff = |more: &[&str]| {
        let patterns = only.iter().flat_map(|(pattern, _)| ["--only-in", *pattern]);
        Command::new(env!("CARGO_BIN_EXE_lacuna")).arg("diff").args([&old, &new]).args(patterns).args(more).output()
    };
    let told = diff(&[])?;
    if told.status.code() != Some(0) {
        return Err(format!("they differ elsewhere: {}\n{}", told.status, String::from_utf8_lossy(&told.stdout)).into());
    }
    let told: serde_json::Value = serde_json::from_slice(&diff(&["--json"])?.stdout)?;
    let ids: Vec<&str> =
        told["cases"].as_array().into_iter().flatten().filter_map(|case| case["id"].as_str()).collect();
    for (pattern, why) in only {
        let filter = Filter::parse(pattern).map_err(|error| format!("{pattern}: {error}"))?;
        if !ids.iter().any(|id| filter.selects(id)) {
            return Err(format!("nothing differs in {pattern} ({why}): take it out of the list").into());
        }
    }
    Ok(())
}

/// Blobs come from signed URLs of the store's. What signs them, as the store itself saw it, stands nowhere in what lacuna says or
/// writes: not of what passed, and not of what failed, with its exchange, since nothing is known here.
fn secrets() -> Result<(), Failed> {
    let Some(store) = find("moto_server") else { return missing("moto_server") };
    if find("registry").is_none() {
        return missing("registry");
    }
    let folder = tempfile::tempdir()?;
    let (asked, bin, out) = (folder.path().join("asked"), folder.path().join("bin"), folder.path().join("out"));
    std::fs::create_dir(&bin)?;
    // The store's own log has every request with its query.
    let script = format!("#!/bin/sh\nexec '{}' \"$@\" 2>>'{}'\n", store.display(), asked.display());
    let door = bin.join("moto_server");
    std::fs::write(&door, script)?;
    std::fs::set_permissions(&door, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let shipped = std::fs::read_to_string("fixtures/targets/distribution-s3.yaml")?;
    let profile = folder.path().join("s3.yaml");
    std::fs::write(&profile, shipped.split("\nknown:").next().unwrap_or_default())?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)))?;
    let run = Command::new(env!("CARGO_BIN_EXE_lacuna"))
        .arg("run")
        .arg(&profile)
        .args(["pull/range/**", "blob/read/**", "--no-progress", "--out"])
        .arg(&out)
        .env("PATH", path)
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.code() != Some(1) || !said.contains("X-Amz-Signature=(redacted)") {
        return Err(format!("no failure that shows a signed URL: {}\n{said}", run.status).into());
    }
    let asked = std::fs::read_to_string(asked)?;
    let mut secret = signed(&asked);
    if secret.len() < 20 {
        return Err(format!("the store was asked by {} signed URLs only", secret.len()).into());
    }
    let key = shipped.lines().find_map(|line| line.trim().strip_prefix("secretkey: "));
    secret.push(key.ok_or("the profile has no secret key")?);
    let mut written = vec![("what it said".to_owned(), said.into_bytes())];
    let mut folders = vec![out];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                written.push((path.display().to_string(), std::fs::read(path)?));
            }
        }
    }
    for (name, bytes) in &written {
        let text = String::from_utf8_lossy(bytes);
        if let Some(told) = secret.iter().find(|secret| text.contains(**secret)) {
            return Err(format!("{name} tells {told}").into());
        }
    }
    Ok(())
}

/// The signatures in a log.
fn signed(log: &str) -> Vec<&str> {
    let after = log.split("X-Amz-Signature=").skip(1);
    after
        .map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default())
        .filter(|s| s.len() == 64)
        .collect()
}

/// The OCI's suite, everything on, finds no failure in the reference registry.
fn oci_suite(version: &str) -> Result<(), Failed> {
    let Some(suite) = find("conformance") else { return missing("conformance") };
    let (_registry, address) = Serve::start()?;
    let said = OciSuite::run(&suite, &address, version)?;
    match (said.count("FAIL"), said.count("Error"), said.count("Total")) {
        (Some(0), Some(0), Some(total)) if total > 500 => Ok(()),
        counts => Err(format!("FAIL, Error, Total: {counts:?}\n{}", said.text).into()),
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
