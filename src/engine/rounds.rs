//! Rounds: every case runs to its first barrier or its end; then the action of one barrier happens, once for all that
//! wait for it, and they go on.

mod action;
mod failed;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use action::{act, next};

use super::ask::Sender;
use super::ground::Ground;
use super::names::Names;
use super::outcome::{NotAsked, Outcome};
use super::pause::Saved;
use super::schedule::{Ready, Schedule, Waiting, blank, finish, none};
use super::stop::Stop;
use super::{Bundles, Journal, Options, Run};
use crate::record::Round;
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance, Step};
use crate::suite::side::is_skewed;
use crate::target::findings::Findings;

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// In the order of the cases, one for each.
    pub outcomes: Vec<Outcome>,
    /// The barriers that were passed, in order.
    pub rounds: Vec<Round>,
    /// Those that wait, where the run ended for them to go on another day; their outcomes are of what was asked so far.
    pub paused: Vec<Saved>,
    /// What probes found of other versions, each with the place of its barrier among the rounds.
    pub found: Vec<(usize, Findings)>,
}

/// What is the same for a run on whatever registry: the one that was given, or one started anew.
pub(super) struct Plan<'p, P> {
    pub cases: &'p [Arc<CaseInstance>],
    pub bundles: &'p Bundles,
    pub options: &'p Options,
    pub progress: &'p P,
    pub stop: Stop,
}

impl<P> Plan<'_, P> {
    /// A schedule on a registry.
    pub fn schedule(&self, ground: &impl Ground, journal: Journal) -> Schedule {
        Schedule::new(Arc::new(Run {
            meter: ground.meter(),
            sender: Sender { client: ground.client(), beside: None, journal, stop: self.stop.clone() },
            bundles: self.bundles.iter().map(|(name, expect)| (name.clone(), expect.clone().into())).collect(),
            names: Names::new(&self.options.repositories, &self.options.run),
            options: self.options.clone(),
        }))
    }
}

/// Runs cases. An outcome for each: a case that was not started because the run stopped, failed fast or lost its target has
/// an error that says so. `progress` sees each outcome when it is there.
///
/// Those that meet the same barriers run together, each such group on a registry of its own where it can be had afresh: what
/// is done for one must not be done to another. Those that want to be alone run one by one after the others; those that see
/// more than one version come last of all.
pub async fn run<G: Ground>(
    cases: Vec<Arc<CaseInstance>>,
    bundles: &Bundles,
    ground: &mut G,
    journal: &Journal,
    options: &Options,
    progress: impl Fn(&mut Outcome) + Send + Sync,
    stop: Stop,
) -> Ran {
    let plan = Plan { cases: &cases, bundles, options, progress: &progress, stop };
    let schedule = plan.schedule(ground, journal.clone());
    let passed = options.resume.as_ref().map(|resume| resume.rounds.clone()).unwrap_or_default();
    let mut rounds = Rounds { plan, ground, schedule, passed, found: Vec::new() };
    let all = cases.iter().cloned().enumerate();
    let (versions, others): (Vec<_>, Vec<_>) = all.partition(|(_, case)| met(case).iter().any(|b| b.changes_version()));
    let (skewed, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, case)| is_skewed(case));
    let (alone, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, case)| case.alone);
    let jobs = options.jobs.max(1);
    for (barriers, together) in by_barriers(others) {
        rounds.renew(!barriers.is_empty()).await;
        rounds.run(together, jobs, false).await;
    }
    // A collector that works by itself may take what others left, while it is measured what comes.
    let (measuring, alone): (Vec<_>, Vec<_>) = alone.into_iter().partition(|(_, case)| measures(case));
    rounds.renew(!measuring.is_empty()).await;
    for case in measuring.into_iter().chain(alone) {
        rounds.run(vec![case], 1, false).await;
    }
    rounds.side_by_side(skewed, jobs).await;
    let mut versions: Vec<Vec<_>> = by_barriers(versions).into_values().collect();
    if !rounds.ground.renews() {
        // The registry may stay upgraded, and nobody else is to meet it then.
        versions = vec![versions.into_iter().flatten().collect()];
    }
    for together in versions {
        rounds.renew(true).await;
        let before = rounds.passed.len();
        rounds.run(together, jobs, true).await;
        rounds.look(before).await;
    }
    rounds.end().await
}

/// Whether a case looks at the storage.
fn measures(case: &CaseInstance) -> bool {
    case.steps.iter().any(|step| matches!(step.action, Action::Usage(_)))
}

/// The barriers that a case meets.
fn met(case: &CaseInstance) -> BTreeSet<Barrier> {
    let barrier = |step: &Arc<Step>| match step.action {
        Action::Barrier(barrier) => Some(barrier),
        _ => None,
    };
    case.steps.iter().filter_map(barrier).collect()
}

/// Cases by the barriers that they meet: what one waits for must not be done to another that does not.
fn by_barriers(cases: Vec<Placed>) -> BTreeMap<BTreeSet<Barrier>, Vec<Placed>> {
    let mut groups: BTreeMap<BTreeSet<Barrier>, Vec<Placed>> = BTreeMap::new();
    for (place, case) in cases {
        groups.entry(met(&case)).or_default().push((place, case));
    }
    groups
}

