//! Who gets which mutant: one registry has as many of them as it has callers, each of which sees its own alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::answer::Answer;
use super::super::policy::Memory;
use super::super::question::{Asked, Change};
use super::super::state::Write;
use super::Mutant;
use super::kind::Kind;
use super::wrong::Wrong;

/// Which mutant spoils which answers: by the owner of the repository that a request names.
#[derive(Debug, Clone)]
pub struct Spread {
    /// Who owns the repository of this name.
    pub owner: fn(&str) -> Option<&str>,
    /// The mutant of each owner; the answers of other owners are right.
    pub mutants: BTreeMap<String, Mutant>,
    /// The mutant of requests that name no repository with an owner.
    pub of_nobody: Option<Mutant>,
    /// Whose mutant made something wrong; nobody's is `""`.
    pub seen: Arc<Mutex<BTreeSet<String>>>,
}

/// A [`Spread`] at work, with what its mutants remember.
#[derive(Debug)]
pub(in crate::reference) struct Spoiler {
    spread: Spread,
    kept: Mutex<BTreeMap<String, Kept>>,
}

/// What is kept for one owner: answers, and what is written late.
#[derive(Debug, Default)]
struct Kept {
    memory: Memory,
    late: Vec<Write>,
}

impl Spoiler {
    pub(in crate::reference) fn new(spread: Spread) -> Spoiler {
        Spoiler { spread, kept: Mutex::default() }
    }

    /// The owner and the mutant of a repository.
    fn of(&self, repository: Option<&str>) -> Option<(&str, &Mutant)> {
        match repository.and_then(self.spread.owner) {
            Some(owner) => self.spread.mutants.get_key_value(owner).map(|(owner, mutant)| (owner.as_str(), mutant)),
            None => self.spread.of_nobody.as_ref().map(|mutant| ("", mutant)),
        }
    }

    /// The answer as the mutant gives it. Each answer is remembered, for those that are given again.
    pub(in crate::reference) fn finish(&self, asked: &Asked, right: Answer) -> Answer {
        let Some((owner, mutant)) = self.of(asked.repository()) else { return right };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = &mut kept.entry(owner.to_owned()).or_default().memory;
        let spoilt = mutant.spoil(asked, memory, &right);
        memory.keep(&Kind::of(asked, &right).question(), &right);
        if spoilt.is_some() {
            self.see(owner);
        }
        spoilt.unwrap_or(right)
    }

    /// What a change writes.
    pub(in crate::reference) fn store(&self, cause: &Change, right: Vec<Write>) -> Vec<Write> {
        let Some((owner, mutant)) = self.of(Some(cause.repository())) else { return right };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let late = &mut kept.entry(owner.to_owned()).or_default().late;
        let mut writes = std::mem::take(late);
        match mutant.without(cause) {
            Some(Wrong::Undone) if !right.is_empty() => self.see(owner),
            Some(Wrong::Late) if !right.is_empty() => {
                *late = right;
                self.see(owner);
            }
            _ => writes.extend(right),
        }
        writes
    }

    fn see(&self, owner: &str) {
        self.spread.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.to_owned());
    }
}
