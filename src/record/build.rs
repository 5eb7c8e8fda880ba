//! From what the stages found to one record: pure, no clock, no network, no file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::case::{self, seconds};
use super::{
    CaseRecord, CleanUp, Harness, RequirementRecord, Round, RunRecord, SCHEMA, Selection, StanceRecord, TargetRecord,
    Windows, answers, totals,
};
use crate::engine::outcome::Outcome;
use crate::suite::model::CaseInstance;
use crate::suite::requirement::{Level, Requirement, Spec};
use crate::target::findings::Findings;
use crate::target::profile::StanceClaim;
use crate::verdict::Verdict;

/// Request bodies by the name of their file under `exchanges/`.
pub type Bodies = BTreeMap<String, Bytes>;

/// What is known of the run as a whole.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// Digest of all suites, fixtures and requirements.
    pub suites: String,
    /// Who was asked.
    pub target: TargetRecord,
    /// The edition.
    pub spec: Spec,
    /// 16 hex digits.
    pub seed: String,
    /// What was selected.
    pub selection: Selection,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// Barriers that were passed.
    pub rounds: Vec<Round>,
    /// What was created, removed, left.
    pub clean_up: CleanUp,
    /// What a user must know.
    pub notes: Vec<String>,
    /// The barrier at which it paused.
    pub paused: Option<String>,
    /// Whether the run came to its end.
    pub complete: bool,
}

/// One planned case with what became of it.
#[derive(Debug, Clone)]
pub struct JudgedCase<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// Its title.
    pub title: Cow<'a, str>,
    /// Where it stands.
    pub source: String,
    /// The requirements that its expectations name.
    pub requirements: BTreeSet<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where it did not simply pass.
    pub reason: Option<String>,
    /// For an error: its kind.
    pub error_kind: Option<String>,
    /// For a known failure: where its reasons are borne out.
    pub sources: Vec<String>,
    /// Whether a failure of it is recorded that is seen in some runs only.
    pub sometimes: bool,
    /// The round in which it ended.
    pub round: u32,
    /// How often it ran; 0 where it was skipped.
    pub attempts: u32,
    /// What was observed (of the worst attempt); `None` where it was skipped.
    pub outcome: Option<&'a Outcome>,
}

impl<'a> JudgedCase<'a> {
    /// What a planned case brings by itself; the verdict is the caller's.
    pub fn of(case: &'a CaseInstance, verdict: Verdict) -> JudgedCase<'a> {
        let expectations = case.every_step().flat_map(|step| &step.expect);
        JudgedCase {
            id: case.id.as_str().into(),
            title: case.title.as_str().into(),
            source: case.source.to_string(),
            requirements: expectations.map(|e| e.requirement.clone()).collect(),
            verdict,
            reason: None,
            error_kind: None,
            sources: Vec::new(),
            sometimes: false,
            round: 0,
            attempts: 0,
            outcome: None,
        }
    }
}

/// Puts the record together, and the request bodies that its exchanges name.
pub fn build(
    facts: RunFacts,
    findings: Option<&Findings>,
    claims: &BTreeMap<String, StanceClaim>,
    requirements: &BTreeMap<String, Requirement>,
    cases: &[JudgedCase<'_>],
) -> (RunRecord, Bodies) {
    let mut bodies = Bodies::new();
    let level = |id: &str| requirements.get(id).map_or(Level::Must, |r| r.level(facts.spec));
    let cases: Vec<CaseRecord> = cases.iter().map(|case| case::record(case, &level, &mut bodies)).collect();
    let named: BTreeSet<&String> = cases.iter().flat_map(|case| &case.requirements).collect();
    let texts: BTreeMap<String, RequirementRecord> = named
        .into_iter()
        .filter_map(|id| requirements.get(id))
        .map(|r| (r.id.clone(), record_requirement(r, facts.spec)))
        .collect();
    let stance = findings.map(|found| record_stance(found, claims)).unwrap_or_default();
    let fails_from = facts.selection.level.unwrap_or(Level::Must);
    let record = RunRecord {
        schema: SCHEMA,
        lacuna: Harness { version: env!("CARGO_PKG_VERSION").into(), suites: facts.suites },
        target: facts.target,
        spec: facts.spec,
        seed: facts.seed,
        selection: facts.selection,
        started: facts.started,
        finished: facts.finished,
        answers: answers::answers(&cases, fails_from, &texts, &stance),
        stance,
        capabilities: findings.map(|found| found.capabilities.clone()).unwrap_or_default(),
        rounds: facts.rounds,
        windows: findings
            .map(|found| Windows { read: seconds(found.read_window), delete: seconds(found.delete_window) })
            .unwrap_or_default(),
        clean_up: facts.clean_up,
        totals: totals(&cases),
        cases,
        requirements: texts,
        notes: facts.notes,
        paused: facts.paused,
        complete: facts.complete,
    };
    (record, bodies)
}

fn record_requirement(requirement: &Requirement, spec: Spec) -> RequirementRecord {
    RequirementRecord {
        level: requirement.level(spec),
        basis: requirement.basis,
        source: requirement.source.clone(),
        text: requirement.text.clone(),
        question: requirement.question,
    }
}

fn record_stance(findings: &Findings, claims: &BTreeMap<String, StanceClaim>) -> BTreeMap<String, StanceRecord> {
    [("oci", &findings.oci), ("docker", &findings.docker)]
        .into_iter()
        .map(|(format, found)| {
            let claimed = claims.get(format).map(claim_words);
            (format.to_owned(), StanceRecord { found: found.clone(), claimed })
        })
        .collect()
}

fn claim_words(claim: &StanceClaim) -> String {
    // The claim's own YAML words; a value that serialises from these types cannot fail.
    match claim {
        StanceClaim::Word(word) => serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)),
        StanceClaim::Require { require } => Some(format!("require: [{}]", require.join(", "))),
        StanceClaim::Refuse { refuse } => {
            serde_json::to_value(refuse).ok().and_then(|v| v.as_str().map(|scope| format!("refuse: {scope}")))
        }
    }
    .unwrap_or_default()
}
