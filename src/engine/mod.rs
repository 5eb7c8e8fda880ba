//! Runs cases: the only stage that touches the network.
//!
//! [`run`] takes case instances and gives [`Outcome`]s, in the order of the cases, whatever finished first. Cases run up to
//! a barrier or their end (`schedule`); at a barrier something happens to the registry ([`ground`]), once for all that wait
//! there (`rounds`); where that fails, those are found who make it fail (`blame`). A case runs in repositories of its own; its steps (`steps`) turn into questions ([`ask`]), whose answers pure functions judge
//! ([`expect`]). What is created is journaled before ([`journal`]) and removed after ([`cleanup`]).
//!
//! What is whose fault:
//! - An answer that is not as expected is a mismatch, even where the case cannot go on.
//! - No answer (refused, timeout, not HTTP, interrupted), and 429 or 503 that last, end the case as not asked.
//! - An answer that cannot be read as one (it breaks off, breaks HTTP, has no bound, leads nowhere) is wrong: a mismatch of
//!   the status, which says how.
//! - A connection closed on a request twice, while the registry answers others, is what a crashed handler looks like: a
//!   mismatch of the status, `connection closed without an answer`.

pub mod ask;
mod blame;
mod case;
pub mod cleanup;
pub mod expect;
pub mod facts;
pub mod ground;
mod interleaving;
pub mod journal;
mod judge;
mod keep;
pub mod names;
pub mod outcome;
pub mod pause;
mod rounds;
mod schedule;
mod steps;
pub mod stop;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ask::{Expected, Sender};
use cleanup::Removal;
use names::Names;
use pause::Resume;

pub use cleanup::{clean, clean_ended};
pub use ground::{Acted, Barriers, Ground, Meter, Used};
pub use journal::Journal;
pub(crate) use names::nicknames;
pub use outcome::Outcome;
pub use rounds::{Ran, run};
pub use stop::{Stop, Stopper};

use crate::content::graph::Format;
use crate::reference::Stance;
use crate::suite::barrier::Barrier;
use crate::suite::model::Expectation;
use crate::suite::requirement::Level;
use crate::target::profile::Repositories;

/// Bundles of expectations by name; the engine's own steps use some of them: `blob-pushed`, `manifest-pushed`, `served`,
/// `served-head`, `served-blob`, `missing`, `missing-head`, `missing-blob`, `missing-blob-head`, `kept`, `kept-head`,
/// `not-stored`, `not-stored-head`, `tag-untouched`, `tag-deleted`.
pub type Bundles = BTreeMap<String, Vec<Expectation>>;

/// Stances of the reference registry, by the format of a case.
pub type Control = Arc<dyn Fn(Format) -> Stance + Send + Sync>;

/// The level of a requirement, by its id.
pub type Levels = Arc<dyn Fn(&str) -> Level + Send + Sync>;

/// How cases are run.
#[derive(Clone)]
pub struct Options {
    /// Cases at once; 0 counts as 1.
    pub jobs: usize,
    /// Content is made from it and the case's id.
    pub seed: u64,
    /// The run's id, which is not from the seed: a part of repository names.
    pub run: String,
    /// Names of repositories.
    pub repositories: Repositories,
    /// How late an acknowledged write may be seen and still only warn.
    pub read_window: Duration,
    /// The same of deletions.
    pub delete_window: Duration,
    /// Cases that are recorded as making a barrier's action fail, by id.
    pub suspects: BTreeSet<String>,
    /// How old garbage must be before a collection takes it.
    pub grace: Duration,
    /// Starts no further case after the first one that fails or could not be asked.
    pub fail_fast: bool,
    /// The level from which a mismatch fails.
    pub level: Level,
    /// The levels of all requirements, in the edition that the run is judged by.
    pub levels: Levels,
    /// What the registry deletes; `None`: what is created stays.
    pub removal: Option<Removal>,
    /// What the reference registry is, by format, against which a client is tried that does not end as it must; `None`: it
    /// is believed.
    pub control: Option<Control>,
    /// The barrier that somebody else will see to: where nothing is left but what waits at it, or at a later one, the run
    /// ends, and goes on another day.
    pub pause_at: Option<Barrier>,
    /// What a run that ended so left waiting: its cases go on where they stood.
    pub resume: Option<Arc<Resume>>,
}

impl Options {
    /// For a run: eight cases at once, no windows, everything tried to be removed.
    pub fn new(run: &str, seed: u64, levels: Levels) -> Options {
        Options {
            jobs: 8,
            seed,
            run: run.to_owned(),
            repositories: Repositories::default(),
            read_window: Duration::ZERO,
            delete_window: Duration::ZERO,
            suspects: BTreeSet::new(),
            grace: Duration::ZERO,
            fail_fast: false,
            level: Level::Must,
            levels,
            removal: Some(Removal::ALL),
            control: None,
            pause_at: None,
            resume: None,
        }
    }
}

/// What all cases of a run share.
#[derive(Clone)]
struct Run {
    sender: Sender,
    bundles: BTreeMap<String, Expected>,
    options: Options,
    names: Names,
    /// Measures the storage of the registry that is asked.
    meter: Option<Meter>,
}
