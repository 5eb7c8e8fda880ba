//! `lacuna report --publish`: what is written, what is refused, and that what is committed is what would be written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use std::path::Path;
use std::process::{Command, Output};

use lacuna::record::{RunRecord, store};
use lacuna::report::publish::{index, page, summaries};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/published");

fn lacuna(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lacuna")).args(arguments).output().unwrap()
}

fn save(record: &RunRecord, folder: &Path, name: &str) -> String {
    let path = folder.join(name).join("results.json");
    store::write(&path, &store::to_json(record).unwrap()).unwrap();
    path.display().to_string()
}

#[test]
fn what_is_committed_is_what_the_command_writes() {
    let all = summaries(Path::new(COMMITTED)).unwrap_or_else(|e| panic!("{e}"));
    let read = |path: &str| std::fs::read_to_string(Path::new(COMMITTED).join(path)).unwrap_or_default();
    let help = "run the registry again and publish it with `lacuna report RESULTS.. --publish reports/published`";
    assert!(read("README.md") == index(&all), "reports/published/README.md: {help}");
    for (folder, summary) in &all {
        assert!(read(&format!("{folder}/README.md")) == page(summary), "{folder}/README.md: {help}");
    }
    for entry in std::fs::read_dir(COMMITTED).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || all.contains_key(&name), "{name} is not what --publish writes");
    }
}

#[test]
fn several_runs_have_a_folder_each_and_one_index_whatever_the_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut none = sample::mixed();
    (none.target.name, none.target.product) = ("distribution-none".into(), Some("distribution 3.1.1".into()));
    none.cases.iter_mut().for_each(|case| case.exchanges.iter_mut().for_each(|x| x.request.url += "/home/somebody"));
    let known =
        none.cases.iter_mut().find(|case| case.reason.as_deref().is_some_and(|r| r.contains("upstream"))).unwrap();
    known.sources = vec!["v1.1.1 L172; app.go:7".into()];
    let (one, two) = (save(&none, dir.path(), "one"), save(&sample::mixed(), dir.path(), "two"));
    let under = |name: &str| dir.path().join(name).display().to_string();
    for (arguments, name) in [([&one, &two], "a"), ([&two, &one], "b")] {
        let arguments = ["report", arguments[0].as_str(), arguments[1].as_str(), "--publish", &under(name)];
        let output = lacuna(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Again, alone: the index keeps what was there.
    assert_eq!(lacuna(&["report", &one, "--publish", &under("b")]).status.code(), Some(0));
    for path in [
        "README.md",
        "distribution-3.1.1-none/README.md",
        "distribution-3.1.1-none/summary.json",
        "lacuna-0.1.0-reference/README.md",
        "lacuna-0.1.0-reference/summary.json",
    ] {
        let read = |name| std::fs::read_to_string(dir.path().join(name).join(path)).unwrap();
        assert_eq!(read("a"), read("b"), "{path}");
        for never in ["127.0.0.1", "/home/somebody", "PUT index", dir.path().to_str().unwrap()] {
            assert!(!read("a").contains(never), "{path} has {never}");
        }
    }
    let summary = std::fs::read_to_string(dir.path().join("a/distribution-3.1.1-none/summary.json")).unwrap();
    for wanted in ["v1.1.1 L172; app.go:7", "upstream 1234", "manifest.get.absent: status 200", "delete.tag is absent"]
    {
        assert!(summary.contains(wanted), "{wanted}\n{summary}");
    }
}

#[test]
fn a_part_of_a_run_is_not_published_and_shards_are_published_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let under = dir.path().join("published").display().to_string();
    let refused = |change: fn(&mut RunRecord), wanted: &str| {
        let mut record = sample::mixed();
        change(&mut record);
        let output = lacuna(&["report", &save(&record, dir.path(), "part"), "--publish", &under]);
        assert_eq!(output.status.code(), Some(2), "{wanted}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(wanted) && !Path::new(&under).exists(), "{text}");
    };
    refused(|record| record.complete = false, "did not come to its end");
    refused(|record| record.selection.filters.push("tags/**".into()), "some cases only");
    refused(|record| record.selection.shard = Some("1/2".into()), "one shard");

    let mut halves = [sample::mixed(), sample::mixed()];
    let rest = halves[0].cases.split_off(4);
    halves[1].cases = rest;
    for (i, half) in halves.iter_mut().enumerate() {
        half.selection.shard = Some(format!("{}/2", i + 1));
        half.totals = lacuna::record::totals(&half.cases);
    }
    let saved: Vec<String> = (0..2).map(|i| save(&halves[i], dir.path(), &i.to_string())).collect();
    let output = lacuna(&["report", &saved[0], &saved[1], "--publish", &under]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all = summaries(Path::new(&under)).unwrap();
    assert_eq!(all["lacuna-0.1.0-reference"].totals, sample::mixed().totals);
}

#[test]
fn what_a_registry_wrote_is_no_markup_in_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = sample::hostile();
    record.selection.filters.clear();
    let output =
        lacuna(&["report", &save(&record, dir.path(), "x"), "--publish", &dir.path().join("p").display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for entry in summaries(&dir.path().join("p")).unwrap().values() {
        // Between backticks nothing is markup, and no text has one of its own; beside them every sign is escaped.
        let text = page(entry).replace("\\`", "");
        let beside: String = text.split('`').step_by(2).collect();
        let markup = beside.char_indices().any(|(i, c)| matches!(c, '<' | '&') && !beside[..i].ends_with('\\'));
        assert!(!markup && !text.contains('\u{1b}'), "{text}");
    }
}
