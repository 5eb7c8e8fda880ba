//! A journal read again: what may still be there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use super::pause::{Any, Pauses};
use super::{Entry, Header, Op, Paused, Thing};
use crate::engine::pause::Saved;
use crate::input;
use crate::suite::fault::shown;
use crate::target::profile::Repositories;

/// A journal as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Leftovers {
    /// The first line.
    pub header: Header,
    /// What was created, or may have been, and was not removed; in the order of creation, each once.
    pub things: Vec<Thing>,
    /// How the run was last paused, where it was.
    pub paused: Option<Paused>,
    /// Cases that still wait to go on, by id, each with its line.
    pub waiting: BTreeMap<String, (usize, Saved)>,
    /// Whether the run came to its end, with its clean-up.
    pub ended: bool,
    /// Cases that are said to have waited at the last pause, and of which there is no line.
    pub lost: u64,
    /// Those of them that the registry acknowledged; whether the others are there, nobody knows.
    pub(super) acknowledged: HashSet<Thing>,
    /// Bytes without a torn last line.
    pub(super) sound: u64,
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
    lines(path, |_, _| true)
}

/// As [`read`], for a target with these repositories: none but those of the journal's run may stand in it.
///
/// # Errors
/// As [`read`], and a line that names another repository.
pub fn read_of(path: &Path, repositories: &Repositories) -> Result<Leftovers, JournalError> {
    lines(path, |header, name| repositories.are_of(&header.run, name))
}

fn lines(path: &Path, allowed: impl Fn(&Header, &str) -> bool) -> Result<Leftovers, JournalError> {
    let name = path.display().to_string();
    let bytes = input::read(path, input::MOST).map_err(|source| JournalError::Read { path: name.clone(), source })?;
    let wrong = |line: usize, problem: String| JournalError::Line { path: name.clone(), line: line + 1, problem };
    let mut lines = bytes.split_inclusive(|b| *b == b'\n').enumerate();
    let header: Header = match lines.next() {
        Some((n, line)) => {
            serde_json::from_slice(line).map_err(|e| wrong(n, format!("no header: {}", input::plain(&e))))?
        }
        None => return Err(wrong(0, "the file is empty".into())),
    };
    let mut things: Vec<Thing> = Vec::new();
    let (mut seen, mut gone, mut acknowledged) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut sound = bytes.len();
    let mut pause = Pauses::default();
    for (n, line) in lines {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line_of = |line: &[u8]| serde_json::from_slice::<Any>(line.trim_ascii());
        let entry: Entry = match line_of(line) {
            Ok(Any::Thing(entry)) => entry,
            Ok(Any::Pause(said)) => {
                if let Some(name) = said.names().find(|name| !allowed(&header, name)) {
                    return Err(wrong(n, foreign(name, &header.run)));
                }
                pause.take(n + 1, said);
                continue;
            }
            // Only the last line can lack its end.
            Err(_) if !line.ends_with(b"\n") => {
                sound -= line.len();
                continue;
            }
            Err(e) => return Err(wrong(n, input::plain(&e))),
        };
        if !allowed(&header, &entry.thing.repository) {
            return Err(wrong(n, foreign(&entry.thing.repository, &header.run)));
        }
        match entry.op {
            Op::Removed => {
                acknowledged.remove(&entry.thing);
                gone.insert(entry.thing);
            }
            op => {
                gone.remove(&entry.thing);
                if op == Op::Created {
                    acknowledged.insert(entry.thing.clone());
                }
                if seen.insert(entry.thing.clone()) {
                    things.push(entry.thing);
                }
            }
        }
    }
    things.retain(|thing| !gone.contains(thing));
    let Pauses { paused, waiting, missing: lost, ended } = pause;
    Ok(Leftovers { header, things, paused, waiting, ended, lost, acknowledged, sound: sound as u64 })
}

fn foreign(name: &str, run: &str) -> String {
    format!("`{}` is no repository of run {} here", shown(name, 100), shown(run, 40))
}

impl Leftovers {
    /// Repositories of cases that still wait.
    pub fn held(&self) -> BTreeSet<String> {
        self.waiting.values().flat_map(|(_, saved)| saved.repositories.values().cloned()).collect()
    }

    /// What was created in the repositories of a case that waits, in order.
    pub fn created_by(&self, saved: &Saved) -> Vec<Thing> {
        let its = |thing: &&Thing| saved.repositories.values().any(|name| *name == thing.repository);
        self.things.iter().filter(its).cloned().collect()
    }
}
