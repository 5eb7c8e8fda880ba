//! The seams. At each of its decisions the registry computes the right one and hands it, with the facts, to the
//! [`Policy`]; every defect and variation that is switched on sits at one seam and may change it there. Nothing else in
//! the registry knows of defects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::answer::Answer;
use super::boot::{Found, Rebuild};
use super::caller::{Entering, Granting};
use super::gc::Plan;
use super::mutants::{Spoiler, Spread, Witness};
use super::problem::Verdict;
use super::question::{
    Asked, Blob, Change, Chunk, Closing, Collection, Doomed, Listing, Lookup, Marked, Page, Push, Removal, Served,
    View, Wanted,
};
use super::state::{Manifests, Write};
use super::uploads::{Resumed, Unfinished};
use crate::content::digest::Digest;

/// A place at which a decision can be changed, and the change.
#[derive(Debug, Clone, Copy)]
pub enum Seam {
    /// How long does a request wait before it is looked at? Not at all, rightly.
    Begin(fn(&Asked) -> Duration),
    /// Is somebody let in? Asked only where not everybody may do everything; of a token's endpoint, and of a mount's source, too.
    Enter(fn(&Entering, bool) -> bool),
    /// What does a token let its bearer do?
    Grant(fn(&Granting, Vec<String>) -> Vec<String>),
    /// Is a request heard at all? Each that is let in, rightly, but for a write while the registry is configured to take none.
    Hear(fn(&Asked, &View, Verdict) -> Verdict),
    /// Is what a manifest names there?
    Present(fn(&Wanted, bool) -> bool),
    /// May this manifest be stored?
    Accept(fn(&Push, Verdict) -> Verdict),
    /// What does a change write? Also asked for a manifest that was refused: nothing, rightly.
    Store(fn(&Change, Vec<Write>) -> Vec<Write>),
    /// What does a manifest's reference lead to?
    Resolve(fn(&Lookup, Option<Served>) -> Option<Served>),
    /// What does a blob's digest lead to?
    Find(fn(&Lookup, Option<Served>) -> Option<Served>),
    /// Which tags are there, in order?
    List(fn(&Listing, Vec<String>) -> Vec<String>),
    /// Which of them make a page?
    Page(fn(&Listing, &[String], Page) -> Page),
    /// Which manifests refer to this subject?
    Refer(fn(&Lookup, Manifests) -> Manifests),
    /// May this be deleted?
    Delete(fn(&Removal, Verdict) -> Verdict),
    /// Is this blob mounted?
    Mount(fn(&Blob, bool) -> bool),
    /// May this chunk be appended?
    Append(fn(&Chunk, Verdict) -> Verdict),
    /// May this upload be closed?
    Close(fn(&Closing, Verdict) -> Verdict),
    /// Which digests does a digest that lives keep alive: what its manifest names, and what refers to it? Asked for each
    /// digest once, for those that are absent too.
    Reach(fn(&Marked, Vec<Digest>) -> Vec<Digest>),
    /// Is this garbage?
    Expire(fn(&Doomed, bool) -> bool),
    /// What does a collection write in this repository: which manifests and blobs go? An error stops the collection
    /// there. Asked once for each repository, empty ones too, in the order of their names.
    Collect(fn(&Collection, Plan) -> Plan),
    /// How many bytes does the storage hold?
    Weigh(fn(&View, u64) -> u64),
    /// What does a start find again of what the run before it had: everything, rightly, whether that was killed or not,
    /// and whatever starts now? The writes that made it, blobs before manifests before tags. Not asked at a first start.
    Boot(fn(&Rebuild, Vec<Found>) -> Vec<Found>),
    /// How does an unfinished upload go on after a restart of the same process? `None`, rightly: it is forgotten.
    Resume(fn(&Rebuild, &Unfinished, Option<Resumed>) -> Option<Resumed>),
    /// The finished answer, with a little memory of earlier ones.
    Finish(fn(&Asked, &View, &mut Memory, Answer) -> Answer),
}

/// What a [`Seam::Finish`] remembers between answers. Each has one of its own.
#[derive(Debug, Default)]
pub struct Memory {
    answers: BTreeMap<String, Answer>,
    counts: BTreeMap<String, u64>,
}

impl Memory {
    /// Most keys that are kept; then everything is forgotten.
    const LIMIT: usize = 100_000;

    /// Keeps an answer under a key.
    pub fn keep(&mut self, key: &str, answer: &Answer) {
        if self.answers.len() >= Memory::LIMIT {
            self.answers.clear();
        }
        self.answers.insert(key.to_owned(), answer.clone());
    }

    /// The answer that was kept last under a key.
    pub fn recall(&self, key: &str) -> Option<Answer> {
        self.answers.get(key).cloned()
    }

    /// The answer that was kept under a key; this one, where none was, which is kept then.
    pub fn first(&mut self, key: &str, answer: Answer) -> Answer {
        self.recall(key).unwrap_or_else(|| {
            self.keep(key, &answer);
            answer
        })
    }

    /// Forgets all that was kept under keys that begin so.
    pub fn forget(&mut self, beginning: &str) {
        self.answers.retain(|key, _| !key.starts_with(beginning));
    }

    /// How often a key was counted, this time included.
    pub fn count(&mut self, key: &str) -> u64 {
        if self.counts.len() >= Memory::LIMIT {
            self.counts.clear();
        }
        let count = self.counts.entry(key.to_owned()).or_default();
        *count += 1;
        *count
    }
}

/// Every seam that is switched on, in the order of their names; then the mutants, and who sees what is right.
#[derive(Debug, Default)]
pub struct Policy {
    seams: Vec<(Seam, Mutex<Memory>)>,
    spoiler: Option<Spoiler>,
    witness: Option<Arc<Witness>>,
}

