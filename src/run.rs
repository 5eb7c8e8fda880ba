//! The pipeline in order: open the target, probe, plan, run, judge, record.

mod course;
mod judged;
mod pause;
mod settings;

use course::Course;
pub use pause::{Pause, refusal};
pub use settings::fresh;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::engine::{self, Ground as _, Journal, Options, Outcome, Ran, Stop, pause::Saved};
use crate::plan::{self, Filter, Planned, Shard};
use crate::record::build::{self, Bodies, RunFacts};
use crate::record::{CleanUp, Round, RunRecord};
use crate::report::changes::{Was, changes};
use crate::report::progress::Progress;
use crate::suite::Library;
use crate::suite::model::CaseInstance;
use crate::suite::requirement::{Level, Spec};
use crate::target::argument::TargetSpec;
use crate::target::findings::Findings;
use crate::target::open::{Live, open};
use crate::target::probe::{self, Pace, Setup, Unknown};
use crate::target::profile::Known;
use crate::verdict::{KnownFailures, Law};

/// How long the last clean-up may take, and how long once the run was asked to stop, or the target does not answer.
const CLEAN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3));

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Request {
    /// All cases.
    pub library: Library,
    /// Ids of the shipped cases where the library is the user's own: a profile may know of failures of them.
    pub elsewhere: Vec<String>,
    /// Whom to ask.
    pub target: TargetSpec,
    /// Which cases; none: all.
    pub filters: Vec<Filter>,
    /// The folder of the journal.
    pub out: PathBuf,
    /// Cases at once; `None`: the profile's.
    pub jobs: Option<usize>,
    /// The content's seed.
    pub seed: u64,
    /// The edition to judge by.
    pub spec: Spec,
    /// The level from which a mismatch fails.
    pub level: Level,
    /// Known failures, beside the profile's.
    pub known: Vec<Known>,
    /// A part of the cases.
    pub shard: Option<Shard>,
    /// How often each case runs.
    pub repeat: u32,
    /// Whether what is created stays.
    pub keep: bool,
    /// Whether the first failure ends it.
    pub fail_fast: bool,
    /// Where it pauses, and what it goes on from.
    pub pause: Pause,
}

/// A run's record.
#[derive(Debug)]
pub struct Recorded {
    /// The record, whole or marked incomplete.
    pub record: RunRecord,
    /// Request bodies that it names.
    pub bodies: Bodies,
    /// Cases were asked, and none got an answer.
    pub mute: bool,
    /// It ended at a barrier, and can go on.
    pub paused: bool,
    /// The target. A launched one and its folder go with it, which may take a while: reports are written before.
    pub target: Live,
}

/// Why nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// Files that are refused.
    #[error("{0}")]
    Refused(String),
    /// The target cannot be tested.
    #[error("{0}")]
    Untestable(String),
    /// A filter selects nothing.
    #[error("{0}")]
    Nothing(String),
    /// What must be written before anything is sent cannot be.
    #[error("nothing was sent: cannot write {0}")]
    Unwritable(String),
    /// The same while the probe was under way.
    #[error("{0}; the registry was not judged")]
    Unjournaled(String),
}

/// Runs. When `stop` is set, nothing more is sent, and what was seen is recorded as incomplete.
///
/// # Errors
/// Why nothing was asked.
pub fn run<'a>(
    request: &'a Request,
    stop: &'a Stop,
    progress: &'a (dyn Fn(usize) -> Progress + Sync),
) -> BoxFuture<'a, Result<Recorded, NotRun>> {
    // Boxed, so that it is compiled once, here, and not again with each program that runs.
    Box::pin(recorded(request, stop, progress))
}

