//! What went wrong, grouped: a hundred cases that see one fault are one thing to read.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::record::{CaseRecord, ExchangeRecord, MismatchRecord, RunRecord};
use crate::suite::requirement::Level;
use crate::verdict::Verdict;

/// Cases that see the same mismatch.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The first mismatch; requirement, key, expected and got are the same in all.
    pub first: &'a MismatchRecord,
    /// The cases, in the record's order, each once.
    pub cases: Vec<&'a CaseRecord>,
}

/// Cases with the same reason.
#[derive(Debug, Clone)]
pub struct Reason<'a> {
    /// The reason, or the verdict's own word where there is none.
    pub text: &'a str,
    /// The cases.
    pub cases: Vec<&'a CaseRecord>,
}

/// The level from which a mismatch fails.
pub fn level(record: &RunRecord) -> Level {
    record.selection.level.unwrap_or(Level::Must)
}

/// Whether this mismatch fails its case: at or above the level asked, and not only late within a window.
pub fn fails(record: &RunRecord, mismatch: &MismatchRecord) -> bool {
    mismatch.late.is_none() && mismatch.level >= level(record)
}

/// Failing mismatches of failed cases, the groups in the order of their first case.
pub fn failures(record: &RunRecord) -> Vec<Group<'_>> {
    mismatches(record, |case, mismatch| case.verdict == Verdict::Fail && fails(record, mismatch))
}

/// The same by requirement: a fault that shows in many ways is still one sentence of the spec that does not hold.
pub fn by_requirement(groups: Vec<Group<'_>>) -> Vec<Vec<Group<'_>>> {
    let keyed = groups.into_iter().map(|found| (found.first.requirement.as_str(), found));
    group(keyed).into_iter().map(|(_, ways)| ways).collect()
}

/// How many cases are in groups, each counted once.
pub fn cases(groups: &[Group<'_>]) -> usize {
    let ids: HashSet<&str> = groups.iter().flat_map(|group| &group.cases).map(|case| case.id.as_str()).collect();
    ids.len()
}

/// Mismatches that only warn, wherever they came: a failed case may warn too.
pub fn warnings(record: &RunRecord) -> Vec<Group<'_>> {
    mismatches(record, |case, mismatch| {
        matches!(case.verdict, Verdict::Warn | Verdict::Fail | Verdict::Error | Verdict::Fixed)
            && !fails(record, mismatch)
    })
}

/// Failed cases that have no failing mismatch: a contradicted claim, whose reason says all.
pub fn bare_failures(record: &RunRecord) -> Vec<&CaseRecord> {
    let bare = |case: &&CaseRecord| case.verdict == Verdict::Fail && !case.mismatches.iter().any(|m| fails(record, m));
    record.cases.iter().filter(bare).collect()
}

/// Cases that were begun and could not be asked to their end, by reason. Those that were never begun, or that a signal
/// cut off, are told once for the whole run.
pub fn errors(record: &RunRecord) -> Vec<Reason<'_>> {
    let mut errors = reasons(record, Verdict::Error);
    for reason in &mut errors {
        reason.cases.retain(|case| case.attempts > 0 && case.error_kind.as_deref() != Some("interrupted"));
    }
    errors.retain(|reason| !reason.cases.is_empty());
    errors
}

/// The exchange that a case could not go on after: its last one, where that had no answer or one that is none.
pub fn unanswered(case: &CaseRecord) -> Option<&ExchangeRecord> {
    let none = |exchange: &&ExchangeRecord| match &exchange.response {
        Some(response) => matches!(response.status, 429 | 503),
        None => true,
    };
    case.exchanges.last().filter(none)
}

/// Cases with this verdict by their reason, the commonest first.
pub fn reasons(record: &RunRecord, verdict: Verdict) -> Vec<Reason<'_>> {
    let cases = record.cases.iter().filter(|case| case.verdict == verdict);
    let grouped = group(cases.map(|case| (case.reason.as_deref().unwrap_or("no reason was given"), case)));
    let mut reasons: Vec<Reason<'_>> = grouped.into_iter().map(|(text, cases)| Reason { text, cases }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.cases.len()));
    reasons
}

fn mismatches<'a>(record: &'a RunRecord, counts: impl Fn(&CaseRecord, &MismatchRecord) -> bool) -> Vec<Group<'a>> {
    let all = record.cases.iter().flat_map(|case| case.mismatches.iter().map(move |m| (m, case)));
    let keyed = all.filter(|(m, case)| counts(case, m)).map(|(m, case)| {
        let key = (m.requirement.as_str(), m.key.as_str(), m.expected.as_str(), m.got.as_str());
        (key, (m, case))
    });
    group(keyed)
        .into_iter()
        .filter_map(|(_, members)| {
            let (first, _) = *members.first()?;
            let mut cases: Vec<&CaseRecord> = members.into_iter().map(|(_, case)| case).collect();
            cases.dedup_by_key(|case| case.id.as_str());
            Some(Group { first, cases })
        })
        .collect()
}

/// Groups by key, keys in the order in which they first come.
pub(super) fn group<K: Hash + Eq + Clone, V>(items: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in items {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
