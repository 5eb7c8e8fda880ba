//! One case while it runs: its content, its repositories, what it knows, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::ask::Expected;
use super::expect::Seen;
use super::facts::Facts;
use super::ground::Used;
use super::interleaving::Interleaving;
use super::journal::Thing;
use super::names::Lease;
use super::outcome::{Grown, Mismatch, NotAsked, Outcome, StepExchange};
use super::pause::Sums;
use super::steps::upload::Session;
use super::{Run, keep, steps};
use crate::content::digest::Digest;
use crate::content::{Content, Node};
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance, Step};
use crate::suite::requirement::Level;
use crate::suite::side;
use crate::wire::Secret;

mod answers;
mod foreign;
mod lanes;

/// Requests of one step that are under way at once.
pub const TOGETHER: usize = 8;

/// Why a case ends before its last step.
#[derive(Debug, Clone)]
pub enum Halt {
    /// It could not be asked.
    NotAsked(NotAsked),
    /// A write did not go as it must: what comes after would only say so again.
    Meaningless,
}

/// What came of one question.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The status, where a response came.
    pub status: Option<u16>,
    /// The strongest level at which the status did not hold.
    pub broken: Option<Level>,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Before a barrier, for whose action it waits.
    Before(Barrier),
    /// At its end.
    AtEnd,
}

/// A case while it runs.
pub struct Case {
    pub(super) run: Arc<Run>,
    /// What it is.
    pub(super) instance: Arc<CaseInstance>,
    /// The step that comes next.
    next: usize,
    /// Why it ended before its last step.
    error: Option<NotAsked>,
    /// The round that it is in: barriers that the run passed.
    pub(super) round: u32,
    /// Spent on steps, in seconds.
    pub(super) seconds: f64,
    /// The step of the barrier that it met last.
    met: usize,
    /// The barrier that it passed last.
    pub(super) passed: Option<Barrier>,
    /// What was counted of it in the run that it waited in.
    pub(super) before: Sums,
    /// Its repositories.
    lease: Lease,
    pub(super) content: Content,
    pub(super) facts: Facts,
    /// Full names by nickname.
    pub(super) repositories: BTreeMap<String, String>,
    /// What was, or may have been, created: in order, each once.
    pub(super) created: Vec<Thing>,
    pub(super) named: BTreeMap<String, Seen>,
    /// Uploads that a step left open, by the repository's nickname and the blob.
    pub(super) sessions: BTreeMap<(String, Digest), Session>,
    /// Where uploads go on that are sent request by request, by the repository's nickname and the upload's name.
    pub(super) uploads: BTreeMap<(String, String), String>,
    /// Tokens that a step asked for, by its name. They are never written down.
    pub(super) tokens: BTreeMap<String, Secret>,
    pub(super) step: usize,
    step_name: Option<String>,
    pub(super) exchanges: Vec<StepExchange>,
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) observed: BTreeSet<String>,
    /// What was under way at once in the last race.
    interleaving: Option<Interleaving>,
    /// What was measured, by name.
    pub(super) measured: BTreeMap<String, Used>,
    /// By how much it grew.
    pub(super) usage: Vec<Grown>,
    /// Where its clients keep what they fetch; made when the first of them runs.
    pub(super) folder: Option<tempfile::TempDir>,
}

impl Case {
    pub(super) fn new(
        run: Arc<Run>,
        instance: Arc<CaseInstance>,
        content: Content,
        repositories: BTreeMap<String, String>,
        lease: Lease,
    ) -> Case {
        Case {
            run,
            instance,
            next: 0,
            error: None,
            round: 0,
            seconds: 0.0,
            met: 0,
            passed: None,
            before: Sums::default(),
            lease,
            content,
            repositories,
            facts: Facts::default(),
            created: Vec::new(),
            named: BTreeMap::new(),
            sessions: BTreeMap::new(),
            uploads: BTreeMap::new(),
            tokens: BTreeMap::new(),
            step: 0,
            step_name: None,
            exchanges: Vec::new(),
            mismatches: Vec::new(),
            observed: BTreeSet::new(),
            interleaving: None,
            measured: BTreeMap::new(),
            usage: Vec::new(),
            folder: None,
        }
    }

    /// Runs steps up to the next barrier, or to the end: the last step's, or where going on means nothing.
    pub(super) async fn advance(&mut self) -> Stands {
        let barrier = |step: &Step| match &step.action {
            Action::Barrier(barrier) => Some(Stands::Before(*barrier)),
            _ => None,
        };
        let stands = self.walk(barrier).await.unwrap_or(Stands::AtEnd);
        self.met = self.next;
        stands
    }

    /// The step of the barrier that it met last, from 0.
    pub(super) fn met(&self) -> usize {
        self.met
    }

    /// Goes on at this step, from 0; behind the last one, it is at its end.
    pub(super) fn stand_at(&mut self, step: usize) {
        (self.next, self.met) = (step, step);
    }

    /// Goes no further, for this reason.
    pub(super) fn give_up(&mut self, why: NotAsked) {
        self.error.get_or_insert(why);
    }

