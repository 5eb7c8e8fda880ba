//! A run that ends at a barrier, and goes on another day: what a waiting case is, written down, and back.
//!
//! Content is computed again from the seed and the case's id; what the registry acknowledged is in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Run;
use super::ask::is_answered;
use super::case::Case;
use super::expect::Seen;
use super::facts::SavedFacts;
use super::journal::Thing;
use super::names::Lease;
use super::outcome::Mismatch;
use crate::content::Content;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::record::Round;
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance, Source};

/// A case that waits at a barrier, as a journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Saved {
    /// Its id.
    pub case: String,
    /// What it waits at.
    pub barrier: Barrier,
    /// The step of that barrier, from 0.
    pub step: usize,
    /// The barrier that it passed last.
    pub passed: Option<Barrier>,
    /// Full names by nickname.
    pub repositories: BTreeMap<String, String>,
    /// Over the names and digests of all its content: other content would accuse the registry of what it never had.
    pub content: Digest,
    /// What was acknowledged.
    pub facts: SavedFacts,
    /// Responses that later steps compare with.
    pub named: BTreeMap<String, Seen>,
    /// What did not hold so far.
    pub mismatches: Vec<SavedMismatch>,
    /// Requirements that were observed so far.
    pub observed: BTreeSet<String>,
    /// Barriers that the run had passed when it ended.
    pub round: u32,
    /// Spent on steps, in seconds.
    pub seconds: f64,
    /// Requests sent.
    pub requests: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received.
    pub bytes_received: u64,
}

/// One thing that did not hold; its exchange is in the report of the run that saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SavedMismatch {
    requirement: String,
    step: usize,
    label: String,
    key: String,
    expected: String,
    got: String,
    diff: Option<String>,
    file: String,
    line: usize,
    column: usize,
    late: Option<f64>,
}

/// Where a run goes on that ended at a barrier.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// The barrier that it ended at. Whoever waits at a later one goes on waiting.
    pub barrier: Option<Barrier>,
    /// Cases that waited, by id.
    pub cases: BTreeMap<String, Resumed>,
    /// Barriers that were passed before; the last is the one that it ended at.
    pub rounds: Vec<Round>,
}

/// A case that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// Where it stood.
    pub saved: Saved,
    /// What it created, in order.
    pub created: Vec<Thing>,
    /// It ends where it stands, for what did not hold so far: a later barrier of it is not there.
    pub ends: bool,
}

impl Resume {
    /// Whether a case that waits at this barrier has passed it.
    pub fn has_passed(&self, barrier: Barrier) -> bool {
        self.barrier.is_some_and(|passed| barrier <= passed)
    }
}

impl Saved {
    /// Whether this is the case that was written down, as far as can be seen without its content.
    ///
    /// # Errors
    /// Why not.
    pub fn fits(&self, instance: &CaseInstance) -> Result<(), String> {
        let (barrier, step) = (self.barrier, self.step);
        let waits = instance.steps.get(step).is_some_and(|at| at.action == Action::Barrier(barrier));
        if !waits {
            return Err(format!("step {} of `{}` is no `barrier: {barrier}`", step.saturating_add(1), self.case));
        }
        let names: BTreeSet<String> = super::names::nicknames(instance).into_iter().collect();
        if !self.repositories.keys().eq(&names) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return Err(format!("the repositories of `{}` are not {}", self.case, names.join(", ")));
        }
        if self.mismatches.iter().any(|mismatch| mismatch.step >= instance.steps.len()) {
            return Err(format!("`{}` has no step of which a mismatch speaks", self.case));
        }
        Ok(())
    }
}

/// What was counted of a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub answered: bool,
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// What stands for all of a case's content.
fn fingerprint(content: &Content) -> Digest {
    let lines: String = content.nodes.iter().map(|(name, node)| format!("{name} {}\n", node.digest)).collect();
    Digest::of(Algorithm::Sha256, lines.as_bytes())
}

impl Case {
    /// What was counted so far.
    pub(super) fn sums(&self) -> Sums {
        self.exchanges.iter().map(|at| &at.exchange).fold(self.before, |sums, exchange| Sums {
            answered: sums.answered || is_answered(exchange),
            requests: sums.requests.saturating_add(exchange.requests.into()),
            bytes_sent: sums.bytes_sent.saturating_add(exchange.bytes_sent),
            bytes_received: sums.bytes_received.saturating_add(exchange.bytes_received),
        })
    }

    /// Writes down a case that waits at `barrier`.
    pub(super) fn save(&self, barrier: Barrier) -> Saved {
        let sums = self.sums();
        Saved {
            case: self.instance.id.clone(),
            barrier,
            step: self.met(),
            passed: self.passed,
            repositories: self.repositories.clone(),
            content: fingerprint(&self.content),
            facts: self.facts.save(),
            named: self.named.clone(),
            mismatches: self.mismatches.iter().map(SavedMismatch::of).collect(),
            observed: self.observed.clone(),
            round: self.round,
            seconds: self.seconds,
            requests: sums.requests,
            bytes_sent: sums.bytes_sent,
            bytes_received: sums.bytes_received,
        }
    }

    /// A case that was written down, in the repositories that it had, over its content as computed again. It stands behind
    /// its barrier where that was passed, else before it.
    ///
    /// # Errors
    /// The content is not what was pushed.
    pub(super) fn restore(
        run: Arc<Run>,
        instance: Arc<CaseInstance>,
        content: Content,
        resumed: Resumed,
    ) -> Result<Case, String> {
        let Resumed { saved, created, ends } = resumed;
        if fingerprint(&content) != saved.content {
            return Err("it is not what was pushed before the pause (by another version of lacuna?)".into());
        }
        let facts = saved.facts.restore(&content)?;
        // Nobody else is lent what the journal says to be this case's.
        let lease = Lease::kept(saved.repositories.values().cloned().collect());
        let mut case = Case::new(run, instance, content, saved.repositories, lease);
        (case.facts, case.created, case.named) = (facts, created, saved.named);
        (case.round, case.passed) = (saved.round, saved.passed);
        case.seconds = saved.seconds.max(0.0);
        case.mismatches = saved.mismatches.into_iter().map(SavedMismatch::restore).collect();
        case.observed = saved.observed;
        case.before = Sums {
            // By this run's registry.
            answered: ends,
            requests: saved.requests,
            bytes_sent: saved.bytes_sent,
            bytes_received: saved.bytes_received,
        };
        case.stand_at(if ends { usize::MAX } else { saved.step });
        let resume = case.run.options.resume.clone();
        if let Some(resume) = resume.filter(|resume| !ends && resume.has_passed(saved.barrier)) {
            case.pass(saved.barrier, u32::try_from(resume.rounds.len()).unwrap_or(u32::MAX));
        }
        Ok(case)
    }
}

impl SavedMismatch {
    fn of(mismatch: &Mismatch) -> SavedMismatch {
        let m = mismatch.clone();
        SavedMismatch {
            requirement: m.requirement,
            step: m.step,
            label: m.label,
            key: m.key,
            expected: m.expected,
            got: m.got,
            diff: m.diff,
            file: m.source.file.to_string(),
            line: m.source.line,
            column: m.source.column,
            late: m.late,
        }
    }

    fn restore(self) -> Mismatch {
        Mismatch {
            requirement: self.requirement,
            step: self.step,
            label: self.label,
            key: self.key,
            expected: self.expected,
            got: self.got,
            diff: self.diff,
            source: Source { file: self.file.into(), line: self.line, column: self.column },
            exchange: None,
            late: self.late,
        }
    }
}
