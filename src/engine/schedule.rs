//! Which case runs when: several at once, those that want to be alone one by one after them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinSet};

use super::ask::Sender;
use super::case::Case;
use super::names::Names;
use super::outcome::{NotAsked, Outcome};
use super::stop::Stop;
use super::{Bundles, Journal, Options, Run, cleanup};
use crate::content::{Content, Key};
use crate::suite::model::{Action, CaseInstance};
use crate::wire::{Client, FailureKind};

/// After so many cases in a row that got no answer at all, the target counts as lost, and no further case is started.
const LOST: usize = 8;

/// After so long without an answer two such cases are enough: where few run at once, each may last to its deadline.
const SILENCE: Duration = Duration::from_secs(90);

/// How long the clean-up of one case may take.
const CLEAN: Duration = Duration::from_secs(60);

/// How long it may take once the run was asked to stop, or where nobody answers.
const CLEAN_BRIEFLY: Duration = Duration::from_secs(3);

/// Runs cases. The outcomes are in the order of `cases`, one for each: a case that was not started because the run stopped,
/// failed fast or lost its target has an error that says so. `progress` sees each outcome when it is there.
pub async fn run(
    cases: Vec<Arc<CaseInstance>>,
    bundles: &Bundles,
    client: &Client,
    journal: &Journal,
    options: &Options,
    progress: impl Fn(&mut Outcome) + Send + Sync,
    stop: Stop,
) -> Vec<Outcome> {
    let run = Arc::new(Run {
        sender: Sender { client: client.clone(), journal: journal.clone(), stop },
        bundles: bundles.iter().map(|(name, expect)| (name.clone(), expect.clone().into())).collect(),
        names: Names::new(&options.repositories, &options.run),
        options: options.clone(),
    });
    let mut schedule =
        Schedule { run, outcomes: vec![None; cases.len()], over: None, silent: 0, heard: Instant::now() };
    let (alone, together): (Vec<_>, Vec<_>) = cases.iter().cloned().enumerate().partition(|(_, case)| case.alone);
    schedule.phase(together, options.jobs.max(1), &progress).await;
    schedule.phase(alone, 1, &progress).await;
    let over = schedule.over.unwrap_or_else(|| none("the run ended before it".into()));
    let outcomes = schedule.outcomes.into_iter().zip(&cases);
    outcomes.map(|(outcome, case)| outcome.unwrap_or_else(|| not_started(case, &over, &progress))).collect()
}

struct Schedule {
    run: Arc<Run>,
    outcomes: Vec<Option<Outcome>>,
    /// Why no further case is started.
    over: Option<NotAsked>,
    /// Cases in a row that got no answer.
    silent: usize,
    /// When the last case ended that got one.
    heard: Instant,
}

impl Schedule {
    async fn phase(
        &mut self,
        cases: Vec<(usize, Arc<CaseInstance>)>,
        jobs: usize,
        progress: &(impl Fn(&mut Outcome) + Send + Sync),
    ) {
        let mut waiting = cases.into_iter();
        let mut running: JoinSet<Outcome> = JoinSet::new();
        let mut places: HashMap<Id, (usize, Arc<CaseInstance>)> = HashMap::new();
        loop {
            // No more are under way than it takes to know that the target is lost: each may last to its deadline.
            while running.len() < jobs && running.len() + self.silent < jobs.max(LOST) && self.may_start() {
                let Some((place, case)) = waiting.next() else { break };
                let task = running.spawn(one(self.run.clone(), case.clone()));
                places.insert(task.id(), (place, case));
            }
            let (id, outcome) = match running.join_next_with_id().await {
                None => break,
                Some(Ok((id, outcome))) => (id, Ok(outcome)),
                Some(Err(error)) => (error.id(), Err(error)),
            };
            let Some((place, case)) = places.remove(&id) else { continue };
            let mut outcome = outcome.unwrap_or_else(|error| {
                blank(&case, none(format!("lacuna itself failed on this case, which is a bug to be reported: {error}")))
            });
            self.weigh(&outcome);
            progress(&mut outcome);
            if let Some(slot) = self.outcomes.get_mut(place) {
                *slot = Some(outcome);
            }
        }
    }

