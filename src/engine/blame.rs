//! Whose fault it is that a barrier's action failed: the round is repeated on fresh registries with ever fewer of the
//! cases, until those are known without which it does not fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ground::{Acted, Ground};
use super::journal::Journal;
use super::outcome::Outcome;
use super::rounds::{Plan, act, next};
use super::schedule::{Ready, Schedule, Waiting};
use crate::record::counted;
use crate::suite::barrier::Barrier;
use crate::suite::model::CaseInstance;

/// Most repetitions of one round, beside one for each case that is recorded as making the action fail.
const TRIALS: usize = 80;

/// The longest that they may take together.
const TIME: Duration = Duration::from_secs(600);

/// Of culprits that nobody has recorded so many are looked for: with more of them the collector fails at what is common,
/// and each further one says no more.
const UNKNOWN: usize = 12;

/// Cases that make an action fail.
pub(super) struct Culprit {
    /// Their places: without any one of them it does not fail, where they are proven.
    pub places: Vec<usize>,
    /// How it failed with them alone.
    pub acted: Acted,
    /// `None`: they are a smallest set that makes it fail by itself on a fresh registry. Else why nobody knows which of them
    /// do: what was tried.
    pub undivided: Option<String>,
}

impl Culprit {
    fn proven(places: Vec<usize>, acted: Acted) -> Culprit {
        Culprit { places, acted, undivided: None }
    }
}

/// How many of them are proven.
fn proven(culprits: &[Culprit]) -> usize {
    culprits.iter().filter(|culprit| culprit.undivided.is_none()).count()
}

/// What was found.
pub(super) struct Found<G> {
    /// In the order in which they were found.
    pub culprits: Vec<Culprit>,
    /// A line for each repetition.
    pub tried: Vec<String>,
    /// Whether it fails where no case pushed anything, too: then it is nobody's fault.
    pub always: bool,
    /// A registry on which the others passed the barrier, and where they stand on it.
    pub ground: Result<(G, Schedule), String>,
}

/// Looks for those who make `barrier`'s action fail, of those that wait `here` and those that ended before; `None`: the
/// registry cannot be had afresh, and nobody can say.
pub(super) async fn find<G: Ground, P: Sync>(
    plan: &Plan<'_, P>,
    ground: &G,
    failed: &Schedule,
    barrier: Barrier,
    round: u32,
    here: &[Waiting],
) -> Option<Found<G>> {
    let stand = |waiting: &Waiting| (waiting.place, waiting.case.met());
    let targets = here.iter().chain(&failed.waiting).map(stand).collect();
    let mut search = Search {
        plan,
        ground,
        barrier,
        round,
        targets,
        since: Instant::now(),
        tried: Vec::new(),
        most: TRIALS,
        unable: None,
    };
    let waited: Vec<usize> = here.iter().map(|waiting| waiting.place).collect();
    // Whoever ended before has left things behind that the action met too.
    let ended =
        failed.outcomes.iter().filter(|(place, outcome)| outcome.requests > 0 && !failed.elsewhere.contains(place));
    let ended: Vec<usize> = ended.map(|(place, _)| *place).collect();
    let elsewhere: Vec<usize> = failed.waiting.iter().map(|waiting| waiting.place).collect();
    let mut culprits: Vec<Culprit> = Vec::new();
    let nothing = Box::pin(search.trial(&[], true)).await?;
    let always = nothing.acted.is_some_and(|acted| acted.failed.is_some());
    drop(nothing.ground);
    // Who is recorded as making it fail is looked at first: where nothing has changed, that explains it.
    let recorded =
        |place: &&usize| plan.cases.get(**place).is_some_and(|case| plan.options.suspects.contains(&case.id));
    for place in waited.iter().filter(recorded).filter(|_| !always) {
        if search.is_exhausted() {
            break;
        }
        search.most += 1;
        if let Some(acted) = search.fails(&[*place]).await? {
            culprits.push(Culprit::proven(vec![*place], acted));
        }
    }
    let recorded = culprits.len();
    let most = recorded + UNKNOWN;
    let mut adopted = None;
    while adopted.is_none() && !always {
        let rest = without(&waited, &culprits);
        let all: Vec<usize> = rest.iter().chain(&elsewhere).copied().collect();
        let trial = Box::pin(search.trial(&all, !rest.is_empty())).await?;
        match trial.acted.clone().filter(|acted| acted.failed.is_some()) {
            Some(acted) if search.is_exhausted() || proven(&culprits) >= most => {
                culprits.push(Culprit { places: rest, acted, undivided: Some(search.bounds()) });
            }
            Some(acted) => match if elsewhere.is_empty() { Some(acted) } else { search.fails(&rest).await? } {
                Some(acted) => {
                    let more = most.saturating_sub(proven(&culprits));
                    culprits.extend(search.split(rest, acted, more, false).await?);
                }
                // Not without what others have pushed that wait elsewhere: of those here nobody is to blame alone.
                None if culprits.is_empty() => break,
                None => adopted = Some(Box::pin(search.trial(&all, false)).await?),
            },
            // With nobody to blame they do not go on: what failed once may have spoilt them.
            None if culprits.is_empty() => break,
            None => adopted = Some(trial),
        }
    }
    // Not those who waited, or not they alone: somebody who did not. One is enough, for none of them is met again.
    if culprits.is_empty()
        && !always
        && search.unable.is_none()
        && let Some(acted) = search.fails(&ended).await?
    {
        culprits = search.split(ended, acted, 1, true).await?;
        let all: Vec<usize> = waited.iter().chain(&elsewhere).copied().collect();
        adopted = Some(Box::pin(search.trial(&all, true)).await?);
    }
    let last = match adopted {
        Some(trial) => trial,
        None => Box::pin(search.trial(&elsewhere, false)).await?,
    };
    let ground = match (last.ground, last.acted.and_then(|acted| acted.failed)) {
        (Some(ground), None) => Ok((ground, last.schedule)),
        (_, Some(what)) => Err(format!("the {barrier} action fails without those that are blamed, too: {what}")),
        (None, None) => Err(search.unable.clone().unwrap_or_default()),
    };
    Some(Found { culprits, tried: search.tried, always, ground })
}

