//! A run that ends at a barrier and goes on in another process, while the registry becomes another one in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use lacuna::record::{RunRecord, store};
use lacuna::verdict::Verdict;

/// The reference registry on a folder, as a process of its own.
struct Served {
    process: Child,
    host: String,
}

impl Served {
    fn start(listen: &str, dir: &Path, stance: &str) -> Served {
        let mut process = Command::new(env!("CARGO_BIN_EXE_lacuna"))
            .args(["serve", "--listen", listen, "--stance", stance, "--dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://").expect(&line).to_owned();
        Served { process, host }
    }

    /// The same registry, upgraded: another process with another stance on the same folder and address.
    fn becomes(mut self, dir: &Path, stance: &str) -> Served {
        self.end();
        Served::start(&self.host.clone(), dir, stance)
    }

    fn end(&mut self) {
        // Best effort: it may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

/// Two cases that meet an upgrade, one of them a downgrade too, and one that meets nothing.
const TOPIC: &str = "title: What outlasts an upgrade that somebody else does
fixture: pair
cases:
  - name: kept
    steps:
      - push: {graphs: [index]}
      - put: {manifest: index, tag: one, expect: created-again}
      - head: {manifest: index, by: digest, as: before, expect: served-head}
      - barrier: upgrade
      - head: {manifest: index, by: digest, expect: {manifest.get.stable: {status: 200, same-as: before}}}
      - get: {manifest: index, tag: one, expect: upgrade-tagged}
      - pull: {graphs: [index]}
    caught-by: [tag-moved-old-digest-lost]
  - name: there-and-back
    steps:
      - push: {graphs: [index]}
      - put: {manifest: index, tag: one, expect: created-again}
      - barrier: upgrade
      - get: {manifest: index, tag: one, expect: upgrade-tagged}
      - barrier: downgrade
      - get: {manifest: index, tag: one, expect: upgrade-tagged}
    caught-by: [tag-moved-old-digest-lost]
  - name: at-once
    steps:
      - push: {graphs: [index]}
      - pull: {graphs: [index]}
    caught-by: [tag-moved-old-digest-lost]
";

/// A folder with suites, a registry's storage, and reports.
struct Desk {
    folder: tempfile::TempDir,
    served: Option<Served>,
}

impl Desk {
    /// With a run that is paused at an upgrade.
    fn paused() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let area = folder.path().join("suites/upgrade");
        std::fs::create_dir_all(&area).unwrap();
        std::fs::write(area.join("plain.yaml"), TOPIC).unwrap();
        let served = Served::start("127.0.0.1:0", &folder.path().join("storage"), "refuse");
        let desk = Desk { folder, served: Some(served) };
        let run = desk.run(&["--pause-at", "upgrade", "--seed", "c0ffee"]);
        assert_eq!(run.status.code(), Some(0), "{}", text(&run));
        desk
    }

    fn upgrade(&mut self, stance: &str) {
        let served = self.served.take().unwrap();
        self.served = Some(served.becomes(&self.folder.path().join("storage"), stance));
    }

    fn lacuna(&self, verb: &str, arguments: &[&str]) -> Output {
        let url = format!("http://{}", self.served.as_ref().unwrap().host);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lacuna"));
        command.current_dir(self.folder.path()).args([verb, url.as_str()]).args(arguments).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let common = ["--suites", "suites", "--out", "out", "--no-progress"];
        self.lacuna("run", &[&common, arguments].concat())
    }

    fn resume(&self, arguments: &[&str]) -> Output {
        self.run(&[&["--resume", "out/journal.jsonl"], arguments].concat())
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("out/journal.jsonl")
    }

    fn record(&self) -> RunRecord {
        store::read(&self.folder.path().join("out")).unwrap()
    }

    fn verdicts(&self) -> Vec<(String, Verdict)> {
        self.record().cases.into_iter().map(|case| (case.id, case.verdict)).collect()
    }

    /// Repositories that still have a tag.
    fn tagged(&self) -> Vec<String> {
        let mut tags = Vec::new();
        let root = self.folder.path().join("storage");
        let mut open = vec![root];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.path().is_dir() {
                    true => open.push(entry.path()),
                    false if entry.path().to_string_lossy().contains("tags") => {
                        tags.push(format!("{:?}", entry.path()))
                    }
                    false => {}
                }
            }
        }
        tags
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_run_goes_on_after_an_upgrade_and_after_the_way_back() {
    let mut desk = Desk::paused();
    let record = desk.record();
    assert!(!record.complete && record.seed == "0000000000c0ffee");
    assert!(record.clean_up.left.is_empty() && record.clean_up.removed < record.clean_up.created);
    let note = "paused at upgrade: 2 cases wait; go on with `lacuna run http://";
    assert!(record.notes.iter().any(|said| said.starts_with(note)), "{:?}", record.notes);
    assert_eq!((record.count(Verdict::Pass), record.count(Verdict::Skip)), (1, 2));
    let before = std::fs::read_to_string(desk.journal()).unwrap();

    desk.upgrade("accept");
    let plain = desk.run(&[]);
    assert_eq!(plain.status.code(), Some(2));
    assert!(text(&plain).contains("out/journal.jsonl holds a paused run: resume it"), "{}", text(&plain));
    assert_eq!(desk.record(), record, "the paused run's reports stay");

    let resumed = desk.resume(&["--pause-at", "downgrade"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed));
    let record = desk.record();
    let changes = record.rounds[0].changes.clone().unwrap();
    for said in ["stance for oci: was refuse; now accept", "sparse-image: was absent; now supported"] {
        assert!(changes.iter().any(|change| change.text == said && !change.worse), "{changes:?}");
        assert!(text(&resumed).contains(&format!("change  after upgrade: {said}")), "{}", text(&resumed));
    }
    assert!(text(&resumed).contains("paused  at downgrade") && !text(&resumed).contains("INCOMPLETE"));
    assert_eq!(record.paused.as_deref(), Some("downgrade"));
    let case = |id: &str| record.cases.iter().find(|case| case.id == id).unwrap();
    let kept = case("upgrade/plain/kept");
    assert_eq!((kept.verdict, kept.round), (Verdict::Pass, 1));
    assert!(kept.requests > 10, "those of both runs");
    assert_eq!(case("upgrade/plain/there-and-back").reason.as_deref(), Some("waits at downgrade"));
    assert!(!record.complete && record.seed == "0000000000c0ffee");

    desk.upgrade("refuse");
    let last = desk.resume(&[]);
    assert_eq!(last.status.code(), Some(0), "{}", text(&last));
    let record = desk.record();
    assert!(record.complete && record.clean_up.left.is_empty());
    assert_eq!(desk.verdicts(), [("upgrade/plain/there-and-back".to_owned(), Verdict::Pass)]);
    let back = record.rounds[1].changes.clone().unwrap();
    let worse = |what: &str| back.iter().any(|change| change.worse && change.text.starts_with(what));
    assert!(worse("stance for oci: was accept; now refuse"), "{back:?}");
    assert!(text(&last).contains("WORSE  after downgrade: stance for oci"), "{}", text(&last));
    let barriers: Vec<&str> = record.rounds.iter().map(|round| round.barrier.as_str()).collect();
    assert_eq!((barriers, record.cases[0].round), (vec!["upgrade", "downgrade"], 2));
    let journal = std::fs::read_to_string(desk.journal()).unwrap();
    assert!(journal.starts_with(&before), "it is only added to");
    let again = desk.resume(&[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again).contains("no case waits any more"), "{}", text(&again));
    assert_eq!(desk.run(&[]).status.code(), Some(0), "a journal of which nobody waits is no hindrance");
}

#[test]
fn without_the_way_back_what_would_meet_it_is_skipped_and_all_is_removed() {
    let desk = Desk::paused();
    assert!(!desk.tagged().is_empty());
    let run = desk.resume(&[]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run));
    let (pass, skip) = (Verdict::Pass, Verdict::Skip);
    assert_eq!(
        desk.verdicts(),
        [("upgrade/plain/kept".to_owned(), pass), ("upgrade/plain/there-and-back".into(), skip)]
    );
    assert!(desk.record().complete);
    assert_eq!(desk.tagged(), Vec::<String>::new());
}

#[test]
fn a_filter_selects_among_those_that_wait_and_the_others_go_on_waiting() {
    let desk = Desk::paused();
    let none = desk.resume(&["upgrade/plain/at-once"]);
    assert_eq!(none.status.code(), Some(4), "{}", text(&none));
    let one = desk.resume(&["upgrade/plain/kept", "--pause-at", "downgrade"]);
    assert_eq!(one.status.code(), Some(0), "{}", text(&one));
    assert_eq!(desk.verdicts(), [("upgrade/plain/kept".to_owned(), Verdict::Pass)]);
    let other = desk.resume(&["--pause-at", "downgrade"]);
    assert_eq!(other.status.code(), Some(0), "{}", text(&other));
    assert_eq!(desk.verdicts(), [("upgrade/plain/there-and-back".to_owned(), Verdict::Skip)]);
}

#[test]
fn a_torn_journal_goes_on_and_says_who_is_lost() {
    let desk = Desk::paused();
    let whole = std::fs::read(desk.journal()).unwrap();
    std::fs::write(desk.journal(), [whole.as_slice(), br#"{"op":"wai"#].concat()).unwrap();
    let run = desk.resume(&["--pause-at", "downgrade"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run));

    let desk = Desk::paused();
    let whole = std::fs::read(desk.journal()).unwrap();
    std::fs::write(desk.journal(), &whole[..whole.len() - 9]).unwrap();
    let run = desk.resume(&[]);
    assert_eq!(run.status.code(), Some(1), "{}", text(&run));
    assert!(text(&run).contains("1 case of the paused run cannot go on"), "{}", text(&run));
    assert!(!desk.record().complete);
}

#[test]
fn a_lost_upgrade_fails() {
    let desk = Desk::paused();
    // Somebody else's clean-up, in the middle of it all.
    let copy = desk.folder.path().join("copy.jsonl");
    std::fs::copy(desk.journal(), &copy).unwrap();
    assert_eq!(desk.lacuna("clean", &["copy.jsonl"]).status.code(), Some(0));
    let run = desk.resume(&[]);
    assert_eq!(run.status.code(), Some(1), "{}", text(&run));
    assert!(text(&run).contains("upgrade.keeps-tag"), "{}", text(&run));
}

#[test]
fn clean_ends_a_paused_run() {
    let desk = Desk::paused();
    let clean = desk.lacuna("clean", &["out/journal.jsonl"]);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean));
    assert_eq!(desk.tagged(), Vec::<String>::new());
    let run = desk.resume(&[]);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run).contains("resumed, or cleaned up"), "{}", text(&run));
    assert_eq!(desk.run(&["upgrade/plain/at-once"]).status.code(), Some(0));
}

