//! Garbage collection: mark from the tags, sweep the rest. A gap is no fault: what is absent is passed over.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::config::GcConfig;
use super::policy::Policy;
use super::problem::Problem;
use super::question::Doomed;
use super::registry::Registry;
use super::state::{Repository, Stored, Write};
use crate::content::digest::Digest;

/// What a collection removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Manifests, over all repositories.
    pub manifests: usize,
    /// Blobs, over all repositories.
    pub blobs: usize,
    /// Contents that no repository linked to any more.
    pub contents: usize,
}

impl Collected {
    /// As the admin endpoint tells it.
    pub fn to_json(&self) -> Value {
        json!({ "manifests": self.manifests, "blobs": self.blobs, "contents": self.contents })
    }
}

impl Registry {
    /// Collects. Writers wait until it is done; what is younger than the grace period stays.
    ///
    /// # Errors
    /// The storage fails; what was removed before stays removed, and the next collection goes on from there.
    pub fn collect(&self) -> Result<Collected, Problem> {
        let gc = self.config.gc;
        let mut collected = Collected::default();
        let mut state = self.changing();
        let mut writes = Vec::new();
        for (name, repository) in &state.repositories {
            let live = mark(repository, gc, &self.policy);
            for (digest, stored) in &repository.manifests {
                let doomed = Doomed { repository: name, digest, reached: live.contains(digest), since: stored.since };
                if self.policy.expire(&doomed, is_garbage(&doomed, gc)) {
                    collected.manifests += 1;
                    writes.push(Write::DropManifest { repository: name.clone(), digest: digest.clone() });
                }
            }
            for (digest, since) in &repository.blobs {
                let doomed = Doomed { repository: name, digest, reached: live.contains(digest), since: *since };
                if self.policy.expire(&doomed, is_garbage(&doomed, gc)) {
                    collected.blobs += 1;
                    writes.push(Write::Unlink { repository: name.clone(), digest: digest.clone() });
                }
            }
        }
        self.apply(&mut state, &writes)?;
        // Content is stored and linked under one hold of the state's lock: what nobody links to now is garbage.
        let linked: BTreeSet<&Digest> =
            state.repositories.values().flat_map(|r| r.manifests.keys().chain(r.blobs.keys())).collect();
        let unlinked = self.content.digests().map_err(|e| Problem::storage(&e))?;
        for digest in unlinked.iter().filter(|digest| !linked.contains(digest)) {
            self.content.remove(digest).map_err(|e| Problem::storage(&e))?;
            collected.contents += 1;
        }
        Ok(collected)
    }
}

/// Everything that is reached from the roots: tagged manifests, and untagged ones too unless they are garbage; then
/// what they name, and whatever refers to what is reached.
fn mark(repository: &Repository, gc: GcConfig, policy: &Policy) -> BTreeSet<Digest> {
    let mut live = BTreeSet::new();
    let mut open: Vec<Digest> = match gc.untagged {
        true => repository.tags.values().cloned().collect(),
        false => repository.tags.values().chain(repository.manifests.keys()).cloned().collect(),
    };
    while let Some(digest) = open.pop() {
        if !live.insert(digest.clone()) {
            continue;
        }
        if let Some(stored) = repository.manifests.get(&digest) {
            open.extend(policy.reach(stored, named(stored)));
        }
        // Also for a digest that is absent: the signature of a missing child is kept with the index that names it.
        open.extend(repository.referrers.get(digest.as_str()).into_iter().flatten().cloned());
    }
    live
}

fn named(stored: &Stored) -> Vec<Digest> {
    let descriptors = stored.manifest.children.iter().chain(&stored.manifest.blobs);
    descriptors.filter_map(|d| Digest::parse(&d.digest)).collect()
}

fn is_garbage(doomed: &Doomed, gc: GcConfig) -> bool {
    let age = SystemTime::now().duration_since(doomed.since).unwrap_or_default();
    !doomed.reached && age >= gc.grace
}
