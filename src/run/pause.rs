//! A run that ends at a barrier which somebody else sees to, and goes on another day, from its journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::course::Course;
use super::{NotRun, Request};
use crate::engine::journal::{self, Found, Leftovers, Paused};
use crate::engine::pause::{Resume, Resumed, Saved};
use crate::engine::{Barriers, Journal};
use crate::plan::{self, Planned};
use crate::record::{Round, counted};
use crate::report::changes::{Was, changes};
use crate::report::clean::line;
use crate::suite::Library;
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance};
use crate::target::findings::{Finding, Findings, Is};

/// Where a run pauses, and what it goes on from.
#[derive(Debug, Clone, Default)]
pub struct Pause {
    /// The barrier at which it ends, for somebody to do what it stands for.
    pub at: Option<Barrier>,
    /// The journal of a run that ended so, to go on.
    pub resume: Option<PathBuf>,
    /// The command up to its target, for whoever is told how to go on: `lacuna run TARGET`.
    pub command: String,
}

/// Why a run is refused before anything of an earlier one is touched: a target that cannot be paused, or the journal of a
/// paused run that would be lost.
pub fn refusal(request: &Request) -> Option<String> {
    let pause = &request.pause;
    let spec = &request.target;
    if (pause.at.is_some() || pause.resume.is_some()) && (spec.reference.is_some() || spec.profile.launch.is_some()) {
        return Some(format!(
            "`{}` is started for each run and ends with it, so no run of it can be paused or resumed: start the registry \
             yourself, and name it by URL or by a profile without `launch` (lacuna does a launched one's upgrades itself: \
             docs/profiles.md, `actions`)",
            spec.name
        ));
    }
    let path = request.out.join("journal.jsonl");
    let holds = pause.resume.is_none() && journal::read(&path).is_ok_and(|left| !left.waiting.is_empty());
    holds.then(|| {
        let path = path.display();
        format!(
            "{path} holds a paused run: resume it (`--resume {path}`), clean it (`lacuna clean TARGET {path}`), or choose \
             another --out"
        )
    })
}

/// A barrier that is seen to from outside is there, whatever the profile says; who upgrades can also go back.
pub(super) fn add(pause: Option<Barrier>, barriers: &mut Barriers) {
    let Some(barrier) = pause else { return };
    // Nobody knows when it happens, so nothing can be sent during it.
    barriers.there.insert(barrier, false);
    if barrier == Barrier::Upgrade {
        barriers.there.entry(Barrier::Downgrade).or_insert(false);
    }
}

/// A run that was paused.
pub(super) struct Earlier {
    pub path: PathBuf,
    pub leftovers: Leftovers,
    /// The content's seed.
    pub seed: u64,
    paused: Paused,
    /// Those that are to go on: their places in the library, in its order.
    cases: Vec<(usize, Saved)>,
}

/// The paused run that is to go on, if one is.
///
/// # Errors
/// Why it cannot.
pub(super) fn earlier(request: &Request) -> Result<Option<Earlier>, NotRun> {
    let Some(path) = &request.pause.resume else { return Ok(None) };
    let profile = &request.target.profile;
    let leftovers = journal::read_of(path, &profile.repositories).map_err(|e| NotRun::Refused(e.to_string()))?;
    let name = path.display();
    let refuse = |text: String| Err(NotRun::Refused(text));
    let header = &leftovers.header;
    if header.target != profile.url {
        let (theirs, ours) = (line(&header.target), &profile.url);
        return refuse(format!("{name} is of {theirs}, not of {ours}: name that target"));
    }
    let paused = match &leftovers.paused {
        Some(paused) if !leftovers.waiting.is_empty() => paused.clone(),
        Some(_) => return refuse(format!("in {name} no case waits any more: they were resumed, or cleaned up")),
        None => return refuse(format!("{name} is of a run that was not paused: nothing of it waits")),
    };
    let suites = &request.library.digest;
    if paused.suites != *suites {
        let version = line(&header.lacuna);
        return refuse(format!(
            "{name} was written with other suites ({}; these are {suites}): resume it with lacuna {version} and the suites \
             that it was begun with, or remove what it left (`lacuna clean TARGET {name}`)",
            line(&paused.suites)
        ));
    }
    let seed = Some(&header.seed).filter(|seed| seed.len() == 16 && seed.bytes().all(|b| b.is_ascii_hexdigit()));
    let Some(seed) = seed.and_then(|seed| u64::from_str_radix(seed, 16).ok()) else {
        return refuse(format!("{name}:1: not a line of a journal: a seed has 16 hex digits"));
    };
    let cases = chosen(request, path, &leftovers)?;
    Ok(Some(Earlier { path: path.clone(), seed, paused, cases, leftovers }))
}

/// Those that wait and are selected.
fn chosen(request: &Request, path: &Path, leftovers: &Leftovers) -> Result<Vec<(usize, Saved)>, NotRun> {
    let all = &request.library.instances;
    let known: BTreeMap<&str, usize> = all.iter().enumerate().map(|(place, case)| (case.id.as_str(), place)).collect();
    let mut waiting: BTreeMap<usize, (&CaseInstance, &Saved)> = BTreeMap::new();
    for (number, saved) in leftovers.waiting.values() {
        let refuse = |what: String| NotRun::Refused(format!("{}:{number}: {what}", path.display()));
        let case = known.get(saved.case.as_str()).and_then(|place| Some((*place, all.get(*place)?)));
        let (place, case) = case.ok_or_else(|| {
            refuse(format!(
                "there is no case `{}` in these suites: resume with those that the run was begun with",
                line(&saved.case)
            ))
        })?;
        saved.fits(case).map_err(|why| refuse(line(&why)))?;
        waiting.insert(place, (case, saved));
    }
    let cases: Vec<&CaseInstance> = waiting.values().map(|(case, _)| *case).collect();
    let unmatched = plan::unmatched(&request.filters, &cases);
    if !unmatched.is_empty() {
        return Err(NotRun::Nothing(unmatched.join("\n") + " that waits"));
    }
    let selects = |id: &str| request.filters.is_empty() || request.filters.iter().any(|filter| filter.selects(id));
    let chosen = waiting.into_iter().filter(|(_, (case, _))| selects(&case.id));
    Ok(chosen.map(|(place, (_, saved))| (place, saved.clone())).collect())
}

