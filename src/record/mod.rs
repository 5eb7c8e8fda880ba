//! The run's record: `results.json` is its serialisation, every report a pure view of it.

pub mod answers;
pub mod build;
mod case;
pub mod counted;
pub mod exchange;
pub mod join;
pub mod store;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::outcome::Grown;
use crate::suite::requirement::{Basis, Level, Spec};
use crate::target::findings::{Finding, StanceFinding};
use crate::verdict::Verdict;
pub use exchange::{ExchangeRecord, RequestRecord, ResponseRecord, Text};

/// Version of the format of `results.json`.
pub const SCHEMA: u32 = 1;

/// One run, whole. Field order is the order in the file; `complete` is always last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunRecord {
    /// Version of this format.
    pub schema: u32,
    /// The harness.
    pub lacuna: Harness,
    /// Who was asked.
    pub target: TargetRecord,
    /// The edition that it was judged by.
    pub spec: Spec,
    /// The content's seed, 16 hex digits.
    pub seed: String,
    /// What was selected.
    pub selection: Selection,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// By format (`oci`, `docker`).
    pub stance: BTreeMap<String, StanceRecord>,
    /// By name.
    pub capabilities: BTreeMap<String, Finding>,
    /// The mission's eleven questions.
    pub answers: Vec<Answer>,
    /// Barriers; empty where none was met.
    pub rounds: Vec<Round>,
    /// Measured delays.
    pub windows: Windows,
    /// What was left behind.
    pub clean_up: CleanUp,
    /// In the order of the plan.
    pub cases: Vec<CaseRecord>,
    /// By verdict, every one of them, zeros too.
    pub totals: BTreeMap<Verdict, u64>,
    /// Texts of the requirements that the cases name, so that a report needs nothing else.
    pub requirements: BTreeMap<String, RequirementRecord>,
    /// What a user must know of the run as a whole: interrupted, target lost, a stale `known` pattern.
    pub notes: Vec<String>,
    /// The barrier at which it was told to pause, and did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Whether the run came to its end. Missing means that it did not.
    #[serde(default)]
    pub complete: bool,
}

/// The harness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Harness {
    /// Its version.
    pub version: String,
    /// Digest of all suites, fixtures and requirements that the run was planned from.
    pub suites: String,
}

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TargetRecord {
    /// The profile's name, or `host_port`.
    pub name: String,
    /// Product and version, where the profile says.
    pub product: Option<String>,
    /// Said where the profile was not run here when it was written: its claims are read, not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_run: Option<String>,
    /// Its URL, redacted.
    pub url: String,
    /// Product and version of the second server on its storage, where the profile has one and says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// A PEM file of further roots, where the profile names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Whether certificates were not verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
}

/// What was selected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Selection {
    /// As typed.
    pub filters: Vec<String>,
    /// `K/N`.
    pub shard: Option<String>,
    /// The level from which a mismatch fails.
    pub level: Option<Level>,
    /// How often each case ran.
    pub repeat: u32,
}

/// A stance as found, and as claimed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StanceRecord {
    /// As found.
    #[serde(flatten)]
    pub found: StanceFinding,
    /// As claimed by the profile, in words: `accept`, `require: [linux/amd64]`.
    pub claimed: Option<String>,
}

/// One of the mission's questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// 1 to 11.
    pub question: u8,
    /// Its short name: `Acceptance`, `Pull`, `404 semantics`, ...
    pub name: String,
    /// In a sentence: `312 of 312 cases pass`, `not asked`.
    pub answer: String,
    /// How many cases bear on it.
    pub cases: u64,
}

/// A barrier that was passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Round {
    /// `gc`, `restart`, ...
    pub barrier: String,
    /// How many cases waited.
    pub cases: u64,
    /// How long the action took.
    pub seconds: f64,
    /// Its exit status.
    pub exit: Option<i32>,
    /// Its output.
    pub output: String,
    /// What went wrong with it; absent where it ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Cases that were found to make it fail.
    pub blamed: Vec<String>,
    /// Of those the smallest: the one, or the fewest that do so only together, that had sent the fewest requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<Vec<String>>,
    /// How they were found: a line for each repetition on a fresh registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// What a probe found after it otherwise than the one before the run: stance, capabilities, and the answers that tell
    /// them. Empty: nothing; absent: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<Change>>,
}

