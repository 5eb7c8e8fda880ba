//! From what the stages found to one record: pure, no clock, no network, no file.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::exchange::bounded;
use super::{
    CaseRecord, CleanUp, ExchangeRecord, Harness, MismatchRecord, RequestRecord, RequirementRecord, ResponseRecord,
    Round, RunRecord, SCHEMA, Selection, StanceRecord, TargetRecord, Text, Windows, answers, totals,
};
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::engine::outcome::{Mismatch, Outcome, StepExchange};
use crate::suite::model::CaseInstance;
use crate::suite::requirement::{Level, Requirement, Spec};
use crate::target::findings::Findings;
use crate::target::profile::StanceClaim;
use crate::verdict::Verdict;

/// Exchanges of one case that are kept.
const EXCHANGES: usize = 100;
/// Request bodies above this many bytes are not kept in files.
const BODY: usize = 8 * 1024 * 1024;

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
    /// Whether the run came to its end.
    pub complete: bool,
}

/// One planned case with what became of it.
#[derive(Debug, Clone)]
pub struct JudgedCase<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
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
        let expectations = case.steps.iter().flat_map(|step| &step.expect);
        JudgedCase {
            id: &case.id,
            title: &case.title,
            source: case.source.to_string(),
            requirements: expectations.map(|e| e.requirement.clone()).collect(),
            verdict,
            reason: None,
            error_kind: None,
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
    let cases: Vec<CaseRecord> = cases.iter().map(|case| record_case(case, &level, &mut bodies)).collect();
    let named: BTreeSet<&String> = cases.iter().flat_map(|case| &case.requirements).collect();
    let texts: BTreeMap<String, RequirementRecord> = named
        .into_iter()
        .filter_map(|id| requirements.get(id))
        .map(|r| (r.id.clone(), record_requirement(r, facts.spec)))
        .collect();
    let stance = findings.map(|found| record_stance(found, claims)).unwrap_or_default();
    let record = RunRecord {
        schema: SCHEMA,
        lacuna: Harness { version: env!("CARGO_PKG_VERSION").into(), suites: facts.suites },
        target: facts.target,
        spec: facts.spec,
        seed: facts.seed,
        selection: facts.selection,
        started: facts.started,
        finished: facts.finished,
        answers: answers::answers(&cases, &texts, &stance),
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

fn record_case(case: &JudgedCase<'_>, level: &impl Fn(&str) -> Level, bodies: &mut Bodies) -> CaseRecord {
    let mut record = CaseRecord {
        id: case.id.to_owned(),
        title: case.title.to_owned(),
        source: case.source.clone(),
        verdict: case.verdict,
        reason: case.reason.as_deref().map(bounded),
        error_kind: case.error_kind.clone(),
        requirements: case.requirements.iter().cloned().collect(),
        round: case.round,
        attempts: case.attempts,
        seconds: 0.0,
        requests: 0,
        bytes_sent: 0,
        bytes_received: 0,
        mismatches: Vec::new(),
        exchanges: Vec::new(),
    };
    let Some(outcome) = case.outcome else { return record };
    let mut requirements = case.requirements.clone();
    requirements.extend(outcome.observed.iter().cloned());
    requirements.extend(outcome.mismatches.iter().map(|m| m.requirement.clone()));
    record.requirements = requirements.into_iter().collect();
    record.seconds = seconds(outcome.seconds);
    record.requests = outcome.requests;
    record.bytes_sent = outcome.bytes_sent;
    record.bytes_received = outcome.bytes_received;
    if case.verdict != Verdict::Pass {
        let kept = keep(outcome);
        record.exchanges =
            kept.iter().filter_map(|i| outcome.exchanges.get(*i)).map(|x| record_exchange(x, bodies)).collect();
        record.mismatches = outcome.mismatches.iter().map(|m| record_mismatch(m, &kept, level)).collect();
    }
    record
}

/// Indices of the exchanges that are kept, ascending: all of them, or those that mismatches name, the first and the last.
fn keep(outcome: &Outcome) -> Vec<usize> {
    let count = outcome.exchanges.len();
    if count <= EXCHANGES {
        return (0..count).collect();
    }
    let named = outcome.mismatches.iter().filter_map(|m| m.exchange).filter(|i| *i < count);
    let mut kept: BTreeSet<usize> = named.take(EXCHANGES / 2).collect();
    let ends = (0..EXCHANGES / 4).chain(count - EXCHANGES / 4..count);
    kept.extend(ends);
    kept.into_iter().collect()
}

fn record_mismatch(mismatch: &Mismatch, kept: &[usize], level: &impl Fn(&str) -> Level) -> MismatchRecord {
    MismatchRecord {
        requirement: mismatch.requirement.clone(),
        level: level(&mismatch.requirement),
        step: step(mismatch.step, &mismatch.label),
        source: mismatch.source.to_string(),
        key: mismatch.key.clone(),
        expected: bounded(&mismatch.expected),
        got: bounded(&mismatch.got),
        diff: mismatch.diff.as_deref().map(bounded),
        late: mismatch.late.map(seconds),
        exchange: mismatch.exchange.and_then(|i| kept.binary_search(&i).ok()),
    }
}

fn record_exchange(at: &StepExchange, bodies: &mut Bodies) -> ExchangeRecord {
    let exchange = &at.exchange;
    let request = &exchange.request;
    let content_type =
        request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, v)| v.as_str());
    let body_file = request.body.as_ref().filter(|b| !b.is_empty() && b.len() <= BODY).map(|body| {
        let file = body_file(body, content_type);
        bodies.entry(file.clone()).or_insert_with(|| body.clone());
        file
    });
    let (response, failure) = match &exchange.result {
        Ok(r) => {
            let headers = r.headers.iter().map(|(name, value)| (name.clone(), Text::bounded(value))).collect();
            let body_length = exchange.bytes_received;
            (Some(ResponseRecord { status: r.status, headers, body: Text::bounded(&r.body), body_length }), None)
        }
        Err(failure) => (None, Some(format!("{}: {}", failure.kind.word(), bounded(&failure.text)))),
    };
    ExchangeRecord {
        step: step(at.step, &at.label),
        request: RequestRecord {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body_length: request.body_length,
            body_file,
        },
        response,
        failure,
        hops: exchange.hops.iter().map(|hop| format!("{} {}", hop.status, hop.to)).collect(),
        seconds: seconds(exchange.seconds),
    }
}

/// Named by its content: the same body is one file, and a rerun with the same seed writes the same names.
fn body_file(body: &[u8], content_type: Option<&str>) -> String {
    let digest = Digest::of(Algorithm::Sha256, body);
    let short = digest.hex().get(..16).unwrap_or_default();
    let json = content_type.is_some_and(|t| t.ends_with("json"));
    format!("{short}.{}", if json { "json" } else { "bin" })
}

/// People count steps from 1.
fn step(number: usize, label: &str) -> String {
    format!("{}: {label}", number + 1)
}

/// Microseconds are more than a clock over a network can mean.
fn seconds(value: f64) -> f64 {
    if value.is_finite() { (value * 1e6).round() / 1e6 } else { 0.0 }
}
