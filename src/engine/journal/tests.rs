//! Journals, written and read.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::target::profile::Repositories;

fn header() -> Header {
    Header { run: "r1".into(), seed: "00ff".into(), target: "http://x".into(), lacuna: "0.1.0".into() }
}

fn thing(kind: Kind, reference: &str) -> Thing {
    Thing { kind, repository: "a/b".into(), reference: reference.into() }
}

#[test]
fn what_was_not_removed_is_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.jsonl");
    let journal = Journal::create(&path, &header()).unwrap();
    for reference in ["one", "two", "three"] {
        journal.creating(&thing(Kind::Tag, reference)).unwrap();
    }
    journal.created(&thing(Kind::Tag, "two")).unwrap();
    journal.created(&thing(Kind::Tag, "three")).unwrap();
    journal.removed(&thing(Kind::Tag, "two"));
    let left = read(&path).unwrap();
    assert_eq!(left.header, header());
    assert_eq!(left.things, [thing(Kind::Tag, "one"), thing(Kind::Tag, "three")]);
    assert_eq!((journal.tally().created, journal.tally().removed), (2, 1));
}

#[test]
fn created_again_after_removal_is_left_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = Journal::create(&path, &header()).unwrap();
    journal.creating(&thing(Kind::Blob, "x")).unwrap();
    journal.removed(&thing(Kind::Blob, "x"));
    assert!(read(&path).unwrap().things.is_empty());
    journal.creating(&thing(Kind::Blob, "x")).unwrap();
    assert_eq!(read(&path).unwrap().things.len(), 1);
}

#[test]
fn lines_have_the_fixed_keys() {
    let line = serde_json::to_string(&Entry { op: Op::Creating, thing: thing(Kind::Manifest, "sha256:0") }).unwrap();
    assert_eq!(line, r#"{"op":"creating","kind":"manifest","repository":"a/b","ref":"sha256:0"}"#);
}

#[test]
fn a_torn_last_line_is_passed_over_and_a_later_clean_up_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = Journal::create(&path, &header()).unwrap();
    journal.creating(&thing(Kind::Tag, "one")).unwrap();
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(br#"{"op":"crea"#);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).unwrap().things, [thing(Kind::Tag, "one")]);
    Journal::append(&path, &read(&path).unwrap()).unwrap().removed(&thing(Kind::Tag, "one"));
    assert_eq!(read(&path).unwrap().things, []);
}

#[test]
fn an_unreadable_line_before_the_last_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    for torn in [r#"{"op":"crea"#, r#"{"op":"zap","kind":"tag","repository":"a/b","ref":"x"}"#, "nonsense"] {
        let journal = Journal::create(&path, &header()).unwrap();
        std::fs::write(&path, [std::fs::read(&path).unwrap(), format!("{torn}\n").into_bytes()].concat()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains(":2: not a line"), "{torn}");
        drop(journal);
    }
}

#[test]
fn a_repository_of_another_run_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let journal = Journal::create(&path, &header()).unwrap();
    let of = |repository: &str| Thing { kind: Kind::Tag, repository: repository.into(), reference: "v1".into() };
    journal.creating(&of("lacuna/r1/case-0")).unwrap();
    assert_eq!(read_of(&path, &Repositories::default()).unwrap().things.len(), 1);
    journal.creating(&of("library/precious")).unwrap();
    let error = read_of(&path, &Repositories::default()).unwrap_err().to_string();
    assert!(error.contains(":3: not a line of a journal: `library/precious` is no repository of run r1"), "{error}");
}

#[test]
fn what_is_no_journal_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    for (text, expected) in [
        ("", ":1: not a line of a journal: the file is empty"),
        ("\u{0}\u{1}", ":1: not a line of a journal: no header"),
        ("{\"run\":\"r\",\"seed\":\"0\",\"target\":\"t\",\"lacuna\":\"0\"}\nnonsense\n{}\n", ":2: not a line"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(read(&folder.path().join("none")).unwrap_err().to_string().contains("cannot read the journal"));
}

#[test]
fn what_stays_is_told_by_kind_and_reason() {
    let journal = Journal::unwritten();
    for n in 0..500 {
        journal.left(&thing(Kind::Blob, &n.to_string()), "405");
    }
    journal.left(&thing(Kind::Tag, "v1"), "405");
    for n in 0..500 {
        journal.left(&thing(Kind::Manifest, "x"), &format!("{n:04}"));
    }
    let left = journal.tally().left;
    assert_eq!(left.len(), LEFT);
    assert_eq!(left.first().unwrap(), "1 tag (one in a/b): 405");
    assert_eq!(left.get(1).unwrap(), "1 manifest (one in a/b): 0000");
}

#[test]
fn a_journal_has_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let first = Journal::create(&path, &header()).unwrap();
    first.creating(&thing(Kind::Tag, "one")).unwrap();
    assert!(Journal::is_held(&path));
    for refused in [Journal::create(&path, &header()).map(|_| None), Journal::set_aside(&path)] {
        assert!(refused.unwrap_err().to_string().contains("has not ended"));
    }
    drop(first);
    assert!(!Journal::is_held(&path));
    let aside = Journal::set_aside(&path).unwrap().unwrap();
    assert_eq!((aside.file_name().unwrap().to_str(), path.exists()), (Some("journal-r1.jsonl"), false));
    assert_eq!(read(&aside).unwrap().things, [thing(Kind::Tag, "one")]);
}

#[test]
fn what_a_run_that_ended_could_not_remove_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    assert_eq!(Journal::set_aside(&path).unwrap(), None);
    let journal = Journal::create(&path, &header()).unwrap();
    journal.created(&thing(Kind::Tag, "one")).unwrap();
    journal.ended();
    drop(journal);
    assert_eq!(Journal::set_aside(&path).unwrap(), None);
    assert!(read(&path).unwrap().ended);
    assert!(Journal::create(&folder.path().join("."), &header()).is_err());
}