#[test]
fn what_cannot_go_on_is_refused_with_its_place() {
    let desk = Desk::paused();
    let whole = std::fs::read_to_string(desk.journal()).unwrap();
    let number = whole.lines().position(|line| line.contains(r#""op":"waiting""#)).unwrap() + 1;
    for (from, to, said) in [
        (
            "\"case\":\"upgrade/plain/kept\"",
            "\"case\":\"upgrade/plain/gone\"",
            format!(":{number}: there is no case `upgrade/plain/gone`"),
        ),
        ("\"step\":3", "\"step\":2", format!(":{number}: step 3 of `upgrade/plain/kept` is no `barrier: upgrade`")),
        ("\"step\":3", "\"step\":-1", format!(":{number}: not a line of a journal")),
        ("{\"main\":\"lacuna/", "{\"main\":\"precious/", format!(":{number}: not a line of a journal: `precious/")),
        (
            "{\"main\":\"lacuna/",
            "{\"x\":\"lacuna/",
            format!(":{number}: the repositories of `upgrade/plain/kept` are not main"),
        ),
        ("\"seed\":\"0", "\"seed\":\"z", ":1: not a line of a journal: a seed has 16 hex digits".into()),
        ("\"suites\":\"sha256:", "\"suites\":\"sha256:x", "was written with other suites".into()),
        ("\"target\":\"http://127", "\"target\":\"http://128", "name that target".into()),
        ("\"op\":\"paused\"", "\"op\":\"pawsed\"", "not a line of a journal".into()),
    ] {
        assert!(whole.contains(from), "{from}");
        std::fs::write(desk.journal(), whole.replacen(from, to, 1)).unwrap();
        let run = desk.resume(&[]);
        assert_eq!(run.status.code(), Some(2), "{from}: {}", text(&run));
        assert!(text(&run).contains(&said), "{from}: {}", text(&run));
    }
    // A changed digest does not accuse the registry.
    std::fs::write(desk.journal(), whole.replacen("\"content\":\"sha256:", "\"content\":\"sha256:00", 1)).unwrap();
    assert_eq!(desk.resume(&[]).status.code(), Some(2));
    assert!(!desk.record().complete, "the paused run's reports are as they were");
    let run = Command::new(env!("CARGO_BIN_EXE_lacuna"))
        .current_dir(desk.folder.path())
        .args(["run", "reference", "--pause-at", "upgrade"])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run).contains("ends with it"), "{}", text(&run));
    for conflict in [["--seed", "1"], ["--shard", "1/2"], ["--repeat", "2"]] {
        assert_eq!(desk.resume(&conflict).status.code(), Some(2), "{conflict:?}");
    }
}