impl Earlier {
    /// What goes on from where, and what cannot: a later barrier is not there.
    pub fn plan(&self, library: &Library, barriers: &Barriers, findings: Option<&Findings>) -> (Vec<Planned>, Resume) {
        let barrier = self.paused.barrier;
        let mut resume = Resume { barrier: Some(barrier), ..Resume::default() };
        let mut planned = Vec::new();
        let mut passed = 0;
        for (place, saved) in &self.cases {
            let Some(case) = library.instances.get(*place) else { continue };
            let passes = resume.has_passed(saved.barrier);
            let mut skip = plan::barred(case, saved.step + usize::from(passes), barriers);
            // What did not hold before the pause is said all the same.
            let ends = skip.is_some() && !saved.mismatches.is_empty();
            if let Some(skip) = &mut skip {
                skip.evidence.push_str("; with `--pause-at` it would wait for somebody to see to it");
            }
            passed += u64::from(passes);
            planned.push(Planned { case: *place, skip: skip.filter(|_| !ends) });
            let created = self.leftovers.created_by(saved);
            resume.cases.insert(case.id.clone(), Resumed { saved: saved.clone(), created, ends });
        }
        resume.rounds.clone_from(&self.paused.rounds);
        resume.rounds.push(Round {
            barrier: barrier.word().into(),
            cases: passed,
            seconds: 0.0,
            exit: None,
            output: "seen to by somebody else, while the run was paused".into(),
            failed: None,
            blamed: Vec::new(),
            smallest: None,
            tried: Vec::new(),
            changes: findings.map(|now| changes(&was(&self.paused.found), &Was::of(now))),
        });
        (planned, resume)
    }

    /// Those that cannot go on wait no more.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn let_go(&self, library: &Library, planned: &[Planned], journal: &Journal) -> Result<(), NotRun> {
        let skipped = planned.iter().filter(|plan| plan.skip.is_some());
        let mut cases = skipped.filter_map(|plan| library.instances.get(plan.case));
        cases
            .try_for_each(|case| journal.resumed(&case.id))
            .map_err(|e| NotRun::Unwritable(format!("{}: {e}", self.path.display())))
    }

    /// Cases of which the journal's end was torn off.
    pub fn lost(&self) -> u64 {
        self.leftovers.lost
    }

    /// What must be said of going on.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.lost() > 0 {
            let (lost, path) =
                (counted::cases(usize::try_from(self.lost()).unwrap_or(usize::MAX)), self.path.display());
            notes.push(format!("{lost} of the paused run cannot go on: their lines are torn off the end of {path}"));
        }
        notes
    }
}

/// What was found before the pause, for a comparison with what is found after it.
fn was(found: &Found) -> Was {
    let finding = |(name, is): (&String, &Is)| {
        let evidence = found.evidence.get(name).cloned().unwrap_or_default();
        (name.clone(), Finding { is: *is, evidence })
    };
    Was::new(&found.oci, &found.docker, found.capabilities.iter().map(finding).collect())
}

/// Writes down who waits, and says how to go on.
///
/// # Errors
/// They cannot go on: what to say of it.
pub(super) fn write(
    request: &Request,
    course: &Course,
    findings: Option<&Findings>,
    rounds: &[Round],
    waiting: &[Saved],
) -> Result<String, String> {
    let path = course.path.display();
    let (Some(barrier), Some(findings)) = (request.pause.at, findings) else {
        return Err("nothing is known of the target, so no case can go on".into());
    };
    let paused = Paused {
        barrier,
        cases: waiting.len() as u64,
        suites: request.library.digest.clone(),
        rounds: rounds.to_vec(),
        found: Found::of(findings),
    };
    let failed = |e| format!("the run was to pause at {barrier}, and cannot go on: cannot write {path}: {e}");
    course.journal.paused(&paused, waiting).map_err(failed)?;
    let verb = if waiting.len() == 1 { "waits" } else { "wait" };
    let (count, command) = (counted::cases(waiting.len()), &request.pause.command);
    let mut note = format!("paused at {barrier}: {count} {verb}; go on with `{command} --resume {path}`");
    let back = waiting.iter().filter(|saved| goes_back(&request.library, saved)).count();
    if barrier == Barrier::Upgrade && back > 0 {
        note.push_str(&format!(
            " (of these, {} for a downgrade after it: `--pause-at downgrade`)",
            counted::cases(back)
        ));
    }
    Ok(note)
}

fn goes_back(library: &Library, saved: &Saved) -> bool {
    let case = library.instances.iter().find(|case| case.id == saved.case);
    let mut later = case.into_iter().flat_map(|case| case.steps.iter().skip(saved.step));
    later.any(|step| step.action == Action::Barrier(Barrier::Downgrade))
}

#[cfg(test)]
mod tests;
