//! One case of two records: whether it differs, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::{AnswerChange, CaseChange, Kind};
use crate::record::{CaseRecord, MismatchRecord, RunRecord};
use crate::report::{console, groups, text};
use crate::verdict::Verdict;

/// Cases by id. A case that stands twice, which no record of ours has, counts by the worse of its verdicts.
pub(super) fn by_id(record: &RunRecord) -> BTreeMap<&str, &CaseRecord> {
    let mut cases: BTreeMap<&str, &CaseRecord> = BTreeMap::new();
    for case in &record.cases {
        let slot = cases.entry(case.id.as_str()).or_insert(case);
        if case.verdict > slot.verdict {
            *slot = case;
        }
    }
    cases
}

/// What differs, in the order of the new record and then of the old one; and how many cases are the same.
pub(super) fn changes(old: &RunRecord, new: &RunRecord) -> (Vec<CaseChange>, u64) {
    let (before, after) = (by_id(old), by_id(new));
    let mut seen = BTreeSet::new();
    let ids = new.cases.iter().chain(&old.cases).map(|case| case.id.as_str()).filter(|id| seen.insert(*id));
    let mut changes = Vec::new();
    let mut same = 0;
    for id in ids {
        let pair = (before.get(id).copied(), after.get(id).copied());
        match change(id, pair, old, new) {
            Some(change) => changes.push(change),
            None => same += 1,
        }
    }
    (changes, same)
}

fn change(
    id: &str,
    (was, now): (Option<&CaseRecord>, Option<&CaseRecord>),
    old: &RunRecord,
    new: &RunRecord,
) -> Option<CaseChange> {
    let answers = match (was, now) {
        (Some(was), Some(now)) => answers(was, now, old, new),
        _ => Vec::new(),
    };
    let kind = match (was, now) {
        // What is seen in some runs only tells two registries apart as little as a time does.
        (Some(was), Some(now)) if (was.sometimes || now.sometimes) && is_calm(was) && is_calm(now) => return None,
        (Some(was), Some(now)) if was.verdict == now.verdict => same(was, now, !answers.is_empty())?,
        (Some(was), Some(now)) => kind(was.verdict, now.verdict),
        // What a profile claims is told as a claim, unless it is not borne out.
        (None, Some(now)) if super::claims::is_claim(id) && now.verdict != Verdict::Fail => return None,
        (Some(_), None) if super::claims::is_claim(id) => return None,
        (None, _) => Kind::New,
        (_, None) => Kind::Vanished,
    };
    Some(CaseChange {
        id: id.to_owned(),
        kind,
        was: was.map(|case| case.verdict),
        now: now.map(|case| case.verdict),
        was_reason: was.and_then(|case| case.reason.clone()),
        now_reason: now.and_then(|case| case.reason.clone()),
        answers,
        place: None,
    })
}

/// Whether a case passed, or failed only as recorded.
fn is_calm(case: &CaseRecord) -> bool {
    matches!(case.verdict, Verdict::Pass | Verdict::Warn | Verdict::Known)
}

/// Of two verdicts that differ.
fn kind(was: Verdict, now: Verdict) -> Kind {
    use Verdict::{Error, Fail, Fixed, Known, Pass, Skip, Warn};
    match (was, now) {
        (_, Skip) => Kind::NotAsked,
        (Fail | Error, Fail | Error | Known) => Kind::Changed,
        (_, Fail | Error) => Kind::Regression,
        (Skip, _) => Kind::Asked,
        (Pass | Warn | Fixed, Known) | (Pass, Warn) => Kind::Weaker,
        (Fail | Error | Known, _) => Kind::Fix,
        (Warn, Pass) => Kind::Stronger,
        // Both pass; what is recorded as failing differs.
        _ => Kind::Changed,
    }
}

/// Of two verdicts that are the same: whether what came is another thing. A case that is skipped in both was asked in
/// neither: what differs there is the stance or the capability, and is told as such.
fn same(was: &CaseRecord, now: &CaseRecord, answers: bool) -> Option<Kind> {
    let reason = |case: &CaseRecord| case.reason.as_deref().map(|reason| console::short(reason).to_owned());
    let differs = match now.verdict {
        Verdict::Pass | Verdict::Skip | Verdict::Fixed => false,
        Verdict::Warn | Verdict::Known => answers,
        Verdict::Error => answers || was.error_kind != now.error_kind,
        // A contradicted claim has no mismatch; its reason says all.
        Verdict::Fail if was.mismatches.is_empty() && now.mismatches.is_empty() => reason(was) != reason(now),
        Verdict::Fail => answers,
    };
    differs.then_some(Kind::Changed)
}

/// Pairs what did not hold by requirement, step and key; what came on both sides alike is left out. A measured delay
/// is noise; that something was late is not.
fn answers(was: &CaseRecord, now: &CaseRecord, old: &RunRecord, new: &RunRecord) -> Vec<AnswerChange> {
    let mut keyed: BTreeMap<_, (Vec<&MismatchRecord>, Vec<&MismatchRecord>)> = BTreeMap::new();
    let key = |m: &MismatchRecord| (m.requirement.clone(), step(&m.step), m.step.clone(), m.key.clone());
    was.mismatches.iter().for_each(|m| keyed.entry(key(m)).or_default().0.push(m));
    now.mismatches.iter().for_each(|m| keyed.entry(key(m)).or_default().1.push(m));
    let mut changes: Vec<(bool, usize, AnswerChange)> = Vec::new();
    for (mut was, mut now) in keyed.into_values() {
        was.retain(|m| match now.iter().position(|n| got(n) == got(m)) {
            Some(at) => {
                now.remove(at);
                false
            }
            None => true,
        });
        for place in 0..was.len().max(now.len()) {
            let (was, now) = (was.get(place).copied(), now.get(place).copied());
            let Some(shown) = now.or(was) else { continue };
            let fails = now.map_or_else(|| was.is_some_and(|m| groups::fails(old, m)), |m| groups::fails(new, m));
            let change = AnswerChange {
                requirement: shown.requirement.clone(),
                level: shown.level,
                source: text::law(if now.is_some() { new } else { old }, &shown.requirement),
                step: shown.step.clone(),
                key: shown.key.clone(),
                expected: shown.expected.clone(),
                was: was.map(got),
                now: now.map(got),
            };
            changes.push((!fails, step(&shown.step), change));
        }
    }
    changes.sort_by_key(|(weak, step, _)| (*weak, *step));
    changes.into_iter().map(|(_, _, change)| change).collect()
}

fn got(mismatch: &MismatchRecord) -> String {
    match mismatch.late {
        Some(_) => format!("{}, right only later", mismatch.got),
        None => mismatch.got.clone(),
    }
}

/// `3` of `3: get ppc64le by digest`.
fn step(label: &str) -> usize {
    label.split(':').next().and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
}