/// These places without those of culprits.
fn without(places: &[usize], culprits: &[Culprit]) -> Vec<usize> {
    places.iter().copied().filter(|place| !culprits.iter().any(|culprit| culprit.places.contains(place))).collect()
}

struct Search<'s, G, P> {
    plan: &'s Plan<'s, P>,
    ground: &'s G,
    barrier: Barrier,
    /// Its number.
    round: u32,
    /// Of those that waited anywhere when it failed: the step at which they stood.
    targets: BTreeMap<usize, usize>,
    since: Instant,
    tried: Vec<String>,
    /// Most repetitions.
    most: usize,
    /// Why a fresh registry could not be had.
    unable: Option<String>,
}

/// One repetition.
struct Trial<G> {
    /// What came of the action.
    acted: Option<Acted>,
    schedule: Schedule,
    /// `None`: it could not be had.
    ground: Option<G>,
}

impl<G: Ground, P: Sync> Search<'_, G, P> {
    fn is_exhausted(&self) -> bool {
        self.tried.len() >= self.most || self.since.elapsed() > TIME || self.plan.stop.is_set()
    }

    /// What was tried, where that was not enough.
    fn bounds(&self) -> String {
        format!("tried {} times in {} s", self.tried.len(), self.since.elapsed().as_secs())
    }

    /// Of cases that make the action fail, the smallest sets that do: no more than `most` are looked for, or, where `one` is
    /// enough, that.
    async fn split(&mut self, suspects: Vec<usize>, acted: Acted, most: usize, one: bool) -> Option<Vec<Culprit>> {
        let mut culprits: Vec<Culprit> = Vec::new();
        // One half is divided to its end before the other: wherever this ends, what was found by then is proven.
        let mut open = vec![(suspects, acted)];
        while let Some((places, acted)) = open.pop() {
            let enough = proven(&culprits) >= most;
            if enough && one {
                break;
            }
            if places.len() < 2 {
                culprits.push(self.once_more(places, acted).await?);
                continue;
            }
            if enough || self.is_exhausted() {
                let found = if enough { format!("{most} others were found before; ") } else { String::new() };
                culprits.push(Culprit { places, acted, undivided: Some(format!("{found}{}", self.bounds())) });
                continue;
            }
            let (a, b) = places.split_at(places.len() / 2);
            let of_a = self.fails(a).await?;
            let of_b = if one && of_a.is_some() { None } else { self.fails(b).await? };
            if of_a.is_none() && of_b.is_none() {
                culprits.push(self.together(a, b, acted).await?);
            }
            open.extend(of_b.map(|acted| (b.to_vec(), acted)));
            open.extend(of_a.map(|acted| (a.to_vec(), acted)));
        }
        Some(culprits)
    }

    /// Of two sets that fail only together, the smallest part of each that still does.
    async fn together(&mut self, a: &[usize], b: &[usize], acted: Acted) -> Option<Culprit> {
        let (few, acted) = self.least(a.to_vec(), b, acted).await?;
        let (rest, acted) = self.least(b.to_vec(), &few, acted).await?;
        let places: Vec<usize> = few.into_iter().chain(rest).collect::<BTreeSet<usize>>().into_iter().collect();
        if self.is_exhausted() {
            return Some(Culprit { places, acted, undivided: Some(self.bounds()) });
        }
        self.once_more(places, acted).await
    }

    /// Of what fails by itself: whether it does when that is repeated, or did by chance.
    async fn once_more(&mut self, places: Vec<usize>, acted: Acted) -> Option<Culprit> {
        if self.is_exhausted() || self.fails(&places).await?.is_some() {
            return Some(Culprit::proven(places, acted));
        }
        let undivided = Some(format!("it failed with them alone and then did not; {}", self.bounds()));
        Some(Culprit { places, acted, undivided })
    }

    /// The smallest part of `set` with which, beside `always`, it fails: parts are left out for as long as it still does.
    async fn least(&mut self, mut set: Vec<usize>, always: &[usize], mut acted: Acted) -> Option<(Vec<usize>, Acted)> {
        let mut part = set.len().div_ceil(2);
        loop {
            let mut start = 0;
            while start < set.len() && set.len() > 1 && !self.is_exhausted() {
                let end = (start + part).min(set.len());
                let without: Vec<usize> = set[..start].iter().chain(&set[end..]).copied().collect();
                let with: Vec<usize> = without.iter().chain(always).copied().collect();
                match if without.is_empty() { None } else { self.fails(&with).await? } {
                    Some(failed) => (set, acted) = (without, failed),
                    None => start = end,
                }
            }
            if part <= 1 || self.is_exhausted() {
                return Some((set, acted));
            }
            part = part.div_ceil(2);
        }
    }

    /// How the action fails with these cases alone, if it does.
    async fn fails(&mut self, places: &[usize]) -> Option<Option<Acted>> {
        if places.is_empty() {
            return Some(None);
        }
        Some(Box::pin(self.trial(places, true)).await?.acted.filter(|acted| acted.failed.is_some()))
    }

    /// Runs these cases on a fresh registry to where they stood, and, where `acts` is set, acts: those that waited here can go on then, others
    /// wait as they did.
    async fn trial(&mut self, places: &[usize], acts: bool) -> Option<Trial<G>> {
        let mut set: Vec<usize> = places.to_vec();
        set.sort_unstable();
        let fresh = Box::pin(self.ground.fresh()).await?;
        let journal = Journal::unwritten();
        let mut ground = match fresh {
            Ok(ground) => ground,
            Err(why) => {
                self.tried.push(format!("{}: no fresh registry: {why}", counted::cases(set.len())));
                self.unable = Some(format!("a fresh registry could not be started: {why}"));
                let schedule = self.plan.schedule(self.ground, journal);
                return Some(Trial { acted: None, schedule, ground: None });
            }
        };
        let mut schedule = self.plan.schedule(&ground, journal);
        let instances = set.iter().filter_map(|place| Some((*place, self.plan.cases.get(*place)?.clone())));
        schedule.ready = instances.map(|(place, case): (usize, Arc<CaseInstance>)| Ready::New(place, case)).collect();
        let jobs = self.plan.options.jobs.max(1);
        let unseen = |_: &mut Outcome| {};
        let acted = loop {
            schedule.phase(jobs, &unseen).await;
            let all = std::mem::take(&mut schedule.waiting);
            let there = |waiting: &Waiting| self.targets.get(&waiting.place) == Some(&waiting.case.met());
            let (arrived, underway): (Vec<_>, Vec<_>) = all.into_iter().partition(there);
            let earlier = next(&underway, true, None);
            let last = earlier.is_none();
            let barrier = earlier.unwrap_or(self.barrier);
            let here = |waiting: &Waiting| waiting.barrier == barrier;
            if last && !acts {
                schedule.waiting = arrived;
                break Acted::default();
            }
            let (here_or_not, wait) = if last { (arrived, Vec::new()) } else { (underway, arrived) };
            let (mut here, others): (Vec<_>, Vec<_>) = here_or_not.into_iter().partition(here);
            let acted = act(&mut ground, barrier, self.round, &mut here, self.plan).await;
            schedule.ready.extend(here.into_iter().map(|waiting| Ready::Passed(waiting.place, waiting.case)));
            schedule.waiting.extend(others.into_iter().chain(wait));
            if last || acted.failed.is_some() {
                break acted;
            }
        };
        // One without the action shows nothing of it, and only prepares the registry on which the others go on.
        if acts || acted.failed.is_some() {
            let came = acted.failed.clone().unwrap_or_else(|| "ends well".into());
            self.tried.push(format!("{}: {came}", counted::cases(set.len())));
        }
        Some(Trial { acted: Some(acted), schedule, ground: Some(ground) })
    }
}
