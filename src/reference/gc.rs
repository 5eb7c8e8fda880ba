//! Garbage collection: mark from the tags, sweep the rest. A gap is no fault: what is absent is passed over.
//!
//! It is online: each repository is marked and swept under one hold of the lock, and requests are answered in between.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::boot::Ended;
use super::config::GcConfig;
use super::policy::Policy;
use super::problem::Problem;
use super::question::{Asked, Collection, Doomed, Marked, View};
use super::registry::Registry;
use super::state::{Repository, Stored, Write};
use crate::content::digest::Digest;
use crate::engine::Used;

/// Contents that are removed under one hold of the lock.
const BATCH: usize = 64;

/// What a collection would write in one repository, or why it stops there.
pub type Plan = Result<Vec<Write>, Problem>;

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

/// By which rules a collection decides, and at what time.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The rules.
    pub gc: GcConfig,
    /// When it begins.
    pub begun: SystemTime,
    /// The time that ages are reckoned at.
    pub now: SystemTime,
}

impl Terms {
    /// Of a collection that begins now, and reckons as if so much time had passed.
    pub fn from_now(gc: GcConfig, later: Duration) -> Terms {
        let begun = SystemTime::now();
        Terms { gc, begun, now: begun + later }
    }

    /// The configured rules, as `?grace=SECONDS`, `?untagged=true` and `?later=SECONDS` change them for this once.
    ///
    /// # Errors
    /// Which of them cannot be read.
    pub fn asked(gc: GcConfig, asked: &Asked) -> Result<Terms, Problem> {
        let seconds = |name: &str| match asked.query.get(name).map(str::parse::<u32>) {
            None => Ok(None),
            Some(Ok(seconds)) => Ok(Some(Duration::from_secs(u64::from(seconds)))),
            Some(Err(_)) => Err(Problem::bad_request(&format!("`{name}` is a number of seconds"))),
        };
        let untagged = match asked.query.get("untagged") {
            None => gc.untagged,
            Some("true") => true,
            Some("false") => false,
            Some(_) => return Err(Problem::bad_request("`untagged` is true or false")),
        };
        let gc = GcConfig { grace: seconds("grace")?.unwrap_or(gc.grace), untagged, ..gc };
        Ok(Terms::from_now(gc, seconds("later")?.unwrap_or_default()))
    }
}

impl Registry {
    /// Collects; what is younger than the grace period stays. One collection goes on at a time.
    ///
    /// # Errors
    /// The storage fails; what was removed before stays removed, and the next collection goes on from there.
    pub fn collect(&self, terms: &Terms) -> Result<Collected, Problem> {
        let _one_at_a_time = self.collecting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.changing().life.collecting = true;
        // The time passes first: what is pushed in it is met by the sweep.
        std::thread::sleep(terms.gc.least);
        let collected = self.sweep_all(terms);
        let mut state = self.changing();
        state.life.collecting = false;
        if collected.is_ok() {
            state.life.collections += 1;
            state.life.collected = Some(SystemTime::now());
            self.mark(state.life, Ended::Killed).map_err(|e| Problem::storage(&e))?;
        }
        collected
    }

    fn sweep_all(&self, terms: &Terms) -> Result<Collected, Problem> {
        let mut collected = Collected::default();
        // One that holds nothing but an upload that was begun is met too.
        let mut names = self.uploads.repositories();
        names.extend(self.state().repositories.keys().cloned());
        for name in &names {
            self.sweep(name, terms, &mut collected)?;
        }
        self.sweep_content(&mut collected)?;
        Ok(collected)
    }

    /// Marks and sweeps one repository.
    fn sweep(&self, name: &str, terms: &Terms, collected: &mut Collected) -> Result<(), Problem> {
        let mut state = self.changing();
        let view = self.view(&state);
        let nothing = Repository::default();
        let held = state.repository(name).unwrap_or(&nothing);
        let live = mark(view, name, held, terms.gc, &self.policy);
        let unfinished = self.uploads.unfinished(name);
        let Terms { gc, begun, now } = *terms;
        let collection = Collection { view, repository: name, held, live: &live, unfinished, gc, begun, now };
        let plan = self.policy.collect(&collection, Ok(sweepings(&collection, &self.policy)))?;
        let mut taken = Vec::new();
        for write in &plan {
            let digest = match write {
                Write::DropManifest { digest, .. } => {
                    collected.manifests += 1;
                    digest
                }
                Write::Unlink { digest, .. } => {
                    collected.blobs += 1;
                    digest
                }
                _ => continue,
            };
            let size = self.content.body(digest).map(|body| body.length());
            taken.extend(size.map(|size| (write.repository().to_owned(), digest.clone(), size)));
        }
        self.apply(&mut state, &plan)?;
        for (name, digest, size) in taken {
            if let Some(held) = state.repositories.get_mut(&name) {
                held.past.collect(&digest, size);
            }
        }
        Ok(())
    }

