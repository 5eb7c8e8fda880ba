//! One case while it runs: its content, its repositories, what it knows, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::ask::{Asked, Expected, Question};
use super::expect::Seen;
use super::facts::{Facts, Repository};
use super::ground::Used;
use super::interleaving::Interleaving;
use super::journal::Thing;
use super::judge::Found;
use super::names::Lease;
use super::outcome::{Grown, Mismatch, NotAsked, Outcome, StepExchange};
use super::pause::Sums;
use super::steps::upload::Session;
use super::window::Window;
use super::{Run, keep, steps};
use crate::content::digest::Digest;
use crate::content::{Content, Node};
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance, Step};
use crate::suite::requirement::Level;
use crate::suite::side;
use crate::wire::{Exchange, FailureKind};

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

    /// Asks questions that do not depend on each other, several at once, and takes their answers in order.
    pub(super) async fn ask(&mut self, questions: Vec<Question>) -> Result<Vec<Answer>, Halt> {
        let sender = self.run.sender.clone();
        let mut answers = Vec::with_capacity(questions.len());
        let mut halt = None;
        // Some at a time: their answers are held whole until they are judged.
        for some in questions.chunks(TOGETHER) {
            self.facts.sends();
            let asked = futures_util::future::join_all(some.iter().map(|question| sender.ask(question))).await;
            for (question, asked) in some.iter().zip(asked) {
                match asked {
                    Ok(asked) => match self.take(question, asked).await {
                        Ok(answer) => answers.push(answer),
                        Err(why) => halt = halt.or(Some(why)),
                    },
                    Err(error) => halt = halt.or(Some(self.unwritten(&error))),
                }
            }
            if halt.is_some() {
                break;
            }
        }
        halt.map_or(Ok(answers), Err)
    }

    /// Ends the case where an answer's status broke a must.
    pub(super) fn must_hold(answers: &[Answer]) -> Result<(), Halt> {
        if answers.iter().any(|a| a.broken == Some(Level::Must)) { Err(Halt::Meaningless) } else { Ok(()) }
    }

    pub(super) fn unwritten(&self, error: &std::io::Error) -> Halt {
        self.unusable(format!("the journal cannot be written ({error}), so nothing is created"))
    }

    /// Takes one answer: records it, judges it, and asks again within a window where it is a read that came too early.
    pub(super) async fn take(&mut self, question: &Question, asked: Asked) -> Result<Answer, Halt> {
        self.remember(question, &asked);
        let status = asked.status();
        let mut found = self.judge(question, std::slice::from_ref(&asked), None);
        self.push(&question.label, asked.exchange.clone(), asked.located.clone());
        // Of a push only its Location is looked at again.
        let may_come = question.reads
            || asked.located.is_some() && found.mismatches.iter().any(|mismatch| mismatch.key == "location");
        if !found.mismatches.is_empty()
            && may_come
            && status.is_some_and(|s| s < 500)
            && let Some(mut window) = self.patience(question, asked.exchange.begun)
        {
            while window.opens(&self.run.sender.stop).await {
                let Ok(later) = self.run.sender.look_again(question, &asked).await else { break };
                if self.judge(question, std::slice::from_ref(&later), None).mismatches.is_empty() {
                    let seconds = window.since.elapsed().as_secs_f64();
                    found.mismatches.iter_mut().for_each(|m| m.late = Some(seconds));
                    self.push(&format!("{} (again)", question.label), later.exchange, later.located);
                    break;
                }
            }
        }
        let broken = found.broken;
        self.keep(found);
        if let Some(halt) = self.no_answer(question, &asked) {
            return Err(halt);
        }
        Ok(Answer { status, broken })
    }

    /// Adds what was found.
    pub(super) fn keep(&mut self, found: Found) {
        self.mismatches.extend(found.mismatches);
        self.observed.extend(found.observed);
    }

    /// Records an exchange, and says its index.
    pub(super) fn push(&mut self, label: &str, exchange: Exchange, located: Option<Exchange>) {
        if let (Some(name), Some(response)) = (&self.step_name, exchange.response()) {
            self.named.insert(name.clone(), Seen::of(response));
        }
        self.push_unnamed(label, exchange);
        if let Some(exchange) = located {
            self.push_unnamed(&format!("{label}: its Location"), exchange);
        }
    }

    /// Records an exchange that no later step can compare with.
    pub(super) fn push_unnamed(&mut self, label: &str, mut exchange: Exchange) {
        keep::trim(&mut exchange);
        self.exchanges.push(StepExchange { step: self.step, label: label.to_owned(), exchange, lane: None });
    }

    /// Remembers what has to be removed after the case.
    pub(super) fn remember(&mut self, question: &Question, asked: &Asked) {
        // What was refused, or never sent, is not there; whatever else came, it may be.
        let unsent = matches!(&asked.exchange.result, Err(failure) if is_unsent(failure.kind));
        if !super::facts::is_no(asked.status()) && !unsent {
            for thing in &question.creates {
                if !self.created.contains(thing) {
                    self.created.push(thing.clone());
                }
            }
        }
        if let Some(thing) = question.removes.as_ref().filter(|_| super::facts::is_yes(asked.status())) {
            self.created.retain(|other| other != thing);
        }
    }

    /// The window in which an answer that was asked for at this moment may still show what was before.
    pub(super) fn patience(&self, question: &Question, asked: Instant) -> Option<Window> {
        let options = &self.run.options;
        let facts = self.facts.of(&question.repository);
        let windows = if question.reads {
            let at = |of: fn(&Repository) -> Option<Instant>| facts.and_then(of);
            vec![(at(|facts| facts.written), options.read_window), (at(|facts| facts.deleted), options.delete_window)]
        } else {
            vec![(Some(Instant::now()), options.read_window)]
        };
        let open = windows.into_iter().filter_map(|(since, window)| Window::of(since?, window));
        open.filter(|window| !question.reads || window.deadline > asked).max_by_key(|window| window.deadline)
    }
}

/// Whether a failure of this kind comes before the request does.
fn is_unsent(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Connect | FailureKind::Tls | FailureKind::Auth)
}
