//! What a run creates, written down before it is created, so that it can be removed even after a crash.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::record::CleanUp;

/// What there can be in a registry. Ordered as it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A tag.
    Tag,
    /// A manifest, by digest.
    Manifest,
    /// A blob, by digest.
    Blob,
}

/// One thing in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// The repository's full name.
    pub repository: String,
    /// Tag or digest.
    #[serde(rename = "ref")]
    pub reference: String,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The run's id.
    pub run: String,
    /// The content's seed, 16 hex digits.
    pub seed: String,
    /// The target's URL, redacted.
    pub target: String,
    /// lacuna's version.
    pub lacuna: String,
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Op {
    /// A request that creates it is about to be sent.
    Creating,
    /// The registry acknowledged it.
    Created,
    /// It is gone.
    Removed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    op: Op,
    #[serde(flatten)]
    thing: Thing,
}

/// A run's journal. Clones write to the same one.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    file: Option<File>,
    created: u64,
    removed: u64,
    /// What is there: a thing that is created twice counts once.
    alive: HashSet<Thing>,
    /// What stays: by kind and reason, how many things, and a repository where one of them is.
    left: BTreeMap<(Kind, String), (u64, String)>,
}

/// Lines of `left` that are kept.
const LEFT: usize = 100;

impl Journal {
    /// A new file; an old one of this name is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path, header: &Header) -> std::io::Result<Journal> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let journal = Journal::with(Some(File::create(path)?));
        journal.line(header)?;
        Ok(journal)
    }

    /// A file that exists already, to which removals are added.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub fn append(path: &Path) -> std::io::Result<Journal> {
        let mut file = File::options().append(true).open(path)?;
        // A torn last line must not swallow the next one.
        file.write_all(b"\n")?;
        Ok(Journal::with(Some(file)))
    }

    /// One that only counts: for a target that is thrown away.
    pub fn unwritten() -> Journal {
        Journal::with(None)
    }

    fn with(file: Option<File>) -> Journal {
        Journal(Arc::new(Mutex::new(Inner {
            file,
            created: 0,
            removed: 0,
            alive: HashSet::new(),
            left: BTreeMap::new(),
        })))
    }

    /// Says that a thing is about to be created. When this returns, it is written.
    ///
    /// # Errors
    /// The file cannot be written: then the thing must not be created.
    pub fn creating(&self, thing: &Thing) -> std::io::Result<()> {
        self.line(&Entry { op: Op::Creating, thing: thing.clone() })
    }

    /// Says that a thing was created.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn created(&self, thing: &Thing) -> std::io::Result<()> {
        self.inner(|inner| inner.created += u64::from(inner.alive.insert(thing.clone())));
        self.line(&Entry { op: Op::Created, thing: thing.clone() })
    }

    /// Says that a thing is gone. A line that cannot be written is no loss: removing is idempotent.
    pub fn removed(&self, thing: &Thing) {
        self.inner(|inner| {
            inner.alive.remove(thing);
            inner.removed += 1;
        });
        let _ = self.line(&Entry { op: Op::Removed, thing: thing.clone() });
    }

    /// Says that a thing stays, and why.
    pub fn left(&self, thing: &Thing, why: &str) {
        self.inner(|inner| {
            let entry = inner.left.entry((thing.kind, why.to_owned()));
            entry.or_insert_with(|| (0, thing.repository.clone())).0 += 1;
        });
    }

    /// What was counted.
    pub fn tally(&self) -> CleanUp {
        self.inner(|inner| {
            let lines = inner.left.iter().take(LEFT).map(|((kind, why), (count, repository))| {
                let things = match (kind, count) {
                    (Kind::Tag, 1) => "tag",
                    (Kind::Tag, _) => "tags",
                    (Kind::Manifest, 1) => "manifest",
                    (Kind::Manifest, _) => "manifests",
                    (Kind::Blob, 1) => "blob",
                    (Kind::Blob, _) => "blobs",
                };
                format!("{count} {things} (one in {repository}): {why}")
            });
            CleanUp { created: inner.created, removed: inner.removed, left: lines.collect(), discarded: false }
        })
    }

    fn inner<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn line<T: Serialize>(&self, value: &T) -> std::io::Result<()> {
        self.inner(|inner| match &mut inner.file {
            None => Ok(()),
            Some(file) => {
                let mut line = serde_json::to_vec(value)?;
                line.push(b'\n');
                file.write_all(&line)
            }
        })
    }
}

/// A journal as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// The first line.
    pub header: Header,
    /// What was created, or may have been, and was not removed; in the order of creation, each once.
    pub things: Vec<Thing>,
}

/// A journal that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("cannot read the journal {path}: {source}")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file, for what is removed.
    #[error("cannot write to the journal {path}: {source}")]
    Write {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a journal.
    #[error("{path}:{line}: not a line of a journal: {problem}")]
    Line {
        /// Its path.
        path: String,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads what a run left. A last line without its end is passed over: the run was killed while it wrote.
///
/// # Errors
/// The file cannot be read, or a whole line of it is no journal's.
pub fn read(path: &Path) -> Result<Leftovers, JournalError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| JournalError::Read { path: name.clone(), source })?;
    let wrong = |line: usize, problem: String| JournalError::Line { path: name.clone(), line: line + 1, problem };
    let mut lines = bytes.split_inclusive(|b| *b == b'\n').enumerate();
    let header: Header = match lines.next() {
        Some((n, line)) => serde_json::from_slice(line).map_err(|e| wrong(n, format!("no header: {e}")))?,
        None => return Err(wrong(0, "the file is empty".into())),
    };
    let mut things: Vec<Thing> = Vec::new();
    let mut seen = HashSet::new();
    let mut gone = HashSet::new();
    let count = bytes.split_inclusive(|b| *b == b'\n').count();
    for (n, line) in lines {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let entry: Entry = match serde_json::from_slice(line.trim_ascii()) {
            Ok(entry) => entry,
            // Torn: the end of the file, or where a later clean-up went on with a line of its own.
            Err(e) if e.is_eof() || n + 1 == count => continue,
            Err(e) => return Err(wrong(n, e.to_string())),
        };
        match entry.op {
            Op::Removed => {
                gone.insert(entry.thing);
            }
            Op::Creating | Op::Created => {
                gone.remove(&entry.thing);
                if seen.insert(entry.thing.clone()) {
                    things.push(entry.thing);
                }
            }
        }
    }
    things.retain(|thing| !gone.contains(thing));
    Ok(Leftovers { header, things })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        let line =
            serde_json::to_string(&Entry { op: Op::Creating, thing: thing(Kind::Manifest, "sha256:0") }).unwrap();
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
        Journal::append(&path).unwrap().removed(&thing(Kind::Tag, "one"));
        assert_eq!(read(&path).unwrap().things, []);
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
}