    /// What is stored: the bytes of its contents, each of which is there once.
    pub(super) fn used(&self) -> std::io::Result<Used> {
        let digests = self.content.digests()?;
        let bytes = digests.iter().filter_map(|digest| self.content.body(digest)).map(|body| body.length()).sum();
        let state = self.state();
        Ok(Used { bytes: self.policy.weigh(&self.view(&state), bytes), files: digests.len() as u64 })
    }

    /// Removes the contents that no repository links to.
    fn sweep_content(&self, collected: &mut Collected) -> Result<(), Problem> {
        let digests = self.content.digests().map_err(|e| Problem::storage(&e))?;
        for batch in digests.chunks(BATCH) {
            // Content is stored and linked under one hold of the state's lock: what nobody links to now is garbage.
            let state = self.changing();
            let linked: BTreeSet<&Digest> =
                state.repositories.values().flat_map(|r| r.manifests.keys().chain(r.blobs.keys())).collect();
            for digest in batch.iter().filter(|digest| !linked.contains(digest)) {
                self.content.remove(digest).map_err(|e| Problem::storage(&e))?;
                collected.contents += 1;
            }
        }
        Ok(())
    }
}

/// Everything that is reached from the roots: tagged manifests, and untagged ones too unless they are garbage, and those
/// that refer to what is not there, where these are kept; then
/// what they name, and whatever refers to what is reached.
fn mark(view: View, repository: &str, held: &Repository, gc: GcConfig, policy: &Policy) -> BTreeSet<Digest> {
    let mut live = BTreeSet::new();
    let dangles = |stored: &Stored| {
        let subject = stored.manifest.subject.as_deref().and_then(Digest::parse);
        gc.dangling && subject.is_some_and(|subject| !held.manifests.contains_key(&subject))
    };
    let untagged =
        held.manifests.iter().filter(|(_, stored)| !gc.untagged || dangles(stored)).map(|(digest, _)| digest);
    // Breadth first, so that the depth of each is that of its shortest way.
    let mut open: VecDeque<(Digest, usize)> = held.tags.values().chain(untagged).map(|d| (d.clone(), 0)).collect();
    while let Some((digest, depth)) = open.pop_front() {
        if !live.insert(digest.clone()) {
            continue;
        }
        let stored = held.manifests.get(&digest);
        let mut next: Vec<Digest> = stored.map(named).unwrap_or_default();
        // Also for a digest that is absent: the signature of a missing child is kept with the index that names it.
        next.extend(held.referrers.get(digest.as_str()).into_iter().flatten().cloned());
        let marked = Marked { view, repository, held, digest: &digest, stored, depth };
        open.extend(policy.reach(&marked, next).into_iter().map(|digest| (digest, depth + 1)));
    }
    live
}

/// The digests that a manifest names.
pub fn named(stored: &Stored) -> Vec<Digest> {
    let descriptors = stored.manifest.children.iter().chain(&stored.manifest.blobs);
    descriptors.filter_map(|d| Digest::parse(&d.digest)).collect()
}

/// What goes: manifests first, so that whatever is left names only what is left.
fn sweepings(collection: &Collection, policy: &Policy) -> Vec<Write> {
    let Collection { repository, held, .. } = *collection;
    let goes = |digest, stored, since| {
        let doomed = Doomed { collection, digest, stored, reached: collection.live.contains(digest), since };
        policy.expire(&doomed, is_garbage(&doomed))
    };
    let manifests = held.manifests.iter().filter(|(digest, stored)| goes(digest, Some(stored), stored.since));
    let manifests =
        manifests.map(|(digest, _)| Write::DropManifest { repository: repository.to_owned(), digest: digest.clone() });
    let blobs = held.blobs.iter().filter(|(digest, since)| goes(digest, None, **since));
    let blobs = blobs.map(|(digest, _)| Write::Unlink { repository: repository.to_owned(), digest: digest.clone() });
    manifests.chain(blobs).collect()
}

fn is_garbage(doomed: &Doomed) -> bool {
    let age = doomed.collection.now.duration_since(doomed.since).unwrap_or_default();
    !doomed.reached && age >= doomed.collection.gc.grace
}
