//! One case's part of the record: what did not hold, and the exchanges that show it, bounded.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::build::{Bodies, JudgedCase};
use super::exchange::{LaneRecord, bounded};
use super::{CaseRecord, ExchangeRecord, MismatchRecord, RequestRecord, ResponseRecord, Text};
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::engine::outcome::{Mismatch, Outcome, StepExchange};
use crate::suite::requirement::Level;
use crate::verdict::Verdict;
use crate::wire::Request;

/// Exchanges of one case that are kept.
const EXCHANGES: usize = 100;
/// Request bodies above this many bytes are not kept in files.
const BODY: u64 = 8 * 1024 * 1024;

/// What is recorded of a case; request bodies go into `bodies`.
pub(super) fn record(case: &JudgedCase<'_>, level: &impl Fn(&str) -> Level, bodies: &mut Bodies) -> CaseRecord {
    let mut record = CaseRecord {
        id: case.id.clone().into_owned(),
        title: case.title.clone().into_owned(),
        source: case.source.clone(),
        verdict: case.verdict,
        reason: case.reason.as_deref().map(bounded),
        error_kind: case.error_kind.clone(),
        sometimes: case.sometimes,
        sources: case.sources.clone(),
        requirements: case.requirements.iter().cloned().collect(),
        round: case.round,
        attempts: case.attempts,
        seconds: 0.0,
        requests: 0,
        bytes_sent: 0,
        bytes_received: 0,
        usage: Vec::new(),
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
    record.usage.clone_from(&outcome.usage);
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
    let body_file = body(request).map(|body| {
        let file = body_file(&body, content_type);
        bodies.entry(file.clone()).or_insert(body);
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
        lane: at.lane.as_ref().map(|lane| LaneRecord {
            name: lane.name.to_string(),
            begin: seconds(lane.begin),
            end: seconds(lane.end),
        }),
    }
}

/// The request's body, made again where it was generated; none where there is none, or too much of it.
fn body(request: &Request) -> Option<Bytes> {
    if request.body_length == 0 || request.body_length > BODY {
        return None;
    }
    let generated = || {
        let slice = request.generated.as_ref()?;
        let pieces = slice.source.pieces(slice.offset, slice.length);
        Some(pieces.flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>().into())
    };
    request.body.clone().or_else(generated)
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
pub(super) fn seconds(value: f64) -> f64 {
    if value.is_finite() { (value * 1e6).round() / 1e6 } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::content::BlobSource;
    use crate::suite::model::Source;
    use crate::wire::{Exchange, Failure, FailureKind, GeneratedSlice, Response};

    fn sent(step: usize, result: Result<u16, FailureKind>) -> StepExchange {
        let result = match result {
            Ok(status) => Ok(Response {
                status,
                version: "HTTP/1.1",
                headers: vec![("x-odd".into(), Bytes::from_static(b"\xff"))],
                body: Bytes::from_static(b"{}"),
                body_is_whole: true,
                body_digest: Digest::of(Algorithm::Sha256, b"{}"),
                location: None,
                next: None,
                link_problem: None,
            }),
            Err(kind) => {
                Err(Failure { kind, text: "no byte within 10 s".into(), after: Duration::from_secs(10), wrong: None })
            }
        };
        let request = Request {
            method: "PUT".into(),
            url: "http://h/v2/a/manifests/t".into(),
            headers: vec![("content-type".into(), "application/vnd.oci.image.index.v1+json".into())],
            body: Some(Bytes::from_static(b"{}")),
            generated: None,
            body_length: 2,
        };
        let exchange = Exchange {
            request,
            result,
            hops: Vec::new(),
            begun: std::time::Instant::now(),
            ended: std::time::Instant::now(),
            seconds: 0.123_456_789,
            first_byte_seconds: None,
            bytes_sent: 2,
            bytes_received: 2,
            requests: 1,
        };
        StepExchange { step, label: "put index by tag".into(), exchange, lane: None }
    }

    fn outcome(exchanges: Vec<StepExchange>, named: Option<usize>) -> Outcome {
        let mismatch = Mismatch {
            requirement: "manifest.put.created".into(),
            step: 2,
            label: "put index by tag".into(),
            key: "status".into(),
            expected: "status 201".into(),
            got: "status 500".into(),
            diff: None,
            source: Source { file: "suites/a/b.yaml".into(), line: 3, column: 7 },
            exchange: named,
            late: None,
        };
        Outcome {
            round: 0,
            id: "a/b/c".into(),
            mismatches: vec![mismatch],
            observed: vec!["manifest.put.digest".into()],
            error: None,
            answered: true,
            exchanges,
            usage: Vec::new(),
            seconds: f64::NAN,
            requests: 1,
            bytes_sent: 2,
            bytes_received: 2,
        }
    }

    fn recorded(outcome: &Outcome, verdict: Verdict) -> (CaseRecord, Bodies) {
        let case = JudgedCase {
            id: "a/b/c".into(),
            title: "t".into(),
            source: "suites/a/b.yaml:1:1".into(),
            requirements: BTreeSet::new(),
            verdict,
            reason: None,
            error_kind: None,
            sources: Vec::new(),
            sometimes: false,
            round: 0,
            attempts: 1,
            outcome: Some(outcome),
        };
        let mut bodies = Bodies::new();
        let case = record(&case, &|_| Level::Must, &mut bodies);
        (case, bodies)
    }

    #[test]
    fn a_failure_keeps_its_exchanges_and_bodies_and_a_pass_keeps_none() {
        let outcome = outcome(vec![sent(2, Ok(500))], Some(0));
        let (case, bodies) = recorded(&outcome, Verdict::Fail);
        assert_eq!(case.requirements, ["manifest.put.created", "manifest.put.digest"]);
        assert_eq!((case.mismatches[0].step.as_str(), case.mismatches[0].exchange), ("3: put index by tag", Some(0)));
        assert_eq!(case.exchanges[0].seconds, 0.123_457);
        assert_eq!(case.seconds, 0.0, "what is no number is none in JSON");
        let file = case.exchanges[0].request.body_file.as_deref().unwrap();
        assert_eq!(bodies[file], "{}");
        assert!(file.ends_with(".json"));
        assert!(matches!(case.exchanges[0].response.as_ref().unwrap().headers[0].1, Text::Bytes { .. }));

        let (case, bodies) = recorded(&outcome, Verdict::Pass);
        assert!(case.exchanges.is_empty() && case.mismatches.is_empty() && bodies.is_empty());
    }

    #[test]
    fn of_a_thousand_exchanges_those_that_tell_are_kept_and_still_pointed_at() {
        let many = (0..1000).map(|step| sent(step, Ok(201))).collect();
        let (case, bodies) = recorded(&outcome(many, Some(500)), Verdict::Fail);
        assert!(case.exchanges.len() <= EXCHANGES);
        let at = case.mismatches[0].exchange.unwrap();
        assert_eq!(case.exchanges[at].step, "501: put index by tag");
        assert_eq!(bodies.len(), 1, "one body is one file");
        let (case, _) = recorded(&outcome(vec![sent(0, Ok(201))], Some(77)), Verdict::Fail);
        assert_eq!(case.mismatches[0].exchange, None, "it points at nothing that is not there");
    }

    #[test]
    fn no_answer_says_why_and_a_generated_body_is_made_again() {
        let mut unanswered = sent(0, Err(FailureKind::Timeout));
        let source = BlobSource { key: [7; 32], size: 1000 };
        unanswered.exchange.request.body = None;
        unanswered.exchange.request.body_length = 300;
        unanswered.exchange.request.headers.clear();
        unanswered.exchange.request.generated = Some(GeneratedSlice { source: source.clone(), offset: 5, length: 300 });
        let (case, bodies) = recorded(&outcome(vec![unanswered], None), Verdict::Error);
        assert_eq!(case.exchanges[0].failure.as_deref(), Some("timeout: no byte within 10 s"));
        let mut wanted = vec![0; 300];
        source.read(5, &mut wanted);
        assert_eq!(bodies[case.exchanges[0].request.body_file.as_deref().unwrap()], wanted);
    }
}