    /// Takes note of a barrier that was passed, and of steps that are to be sent while its action is under way.
    pub(super) fn pass(&mut self, barrier: Barrier, round: u32) {
        if let Some(step) = self.instance.steps.get(self.next)
            && step.action == Action::Barrier(barrier)
        {
            self.observed.extend(step.expect.iter().map(|expect| expect.requirement.clone()));
            self.next += 1;
        }
        self.round = round;
        self.passed = Some(barrier);
        self.facts.pass();
    }

    /// Takes note that the action of the barrier that it passed has ended.
    pub(super) fn acted(&mut self) {
        self.facts.acted();
    }

    /// Whether the next step is sent during an action.
    pub(super) fn acts_during(&self) -> bool {
        self.instance.steps.get(self.next).is_some_and(|step| step.during.is_some())
    }

    /// Runs the steps that are sent during an action.
    pub(super) async fn during(&mut self) {
        self.walk(|step| step.during.is_none().then_some(Stands::AtEnd)).await;
    }

    /// Runs steps until `stop` says that the next one is not to be run; `None`: there is no next one.
    async fn walk(&mut self, stop: impl Fn(&Step) -> Option<Stands>) -> Option<Stands> {
        let begun = Instant::now();
        let mut stands = None;
        while let Some(step) = self.instance.steps.get(self.next).cloned() {
            stands = stop(&step);
            if stands.is_some() {
                break;
            }
            self.one(&step).await;
        }
        self.seconds += begun.elapsed().as_secs_f64();
        stands
    }

    /// Runs the next step. Where going on means nothing, no further one is left.
    async fn one(&mut self, step: &Step) {
        self.step = self.next;
        self.step_name.clone_from(&step.name);
        self.next += 1;
        let before = self.mismatches.len();
        let ended = steps::run(self, step).await;
        if let Some(interleaving) = &self.interleaving {
            self.mismatches.iter_mut().skip(before).for_each(|mismatch| interleaving.show(mismatch, &self.exchanges));
        }
        match ended {
            Ok(()) => {}
            Err(Halt::Meaningless) => self.next = usize::MAX,
            Err(Halt::NotAsked(why)) => (self.next, self.error) = (usize::MAX, Some(why)),
        }
    }

    /// The case's outcome, and its repositories.
    pub(super) fn finish(mut self) -> (Outcome, Lease) {
        let sums = self.sums();
        keep::trim_all(&mut self.exchanges, &self.mismatches);
        let outcome = Outcome {
            id: self.instance.id.clone(),
            round: self.round,
            mismatches: self.mismatches,
            observed: self.observed.into_iter().collect(),
            error: self.error,
            answered: sums.answered,
            exchanges: self.exchanges,
            usage: self.usage,
            seconds: self.seconds,
            requests: sums.requests,
            bytes_sent: sums.bytes_sent,
            bytes_received: sums.bytes_received,
        };
        (outcome, self.lease)
    }

    /// A node by name.
    ///
    /// # Errors
    /// There is none; the loader refuses such a case, so this one came to the engine by another way.
    pub(super) fn node(&self, name: &str) -> Result<Arc<Node>, Halt> {
        let node = self.content.nodes.get(name).cloned();
        node.ok_or_else(|| self.unusable(format!("the fixture has no node {name:?}")))
    }

    /// A repository's full name.
    pub(super) fn repository(&self, nickname: &str) -> Result<String, Halt> {
        let name = self.repositories.get(nickname).cloned();
        name.ok_or_else(|| self.unusable(format!("the case has no repository {nickname:?}")))
    }

    /// A bundle that the engine's own steps expect.
    pub(super) fn bundle(&self, name: &str) -> Result<Expected, Halt> {
        let bundle = self.run.bundles.get(name).cloned();
        bundle.ok_or_else(|| self.unusable(format!("expectations.yaml has no bundle {name:?}")))
    }

    /// What is expected of a node that was acknowledged: by a bundle of this name, where it was so before a barrier by one of
    /// that barrier's, since no sentence about a single answer says what must outlast it. The same of two servers on one
    /// storage.
    pub(super) fn bundle_of(&self, nickname: &str, node: &Node, name: &str) -> Result<Expected, Halt> {
        if side::is_skewed(&self.instance) {
            return self.bundle(&format!("skew-{name}"));
        }
        match self.older_than(nickname, node) {
            Some(barrier) => self.bundle(&format!("{}-{name}", barrier.law())),
            None => self.bundle(name),
        }
    }

    /// The barrier that was passed last, where this was acknowledged before it.
    pub(super) fn older_than(&self, nickname: &str, node: &Node) -> Option<Barrier> {
        self.passed.filter(|_| self.facts.is_older(nickname, node))
    }

    /// A halt because the case itself cannot be run.
    pub(super) fn unusable(&self, why: String) -> Halt {
        let text = format!("step {}: {why}", self.step + 1);
        Halt::NotAsked(NotAsked { kind: None, text })
    }
}
