//! Selection: filters, capabilities and shards decide which cases run, and why the others do not.

mod filter;
mod needs;
mod pattern;
mod shard;

use std::borrow::Borrow;

pub use filter::{Filter, unmatched};
pub use pattern::Pattern;
pub(crate) use pattern::globs;
pub use shard::Shard;

use crate::engine::Barriers;
use crate::suite::model::CaseInstance;
use crate::target::findings::Findings;

/// A case that was selected, and whether it can be asked of this target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its place in the list that was planned from.
    pub case: usize,
    /// Why it does not run, where it does not.
    pub skip: Option<Skip>,
}

/// Why a case does not apply to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Short, the same for all cases that are skipped for it: `delete.tag is absent`.
    pub reason: String,
    /// What the probe asked, and what came.
    pub evidence: String,
}

/// The cases that any of the filters selects (all, where there are none), in the order given; of these the shard's part.
///
/// Shards are cut before anything is known of the target: which case is whose depends on the library and the filters
/// alone, so that the shards of one run are the whole of it whatever each of them finds.
pub fn plan<C: Borrow<CaseInstance>>(
    cases: &[C],
    findings: &Findings,
    barriers: &Barriers,
    filters: &[Filter],
    shard: Option<Shard>,
) -> Vec<Planned> {
    let planned = |place: usize, case| Planned {
        case: place,
        skip: needs::unmet(case, findings).or_else(|| needs::barred(case, 0, barriers)),
    };
    select(cases, filters, shard).map(|(place, case)| planned(place, case)).collect()
}

/// Why a case that stands before this step, from 0, cannot go on to its end: a barrier that the target has not.
pub fn barred(case: &CaseInstance, step: usize, barriers: &Barriers) -> Option<Skip> {
    needs::barred(case, step, barriers)
}

/// The same cases with their places, for a target of which nothing is known.
pub fn select<'a, C: Borrow<CaseInstance>>(
    cases: &'a [C],
    filters: &'a [Filter],
    shard: Option<Shard>,
) -> impl Iterator<Item = (usize, &'a CaseInstance)> {
    let selected = cases
        .iter()
        .map(Borrow::<CaseInstance>::borrow)
        .enumerate()
        .filter(|(_, case)| filters.is_empty() || filters.iter().any(|filter| filter.selects(&case.id)));
    let ours = selected.enumerate().filter(move |(position, _)| shard.is_none_or(|shard| shard.has(*position)));
    ours.map(|(_, selected)| selected)
}

#[cfg(test)]
mod tests;