    fn may_start(&mut self) -> bool {
        if self.over.is_none() && self.run.sender.stop.is_set() {
            let kind = Some(FailureKind::Interrupted);
            self.over = Some(NotAsked { kind, text: "not started: the run was interrupted".into() });
        }
        self.over.is_none()
    }

    /// Decides whether further cases are started after this one.
    fn weigh(&mut self, outcome: &Outcome) {
        let options = &self.run.options;
        let fails =
            |m: &super::outcome::Mismatch| m.late.is_none() && (options.levels)(&m.requirement) >= options.level;
        if options.fail_fast && self.over.is_none() && (outcome.error.is_some() || outcome.mismatches.iter().any(fails))
        {
            self.over = Some(none(format!("not started: {} failed, and the run was told to stop at that", outcome.id)));
        }
        match &outcome.error {
            Some(NotAsked { kind: Some(kind), .. }) if !outcome.answered && *kind != FailureKind::Interrupted => {
                self.silent += 1;
                let lost = self.silent >= LOST || self.silent > 1 && self.heard.elapsed() > SILENCE;
                if lost && self.over.is_none() {
                    let text = format!("not started: the target did not answer the {} cases before it", self.silent);
                    self.over = Some(NotAsked { kind: Some(*kind), text });
                }
            }
            _ => (self.silent, self.heard) = (0, Instant::now()),
        }
    }
}

fn none(text: String) -> NotAsked {
    NotAsked { kind: None, text }
}

fn not_started(case: &CaseInstance, why: &NotAsked, progress: &impl Fn(&mut Outcome)) -> Outcome {
    let mut outcome = blank(case, why.clone());
    progress(&mut outcome);
    outcome
}

fn blank(case: &CaseInstance, error: NotAsked) -> Outcome {
    Outcome {
        id: case.id.clone(),
        mismatches: Vec::new(),
        observed: Vec::new(),
        error: Some(error),
        answered: false,
        exchanges: Vec::new(),
        seconds: 0.0,
        requests: 0,
        bytes_sent: 0,
        bytes_received: 0,
    }
}

/// Nicknames in the order in which the steps name them.
fn nicknames(case: &CaseInstance) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for step in &case.steps {
        let from = match &step.action {
            Action::Mount(mount) => mount.from.as_deref(),
            _ => None,
        };
        for name in std::iter::once(step.repository.as_str()).chain(from) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Runs one case, and removes what it created.
async fn one(run: Arc<Run>, instance: Arc<CaseInstance>) -> Outcome {
    let key = Key { seed: run.options.seed, owner: instance.id.clone() };
    let building = tokio::task::spawn_blocking({
        let instance = instance.clone();
        move || Content::build(&instance.fixture, instance.format, &key)
    });
    let content = match building.await {
        Ok(Ok(content)) => content,
        Ok(Err(errors)) => {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return blank(&instance, none(format!("its content cannot be made: {}", all.join("; "))));
        }
        Err(error) => return blank(&instance, none(format!("its content cannot be made: {error}"))),
    };
    let nicknames = nicknames(&instance);
    let lease = match run.names.lease(&instance.id, nicknames.len()).await {
        Ok(lease) => lease,
        Err(problem) => return blank(&instance, none(problem)),
    };
    let repositories: BTreeMap<String, String> = nicknames.into_iter().zip(lease.names.iter().cloned()).collect();
    let mut case = Case::new(&run, content, repositories);
    let begun = Instant::now();
    let error = case.steps(&instance).await;
    let seconds = begun.elapsed().as_secs_f64();
    let created = std::mem::take(&mut case.created);
    let outcome = case.finish(&instance.id, error, seconds);
    if let Some(can) = run.options.removal {
        let lost = outcome.error.is_some() && !outcome.answered;
        let time = if lost || run.sender.stop.is_set() { CLEAN_BRIEFLY } else { CLEAN };
        let cleaning = cleanup::remove(&run.sender.client, &run.sender.journal, &created, can, time);
        tokio::pin!(cleaning);
        tokio::select! {
            () = &mut cleaning => {}
            () = async { run.sender.stop.wait().await; tokio::time::sleep(CLEAN_BRIEFLY).await } => {}
        }
    }
    drop(lease);
    outcome
}
