//! Uploads: sessions, and what came into them so far.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body as HttpBody;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::content::{Source, hash_of_file};
use super::fresh;
use crate::content::digest::{Digest, Hasher};
use crate::content::graph::Algorithm;

/// Uploads that nobody touched for so long are forgotten.
const ABANDONED: Duration = Duration::from_secs(3600);

/// All sessions.
#[derive(Debug)]
pub struct Uploads {
    dir: Option<PathBuf>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Repository.
    pub repository: String,
    /// What came so far. A request holds it from its first byte to its answer.
    pub received: tokio::sync::Mutex<Received>,
    started: Instant,
}

/// What came so far.
#[derive(Debug)]
pub struct Received {
    place: Place,
    length: u64,
    hasher: Hasher,
}

#[derive(Debug)]
enum Place {
    Memory(BytesMut),
    File(PathBuf, tokio::fs::File),
}

/// Why the bytes of a request did not arrive.
#[derive(Debug)]
pub enum Broken {
    /// The client stopped in the middle.
    Client,
    /// The storage failed.
    Storage(io::Error),
}

/// An upload that was not closed when the registry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished<'a> {
    /// Repository.
    pub repository: &'a str,
    /// Bytes that came.
    pub length: u64,
}

/// How an unfinished upload goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// Bytes that are there still, of those that came.
    pub kept: u64,
    /// Bytes that it says are there: as many, rightly.
    pub says: u64,
}

impl Uploads {
    /// No session yet; bytes go to this folder, or to memory.
    pub fn new(dir: Option<PathBuf>) -> Uploads {
        Uploads { dir, sessions: Mutex::default() }
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session.
    ///
    /// # Errors
    /// Its file cannot be made.
    pub async fn begin(&self, repository: &str) -> io::Result<Arc<Session>> {
        let id = fresh::uuid();
        let place = match &self.dir {
            None => Place::Memory(BytesMut::new()),
            Some(dir) => {
                let path = dir.join(&id);
                let file = tokio::fs::File::create(&path).await?;
                Place::File(path, file)
            }
        };
        let received = Received { place, length: 0, hasher: Hasher::new(Algorithm::Sha256) };
        let session = Arc::new(Session {
            id: id.clone(),
            repository: repository.to_owned(),
            received: tokio::sync::Mutex::new(received),
            started: Instant::now(),
        });
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.started.elapsed() < ABANDONED);
        sessions.insert(id, session.clone());
        Ok(session)
    }

    /// The session of this id, where it is one of this repository.
    pub fn find(&self, repository: &str, id: &str) -> Option<Arc<Session>> {
        self.sessions().get(id).filter(|session| session.repository == repository).cloned()
    }

    /// Sessions of this repository.
    pub fn unfinished(&self, repository: &str) -> usize {
        self.sessions().values().filter(|session| session.repository == repository).count()
    }

    /// Repositories that anything was begun in and not closed.
    pub fn repositories(&self) -> BTreeSet<String> {
        self.sessions().values().map(|session| session.repository.clone()).collect()
    }

    /// Keeps of every session what `decide` says, and forgets the others. Nobody uses them: who holds one loses it.
    pub fn survive(&self, decide: impl Fn(&Unfinished) -> Option<Resumed>) {
        self.sessions().retain(|_, session| {
            let Ok(mut received) = session.received.try_lock() else { return false };
            let unfinished = Unfinished { repository: &session.repository, length: received.length };
            decide(&unfinished).is_some_and(|resumed| received.resume(resumed).is_ok())
        });
    }

    /// Ends a session.
    pub fn end(&self, session: &Session) {
        self.sessions().remove(&session.id);
    }
}

impl Received {
    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends a request's body as it comes; what came before it broke stays.
    ///
    /// # Errors
    /// The body or the storage broke.
    pub async fn append(&mut self, body: HttpBody) -> Result<u64, Broken> {
        let before = self.length;
        let mut pieces = body.into_data_stream();
        let mut outcome = Ok(());
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else {
                outcome = Err(Broken::Client);
                break;
            };
            match &mut self.place {
                Place::Memory(bytes) => bytes.extend_from_slice(&piece),
                Place::File(_, file) => file.write_all(&piece).await.map_err(Broken::Storage)?,
            }
            self.hasher.update(&piece);
            self.length += piece.len() as u64;
        }
        if let Place::File(_, file) = &mut self.place {
            file.flush().await.map_err(Broken::Storage)?;
        }
        outcome.map(|()| self.length - before)
    }

    /// The digest of all that came. sha256 is known already; another algorithm reads it once more.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn digest(&self, algorithm: Algorithm) -> io::Result<Digest> {
        match (algorithm, &self.place) {
            (Algorithm::Sha256, _) => Ok(self.hasher.clone().finish()),
            (_, Place::Memory(bytes)) => Ok(Digest::of(algorithm, bytes)),
            (_, Place::File(path, _)) => Ok(hash_of_file(algorithm, path)?.finish()),
        }
    }

    /// Goes on with a part of what came.
    fn resume(&mut self, resumed: Resumed) -> io::Result<()> {
        match &mut self.place {
            Place::Memory(bytes) => {
                bytes.truncate(usize::try_from(resumed.kept).unwrap_or(usize::MAX));
                self.hasher = Hasher::new(Algorithm::Sha256);
                self.hasher.update(bytes);
            }
            Place::File(path, file) => {
                let kept = std::fs::OpenOptions::new().append(true).open(&path)?;
                kept.set_len(resumed.kept.min(kept.metadata()?.len()))?;
                self.hasher = hash_of_file(Algorithm::Sha256, path)?;
                *file = tokio::fs::File::from_std(kept);
            }
        }
        self.length = resumed.says;
        Ok(())
    }

    /// All that came, to become content; nothing is left.
    pub fn take(&mut self) -> Source {
        self.length = 0;
        match &mut self.place {
            Place::Memory(bytes) => Source::Bytes(bytes.split().freeze()),
            Place::File(path, _) => Source::File(std::mem::take(path)),
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Place::File(path, _) = &self.place
            && !path.as_os_str().is_empty()
        {
            // Best effort: the next start forgets what is left.
            let _ = std::fs::remove_file(path);
        }
    }
}
