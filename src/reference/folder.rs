//! The registry's state as files, so that it survives `kill -9`.
//!
//! ```text
//! DIR/content/<algorithm>/<hex>                             bytes of blobs and manifests
//! DIR/repositories/<name>/_manifests/<algorithm>/<hex>      the manifest's Content-Type
//! DIR/repositories/<name>/_tags/<tag>                       the digest that it leads to
//! DIR/repositories/<name>/_blobs/<algorithm>/<hex>          empty
//! DIR/uploads/<session>                                     what came so far; forgotten at the next start
//! DIR/life.json                                             what runs here, what it went through, how it ended
//! ```
//!
//! No component of a repository's name begins with `_`. Each file is written whole, to disk, before the request that
//! it belongs to is answered.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::boot::{Edition, Ended, Found, Remains};
use super::content::{Content, remove_durably, write_durably};
use super::manifest::Manifest;
use super::state::{Life, Write};
use crate::content::digest::Digest;

/// The folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
}

/// What `life.json` says.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Marked {
    edition: Edition,
    life: Life,
    /// Absent or false while it runs, and after it was killed.
    #[serde(default)]
    orderly: bool,
}

impl Folder {
    /// Uses this folder, which is made where it is not there, and forgets unfinished uploads.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(dir: &Path) -> io::Result<Folder> {
        fs::create_dir_all(dir.join("repositories"))?;
        let folder = Folder { dir: dir.to_owned() };
        if folder.uploads().exists() {
            fs::remove_dir_all(folder.uploads())?;
        }
        fs::create_dir_all(folder.uploads())?;
        Ok(folder)
    }

    /// Where uploads are kept until they are closed.
    pub fn uploads(&self) -> PathBuf {
        self.dir.join("uploads")
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.dir.join("repositories").join(name)
    }

    /// Writes a change to disk.
    ///
    /// # Errors
    /// It cannot be written; what was there before still is.
    pub fn persist(&self, write: &Write) -> io::Result<()> {
        match write {
            Write::Manifest { repository, digest, manifest, .. } => {
                write_durably(&link(&self.repository(repository), "_manifests", digest), manifest.media_type.as_bytes())
            }
            Write::Tag { repository, tag, digest } => {
                write_durably(&self.repository(repository).join("_tags").join(tag), digest.as_str().as_bytes())
            }
            Write::Untag { repository, tag } => remove_durably(&self.repository(repository).join("_tags").join(tag)),
            Write::DropManifest { repository, digest } => {
                remove_durably(&link(&self.repository(repository), "_manifests", digest))
            }
            Write::Link { repository, digest } => {
                write_durably(&link(&self.repository(repository), "_blobs", digest), b"")
            }
            Write::Unlink { repository, digest } => {
                remove_durably(&link(&self.repository(repository), "_blobs", digest))
            }
        }
    }

    /// Writes down what runs here, and how its run ended; until then a run counts as killed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mark(&self, edition: &Edition, life: Life, ended: Ended) -> io::Result<()> {
        let marked = Marked { edition: edition.clone(), life, orderly: ended == Ended::Orderly };
        let text = serde_json::to_vec_pretty(&marked)?;
        write_durably(&self.dir.join("life.json"), &text)
    }

    fn marked(&self) -> io::Result<Marked> {
        match fs::read(self.dir.join("life.json")) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_else(|e| {
                tracing::warn!("what ran here before is not known, life.json cannot be read: {e}");
                Marked::default()
            })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Marked::default()),
            Err(e) => Err(e),
        }
    }

    /// Reads back what is there. What is damaged is left out, and said in the log.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn load(&self, content: &Content) -> io::Result<Remains> {
        let Marked { edition, life, orderly } = self.marked()?;
        let ended = if orderly { Ended::Orderly } else { Ended::Killed };
        let mut remains = Remains { edition, life, ended, ..Remains::default() };
        let root = self.dir.join("repositories");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                if !path.is_dir() || name.starts_with('.') {
                    continue;
                }
                if !name.starts_with('_') {
                    folders.push(path);
                    continue;
                }
                let repository = folder.strip_prefix(&root).unwrap_or(&folder).to_string_lossy().into_owned();
                for (file, since) in files(&path)? {
                    match read(&name, &repository, &path, &file, content) {
                        Some(write) => remains.found.push(Found { write, since }),
                        None => tracing::warn!("left out, it cannot be read: {}", file.display()),
                    }
                }
                remains.repositories.push(repository);
            }
        }
        Ok(remains)
    }
}

fn link(repository: &Path, kind: &str, digest: &Digest) -> PathBuf {
    repository.join(kind).join(digest.as_str().split(':').next().unwrap_or_default()).join(digest.hex())
}

/// Every file below a folder, and when it was written.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, SystemTime)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path(), about.modified()?));
            }
        }
    }
    Ok(found)
}

/// The change that made this file.
fn read(kind: &str, repository: &str, root: &Path, file: &Path, content: &Content) -> Option<Write> {
    let repository = repository.to_owned();
    let digest_of_path = || {
        let relative = file.strip_prefix(root).ok()?;
        let mut parts = relative.iter().map(|p| p.to_string_lossy());
        Digest::parse(&format!("{}:{}", parts.next()?, parts.next()?))
    };
    match kind {
        "_tags" => {
            let digest = Digest::parse(&fs::read_to_string(file).ok()?)?;
            let tag = file.file_name()?.to_string_lossy().into_owned();
            Some(Write::Tag { repository, tag, digest })
        }
        "_blobs" => {
            let digest = digest_of_path()?;
            content.body(&digest)?;
            Some(Write::Link { repository, digest })
        }
        "_manifests" => {
            let digest = digest_of_path()?;
            let bytes: Bytes = content.body(&digest)?.to_bytes();
            let media_type = fs::read_to_string(file).ok()?;
            let manifest = Arc::new(Manifest::parse(Some(&media_type), &bytes).ok()?);
            Some(Write::Manifest { repository, digest, manifest, bytes })
        }
        _ => None,
    }
}