/// Passes a decision through all changes at one seam.
macro_rules! decide {
    ($policy:expr, $seam:ident, $right:expr, |$change:ident, $so_far:ident| $apply:expr) => {
        $policy.seams.iter().fold($right, |$so_far, (seam, _)| match seam {
            Seam::$seam($change) => $apply,
            _ => $so_far,
        })
    };
}

impl Policy {
    /// A policy of these seams.
    pub fn new(seams: impl IntoIterator<Item = Seam>) -> Policy {
        Policy { seams: seams.into_iter().map(|seam| (seam, Mutex::default())).collect(), ..Policy::default() }
    }

    /// The same with mutants.
    #[must_use]
    pub fn mutated(self, spread: Option<Spread>) -> Policy {
        Policy { spoiler: spread.map(Spoiler::new), ..self }
    }

    /// The same with somebody who sees every answer before a mutant has it.
    #[must_use]
    pub fn witnessed(self, witness: Option<Arc<Witness>>) -> Policy {
        Policy { witness, ..self }
    }

    pub(super) fn begin(&self, asked: &Asked) -> Duration {
        decide!(self, Begin, Duration::ZERO, |wait, so_far| so_far.max(wait(asked)))
    }

    pub(super) fn enter(&self, entering: &Entering, right: bool) -> bool {
        decide!(self, Enter, right, |change, so_far| change(entering, so_far))
    }

    pub(super) fn grant(&self, granting: &Granting, right: Vec<String>) -> Vec<String> {
        decide!(self, Grant, right, |change, so_far| change(granting, so_far))
    }

    pub(super) fn hear(&self, asked: &Asked, view: &View, right: Verdict) -> Verdict {
        decide!(self, Hear, right, |change, so_far| change(asked, view, so_far))
    }

    pub(super) fn present(&self, wanted: &Wanted, right: bool) -> bool {
        decide!(self, Present, right, |change, so_far| change(wanted, so_far))
    }

    pub(super) fn accept(&self, push: &Push, right: Verdict) -> Verdict {
        decide!(self, Accept, right, |change, so_far| change(push, so_far))
    }

    pub(super) fn store(&self, cause: &Change, right: Vec<Write>) -> Vec<Write> {
        let writes = decide!(self, Store, right, |change, so_far| change(cause, so_far));
        match &self.spoiler {
            Some(spoiler) => spoiler.store(cause, writes),
            None => writes,
        }
    }

    pub(super) fn resolve(&self, lookup: &Lookup, right: Option<Served>) -> Option<Served> {
        decide!(self, Resolve, right, |change, so_far| change(lookup, so_far))
    }

    pub(super) fn find(&self, lookup: &Lookup, right: Option<Served>) -> Option<Served> {
        decide!(self, Find, right, |change, so_far| change(lookup, so_far))
    }

    pub(super) fn list(&self, listing: &Listing, right: Vec<String>) -> Vec<String> {
        decide!(self, List, right, |change, so_far| change(listing, so_far))
    }

    pub(super) fn page(&self, listing: &Listing, all: &[String], right: Page) -> Page {
        decide!(self, Page, right, |change, so_far| change(listing, all, so_far))
    }

    pub(super) fn refer(&self, lookup: &Lookup, right: Manifests) -> Manifests {
        decide!(self, Refer, right, |change, so_far| change(lookup, so_far))
    }

    pub(super) fn delete(&self, removal: &Removal, right: Verdict) -> Verdict {
        decide!(self, Delete, right, |change, so_far| change(removal, so_far))
    }

    pub(super) fn mount(&self, blob: &Blob, right: bool) -> bool {
        decide!(self, Mount, right, |change, so_far| change(blob, so_far))
    }

    pub(super) fn append(&self, chunk: &Chunk, right: Verdict) -> Verdict {
        decide!(self, Append, right, |change, so_far| change(chunk, so_far))
    }

    pub(super) fn close(&self, closing: &Closing, right: Verdict) -> Verdict {
        decide!(self, Close, right, |change, so_far| change(closing, so_far))
    }

    pub(super) fn reach(&self, marked: &Marked, right: Vec<Digest>) -> Vec<Digest> {
        decide!(self, Reach, right, |change, so_far| change(marked, so_far))
    }

    pub(super) fn expire(&self, doomed: &Doomed, right: bool) -> bool {
        decide!(self, Expire, right, |change, so_far| change(doomed, so_far))
    }

    pub(super) fn collect(&self, collection: &Collection, right: Plan) -> Plan {
        decide!(self, Collect, right, |change, so_far| change(collection, so_far))
    }

    pub(super) fn weigh(&self, view: &View, right: u64) -> u64 {
        decide!(self, Weigh, right, |change, so_far| change(view, so_far))
    }

    pub(super) fn boot(&self, rebuild: &Rebuild, right: Vec<Found>) -> Vec<Found> {
        decide!(self, Boot, right, |change, so_far| change(rebuild, so_far))
    }

    pub(super) fn resume(&self, rebuild: &Rebuild, upload: &Unfinished, right: Option<Resumed>) -> Option<Resumed> {
        decide!(self, Resume, right, |change, so_far| change(rebuild, upload, so_far))
    }

    pub(super) fn finish(&self, asked: &Asked, view: &View, right: Answer) -> Answer {
        let answer = self.seams.iter().fold(right, |so_far, (seam, memory)| match seam {
            Seam::Finish(change) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                change(asked, view, &mut memory, so_far)
            }
            _ => so_far,
        });
        if let Some(witness) = &self.witness {
            witness.see(asked, &answer);
        }
        match &self.spoiler {
            Some(spoiler) => spoiler.finish(asked, answer),
            None => answer,
        }
    }
}
