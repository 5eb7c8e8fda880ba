//! Runs on a registry where repositories cannot be made: the cases share a pool of them, one after the other, with what others
//! left there. Nobody is accused for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use lacuna::record::{RunRecord, store};
use lacuna::verdict::Verdict;

const LACUNA: &str = env!("CARGO_BIN_EXE_lacuna");

/// The reference registry as a process, which ends with this.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let mut command = Command::new(LACUNA);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Served { url: line.trim().strip_prefix("listening on ").unwrap().to_owned(), process }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A run of these arguments on a pool of so many repositories.
fn run(served: &Served, pool: usize, arguments: &[&str]) -> (i32, String, RunRecord) {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..pool).map(|n| format!("team/pool-{n}")).collect();
    let profile = format!("url: {}\nrepositories: {{pool: [{}]}}\n", served.url, names.join(", "));
    std::fs::write(folder.path().join("p.yaml"), profile).unwrap();
    let mut command = Command::new(LACUNA);
    command.current_dir(folder.path()).args(["run", "p.yaml", "--out", "out", "--no-progress"]).args(arguments);
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let record = store::read(&folder.path().join("out")).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (output.status.code().unwrap(), text, record)
}

fn count(record: &RunRecord, verdict: Verdict) -> u64 {
    record.totals.get(&verdict).copied().unwrap_or(0)
}

/// Nobody is accused, and something was asked.
fn innocent(came: &(i32, String, RunRecord)) {
    let (code, text, record) = came;
    assert_eq!(*code, 0, "{text}");
    assert_eq!((count(record, Verdict::Fail), count(record, Verdict::Error)), (0, 0), "{text}");
    assert!(count(record, Verdict::Pass) * 4 > record.cases.len() as u64, "{:?}", record.totals);
}

fn reasons(record: &RunRecord) -> String {
    let skipped = record.cases.iter().filter(|case| case.verdict == Verdict::Skip);
    skipped.filter_map(|case| case.reason.as_deref()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pool_of_one_is_probed_and_what_needs_two_is_skipped_for_that() {
    let served = Served::start(&["--stance", "refuse"]);
    let came = run(&served, 1, &["sparse/refuse/**", "missing/**", "tags/**", "mount/**"]);
    innocent(&came);
    let record = &came.2;
    let stance = &record.stance["oci"];
    assert!(stance.found.evidence.contains("pool has one"), "{}", stance.found.evidence);
    let reasons = reasons(record);
    for said in [
        "the pool is too small for 2 repositories: `repositories.pool` of its profile names 1",
        "a pool has no repository that nobody pushes to",
    ] {
        assert!(reasons.contains(said), "{said}:\n{reasons}");
    }
    assert!(record.clean_up.left.is_empty(), "{:?}", record.clean_up.left);
}

#[test]
fn pools_where_everything_is_deleted_after_each_case() {
    let served = Served::start(&[]);
    for (pool, shard) in [(3, "2/16"), (5, "3/16")] {
        let came = run(&served, pool, &["--shard", shard]);
        innocent(&came);
        assert!(came.2.clean_up.left.is_empty(), "{:?}", came.2.clean_up.left);
    }
}

#[test]
fn pools_where_nothing_is_deleted_fill_up_and_what_others_left_counts_for_nobody() {
    for (stance, pool, shard) in [("accept", 1, "4/16"), ("refuse", 3, "5/16"), ("accept", 5, "6/16")] {
        let served = Served::start(&["--stance", stance, "--variation", "deletes-disabled-400"]);
        innocent(&run(&served, pool, &["tags/**", "missing/**", "sparse/refuse/**"]));
        let came = run(&served, pool, &["--shard", shard]);
        innocent(&came);
        assert!(!came.2.clean_up.left.is_empty());
    }
}
