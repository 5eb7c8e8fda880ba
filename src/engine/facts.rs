//! What the registry acknowledged in this case, repository by repository: from it follows what must be there, and what not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use self::race::May;
use self::race::{Change, Event};
pub use self::saved::SavedFacts;
use crate::content::digest::Digest;
use crate::content::{Node, NodeKind};

mod race;
mod saved;

/// Where a manifest or blob stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Its push was acknowledged.
    Present,
    /// Its deletion was acknowledged.
    Deleted,
    /// A push or deletion was answered with what is neither yes nor no: nothing can be said.
    Unclear,
}

/// The answer to the last put of a manifest.
#[derive(Debug, Clone)]
pub struct PutAnswer {
    /// The status, where one came.
    pub status: Option<u16>,
    /// The tag that it was put under, where it was put by tag.
    pub tag: Option<String>,
    /// What that tag named before.
    pub older: Option<Arc<Node>>,
    /// Whether the manifest was there before.
    pub stored_before: bool,
}

/// Everything known of the case's repositories, by nickname.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    of: BTreeMap<String, Repository>,
    /// When that was sent which is written down next; of a lane only.
    sent: Option<Instant>,
}

/// What is known of one repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    manifests: BTreeMap<Digest, State>,
    blobs: BTreeMap<Digest, State>,
    tags: BTreeMap<String, Arc<Node>>,
    puts: BTreeMap<Digest, PutAnswer>,
    /// What was acknowledged before the last barrier, and not again since.
    older: BTreeSet<Digest>,
    /// What was read and found there since a manifest that names it was acknowledged.
    seen: BTreeSet<Digest>,
    /// Tags that somebody else left there before, and that this case has not written since.
    pub foreign: BTreeSet<String>,
    /// What tags may name that were written by several at once, and not again since.
    raced: BTreeMap<String, May>,
    /// What a lane wrote down, in order, and when that was sent which is written down next.
    log: Vec<Event>,
    sent: Option<Instant>,
    /// When a push was last acknowledged.
    pub written: Option<Instant>,
    /// When a deletion was last acknowledged.
    pub deleted: Option<Instant>,
}

/// Whether a status acknowledges.
pub fn is_yes(status: Option<u16>) -> bool {
    status.is_some_and(|s| (200..300).contains(&s))
}

/// Whether a status refuses.
pub fn is_no(status: Option<u16>) -> bool {
    status.is_some_and(|s| (400..500).contains(&s))
}

impl Facts {
    /// Of one repository, to be read.
    pub fn of(&self, repository: &str) -> Option<&Repository> {
        self.of.get(repository)
    }

    /// Of one repository, to be changed.
    pub fn at(&mut self, repository: &str) -> &mut Repository {
        let known = self.of.entry(repository.to_owned()).or_default();
        known.sent = self.sent;
        known
    }

    /// Whether a node was acknowledged and not deleted.
    pub fn is_present(&self, repository: &str, node: &Node) -> bool {
        self.of(repository).is_some_and(|r| r.state(node) == Some(State::Present))
    }

    /// Whether a node was never acknowledged, or deleted.
    pub fn is_absent(&self, repository: &str, node: &Node) -> bool {
        matches!(self.of(repository).and_then(|r| r.state(node)), None | Some(State::Deleted))
    }

    /// Whether a node was acknowledged before the last barrier, and not again since.
    pub fn is_older(&self, repository: &str, node: &Node) -> bool {
        self.of(repository).is_some_and(|r| r.older.contains(&node.digest))
    }

    /// A barrier was passed: all that was acknowledged so far is older than it.
    pub fn pass(&mut self) {
        for repository in self.of.values_mut() {
            let present = repository.manifests.iter().chain(&repository.blobs).filter(|(_, s)| **s == State::Present);
            repository.older = present.map(|(digest, _)| digest.clone()).collect();
        }
    }

    /// A barrier's action has ended: what it did is seen as late as any write or deletion, and what was known before may have
    /// to be found again.
    pub fn acted(&mut self) {
        let now = Some(Instant::now());
        self.of.values_mut().for_each(|repository| (repository.written, repository.deleted) = (now, now));
    }

