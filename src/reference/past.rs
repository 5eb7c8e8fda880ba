//! What a repository held and holds no more, as far as a registry in memory can know it. Nothing right is decided from
//! it: it is there for seams that confuse what was with what is.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use super::state::{Stored, Write};
use crate::content::digest::Digest;

/// What one repository lost since the process began, the newest of it; what was collected, since the last start.
#[derive(Debug, Default)]
pub struct Past {
    gone: VecDeque<(Gone, SystemTime)>,
    collected: BTreeMap<Digest, u64>,
}

/// Something that was removed, or replaced.
#[derive(Debug, Clone)]
pub enum Gone {
    /// A tag, and what it led to.
    Tag(String, Digest),
    /// A manifest.
    Manifest(Digest, Stored),
    /// A blob.
    Blob(Digest),
}

impl Gone {
    /// What this write would bring back, with the time at which it was stored.
    pub fn of(write: Write, since: SystemTime) -> Option<Gone> {
        match write {
            Write::Tag { tag, digest, .. } => Some(Gone::Tag(tag, digest)),
            Write::Manifest { digest, manifest, bytes, .. } => {
                let stored = Stored { manifest, size: bytes.len() as u64, since, first: since };
                Some(Gone::Manifest(digest, stored))
            }
            Write::Link { digest, .. } => Some(Gone::Blob(digest)),
            _ => None,
        }
    }
}

impl Past {
    /// Most that is remembered of each kind.
    const LIMIT: usize = 10_000;

    /// Remembers what is lost; it was stored at this time.
    pub fn lose(&mut self, gone: Gone, since: SystemTime) {
        if self.gone.len() >= Past::LIMIT {
            self.gone.pop_front();
        }
        self.gone.push_back((gone, since));
    }

    /// Remembers that the collector took this, and how many bytes it had.
    pub fn collect(&mut self, digest: &Digest, size: u64) {
        if self.collected.len() >= Past::LIMIT {
            self.collected.clear();
        }
        self.collected.insert(digest.clone(), size);
    }

    /// It is there again.
    pub fn regain(&mut self, digest: &Digest) {
        self.collected.remove(digest);
    }

    /// The size of what the collector took and nobody brought back.
    pub fn collected(&self, digest: &Digest) -> Option<u64> {
        self.collected.get(digest).copied()
    }

    /// The bytes of all that the collector took and nobody brought back.
    pub fn collected_bytes(&self) -> u64 {
        self.collected.values().sum()
    }

    /// What was removed or replaced, oldest first, and when it had been stored.
    pub fn gone(&self) -> impl Iterator<Item = &(Gone, SystemTime)> {
        self.gone.iter()
    }
}