/// A change of what the registry is, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// `stance for oci: was refuse; now accept`.
    pub text: String,
    /// What was asked and what came before.
    pub was: String,
    /// The same after it.
    pub now: String,
    /// Whether it took what it takes no more, or something became broken.
    pub worse: bool,
}

/// Measured delays, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Windows {
    /// Until a write is read.
    pub read: f64,
    /// Until a delete is seen.
    pub delete: f64,
}

/// What was created, removed and left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CleanUp {
    /// Things created.
    pub created: u64,
    /// Things removed.
    pub removed: u64,
    /// What stays and why, a line each, at most 100.
    pub left: Vec<String>,
    /// The target was started for this run, and what was not removed went with it.
    #[serde(default)]
    pub discarded: bool,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CaseRecord {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `file:line:column`.
    pub source: String,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why, where it did not simply pass: the skip's evidence, the known failure's reason, the error.
    pub reason: Option<String>,
    /// For an error: its kind, by which JUnit's `<error type>` is written.
    pub error_kind: Option<String>,
    /// For a known failure: where its reasons are borne out (spec section, the product's source or issue).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Whether its profile records a failure of it that is seen in some runs only: then it is no news where it passes in one
    /// and is known to fail in another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sometimes: bool,
    /// The requirements that its expectations name.
    pub requirements: Vec<String>,
    /// The round in which it ended.
    pub round: u32,
    /// How often it ran.
    pub attempts: u32,
    /// Seconds.
    pub seconds: f64,
    /// Requests.
    pub requests: u64,
    /// Body bytes.
    pub bytes_sent: u64,
    /// Body bytes.
    pub bytes_received: u64,
    /// By how much the registry's storage grew, where it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Grown>,
    /// What did not hold.
    pub mismatches: Vec<MismatchRecord>,
    /// The exchanges, where it did not pass; where there are many, those that a mismatch names, the first and the last.
    pub exchanges: Vec<ExchangeRecord>,
}

/// One thing that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MismatchRecord {
    /// The requirement that it breaks.
    pub requirement: String,
    /// Its level in this run's edition.
    pub level: Level,
    /// The step: `3: get ppc64le by digest`.
    pub step: String,
    /// `file:line:column` of the expectation.
    pub source: String,
    /// The assertion's key.
    pub key: String,
    /// Expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// First difference, unified diff.
    pub diff: Option<String>,
    /// Seconds after which it held, where it did within a window.
    pub late: Option<f64>,
    /// Index into the case's `exchanges`.
    pub exchange: Option<usize>,
}

/// The requirement's text, for whoever reads the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RequirementRecord {
    /// Its level in this run's edition.
    pub level: Level,
    /// Whose law.
    pub basis: Basis,
    /// Where it stands.
    pub source: String,
    /// Our own words.
    pub text: String,
    /// Which of the mission's eleven questions it helps to answer.
    pub question: u8,
}

/// The JSON Schema of `results.json`, from the types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RunRecord).to_value()
}

impl RunRecord {
    /// How many cases ended with this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.totals.get(&verdict).copied().unwrap_or(0)
    }
}

/// Counts by verdict: every verdict is a key.
pub fn totals(cases: &[CaseRecord]) -> BTreeMap<Verdict, u64> {
    let mut totals: BTreeMap<Verdict, u64> = ALL.iter().map(|v| (*v, 0)).collect();
    for case in cases {
        *totals.entry(case.verdict).or_default() += 1;
    }
    totals
}

/// Every verdict, from best to worst.
pub const ALL: [Verdict; 7] =
    [Verdict::Pass, Verdict::Warn, Verdict::Skip, Verdict::Known, Verdict::Fixed, Verdict::Fail, Verdict::Error];
