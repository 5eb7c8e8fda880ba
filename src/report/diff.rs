//! Two records held against each other: what is worse, what is better, what else differs. Pure; times are not compared.
//!
//! A case gets worse where it fails or could not be asked and did neither before; a stance or a capability, where it
//! becomes `broken`. Everything else that differs is said and fails nothing, unless it was promised (`--only-in`) that
//! nothing else differs.

mod case;
mod cautions;
mod claims;
mod found;
mod group;
mod only;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Filter;
use crate::record::{RunRecord, TargetRecord, totals};
use crate::suite::requirement::{Level, Spec};
use crate::verdict::Verdict;
pub use found::{CapabilityChange, Found, StanceChange, capabilities, stance};
pub use text::render;

/// Version of the format that [`json`] writes.
pub const SCHEMA: u32 = 1;

/// What differs between two records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Diff {
    /// Version of this format.
    pub schema: u32,
    /// The record that was named first.
    pub old: Side,
    /// The record that was named second.
    pub new: Side,
    /// What makes the comparison weaker, a sentence each.
    pub cautions: Vec<String>,
    /// Stances that differ, or were found by other answers.
    pub stance: Vec<StanceChange>,
    /// Capabilities that differ, or were found by other answers.
    pub capabilities: Vec<CapabilityChange>,
    /// Claims of the profiles that differ. What was found is not told by them.
    pub claims: Vec<ClaimChange>,
    /// Cases that differ, in the order of the new record, vanished ones last.
    pub cases: Vec<CaseChange>,
    /// Cases by kind of change, every one of them, zeros too.
    pub totals: BTreeMap<Kind, u64>,
    /// Cases of which nothing differs.
    pub same: u64,
    /// What was promised to be all that differs, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_in: Option<OnlyIn>,
    /// Whether a case regressed, or a stance or a capability became broken.
    pub worse: bool,
}

impl Diff {
    /// Whether something is worse, or differs where nothing should: exit code 1.
    pub fn fails(&self) -> bool {
        self.worse || self.only_in.as_ref().is_some_and(|only| only.outside > 0)
    }
}

/// One of the two records, by its own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Side {
    /// Who was asked.
    pub target: TargetRecord,
    /// lacuna's version.
    pub lacuna: String,
    /// Digest of the suites.
    pub suites: String,
    /// The edition.
    pub spec: Spec,
    /// The content's seed.
    pub seed: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Cases by verdict.
    pub totals: BTreeMap<Verdict, u64>,
    /// Whether the run came to its end.
    pub complete: bool,
}

/// A claim that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClaimChange {
    /// `oci`, `docker`, or a capability's name.
    pub name: String,
    /// As claimed, in the profile's words.
    pub was: Option<String>,
    /// The same of the new record.
    pub now: Option<String>,
}

/// How a case differs. Ordered as it is told: from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It fails, or could not be asked, and did neither before.
    Regression,
    /// It passed, and warns or fails as recorded.
    Weaker,
    /// It is as bad as it was, by another verdict or by other answers.
    Changed,
    /// It is skipped, and was not.
    NotAsked,
    /// The new record has no such case.
    Vanished,
    /// The old record has no such case.
    New,
    /// It was skipped, and is not.
    Asked,
    /// It warned, and passes.
    Stronger,
    /// It failed, could not be asked or failed as recorded, and does not any more.
    Fix,
}

/// Every kind of change, in the order in which they are told.
pub const KINDS: [Kind; 9] = [
    Kind::Regression,
    Kind::Weaker,
    Kind::Changed,
    Kind::NotAsked,
    Kind::Vanished,
    Kind::New,
    Kind::Asked,
    Kind::Stronger,
    Kind::Fix,
];

/// Where a change stands to what was promised by `--only-in`. Ordered as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A pattern selects none of it, and nothing excuses it.
    Outside,
    /// A pattern selects it.
    Within,
    /// No pattern selects it; it is asked, or not, only because the stance (or a capability within) changed.
    Excused,
}

/// A case that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CaseChange {
    /// Its id.
    pub id: String,
    /// How it differs.
    pub kind: Kind,
    /// The old verdict.
    pub was: Option<Verdict>,
    /// The new verdict. Where the old one is `skip`, the case is newly asked.
    pub now: Option<Verdict>,
    /// The old record's reason.
    pub was_reason: Option<String>,
    /// The new record's reason.
    pub now_reason: Option<String>,
    /// What did not hold on one side and held, or was answered otherwise, on the other; what fails now comes first.
    pub answers: Vec<AnswerChange>,
    /// Where it stands to `--only-in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// An expectation that came out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnswerChange {
    /// The requirement.
    pub requirement: String,
    /// Its level, the new record's where both have it.
    pub level: Level,
    /// Where it stands, and whose law it is where it is not the spec's.
    pub source: String,
    /// The step: `3: get ppc64le by digest`.
    pub step: String,
    /// The assertion's key.
    pub key: String,
    /// Expected.
    pub expected: String,
    /// What came; nothing is recorded of what held, or was not asked.
    pub was: Option<String>,
    /// The same of the new record.
    pub now: Option<String>,
}

/// What was promised to be all that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OnlyIn {
    /// As typed.
    pub patterns: Vec<String>,
    /// Cases and capabilities that differ outside.
    pub outside: u64,
    /// Cases and capabilities that differ within.
    pub within: u64,
    /// Cases elsewhere that are asked, or not, for the stance alone.
    pub excused: u64,
}

/// Compares two records. `only_in`, where not empty, selects the cases that may differ.
pub fn compare(old: &RunRecord, new: &RunRecord, only_in: &[Filter]) -> Diff {
    let (mut cases, same) = case::changes(old, new);
    let stance = found::stance(&old.stance, &new.stance);
    let mut capabilities = found::capabilities(&old.capabilities, &new.capabilities);
    let cautions = cautions::cautions(old, new, only_in);
    let only_in =
        (!only_in.is_empty()).then(|| only::place(only_in, &mut cases, &mut capabilities, &only::Moved { old, new }));
    let mut totals: BTreeMap<Kind, u64> = KINDS.iter().map(|kind| (*kind, 0)).collect();
    for change in &cases {
        *totals.entry(change.kind).or_default() += 1;
    }
    let broke = stance.iter().any(|s| s.what == Found::Broke) || capabilities.iter().any(|c| c.what == Found::Broke);
    Diff {
        schema: SCHEMA,
        old: side(old),
        new: side(new),
        cautions,
        stance,
        capabilities,
        claims: claims::changes(old, new),
        worse: broke || cases.iter().any(|change| change.kind == Kind::Regression),
        cases,
        totals,
        same,
        only_in,
    }
}

fn side(record: &RunRecord) -> Side {
    Side {
        target: record.target.clone(),
        lacuna: record.lacuna.version.clone(),
        suites: record.lacuna.suites.clone(),
        spec: record.spec,
        seed: record.seed.clone(),
        started: record.started.clone(),
        // Counted, not believed: a record may come from anywhere.
        totals: totals(&record.cases),
        complete: record.complete,
    }
}

/// The whole difference as JSON, a newline at the end.
pub fn json(diff: &Diff) -> String {
    // A value of ours has a form in JSON.
    serde_json::to_string_pretty(diff).unwrap_or_default() + "\n"
}

/// The JSON Schema of what [`json`] writes, from the types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Diff).to_value()
}

#[cfg(test)]
mod tests;
