//! Which case runs when: several at once, each up to its end or to the barrier that it waits at.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinSet};

use super::case::{Case, Stands};
use super::names::{self, Lease};
use super::outcome::{Mismatch, NotAsked, Outcome};
use super::pause::Resumed;
use super::{Run, cleanup};
use crate::content::{Content, Key};
use crate::suite::barrier::Barrier;
use crate::suite::model::CaseInstance;
use crate::wire::FailureKind;

/// After so many cases in a row that got no answer at all, the target counts as lost, and no further case is started.
const LOST: usize = 8;

/// After so long without an answer two such cases are enough: where few run at once, each may last to its deadline.
const SILENCE: Duration = Duration::from_secs(90);

/// How long the clean-up of one case may take.
const CLEAN: Duration = Duration::from_secs(60);

/// How long it may take once the run was asked to stop, or where nobody answers.
const CLEAN_BRIEFLY: Duration = Duration::from_secs(3);

/// A case that waits at a barrier.
pub(super) struct Waiting {
    /// Its place in the list of cases.
    pub place: usize,
    /// What it waits at.
    pub barrier: Barrier,
    /// All of it.
    pub case: Box<Case>,
}

/// What can be run now.
pub(super) enum Ready {
    /// A case from its beginning.
    New(usize, Arc<CaseInstance>),
    /// A case that passed its barrier.
    Passed(usize, Box<Case>),
}

/// What became of a case that was run.
enum Went {
    Ended(Box<Outcome>),
    Waits(Barrier, Box<Case>),
}

/// Runs cases on one registry, and knows what became of them.
pub(super) struct Schedule {
    pub run: Arc<Run>,
    /// By place.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Those that wait, in the order of their places.
    pub waiting: Vec<Waiting>,
    /// What can be run, in order.
    pub ready: VecDeque<Ready>,
    /// Those that ended on another registry than this one.
    pub elsewhere: BTreeSet<usize>,
    /// Why no further case is started.
    pub over: Option<NotAsked>,
    /// Cases in a row that got no answer.
    silent: usize,
    /// When the last case ended that got one.
    heard: Instant,
}

impl Schedule {
    pub fn new(run: Arc<Run>) -> Schedule {
        Schedule {
            run,
            outcomes: BTreeMap::new(),
            waiting: Vec::new(),
            ready: VecDeque::new(),
            elsewhere: BTreeSet::new(),
            over: None,
            silent: 0,
            heard: Instant::now(),
        }
    }

    /// Runs what is ready, `jobs` at once, until nothing more can be: what is left waits at a barrier, or for repositories
    /// that those have which do. `progress` sees each outcome.
    pub async fn phase(&mut self, jobs: usize, progress: &(impl Fn(&mut Outcome) + Sync)) {
        let mut running: JoinSet<Went> = JoinSet::new();
        let mut places: HashMap<Id, (usize, Arc<CaseInstance>)> = HashMap::new();
        loop {
            // No more are under way than it takes to know that the target is lost: each may last to its deadline.
            while running.len() < jobs && running.len() + self.silent < jobs.max(LOST) && self.may_start() {
                let Some(ready) = self.ready.pop_front() else { break };
                match self.start(ready, &mut running) {
                    Started::Runs(id, place, instance) => drop(places.insert(id, (place, instance))),
                    Started::Ended(place, outcome) => self.end(place, *outcome, progress),
                    Started::Later(ready) => {
                        self.ready.push_front(ready);
                        break;
                    }
                }
            }
            let (id, went) = match running.join_next_with_id().await {
                None => break,
                Some(Ok((id, went))) => (id, Ok(went)),
                Some(Err(error)) => (error.id(), Err(error)),
            };
            let Some((place, case)) = places.remove(&id) else { continue };
            match went {
                Ok(Went::Ended(outcome)) => self.end(place, *outcome, progress),
                Ok(Went::Waits(barrier, case)) => self.waiting.push(Waiting { place, barrier, case }),
                Err(error) => {
                    let text = format!("lacuna itself failed on this case, which is a bug to be reported: {error}");
                    self.end(place, blank(&case, none(text)), progress);
                }
            }
        }
        self.waiting.sort_by_key(|waiting| waiting.place);
    }

    fn start(&self, ready: Ready, running: &mut JoinSet<Went>) -> Started {
        match ready {
            Ready::Passed(place, case) => {
                let instance = case.instance.clone();
                Started::Runs(running.spawn(go(case)).id(), place, instance)
            }
            Ready::New(place, instance) if self.resumed(&instance).is_some() => {
                let begin = begin_again(self.run.clone(), instance.clone());
                Started::Runs(running.spawn(begin).id(), place, instance)
            }
            Ready::New(place, instance) => {
                let nicknames = names::nicknames(&instance);
                let own = nicknames.iter().filter(|nickname| !nickname.contains('/')).count();
                match self.run.names.try_lease(&instance.id, own) {
                    Ok(Some(lease)) => {
                        let begin = begin(self.run.clone(), instance.clone(), nicknames, lease);
                        Started::Runs(running.spawn(begin).id(), place, instance)
                    }
                    Ok(None) => Started::Later(Ready::New(place, instance)),
                    Err(problem) => Started::Ended(place, Box::new(blank(&instance, none(problem)))),
                }
            }
        }
    }

