//! What a run stands on: a registry that can be asked, and to which things can be done that no request can do.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use super::journal::Journal;
use super::names::Names;
use crate::suite::barrier::Barrier;
use crate::target::findings::Findings;
use crate::wire::Client;

/// What came of a barrier's action.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Acted {
    /// How long it took.
    pub seconds: f64,
    /// The exit status of its command, where it has one that ended.
    pub exit: Option<i32>,
    /// The end of what it wrote, printable.
    pub output: String,
    /// Where it did not end well: what happened, short and the same every time (`exit 1`, `no end within 60s`).
    pub failed: Option<String>,
}

impl Acted {
    /// One that did not end well.
    pub fn failed(what: impl Into<String>) -> Acted {
        Acted { failed: Some(what.into()), ..Acted::default() }
    }
}

/// The name under which [`Barriers::lacking`] has that a storage cannot be measured.
pub const USAGE: &str = "usage";

/// Which barriers a target has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Barriers {
    /// Those that it has, and whether it answers while their action is under way.
    pub there: BTreeMap<Barrier, bool>,
    /// Why others are not there, where that is known: a program that is not installed.
    pub missing: BTreeMap<Barrier, String>,
    /// Of those during whose action it does not answer: which key of its profile says so.
    pub silent: BTreeMap<Barrier, String>,
    /// The profile that says all this; `None`: it is asked without one.
    pub profile: Option<String>,
    /// How many repositories there are for a case at most; `None`: as many as it wants.
    pub repositories: Option<usize>,
    /// Why there is no second server on the target's storage; `None`: there is one, or can be.
    pub alone: Option<String>,
    /// Of these reasons those that somebody can see to at once: a program is not installed, and how it is.
    pub hints: BTreeSet<String>,
    /// What steps need beside it and is not here, with the reason: a client that is not installed.
    pub lacking: BTreeMap<String, String>,
}

/// What a storage holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Bytes: the apparent sizes of its files.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// Measures a storage; blocks meanwhile.
pub type Meter = Arc<dyn Fn() -> std::io::Result<Used> + Send + Sync>;

/// A registry under test.
pub trait Ground: Sized + Send {
    /// Asks it.
    fn client(&self) -> Client;

    /// Measures its storage, where that can be done.
    fn meter(&self) -> Option<Meter>;

    /// Does what a barrier stands for. Bounded in time; when it returns, the registry answers again, or the action failed.
    /// Where requests are to meet it (`is_met`), one that would be over in no time may take a while.
    fn act(&mut self, barrier: Barrier, is_met: bool) -> impl Future<Output = Acted> + Send;

    /// Whether it can be had again from its beginning.
    fn renews(&self) -> bool;

    /// The same registry from its beginning, with nothing in it but an ordinary image; `None`: this one cannot be had twice.
    ///
    /// # Errors
    /// It could not be started.
    fn fresh(&self) -> impl Future<Output = Option<Result<Self, String>>> + Send;

    /// What a probe finds it to be, by pushing to repositories of these names; `None`: nobody can say.
    fn probed(&self, names: &Names, journal: &Journal, seed: u64) -> impl Future<Output = Option<Findings>> + Send;

    /// A second server on this one's storage, which ends when it is dropped.
    ///
    /// # Errors
    /// There is none, or it could not be started.
    fn beside(&self) -> impl Future<Output = Result<Self, String>> + Send;
}

/// A registry to which nothing can be done.
impl Ground for Client {
    fn client(&self) -> Client {
        self.clone()
    }

    fn meter(&self) -> Option<Meter> {
        None
    }

    async fn act(&mut self, barrier: Barrier, _: bool) -> Acted {
        Acted::failed(format!("nothing is known of how this registry would pass a `{barrier}`"))
    }

    fn renews(&self) -> bool {
        false
    }

    async fn fresh(&self) -> Option<Result<Client, String>> {
        None
    }

    async fn probed(&self, _: &Names, _: &Journal, _: u64) -> Option<Findings> {
        None
    }

    async fn beside(&self) -> Result<Client, String> {
        Err("nothing is known of a second server on this registry's storage".into())
    }
}
