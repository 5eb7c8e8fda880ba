//! The table: an outcome becomes a verdict.

use std::collections::BTreeMap;

use super::{KnownFailures, Verdict};
use crate::engine::outcome::{Mismatch, NotAsked, Outcome};
use crate::suite::requirement::{Level, Requirement, Spec};
use crate::target::profile::Known;

/// What outcomes are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Law<'a> {
    /// Every requirement, by id.
    pub requirements: &'a BTreeMap<String, Requirement>,
    /// The edition that settles their levels.
    pub spec: Spec,
    /// The level from which a mismatch fails.
    pub level: Level,
    /// What is known to fail.
    pub known: &'a KnownFailures,
}

/// An outcome, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is said of it.
    pub verdict: Verdict,
    /// Why, where it did not simply pass.
    pub reason: Option<String>,
    /// For an error its kind: a failure's word, `unobserved`, `not-run` (which is not the target's doing).
    pub error_kind: Option<String>,
    /// For a known failure: where the reasons are borne out, as its entries say.
    pub sources: Vec<String>,
    /// The level of each of the outcome's mismatches, in their order.
    pub levels: Vec<Level>,
}

impl Law<'_> {
    /// The level of a requirement. What the list of requirements does not have excuses nobody: must.
    pub fn level_of(&self, requirement: &str) -> Level {
        self.requirements.get(requirement).map_or(Level::Must, |found| found.level(self.spec))
    }

    /// Whether a mismatch fails its case: it is at or above the level asked, and did not come right within a window.
    fn fails(&self, mismatch: &Mismatch) -> bool {
        mismatch.late.is_none() && self.level_of(&mismatch.requirement) >= self.level
    }
}

/// Judges one outcome.
///
/// | failing mismatches | not asked to its end | recorded as failing | verdict |
/// |---|---|---|---|
/// | some that are not recorded | either | either | fail: an answer that was wrong is not excused by one that never came |
/// | none, or recorded ones only | yes | either | error: nobody knows the rest |
/// | recorded ones only | no | yes | known |
/// | none | no | yes, not only as seen sometimes, and nothing of it was seen | fixed |
/// | none | no | no | warn where anything did not hold, else pass |
///
/// A case that came to its end and observed nothing is an error too: what looked at nothing has not passed.
pub fn judge(outcome: &Outcome, law: &Law<'_>) -> Judged {
    let known: Vec<&Known> = law.known.covering(&outcome.id).collect();
    let failing: Vec<&Mismatch> = outcome.mismatches.iter().filter(|mismatch| law.fails(mismatch)).collect();
    let unknown: Vec<&Mismatch> =
        failing.iter().copied().filter(|mismatch| !known.iter().any(|known| same(known, mismatch))).collect();
    let seen = |known: &Known| outcome.mismatches.iter().any(|mismatch| same(known, mismatch));

    let (verdict, reason, error_kind) = if let Some(first) = unknown.first() {
        (Verdict::Fail, Some(failure(first, unknown.len(), outcome.error.as_ref())), None)
    } else if let Some(error) = &outcome.error {
        let kind = error.kind.map_or("not-run", |kind| kind.word());
        (Verdict::Error, Some(error.text.clone()), Some(kind.to_owned()))
    } else if !failing.is_empty() {
        (Verdict::Known, Some(reasons(known.iter().filter(|known| seen(known)))), None)
    } else if outcome.mismatches.is_empty() && outcome.observed.is_empty() {
        let reason = "nothing was observed: no expectation met an answer".to_owned();
        (Verdict::Error, Some(reason), Some("unobserved".to_owned()))
    } else if known.iter().any(|known| !known.sometimes) && !known.iter().any(|known| seen(known)) {
        let reason = format!("recorded as failing, and passes; take it off the list ({})", reasons(known.iter()));
        (Verdict::Fixed, Some(reason), None)
    } else if let Some(first) = outcome.mismatches.first() {
        (Verdict::Warn, Some(failure(first, outcome.mismatches.len(), None)), None)
    } else {
        (Verdict::Pass, None, None)
    };
    let sources = match verdict {
        Verdict::Known => each_once(known.iter().filter(|known| seen(known)).map(|known| &known.source)),
        _ => Vec::new(),
    };
    Judged {
        verdict,
        reason,
        error_kind,
        sources,
        levels: outcome.mismatches.iter().map(|mismatch| law.level_of(&mismatch.requirement)).collect(),
    }
}

/// Of several attempts of one case the one that counts, by its place: the worst, the first where several are. A known
/// failure that was seen in one attempt is not fixed by another that passed.
pub fn worst(attempts: &[Judged]) -> Option<usize> {
    let still = attempts.iter().any(|attempt| attempt.verdict == Verdict::Known);
    let rank = |verdict| if still && verdict == Verdict::Fixed { Verdict::Pass } else { verdict };
    (0..attempts.len()).rev().max_by_key(|&place| rank(attempts[place].verdict))
}

/// Whether an entry records just this.
fn same(known: &Known, mismatch: &Mismatch) -> bool {
    known.requirement == mismatch.requirement && known.got == mismatch.got
}

/// Each reason once, in the list's order.
fn reasons<'k>(known: impl Iterator<Item = &'k &'k Known>) -> String {
    each_once(known.map(|known| &known.reason)).join("; ")
}

fn each_once<'k>(texts: impl Iterator<Item = &'k String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(text) {
            all.push(text.clone());
        }
    }
    all
}

/// A line that tells the first of so many mismatches.
fn failure(first: &Mismatch, count: usize, error: Option<&NotAsked>) -> String {
    let late = first.late.map(|seconds| format!(" (right after {seconds:.3} s)")).unwrap_or_default();
    let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    let error = error.map(|error| format!("; then {}", error.text)).unwrap_or_default();
    format!("{}: expected {}, got {}{late}{more}{error}", first.requirement, first.expected, first.got)
}
