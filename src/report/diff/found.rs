//! What the probes found: stances and capabilities that differ, or that other answers told.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::record::StanceRecord;
use crate::record::answers::words;
use crate::suite::model::StanceWord;
use crate::target::claims::word;
use crate::target::findings::{Finding, Is, is_declared};

/// How a finding of the probe differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// It is broken, and was not: worse.
    Broke,
    /// It was supported, and is absent: cases are not asked any more.
    Lost,
    /// It is supported, and was not.
    Gained,
    /// It differs in another way.
    Changed,
    /// It is what it was, but is told by other answers: a status, an error code.
    Answers,
}

/// A stance that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StanceChange {
    /// `oci` or `docker`.
    pub format: String,
    /// How it differs.
    pub what: Found,
    /// In words, where it was found: `refuse`.
    pub was: Option<String>,
    /// The same of the new record.
    pub now: Option<String>,
    /// What was asked and what came.
    pub was_evidence: Option<String>,
    /// The same of the new record.
    pub now_evidence: Option<String>,
}

/// A capability that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CapabilityChange {
    /// Its name.
    pub name: String,
    /// How it differs.
    pub what: Found,
    /// Where it was found.
    pub was: Option<Is>,
    /// The same of the new record.
    pub now: Option<Is>,
    /// What was asked and what came.
    pub was_evidence: Option<String>,
    /// The same of the new record.
    pub now_evidence: Option<String>,
    /// Where it stands to `--only-in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Stances, `oci` before `docker`.
pub fn stance(old: &BTreeMap<String, StanceRecord>, new: &BTreeMap<String, StanceRecord>) -> Vec<StanceChange> {
    let formats: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    formats
        .into_iter()
        .rev()
        .filter_map(|format| {
            let (was, now) = (old.get(format), new.get(format));
            let what = match (was, now) {
                (Some(was), Some(now)) if !moved(was, now) => {
                    (was.found.evidence != now.found.evidence).then_some(Found::Answers)?
                }
                (Some(was), Some(now)) if breaks(was, now) => Found::Broke,
                _ => Found::Changed,
            };
            // A word alone is what one reads, unless both have the same and differ in what stands behind it.
            let alike = was.zip(now).is_some_and(|(was, now)| was.found.is == now.found.is);
            let said = |stance: &StanceRecord| match stance.found.is {
                StanceWord::Accept | StanceWord::Refuse | StanceWord::Broken if !alike => {
                    word(stance.found.is).to_owned()
                }
                _ => words(stance),
            };
            Some(StanceChange {
                format: format.clone(),
                what,
                was: was.map(said),
                now: now.map(said),
                was_evidence: was.map(|stance| stance.found.evidence.clone()),
                now_evidence: now.map(|stance| stance.found.evidence.clone()),
            })
        })
        .collect()
}

/// Whether it is another stance, whatever told it.
pub(super) fn moved(was: &StanceRecord, now: &StanceRecord) -> bool {
    let stance = |record: &StanceRecord| (record.found.is, record.found.platforms.clone(), record.found.scope);
    stance(was) != stance(now)
}

fn breaks(was: &StanceRecord, now: &StanceRecord) -> bool {
    was.found.is != StanceWord::Broken && now.found.is == StanceWord::Broken
}

/// Capabilities that were probed, by name. One that a profile only declares was not found: it is told as a claim.
pub fn capabilities(old: &BTreeMap<String, Finding>, new: &BTreeMap<String, Finding>) -> Vec<CapabilityChange> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| !is_declared(name))
        .filter_map(|name| {
            let (was, now) = (old.get(name), new.get(name));
            Some(CapabilityChange {
                name: name.clone(),
                what: capability(was, now)?,
                was: was.map(|found| found.is),
                now: now.map(|found| found.is),
                was_evidence: was.map(|found| found.evidence.clone()),
                now_evidence: now.map(|found| found.evidence.clone()),
                place: None,
            })
        })
        .collect()
}

fn capability(was: Option<&Finding>, now: Option<&Finding>) -> Option<Found> {
    let (Some(was), Some(now)) = (was, now) else { return Some(Found::Changed) };
    match (was.is, now.is) {
        (a, b) if a == b => (was.evidence != now.evidence).then_some(Found::Answers),
        (_, Is::Broken) => Some(Found::Broke),
        (_, Is::Supported) => Some(Found::Gained),
        (Is::Supported, Is::Absent) => Some(Found::Lost),
        _ => Some(Found::Changed),
    }
}
