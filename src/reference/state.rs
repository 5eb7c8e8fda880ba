//! What the registry holds: repositories, what each links to, and the one way in which that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::past::{Gone, Past};
use crate::content::digest::Digest;

/// All repositories. Content lies beside it, by digest; what no repository links to cannot be reached.
#[derive(Debug, Default)]
pub struct State {
    /// By name. A repository exists from the first thing stored in it.
    pub repositories: BTreeMap<String, Repository>,
    /// What it went through.
    pub life: Life,
}

/// What the registry went through. Nothing right is decided from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Life {
    /// How often it was started.
    pub starts: u32,
    /// Whether the run before this one was killed.
    pub killed: bool,
    /// Whether it is, since the last change of what it is, a newer one or one that is configured otherwise.
    pub upgraded: bool,
    /// Whether it is, since that change, an older one.
    pub downgraded: bool,
    /// When it was started last.
    pub started: Option<SystemTime>,
    /// How many collections it finished.
    pub collections: u32,
    /// When it finished the last.
    pub collected: Option<SystemTime>,
    /// Whether one is under way.
    #[serde(skip)]
    pub collecting: bool,
}

/// One repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// Manifests, by the digest that they were stored under.
    pub manifests: BTreeMap<Digest, Stored>,
    /// Tags.
    pub tags: BTreeMap<String, Digest>,
    /// When each tag was set last.
    pub tagged: BTreeMap<String, SystemTime>,
    /// Blobs, and since when.
    pub blobs: BTreeMap<Digest, SystemTime>,
    /// Digests of manifests by that of their subject, as written.
    pub referrers: BTreeMap<String, BTreeSet<Digest>>,
    /// What was there, and is not any more.
    pub past: Past,
}

/// A manifest that is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What it says.
    pub manifest: Arc<Manifest>,
    /// Bytes.
    pub size: u64,
    /// When it was stored last.
    pub since: SystemTime,
    /// When it was stored first, since it was there without a break.
    pub first: SystemTime,
}

/// Manifests with their digests.
pub type Manifests = Vec<(Digest, Stored)>;

/// One change. A request leads to a list of them, in an order in which each prefix leaves no reference hanging.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Stores a manifest.
    Manifest {
        /// Repository.
        repository: String,
        /// Digest that it is stored under.
        digest: Digest,
        /// What it says.
        manifest: Arc<Manifest>,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Sets a tag.
    Tag {
        /// Repository.
        repository: String,
        /// Tag.
        tag: String,
        /// What it leads to.
        digest: Digest,
    },
    /// Removes a tag.
    Untag {
        /// Repository.
        repository: String,
        /// Tag.
        tag: String,
    },
    /// Removes a manifest.
    DropManifest {
        /// Repository.
        repository: String,
        /// Digest.
        digest: Digest,
    },
    /// Makes a blob reachable; its content is there.
    Link {
        /// Repository.
        repository: String,
        /// Digest.
        digest: Digest,
    },
    /// Makes a blob unreachable.
    Unlink {
        /// Repository.
        repository: String,
        /// Digest.
        digest: Digest,
    },
}

impl State {
    /// A repository, where it exists.
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// What a tag leads to.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<&Digest> {
        self.repository(repository)?.tags.get(tag)
    }

    /// A manifest of a repository.
    pub fn manifest(&self, repository: &str, digest: &Digest) -> Option<&Stored> {
        self.repository(repository)?.manifests.get(digest)
    }

    /// The first repository that has this manifest.
    pub fn manifest_anywhere(&self, digest: &Digest) -> Option<(&str, &Stored)> {
        self.repositories.iter().find_map(|(name, r)| Some((name.as_str(), r.manifests.get(digest)?)))
    }

    /// Whether a repository has this blob.
    pub fn has_blob(&self, repository: &str, digest: &Digest) -> bool {
        self.repository(repository).is_some_and(|r| r.blobs.contains_key(digest))
    }

    /// The first repository that has this blob.
    pub fn blob_anywhere(&self, digest: &Digest) -> Option<&str> {
        self.repositories.iter().find(|(_, r)| r.blobs.contains_key(digest)).map(|(name, _)| name.as_str())
    }

    /// Applies a change. What is not there can be removed; that changes nothing.
    pub fn apply(&mut self, write: &Write, now: SystemTime) {
        let name = write.repository();
        if write.removes() && !self.repositories.contains_key(name) {
            return;
        }
        self.repositories.entry(name.to_owned()).or_default().apply(write, now);
    }
}

impl Write {
    /// The repository that it changes.
    pub fn repository(&self) -> &str {
        match self {
            Write::Manifest { repository, .. }
            | Write::Tag { repository, .. }
            | Write::Untag { repository, .. }
            | Write::DropManifest { repository, .. }
            | Write::Link { repository, .. }
            | Write::Unlink { repository, .. } => repository,
        }
    }

    /// Whether it takes something away.
    pub fn removes(&self) -> bool {
        matches!(self, Write::Untag { .. } | Write::DropManifest { .. } | Write::Unlink { .. })
    }
}

impl Repository {
    fn apply(&mut self, write: &Write, now: SystemTime) {
        match write {
            Write::Manifest { digest, manifest, bytes, .. } => {
                if let Some(subject) = &manifest.subject {
                    self.referrers.entry(subject.clone()).or_default().insert(digest.clone());
                }
                let first = self.manifests.get(digest).map_or(now, |before| before.first);
                let stored = Stored { manifest: manifest.clone(), size: bytes.len() as u64, since: now, first };
                self.manifests.insert(digest.clone(), stored);
                self.past.regain(digest);
            }
            Write::Tag { tag, digest, .. } => {
                if self.tags.get(tag) != Some(digest) {
                    self.drop_tag(tag);
                }
                self.tags.insert(tag.clone(), digest.clone());
                self.tagged.insert(tag.clone(), now);
            }
            Write::Link { digest, .. } => {
                self.blobs.insert(digest.clone(), now);
                self.past.regain(digest);
            }
            Write::Untag { tag, .. } => self.drop_tag(tag),
            Write::Unlink { digest, .. } => {
                if let Some(since) = self.blobs.remove(digest) {
                    self.past.lose(Gone::Blob(digest.clone()), since);
                }
            }
            Write::DropManifest { digest, .. } => self.drop_manifest(digest),
        }
    }

    fn drop_tag(&mut self, tag: &str) {
        let since = self.tagged.remove(tag);
        if let Some((digest, since)) = self.tags.remove(tag).zip(since) {
            self.past.lose(Gone::Tag(tag.to_owned(), digest), since);
        }
    }

    fn drop_manifest(&mut self, digest: &Digest) {
        let Some(stored) = self.manifests.remove(digest) else { return };
        self.past.lose(Gone::Manifest(digest.clone(), stored.clone()), stored.since);
        let Some(subject) = &stored.manifest.subject else { return };
        if let Some(referrers) = self.referrers.get_mut(subject) {
            referrers.remove(digest);
            if referrers.is_empty() {
                self.referrers.remove(subject);
            }
        }
    }

    /// Tags that lead to this manifest.
    pub fn tags_of<'a>(&'a self, digest: &'a Digest) -> impl Iterator<Item = &'a String> {
        self.tags.iter().filter(move |(_, d)| *d == digest).map(|(tag, _)| tag)
    }
}
