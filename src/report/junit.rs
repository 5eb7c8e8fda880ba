//! `junit.xml`, for every CI that there is.
//!
//! A suite is a topic, a case's class `area.topic`, its name the rest of its id. The writer is junit-report; what it does
//! not do itself is done here: text is cleaned before it, and each suite's count of skipped cases is put in after it.

use junit_report::{Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder};

use super::{clean, groups, rounds, text};
use crate::record::{CaseRecord, RunRecord, store};
use crate::verdict::Verdict;

/// The document. `timestamp` of each suite is the run's start.
///
/// # Errors
/// What the XML writer says; it writes to memory, where nothing is known to fail.
pub fn render(record: &RunRecord) -> Result<Vec<u8>, junit_report::Error> {
    let suites = suites(record);
    let started = timestamp(&record.started);
    let mut inner = String::new();
    let (mut failures, mut errors, mut time) = (0, 0, Duration::ZERO);
    for (number, (name, cases)) in suites.iter().enumerate() {
        let mut suite = TestSuiteBuilder::new(name);
        suite.set_timestamp(started);
        suite.set_system_out(&clean::cdata(&about(record, cases)));
        for case in cases {
            suite.add_testcase(testcase(record, case));
        }
        let suite = suite.build();
        failures += suite.failures();
        errors += suite.errors();
        time += suite.time();
        let skipped = suite.skipped();
        let mut document = Vec::new();
        ReportBuilder::new().add_testsuite(suite).build().write_xml(&mut document)?;
        inner.push_str(&complete(&String::from_utf8_lossy(&document), number, skipped));
    }
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"lacuna\" tests=\"{}\" failures=\"{failures}\" \
         errors=\"{errors}\" time=\"{}\">\n{inner}</testsuites>\n",
        record.cases.len(),
        time.as_seconds_f64(),
    )
    .into_bytes())
}

/// Cases by topic, topics in the order of their first case.
fn suites(record: &RunRecord) -> Vec<(String, Vec<&CaseRecord>)> {
    let mut suites: Vec<(String, Vec<&CaseRecord>)> = Vec::new();
    for case in &record.cases {
        let (topic, _) = split(&case.id);
        match suites.iter_mut().find(|(name, _)| *name == topic) {
            Some((_, cases)) => cases.push(case),
            None => suites.push((topic, vec![case])),
        }
    }
    suites
}

/// An id's topic (`area/topic`) and the rest; an id of one part only is a name.
fn split(id: &str) -> (String, String) {
    let mut parts = id.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(area), Some(topic), Some(rest)) => (clean::line(&format!("{area}/{topic}")), clean::line(rest)),
        (Some(area), Some(rest), None) => (clean::line(area), clean::line(rest)),
        _ => ("lacuna".into(), clean::line(id)),
    }
}

fn about(record: &RunRecord, cases: &[&CaseRecord]) -> String {
    let product = record.target.product.as_deref().map(|p| format!(" ({p})")).unwrap_or_default();
    let mut lines = vec![
        format!("target: {}{product} {}", record.target.name, record.target.url),
        format!("seed: {}", record.seed),
        format!("lacuna: {}, suites {}", record.lacuna.version, record.lacuna.suites),
    ];
    if !record.complete {
        lines.push("incomplete: the run did not come to its end".into());
    }
    lines.extend(record.notes.iter().map(|note| format!("note: {note}")));
    // Barriers matter to those suites of which a case met one.
    if cases.iter().any(|case| case.round > 0) {
        lines.extend(rounds::line(record).map(|line| format!("barriers: {line}")));
        lines.extend(record.rounds.iter().flat_map(rounds::trouble));
    }
    lines.join("\n")
}

fn testcase(record: &RunRecord, case: &CaseRecord) -> TestCase {
    let (topic, name) = split(&case.id);
    let reason = || clean::line(case.reason.as_deref().unwrap_or_default());
    let texts: Vec<String> =
        case.mismatches.iter().map(|m| text::mismatch(record, case, m, store::EXCHANGES)).collect();
    let all = texts.join("\n\n");
    let time = seconds(case.seconds);
    let mut built = match case.verdict {
        Verdict::Pass => TestCaseBuilder::success(&name, time),
        Verdict::Warn => {
            let mut built = TestCaseBuilder::success(&name, time);
            let said = if all.is_empty() { reason() } else { all };
            built.set_system_out(&clean::cdata(&format!("warning\n{said}")));
            built
        }
        Verdict::Skip => TestCaseBuilder::skipped_with_cause(&name, "skip", &reason()),
        Verdict::Known => TestCaseBuilder::skipped_with_cause(&name, "known", &format!("known failure: {}", reason())),
        Verdict::Fixed => {
            let mut built = TestCaseBuilder::failure(&name, time, "fixed", &reason());
            built.set_trace(&clean::cdata(&format!("recorded as a known failure, and passes: {}", reason())));
            built
        }
        Verdict::Fail => {
            let failing = case.mismatches.iter().find(|m| groups::fails(record, m));
            let (kind, message) = match failing {
                Some(m) => (m.requirement.clone(), format!("expected {}, got {}", m.expected, m.got)),
                None => (case.requirements.first().cloned().unwrap_or_else(|| "fail".into()), reason()),
            };
            let mut built = TestCaseBuilder::failure(&name, time, &clean::line(&kind), &clean::line(&message));
            let said =
                if all.is_empty() { format!("case:        {} at {}\n{}", case.id, case.source, reason()) } else { all };
            built.set_trace(&clean::cdata(&said));
            built
        }
        Verdict::Error => {
            let kind = case.error_kind.as_deref().unwrap_or("error");
            let mut built = TestCaseBuilder::error(&name, time, &clean::line(kind), &reason());
            let last = groups::unanswered(case).map(|x| text::exchange(x).join("\n")).unwrap_or_default();
            let said = format!("case:        {} at {}\n{}\n{last}\n{all}", case.id, case.source, reason());
            built.set_trace(&clean::cdata(said.trim_end()));
            built
        }
    };
    built.set_classname(&topic.replace('/', "."));
    built.build()
}

/// Whole milliseconds: XML readers of the Surefire kind take no more digits.
fn seconds(value: f64) -> Duration {
    let millis = (value * 1000.0).round().clamp(0.0, 1e12);
    #[allow(clippy::cast_possible_truncation)]
    Duration::milliseconds(millis as i64)
}

fn timestamp(rfc3339: &str) -> OffsetDateTime {
    let seconds = rfc3339.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).unwrap_or(0);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The one suite of a document, with its number among all and its count of skipped cases. In attributes quotes are
/// escaped, so the first ` hostname="` is the suite's own.
fn complete(document: &str, number: usize, skipped: usize) -> String {
    let start = document.find("<testsuite id=").unwrap_or(0);
    let end = document.rfind("</testsuites>").unwrap_or(document.len());
    let suite = document.get(start..end).unwrap_or_default();
    suite.replacen("<testsuite id=\"0\"", &format!("<testsuite id=\"{number}\""), 1).replacen(
        " hostname=\"",
        &format!(" skipped=\"{skipped}\" hostname=\""),
        1,
    ) + "\n"
}
