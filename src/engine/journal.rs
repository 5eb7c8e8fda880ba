//! What a run creates, written down before it is created, so that it can be removed even after a crash.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use self::pause::{Found, Paused};
pub use self::read::{JournalError, Leftovers, read, read_of};
use crate::record::CleanUp;

mod pause;
mod read;

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

/// Opens a journal to add to its end (whoever cleans up behind the probe does so too) as the only run that does.
fn held(path: &Path) -> std::io::Result<File> {
    // Opening a pipe would wait for its reader.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    let file = File::options().create(true).append(true).open(path)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let text = "a run that has not ended writes it: wait for its end, or name another folder by --out";
            Err(std::io::Error::new(ErrorKind::ResourceBusy, text))
        }
        // Where files cannot be locked nobody can know.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Lines of `left` that are kept.
const LEFT: usize = 100;

impl Journal {
    /// A new file, which is this run's alone; an old one of this name is replaced.
    ///
    /// # Errors
    /// The file cannot be written, or a run that has not ended writes it.
    pub fn create(path: &Path, header: &Header) -> std::io::Result<Journal> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = held(path)?;
        file.set_len(0)?;
        let journal = Journal::with(Some(file));
        journal.line(header)?;
        Ok(journal)
    }

    /// Puts the journal of a run that did not come to its end out of the way of the next one, and says where, since what it names
    /// may be there still.
    ///
    /// # Errors
    /// It cannot be renamed, or a run that has not ended writes it.
    pub fn set_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
        if !path.exists() {
            return Ok(None);
        }
        let _held = held(path)?;
        let Some(left) = read(path).ok().filter(|left| !left.ended && !left.things.is_empty()) else { return Ok(None) };
        let id: String = left.header.run.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let aside = path.with_file_name(format!("journal-{id}.jsonl"));
        std::fs::rename(path, &aside)?;
        Ok(Some(aside))
    }

    /// Whether a run that has not ended writes this journal.
    pub fn is_held(path: &Path) -> bool {
        held(path).is_err_and(|error| error.kind() == ErrorKind::ResourceBusy)
    }

    /// A file that exists already and was read as these leftovers, to which is added. What was acknowledged counts as created.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub fn append(path: &Path, leftovers: &Leftovers) -> std::io::Result<Journal> {
        let mut file = File::options().append(true).open(path)?;
        // A torn last line must not swallow the next one.
        file.set_len(leftovers.sound)?;
        file.write_all(b"\n")?;
        let journal = Journal::with(Some(file));
        journal.inner(|inner| {
            inner.alive.clone_from(&leftovers.acknowledged);
            inner.created = leftovers.acknowledged.len() as u64;
        });
        Ok(journal)
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

    /// Whether the registry acknowledged a thing that is not gone since.
    pub fn acknowledged(&self, thing: &Thing) -> bool {
        self.inner(|inner| inner.alive.contains(thing))
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
                let start = file.stream_position()?;
                file.write_all(&line).inspect_err(|_| {
                    // Half a line must not swallow the next one; where that fails too, the journal's end is torn.
                    let _ = file.set_len(start).and_then(|()| file.seek(SeekFrom::Start(start)));
                })
            }
        })
    }
}

#[cfg(test)]
mod tests;
