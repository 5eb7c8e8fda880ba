//! What the registry holds: repositories, what each links to, and the one way in which that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::manifest::Manifest;
use crate::content::digest::Digest;

/// All repositories. Content lies beside it, by digest; what no repository links to cannot be reached.
#[derive(Debug, Default)]
pub struct State {
    /// By name. A repository exists from the first thing stored in it.
    pub repositories: BTreeMap<String, Repository>,
}

/// One repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// Manifests, by the digest that they were stored under.
    pub manifests: BTreeMap<Digest, Stored>,
    /// Tags.
    pub tags: BTreeMap<String, Digest>,
    /// Blobs, and since when.
    pub blobs: BTreeMap<Digest, SystemTime>,
    /// Digests of manifests by that of their subject, as written.
    pub referrers: BTreeMap<String, BTreeSet<Digest>>,
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
        match write {
            Write::Manifest { repository, digest, manifest, bytes } => {
                let repository = self.repositories.entry(repository.clone()).or_default();
                if let Some(subject) = &manifest.subject {
                    repository.referrers.entry(subject.clone()).or_default().insert(digest.clone());
                }
                let first = repository.manifests.get(digest).map_or(now, |before| before.first);
                let stored = Stored { manifest: manifest.clone(), size: bytes.len() as u64, since: now, first };
                repository.manifests.insert(digest.clone(), stored);
            }
            Write::Tag { repository, tag, digest } => {
                self.repositories.entry(repository.clone()).or_default().tags.insert(tag.clone(), digest.clone());
            }
            Write::Link { repository, digest } => {
                self.repositories.entry(repository.clone()).or_default().blobs.insert(digest.clone(), now);
            }
            Write::Untag { repository, tag } => {
                if let Some(repository) = self.repositories.get_mut(repository) {
                    repository.tags.remove(tag);
                }
            }
            Write::Unlink { repository, digest } => {
                if let Some(repository) = self.repositories.get_mut(repository) {
                    repository.blobs.remove(digest);
                }
            }
            Write::DropManifest { repository, digest } => {
                if let Some(repository) = self.repositories.get_mut(repository) {
                    repository.drop_manifest(digest);
                }
            }
        }
    }
}

impl Repository {
    fn drop_manifest(&mut self, digest: &Digest) {
        let Some(stored) = self.manifests.remove(digest) else { return };
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
