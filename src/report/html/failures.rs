//! What went wrong, first on the page: a card for each thing, with its exchange and the line that repeats it.

use super::page::Page;
use crate::record::{CaseRecord, ExchangeRecord, MismatchRecord, RunRecord, Text, counted, store};
use crate::report::groups::{self, Group};
use crate::report::{clean, curl, text};
use crate::verdict::Verdict;

/// Cards that are open from the start.
const OPEN: usize = 12;

/// Failures, errors, fixed ones, warnings and known failures: each section only where there are some.
pub(super) fn sections(page: &mut Page, record: &RunRecord) {
    let failures = groups::by_requirement(groups::failures(record)).concat();
    let bare = groups::bare_failures(record);
    if !failures.is_empty() || !bare.is_empty() {
        page.raw("<section aria-labelledby=\"failures\">\n<h2 id=\"failures\">Failures</h2>\n");
        for case in bare {
            reason(page, case, "card fail");
        }
        for (number, found) in failures.iter().enumerate() {
            group(page, record, found, "card fail", number < OPEN);
        }
        page.close("section");
    }
    let errors = groups::errors(record);
    if !errors.is_empty() {
        page.raw("<section aria-labelledby=\"errors\">\n<h2 id=\"errors\">Could not be asked</h2>\n");
        for found in &errors {
            let Some(case) = found.cases.first() else { continue };
            page.open("div", &[("class", "card error")]);
            let kind = case.error_kind.as_deref().unwrap_or("error");
            page.element("h3", &[], &format!("{kind}: {}", counted::cases(found.cases.len())));
            page.element("p", &[], found.text);
            if let Some(last) = groups::unanswered(case) {
                exchange(page, record, last);
            }
            ids(page, &found.cases);
            page.close("div");
        }
        page.close("section");
    }
    let fixed: Vec<&CaseRecord> = record.cases.iter().filter(|case| case.verdict == Verdict::Fixed).collect();
    if !fixed.is_empty() {
        page.raw("<section aria-labelledby=\"fixed\">\n<h2 id=\"fixed\">Known failures that pass now</h2>\n");
        for case in fixed {
            reason(page, case, "card fixed");
        }
        page.close("section");
    }
    let warnings = groups::warnings(record);
    if !warnings.is_empty() {
        page.raw("<section aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n");
        for found in &warnings {
            group(page, record, found, "card warn", false);
        }
        page.close("section");
    }
    let known = groups::reasons(record, Verdict::Known);
    if !known.is_empty() {
        page.raw("<section aria-labelledby=\"known\">\n<h2 id=\"known\">Known failures</h2>\n");
        for found in &known {
            page.open("div", &[("class", "card known")]).element("p", &[], found.text);
            ids(page, &found.cases);
            page.close("div");
        }
        page.close("section");
    }
}

fn reason(page: &mut Page, case: &CaseRecord, class: &str) {
    page.open("div", &[("class", class)]).element("h3", &[], &case.id);
    page.element("p", &[("class", "soft")], &case.source);
    page.element("p", &[], case.reason.as_deref().unwrap_or_default()).close("div");
}

fn group(page: &mut Page, record: &RunRecord, group: &Group<'_>, class: &str, open: bool) {
    let first = group.first;
    page.open("details", if open { &[("class", ""), ("open", "")] } else { &[("class", "")] });
    page.open("summary", &[]).element("h3", &[], &first.requirement);
    let law = text::law(record, &first.requirement);
    page.text(&format!(" {}, {law}: {}, ", text::level(first.level), counted::cases(group.cases.len())));
    page.text(&clean::clip(&format!("expected {}, got {}", first.expected, first.got), 160)).close("summary");
    page.open("div", &[("class", class)]);
    if let Some(found) = record.requirements.get(&first.requirement) {
        page.element("p", &[], &found.text);
    }
    if let Some(case) = group.cases.first() {
        mismatch(page, record, case, first);
    }
    ids(page, &group.cases);
    page.close("div").close("details");
}

fn mismatch(page: &mut Page, record: &RunRecord, case: &CaseRecord, mismatch: &MismatchRecord) {
    page.open("dl", &[("class", "pair")]);
    page.fact("case", &format!("{} at {}", case.id, case.source));
    page.fact("step", &format!("{} (expectation at {})", mismatch.step, mismatch.source));
    page.fact("expected", &mismatch.expected).fact("actual", &mismatch.got);
    if let Some(late) = mismatch.late {
        page.fact("late", &format!("it held after {late} s"));
    }
    page.close("dl");
    if let Some(diff) = &mismatch.diff {
        page.element("pre", &[("tabindex", "0"), ("aria-label", "difference")], diff);
    }
    if let Some(found) = mismatch.exchange.and_then(|i| case.exchanges.get(i)) {
        exchange(page, record, found);
    }
}

fn exchange(page: &mut Page, record: &RunRecord, exchange: &ExchangeRecord) {
    let mut lines = text::exchange(exchange).join("\n");
    lines.push('\n');
    lines += &curl::line(&record.target, exchange, store::EXCHANGES);
    page.element("pre", &[("tabindex", "0"), ("aria-label", "exchange and the line that repeats it")], &lines);
    page.raw("<details><summary>Whole exchange</summary>");
    let mut whole = format!("{} {}\n", exchange.request.method, exchange.request.url);
    for (name, value) in &exchange.request.headers {
        whole += &format!("{name}: {value}\n");
    }
    if let Some(response) = &exchange.response {
        whole += &format!("\n{}\n", text::status(response.status));
        for (name, value) in &response.headers {
            whole += &format!("{name}: {}\n", value.lossy());
        }
        match &response.body {
            Text::Plain(body) => whole += &format!("\n{body}"),
            Text::Bytes { base64 } => whole += &format!("\n(bytes that are no text, in base64)\n{base64}"),
        }
    }
    page.element("pre", &[("tabindex", "0"), ("aria-label", "whole exchange")], &whole).close("details");
}

fn ids(page: &mut Page, cases: &[&CaseRecord]) {
    page.open("details", &[]).element("summary", &[], &format!("The {}", counted::cases(cases.len())));
    page.raw("<ul class=\"mono\">\n");
    for case in cases {
        page.open("li", &[]).element("a", &[("href", &format!("#case-{}", case.id))], &case.id).close("li");
    }
    page.close("ul").close("details");
}