/// A case with its place.
type Placed = (usize, Arc<CaseInstance>);

/// A run, while it goes on.
struct Rounds<'r, G, P> {
    plan: Plan<'r, P>,
    ground: &'r mut G,
    schedule: Schedule,
    passed: Vec<Round>,
    found: Vec<(usize, Findings)>,
}

impl<G: Ground, P: Fn(&mut Outcome) + Sync> Rounds<'_, G, P> {
    /// Runs these cases, and what waits, until nothing is left but what waits for another version, or nothing at all.
    async fn run(&mut self, cases: Vec<(usize, Arc<CaseInstance>)>, jobs: usize, versions: bool) {
        self.schedule.ready.extend(cases.into_iter().map(|(place, case)| Ready::New(place, case)));
        loop {
            self.schedule.phase(jobs, self.plan.progress).await;
            if self.schedule.over.is_some() {
                break;
            }
            // With a pool of repositories, what waits for a version may hold those that others need.
            let stuck = !self.schedule.ready.is_empty();
            let pause = self.plan.options.pause_at;
            let Some(barrier) = next(&self.schedule.waiting, versions || stuck, pause) else { break };
            self.meet(barrier).await;
        }
    }

    /// Goes on with an empty registry, where it can be had and there is something to go on with: what others left behind
    /// is not what a collection or another version is asked about. Whether it does.
    async fn renew(&mut self, needed: bool) -> bool {
        let unused = self.schedule.outcomes.is_empty();
        if !needed || unused || self.schedule.over.is_some() || !self.schedule.waiting.is_empty() {
            return false;
        }
        match Box::pin(self.ground.fresh()).await {
            None => {}
            Some(Ok(ground)) => {
                let next = self.plan.schedule(&ground, self.schedule.run.sender.journal.clone());
                *self.ground = ground;
                self.schedule.run = next.run;
                self.schedule.elsewhere = self.schedule.outcomes.keys().copied().collect();
                return true;
            }
            Some(Err(why)) => self.schedule.over = Some(none(format!("not started: no fresh registry: {why}"))),
        }
        false
    }

    /// What a barrier stands for happens, and those that waited for it can go on.
    async fn meet(&mut self, barrier: Barrier) {
        let all = std::mem::take(&mut self.schedule.waiting);
        let (mut here, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|waiting| waiting.barrier == barrier);
        self.schedule.waiting = others;
        let round = u32::try_from(self.passed.len() + 1).unwrap_or(u32::MAX);
        let acted = act(self.ground, barrier, round, &mut here, &self.plan).await;
        let (exit, seconds, output) = (acted.exit, acted.seconds, acted.output.clone());
        let mut record = Round {
            barrier: barrier.word().into(),
            cases: here.len() as u64,
            seconds,
            exit,
            output,
            failed: acted.failed.clone(),
            blamed: Vec::new(),
            smallest: None,
            tried: Vec::new(),
            changes: None,
        };
        if acted.failed.is_some() && !self.plan.stop.is_set() {
            self.failed(barrier, here, &acted, &mut record).await;
        } else {
            let passed = here.into_iter().map(|waiting| Ready::Passed(waiting.place, waiting.case));
            self.schedule.ready.extend(passed);
        }
        self.passed.push(record);
    }

    /// What was not run to its end says so.
    async fn end(mut self) -> Ran {
        let paused = self.pause();
        let over = self.schedule.over.take().unwrap_or_else(|| match paused.is_empty() {
            true => none("the run ended before it".into()),
            false => {
                none("not started: cases that wait hold the pool's repositories; name more, or fewer cases".into())
            }
        });
        for waiting in std::mem::take(&mut self.schedule.waiting) {
            let mut case = waiting.case;
            let text = over.text.replacen("not started", &format!("not gone on with after {}", waiting.barrier), 1);
            case.give_up(NotAsked { kind: over.kind, text });
            let outcome = finish(case).await;
            self.schedule.end(waiting.place, outcome, self.plan.progress);
        }
        let mut outcomes = Vec::with_capacity(self.plan.cases.len());
        for (place, case) in self.plan.cases.iter().enumerate() {
            outcomes.push(self.schedule.outcomes.remove(&place).unwrap_or_else(|| {
                let mut outcome = blank(case, over.clone());
                (self.plan.progress)(&mut outcome);
                outcome
            }));
        }
        Ran { outcomes, rounds: self.passed, paused, found: self.found }
    }

    /// Writes down those that wait, where the run is to end for them; what they created stays.
    fn pause(&mut self) -> Vec<Saved> {
        if self.plan.options.pause_at.is_none() || self.schedule.over.is_some() || self.plan.stop.is_set() {
            return Vec::new();
        }
        let mut paused = Vec::new();
        for Waiting { place, barrier, case } in std::mem::take(&mut self.schedule.waiting) {
            paused.push(case.save(barrier));
            let (mut outcome, _) = case.finish();
            (self.plan.progress)(&mut outcome);
            self.schedule.outcomes.insert(place, outcome);
        }
        paused
    }
}
