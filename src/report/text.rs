//! The words that all reports share: a failure, an exchange, told in plain lines.

use super::{clean, curl, groups};
use crate::record::{CaseRecord, ExchangeRecord, MismatchRecord, RunRecord};
use crate::suite::requirement::{Basis, Level};

/// Characters of a response's body that one line shows.
const BODY: usize = 240;

/// The level's word.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::May => "may",
        Level::Should => "should",
        Level::Must => "must",
    }
}

/// Whose law it is, said where it is not the spec's.
pub fn law(record: &RunRecord, requirement: &str) -> String {
    let Some(found) = record.requirements.get(requirement) else { return String::new() };
    let source = clean::line(&found.source);
    match found.basis {
        Basis::Spec | Basis::Rfc => source,
        Basis::Docker => format!("{source} (Docker's API, not the spec's words)"),
        Basis::Product => format!("{source} (the product's own promise)"),
        Basis::Lacuna => format!("{source} (lacuna's reading, not the spec's words)"),
    }
}

/// The exchange in two lines: what was sent, what came.
pub fn exchange(exchange: &ExchangeRecord) -> [String; 2] {
    let request = &exchange.request;
    let mut sent = format!("> {} {}", clean::line(&request.method), clean::line(&request.url));
    if request.body_length > 0 {
        let of = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let of = of.map(|(_, value)| format!(" of {}", clean::line(value))).unwrap_or_default();
        sent += &format!(" ({}{of})", bytes(request.body_length));
    }
    for hop in &exchange.hops {
        sent += &format!(", redirected by {}", clean::line(hop));
    }
    let came = match (&exchange.response, &exchange.failure) {
        (Some(response), _) => {
            let mut line = format!("< {}", status(response.status));
            if let Some(content_type) = response.header("content-type") {
                line += &format!(", {}", clean::line(&content_type));
            }
            line += &format!(", {}", bytes(response.body_length));
            let body = response.body.lossy();
            if !body.is_empty() {
                line += &format!(": {}", clean::clip(&clean::line(body.trim_end()), BODY));
            }
            line
        }
        (None, Some(failure)) => format!("< no answer: {}", clean::line(failure)),
        (None, None) => "< no answer".into(),
    };
    [sent, came]
}

/// `404 Not Found`; a status without a name stands alone.
pub fn status(status: u16) -> String {
    let name = reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

/// `1 byte`, `512 bytes`.
pub fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// One mismatch for JUnit and for HTML's plain text: requirement, expected, actual, exchange, and the line that repeats it.
pub fn mismatch(record: &RunRecord, case: &CaseRecord, mismatch: &MismatchRecord, exchanges: &str) -> String {
    let mut lines = vec![format!(
        "requirement: {} ({}; {})",
        clean::line(&mismatch.requirement),
        level(mismatch.level),
        law(record, &mismatch.requirement)
    )];
    if let Some(found) = record.requirements.get(&mismatch.requirement) {
        lines.push(format!("             {}", clean::line(&found.text)));
    }
    lines.push(format!("case:        {} at {}", clean::line(&case.id), clean::line(&case.source)));
    lines.push(format!(
        "step:        {} (expectation at {})",
        clean::line(&mismatch.step),
        clean::line(&mismatch.source)
    ));
    lines.push(format!("expected:    {}", clean::line(&mismatch.expected)));
    lines.push(format!("actual:      {}", clean::line(&mismatch.got)));
    if let Some(late) = mismatch.late {
        lines.push(format!("late:        it held after {late} s"));
    }
    if !groups::fails(record, mismatch) {
        lines.push("weight:      a warning: it does not fail the case".into());
    }
    if let Some(found) = mismatch.exchange.and_then(|i| case.exchanges.get(i)) {
        lines.extend(exchange(found));
        lines.push(curl::line(&record.target, found, exchanges));
    }
    if let Some(diff) = &mismatch.diff {
        lines.push(clean::lines(diff.trim_end()));
    }
    lines.join("\n")
}