    /// Where a case stood when the run was paused, where it was.
    fn resumed(&self, instance: &CaseInstance) -> Option<&Resumed> {
        self.run.options.resume.as_ref()?.cases.get(&instance.id)
    }

    /// An outcome is there.
    pub fn end(&mut self, place: usize, mut outcome: Outcome, progress: &impl Fn(&mut Outcome)) {
        self.weigh(&outcome);
        progress(&mut outcome);
        self.outcomes.insert(place, outcome);
    }

    /// Goes on as another schedule, on another registry, whose outcomes are taken for those of this one.
    pub fn adopt(&mut self, other: Schedule, progress: &impl Fn(&mut Outcome)) {
        let Schedule { run, outcomes, waiting, ready, .. } = other;
        self.elsewhere = self.outcomes.keys().copied().collect();
        (self.run, self.waiting, self.ready) = (run, waiting, ready);
        outcomes.into_iter().for_each(|(place, outcome)| self.end(place, outcome, progress));
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
        let fails = |m: &Mismatch| m.late.is_none() && (options.levels)(&m.requirement) >= options.level;
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

/// What became of what was to be started.
enum Started {
    Runs(Id, usize, Arc<CaseInstance>),
    Ended(usize, Box<Outcome>),
    /// Its repositories are not free.
    Later(Ready),
}

pub(super) fn none(text: String) -> NotAsked {
    NotAsked { kind: None, text }
}

/// The outcome of a case that nothing was asked in.
pub(super) fn blank(case: &CaseInstance, error: NotAsked) -> Outcome {
    Outcome {
        id: case.id.clone(),
        round: 0,
        mismatches: Vec::new(),
        observed: Vec::new(),
        error: Some(error),
        answered: false,
        exchanges: Vec::new(),
        usage: Vec::new(),
        seconds: 0.0,
        requests: 0,
        bytes_sent: 0,
        bytes_received: 0,
    }
}

/// Makes a case's content, and runs it to its first barrier or its end.
async fn begin(run: Arc<Run>, instance: Arc<CaseInstance>, nicknames: Vec<String>, lease: Lease) -> Went {
    let content = match content(&run, &instance).await {
        Ok(content) => content,
        Err(what) => return unmade(&instance, &what),
    };
    let repositories = names::full(nicknames, &lease.names);
    let is_shared = lease.is_of_pool();
    let mut case = Box::new(Case::new(run, instance, content, repositories, lease));
    if is_shared {
        case.look_around().await;
    }
    go(case).await
}

/// Makes a case's content again, and runs it from where it stood when the run was paused.
async fn begin_again(run: Arc<Run>, instance: Arc<CaseInstance>) -> Went {
    let resumed = run.options.resume.as_ref().and_then(|resume| resume.cases.get(&instance.id)).cloned();
    let Some(resumed) = resumed else { return unmade(&instance, "nothing is known of it") };
    // From now on its repositories change: it cannot go on from there a second time.
    if let Err(error) = run.sender.journal.resumed(&instance.id) {
        return unmade(&instance, &format!("the journal cannot be written ({error})"));
    }
    let restored = match content(&run, &instance).await {
        Ok(content) => Case::restore(run, instance.clone(), content, resumed),
        Err(what) => Err(what),
    };
    match restored {
        Ok(case) => go(Box::new(case)).await,
        Err(what) => unmade(&instance, &what),
    }
}

/// A case's content.
///
/// # Errors
/// What is wrong with its graph.
async fn content(run: &Run, instance: &Arc<CaseInstance>) -> Result<Content, String> {
    let key = Key { seed: run.options.seed, owner: instance.id.clone() };
    let instance = instance.clone();
    match tokio::task::spawn_blocking(move || Content::build(&instance.fixture, instance.format, &key)).await {
        Ok(Ok(content)) => Ok(content),
        Ok(Err(errors)) => Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        Err(error) => Err(error.to_string()),
    }
}

fn unmade(instance: &CaseInstance, what: &str) -> Went {
    Went::Ended(Box::new(blank(instance, none(format!("its content cannot be made: {what}")))))
}

/// Runs a case to its next barrier or its end.
async fn go(mut case: Box<Case>) -> Went {
    match case.advance().await {
        Stands::Before(barrier) => Went::Waits(barrier, case),
        Stands::AtEnd => Went::Ended(Box::new(finish(case).await)),
    }
}

/// Ends a case, and removes what it created.
pub(super) async fn finish(mut case: Box<Case>) -> Outcome {
    let run = case.run.clone();
    let created = std::mem::take(&mut case.created);
    let (outcome, mut lease) = case.finish();
    lease.is_clean = outcome.error.is_none() && outcome.mismatches.is_empty();
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