async fn recorded(
    request: &Request,
    stop: &Stop,
    progress: &(dyn Fn(usize) -> Progress + Sync),
) -> Result<Recorded, NotRun> {
    let started = settings::now();
    let library = &request.library;
    let known = request.target.profile.known.iter().chain(&request.known).cloned();
    let ids = library.instances.iter().map(|case| case.id.as_str());
    let requirements = library.requirements.keys().map(String::as_str);
    let elsewhere = request.elsewhere.iter().map(String::as_str);
    let known = KnownFailures::new(known, request.target.profile.product.as_deref(), ids, elsewhere, requirements)
        .map_err(|faults| NotRun::Refused(faults.join("\n")))?;
    let earlier = pause::earlier(request)?;
    let mut live = tokio::select! {
        opened = open(&request.target) => opened.map_err(|e| NotRun::Untestable(e.to_string()))?,
        () = stop.wait() => return Err(NotRun::Untestable("interrupted before the target answered".into())),
    };
    if earlier.is_none() {
        let unmatched = plan::unmatched(&request.filters, &library.instances);
        if !unmatched.is_empty() {
            return Err(NotRun::Nothing(unmatched.join("\n")));
        }
    }
    let course = Course::of(request, &live, earlier.as_ref())?;
    let findings = match find(&live, &course, stop).await.transpose() {
        Ok(findings) => findings,
        Err(unknown) => {
            // What was acknowledged goes; and an answer may have been lost.
            clean(request, &live, &course, CLEAN.1).await;
            return Err(match unknown {
                Unknown::Mute(why) => NotRun::Untestable(why),
                Unknown::Unwritable(why) => NotRun::Unjournaled(why),
            });
        }
    };
    let tidied = tidy(request, &live, &course).await;
    let mut barriers = live.barriers();
    pause::add(request.pause.at, &mut barriers);
    let mut resume = None;
    let planned = match &earlier {
        None => settings::planned(request, &barriers, findings.as_ref()),
        Some(earlier) => {
            let (planned, goes_on) = earlier.plan(library, &barriers, findings.as_ref());
            if findings.is_some() {
                earlier.let_go(library, &planned, &course.journal)?;
            }
            resume = Some(Arc::new(goes_on));
            planned
        }
    };
    if settings::begins_afresh(request, &planned) {
        // What the probe left behind must not be what an action trips over.
        live = match live.fresh().await {
            Some(fresh) => fresh.map_err(NotRun::Untestable)?,
            None => live,
        };
    }
    let options = Options {
        pause_at: request.pause.at,
        resume,
        ..settings::options(request, &live, findings.as_ref(), &known, &course)
    };
    let mut ran = attempts(request, &mut live, &planned, options, &course.journal, &progress, stop).await;
    if let Some(before) = &findings {
        ran.iter_mut().for_each(|ran| say_changes(ran, before));
    }
    let rounds: Vec<Round> = ran.iter().flat_map(|ran| ran.rounds.clone()).collect();
    let waiting: Vec<Saved> = ran.iter_mut().flat_map(|ran| std::mem::take(&mut ran.paused)).collect();
    let attempts: Vec<Vec<Outcome>> = ran.into_iter().map(|ran| ran.outcomes).collect();
    let mut outcomes = attempts.iter().flatten().peekable();
    let mute = outcomes.peek().is_some() && outcomes.all(|outcome| !outcome.answered);
    let mute = mute && !stop.is_set();
    let time = if mute || stop.is_set() { CLEAN.1 } else { CLEAN.0 };
    let mut notes: Vec<String> =
        earlier.iter().flat_map(|earlier| earlier.notes()).chain(course.note.clone()).collect();
    let lost = earlier.as_ref().is_some_and(|earlier| earlier.lost() > 0);
    let mut paused = false;
    if !waiting.is_empty() {
        let written = pause::write(request, &course, findings.as_ref(), &rounds, &waiting);
        paused = written.is_ok();
        notes.push(written.unwrap_or_else(|why| why));
    }
    let mut clean_up = if paused { course.journal.tally() } else { clean(request, &live, &course, time).await };
    if !paused && !request.keep && (!stop.is_set() || clean_up.left.is_empty()) {
        course.journal.ended();
    }
    clean_up.removed += tidied;
    notes.extend(settings::hints(&planned, &barriers));
    notes.extend(judged::notes(&attempts, findings.as_ref(), &live));

    let law = Law { requirements: &library.requirements, spec: request.spec, level: request.level, known: &known };
    let judged = judged::judge(library, &planned, &attempts, &law, &waiting);
    let mut cases = judged::claims(&live.profile.claims, findings.as_ref());
    let whole = !stop.is_set() && waiting.is_empty() && !lost;
    let complete = whole && !attempts.iter().flatten().any(judged::not_started);
    cases.extend(judged);
    let facts = RunFacts {
        suites: library.digest.clone(),
        target: live.record(),
        spec: request.spec,
        seed: format!("{:016x}", course.seed),
        selection: settings::selection(request),
        started,
        finished: settings::now(),
        rounds,
        clean_up,
        notes,
        paused: request.pause.at.filter(|_| paused).map(|barrier| barrier.word().to_owned()),
        complete,
    };
    let claimed = &live.profile.claims.stance;
    let (record, bodies) = build::build(facts, findings.as_ref(), claimed, &library.requirements, &cases);
    Ok(Recorded { record, bodies, mute, paused, target: live })
}

