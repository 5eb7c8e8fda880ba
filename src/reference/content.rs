//! Bytes by digest: in memory, or as files of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::answer::Body;
use crate::content::digest::{Digest, Hasher};
use crate::content::graph::Algorithm;

/// Where the bytes are.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Memory(Mutex<BTreeMap<Digest, Bytes>>),
    /// In files `content/<algorithm>/<hex>` of this folder.
    Folder(PathBuf),
}

/// Bytes that are to become content.
#[derive(Debug)]
pub enum Source {
    /// Held in memory.
    Bytes(Bytes),
    /// A file on the content's own file system; it is moved, not copied.
    File(PathBuf),
}

impl Content {
    /// Content of a folder, which is made where it is not there; of memory without one.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(dir: Option<&Path>) -> io::Result<Content> {
        let Some(dir) = dir else { return Ok(Content::Memory(Mutex::default())) };
        for algorithm in ["sha256", "sha512"] {
            fs::create_dir_all(dir.join("content").join(algorithm))?;
        }
        Ok(Content::Folder(dir.join("content")))
    }

    /// All bytes of a digest, as a body that streams them.
    pub fn body(&self, digest: &Digest) -> Option<Body> {
        match self {
            Content::Memory(map) => lock(map).get(digest).cloned().map(Body::Bytes),
            Content::Folder(dir) => {
                let path = path_of(dir, digest);
                let length = fs::metadata(&path).ok()?.len();
                Some(Body::File { path, start: 0, length })
            }
        }
    }

    /// Stores bytes under a digest, whole or not at all. They are on disk when this returns.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn put(&self, digest: &Digest, source: Source) -> io::Result<()> {
        match (self, source) {
            (Content::Memory(map), Source::Bytes(bytes)) => {
                lock(map).insert(digest.clone(), bytes);
                Ok(())
            }
            (Content::Memory(map), Source::File(path)) => {
                lock(map).insert(digest.clone(), fs::read(path)?.into());
                Ok(())
            }
            (Content::Folder(dir), Source::Bytes(bytes)) => write_durably(&path_of(dir, digest), &bytes),
            (Content::Folder(dir), Source::File(path)) => move_durably(&path, &path_of(dir, digest)),
        }
    }

    /// Removes bytes; none there is fine.
    ///
    /// # Errors
    /// They cannot be removed.
    pub fn remove(&self, digest: &Digest) -> io::Result<()> {
        match self {
            Content::Memory(map) => {
                lock(map).remove(digest);
                Ok(())
            }
            Content::Folder(dir) => remove_durably(&path_of(dir, digest)),
        }
    }

    /// Every digest that there are bytes of.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn digests(&self) -> io::Result<Vec<Digest>> {
        let dir = match self {
            Content::Memory(map) => return Ok(lock(map).keys().cloned().collect()),
            Content::Folder(dir) => dir,
        };
        let mut digests = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            for entry in fs::read_dir(dir.join(algorithm))? {
                let name = entry?.file_name();
                digests.extend(Digest::parse(&format!("{algorithm}:{}", name.to_string_lossy())));
            }
        }
        digests.sort();
        Ok(digests)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path_of(dir: &Path, digest: &Digest) -> PathBuf {
    let algorithm = match digest.algorithm() {
        Algorithm::Sha256 => "sha256",
        Algorithm::Sha512 => "sha512",
    };
    dir.join(algorithm).join(digest.hex())
}

/// A hasher that was fed a file, read in pieces.
///
/// # Errors
/// It cannot be read.
pub fn hash_of_file(algorithm: Algorithm, path: &Path) -> io::Result<Hasher> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher),
            n => hasher.update(piece.get(..n).unwrap_or_default()),
        }
    }
}

/// Writes a file so that, whenever the process or the machine dies, the old bytes or the new ones are there, whole.
///
/// # Errors
/// It cannot be written.
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    // A temporary name starts with a dot: no tag, digest or repository does.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    sync_dir(parent)
}

fn move_durably(from: &Path, to: &Path) -> io::Result<()> {
    fs::File::open(from)?.sync_all()?;
    fs::rename(from, to)?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))
}

/// Removes a file; none there is fine.
///
/// # Errors
/// It cannot be removed.
pub fn remove_durably(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_dir(path.parent().unwrap_or(Path::new("."))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