    /// Digests of a node's children that are absent, each once.
    pub fn absent_children(&self, repository: &str, node: &Node) -> Vec<Digest> {
        let absent = node.children.iter().filter(|child| self.is_absent(repository, child));
        absent.map(|child| child.digest.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What a tag names.
    pub fn tagged(&self, repository: &str, tag: &str) -> Option<&Arc<Node>> {
        self.of(repository)?.tags.get(tag)
    }

    /// The answer to the last put of a manifest.
    pub fn last_put(&self, repository: &str, node: &Node) -> Option<&PutAnswer> {
        self.of(repository)?.puts.get(&node.digest)
    }
}

impl Repository {
    fn state(&self, node: &Node) -> Option<State> {
        let states = if node.kind == NodeKind::Blob { &self.blobs } else { &self.manifests };
        states.get(&node.digest).copied()
    }

    /// A manifest was put, by `tag` or by its digest, and answered with `status`.
    pub fn put(&mut self, node: &Arc<Node>, tag: Option<&str>, status: Option<u16>) {
        self.note(status, || Change::Put(node.clone(), tag.map(str::to_owned)));
        let stored_before = self.state(node) == Some(State::Present);
        let older = tag.and_then(|tag| self.tags.get(tag).cloned());
        let answer = PutAnswer { status, tag: tag.map(str::to_owned), older, stored_before };
        self.puts.insert(node.digest.clone(), answer);
        if is_yes(status) {
            self.manifests.insert(node.digest.clone(), State::Present);
            self.older.remove(&node.digest);
            // Seen before, it may have been gone by then.
            for child in &node.children {
                self.seen.remove(&child.digest);
            }
            if let Some(tag) = tag {
                self.foreign.remove(tag);
                self.raced.remove(tag);
                self.tags.insert(tag.to_owned(), node.clone());
            }
            self.written = Some(Instant::now());
        } else if !is_no(status) {
            self.manifests.insert(node.digest.clone(), State::Unclear);
        }
    }

    /// A manifest or blob was read by its digest, and answered with `status`.
    pub fn read(&mut self, digest: &Digest, status: Option<u16>) {
        if status == Some(200) {
            self.seen.insert(digest.clone());
        } else {
            self.seen.remove(digest);
        }
    }

    /// Whether the last read of it found it there, since a manifest that names it was acknowledged.
    pub fn was_seen(&self, digest: &Digest) -> bool {
        self.seen.contains(digest)
    }

    /// A blob was uploaded or mounted, and answered with `status`.
    pub fn blob(&mut self, digest: &Digest, status: Option<u16>) {
        self.note(status, || Change::Blob(digest.clone()));
        if is_yes(status) {
            self.blobs.insert(digest.clone(), State::Present);
            self.older.remove(digest);
            self.written = Some(Instant::now());
        } else if !is_no(status) {
            self.blobs.insert(digest.clone(), State::Unclear);
        }
    }

    /// The deletion of a tag was answered with `status`.
    pub fn delete_tag(&mut self, tag: &str, status: Option<u16>) {
        self.note(status, || Change::DeleteTag(tag.to_owned()));
        if is_yes(status) {
            self.foreign.remove(tag);
            self.raced.remove(tag);
            self.tags.remove(tag);
            self.deleted = Some(Instant::now());
        }
    }

    /// The deletion of a manifest by digest was answered with `status`; every tag that named it goes with it (L692).
    pub fn delete_manifest(&mut self, digest: &Digest, status: Option<u16>) {
        self.note(status, || Change::DeleteManifest(digest.clone()));
        if is_yes(status) {
            self.raced.values_mut().for_each(|may| may.lose(digest));
            self.manifests.insert(digest.clone(), State::Deleted);
            self.seen.remove(digest);
            self.tags.retain(|_, node| node.digest != *digest);
            self.deleted = Some(Instant::now());
        } else if !is_no(status) {
            self.manifests.insert(digest.clone(), State::Unclear);
        }
    }

    /// The deletion of a blob was answered with `status`.
    pub fn delete_blob(&mut self, digest: &Digest, status: Option<u16>) {
        self.note(status, || Change::DeleteBlob(digest.clone()));
        if is_yes(status) {
            self.blobs.insert(digest.clone(), State::Deleted);
            self.seen.remove(digest);
            self.deleted = Some(Instant::now());
        } else if !is_no(status) {
            self.blobs.insert(digest.clone(), State::Unclear);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing;

    #[test]
    fn what_was_acknowledged_is_present_until_it_is_deleted() {
        let content = testing::content();
        let (index, image) = (content.nodes.get("index").unwrap(), content.nodes.get("amd64").unwrap());
        let mut facts = Facts::default();
        assert!(facts.is_absent("main", index));
        facts.at("main").put(image, None, Some(201));
        facts.at("main").put(index, Some("v1"), Some(201));
        assert!(facts.is_present("main", index) && !facts.is_present("other", index));
        assert_eq!(facts.tagged("main", "v1").unwrap().name, "index");
        assert_eq!(facts.absent_children("main", index).len(), index.children.len() - 1);
        facts.at("main").delete_manifest(&index.digest, Some(202));
        assert!(facts.is_absent("main", index));
        assert!(facts.tagged("main", "v1").is_none());
        assert!(facts.is_present("main", image));
    }

    #[test]
    fn a_refused_put_changes_nothing_and_an_unclear_one_leaves_nothing_to_say() {
        let content = testing::content();
        let index = content.nodes.get("index").unwrap();
        let mut facts = Facts::default();
        facts.at("main").put(index, Some("v1"), Some(400));
        assert!(facts.is_absent("main", index));
        assert!(facts.tagged("main", "v1").is_none());
        facts.at("main").put(index, Some("v1"), Some(500));
        assert!(!facts.is_absent("main", index) && !facts.is_present("main", index));
    }

    #[test]
    fn a_put_remembers_what_was_there_before() {
        let content = testing::content();
        let (index, image) = (content.nodes.get("index").unwrap(), content.nodes.get("amd64").unwrap());
        let mut facts = Facts::default();
        facts.at("main").put(image, Some("v1"), Some(201));
        facts.at("main").put(index, Some("v1"), Some(400));
        let answer = facts.last_put("main", index).unwrap();
        assert_eq!(answer.older.as_ref().unwrap().name, "amd64");
        assert!(!answer.stored_before);
        facts.at("main").put(image, None, Some(400));
        assert!(facts.last_put("main", image).unwrap().stored_before);
    }

    #[test]
    fn what_a_manifest_names_was_seen_where_it_was_read_after_that_was_acknowledged() {
        let content = testing::content();
        let (index, image) = (content.nodes.get("index").unwrap(), content.nodes.get("amd64").unwrap());
        let mut facts = Facts::default();
        let main = facts.at("main");
        main.read(&image.digest, Some(200));
        assert!(main.was_seen(&image.digest));
        main.put(index, Some("v1"), Some(400));
        assert!(main.was_seen(&image.digest));
        main.put(index, Some("v1"), Some(201));
        assert!(!main.was_seen(&image.digest));
        main.read(&image.digest, Some(200));
        main.read(&image.digest, Some(404));
        assert!(!main.was_seen(&image.digest));
        main.read(&image.digest, Some(200));
        main.delete_manifest(&image.digest, Some(202));
        assert!(!main.was_seen(&image.digest));
    }

    #[test]
    fn a_deletion_that_is_refused_deletes_nothing() {
        let content = testing::content();
        let index = content.nodes.get("index").unwrap();
        let mut facts = Facts::default();
        facts.at("main").put(index, Some("v1"), Some(201));
        facts.at("main").delete_manifest(&index.digest, Some(405));
        facts.at("main").delete_tag("v1", Some(405));
        assert!(facts.is_present("main", index) && facts.tagged("main", "v1").is_some());
    }
}