/// Probes; `None`: it was interrupted; an error: the target answers no question.
async fn find(live: &Live, course: &Course, stop: &Stop) -> Option<Result<Findings, Unknown>> {
    let Course { names, journal, probe: seed, .. } = course;
    let setup = Setup { client: &live.client, names, journal, seed: *seed, pace: Pace::of(&live.profile) };
    tokio::select! {
        findings = probe::probe(setup) => Some(findings.map(|mut findings| {
            findings.declare(&live.profile.claims);
            findings
        })),
        () = stop.wait() => None,
    }
}

/// Where cases are given the repositories that the probe had, what it left there is removed before: how much. What cannot be
/// is somebody else's to them.
async fn tidy(request: &Request, live: &Live, course: &Course) -> u64 {
    let repositories = &live.profile.repositories;
    if request.keep || live.is_ours() || repositories.pool.is_empty() || request.pause.resume.is_some() {
        return 0;
    }
    let done = engine::clean_ended(&live.client, &course.path, repositories, CLEAN.0).await;
    done.map_or(0, |done| done.removed)
}

/// Runs the planned cases, as often as asked: outcomes by attempt, in the order of the cases that are not skipped.
async fn attempts(
    request: &Request,
    live: &mut Live,
    planned: &[Planned],
    options: Options,
    journal: &Journal,
    progress: &impl Fn(usize) -> Progress,
    stop: &Stop,
) -> Vec<Ran> {
    let asked = planned.iter().filter(|plan| plan.skip.is_none());
    let cases: Vec<Arc<CaseInstance>> =
        asked.filter_map(|plan| request.library.instances.get(plan.case).cloned().map(Arc::new)).collect();
    let shown = progress(cases.len().saturating_mul(request.repeat as usize));
    let mut attempts = Vec::new();
    for attempt in 0..request.repeat {
        // No two attempts share a digest or a repository: what one pushed must not answer for another.
        let options = Options {
            seed: options.seed.wrapping_add(attempt.into()),
            run: if attempt == 0 { options.run.clone() } else { format!("{}-{}", options.run, attempt + 1) },
            ..options.clone()
        };
        let seen = |outcome: &mut Outcome| {
            shown.case(outcome.error.is_some() || !outcome.mismatches.is_empty());
            // No report shows what a case exchanged that passed, and most do.
            if outcome.is_spotless() {
                outcome.exchanges = Vec::new();
            }
        };
        let bundles = &request.library.bundles;
        let running = engine::run(cases.clone(), bundles, live, journal, &options, seen, stop.clone());
        attempts.push(Box::pin(running).await);
    }
    attempts
}

/// Says of each barrier what a probe found after it otherwise than before the run.
fn say_changes(ran: &mut Ran, before: &Findings) {
    for (place, found) in &ran.found {
        if let Some(round) = ran.rounds.get_mut(*place) {
            round.changes = Some(changes(&Was::of(before), &Was::of(found)));
        }
    }
}

/// Removes what the cases did not remove themselves: the probe's things, and those of cases that were interrupted.
async fn clean(request: &Request, live: &Live, course: &Course, time: Duration) -> CleanUp {
    let mut tally = course.journal.tally();
    tally.discarded = live.is_ours();
    if request.keep || live.is_ours() {
        return tally;
    }
    match engine::clean_ended(&live.client, &course.path, &live.profile.repositories, time).await {
        Ok(last) => CleanUp { removed: tally.removed + last.removed, left: last.left, ..tally },
        Err(e) => {
            tally.left.push(format!("the last clean-up was not possible: {e}"));
            tally
        }
    }
}
