//! The tables: stance, answers, capabilities, rounds, all cases, requirements.

use std::collections::BTreeMap;

use super::page::Page;
use crate::record::answers::words;
use crate::record::{ALL, CaseRecord, RunRecord, store};
use crate::report::changes::{on_purpose, stands_out};
use crate::report::{savings, text};
use crate::suite::requirement::Basis;
use crate::target::findings::{Is, all_capabilities};
use crate::verdict::Verdict;

const TABLE: &[(&str, &str)] = &[("class", "scroll"), ("tabindex", "0")];

/// What the registry does with an index that has gaps.
pub(super) fn stance(page: &mut Page, record: &RunRecord) {
    if record.stance.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"stance\">\n<h2 id=\"stance\">Stance</h2>\n").open("div", TABLE);
    page.open("table", &[]);
    page.head("What it does with an index of which children are absent", &["Format", "Found", "Claimed", "Evidence"]);
    page.raw("<tbody>\n");
    for (format, found) in record.stance.iter().rev() {
        page.open("tr", &[]).element("th", &[("scope", "row")], format).element("td", &[], &words(found));
        page.element("td", &[], found.claimed.as_deref().unwrap_or("nothing"));
        page.element("td", &[("class", "wide")], &found.found.evidence).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

/// The mission's questions.
pub(super) fn answers(page: &mut Page, record: &RunRecord) {
    page.raw("<section aria-labelledby=\"answers\">\n<h2 id=\"answers\">Answers</h2>\n").open("div", TABLE);
    page.open("table", &[]).head("Eleven questions, and what the cases say", &["", "Question", "Answer"]);
    page.raw("<tbody>\n");
    for answer in &record.answers {
        page.open("tr", &[]).element("td", &[("class", "number")], &answer.question.to_string());
        page.element("th", &[("scope", "row")], &answer.name).element("td", &[], &answer.answer).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

/// What sparse copies save.
pub(super) fn saved(page: &mut Page, record: &RunRecord) {
    let rows = savings::rows(&savings::savings(record));
    if rows.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"savings\">\n<h2 id=\"savings\">Savings</h2>\n").open("div", TABLE);
    page.open("table", &[]);
    page.head("One index, as measured on this registry", &["Children that are there", "Stored", "Sent", "Less"]);
    page.raw("<tbody>\n");
    for [children, stored, sent, less] in rows {
        page.open("tr", &[]).element("th", &[("scope", "row")], &children).element("td", &[], &stored);
        page.element("td", &[], &sent).element("td", &[], &less).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

/// What it can do, with the evidence.
pub(super) fn capabilities(page: &mut Page, record: &RunRecord) {
    if record.capabilities.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"capabilities\">\n<h2 id=\"capabilities\">Capabilities</h2>\n");
    page.open("div", TABLE).open("table", &[]);
    page.head("What the probe found", &["Capability", "Found", "Evidence"]).raw("<tbody>\n");
    for (name, found) in &record.capabilities {
        let meaning = all_capabilities().find(|(known, _)| known == name).map_or("", |(_, meaning)| meaning);
        let (is, class) = match found.is {
            Is::Supported => ("supported", "pass"),
            Is::Absent => ("absent", "skip"),
            Is::Broken => ("broken", "fail"),
        };
        page.open("tr", &[]).open("th", &[("scope", "row")]).element("code", &[], name);
        page.element("div", &[("class", "soft")], meaning).close("th");
        page.open("td", &[]).element("span", &[("class", &format!("verdict {class}"))], is).close("td");
        page.element("td", &[("class", "wide")], &found.evidence).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

/// Barriers that were passed.
pub(super) fn rounds(page: &mut Page, record: &RunRecord) {
    if record.rounds.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"rounds\">\n<h2 id=\"rounds\">Barriers</h2>\n").open("div", TABLE);
    page.open("table", &[]);
    page.head("What was done between the rounds", &["Barrier", "Cases", "Seconds", "Exit", "Output"]);
    page.raw("<tbody>\n");
    for round in &record.rounds {
        page.open("tr", &[]).element("th", &[("scope", "row")], &round.barrier);
        page.element("td", &[("class", "number")], &round.cases.to_string());
        page.element("td", &[("class", "number")], &format!("{:.1}", round.seconds));
        page.element("td", &[], &round.exit.map(|exit| exit.to_string()).unwrap_or_default());
        page.open("td", &[("class", "wide")]);
        if let Some(failed) = &round.failed {
            page.element("div", &[], &format!("failed: {failed}"));
        }
        if !round.blamed.is_empty() {
            page.element("div", &[], &format!("blamed: {}", round.blamed.join(", ")));
        }
        if let Some(smallest) = crate::report::rounds::smallest(round) {
            page.element("div", &[], &smallest);
        }
        for tried in &round.tried {
            page.element("div", &[("class", "soft")], &format!("on a fresh registry, {tried}"));
        }
        match round.changes.as_deref() {
            Some([]) => {
                page.element("div", &[], "stance, capabilities and what tells them are as they were before");
            }
            changes => {
                for change in changes.into_iter().flatten() {
                    let (class, word) =
                        if stands_out(&record.target, change) { ("verdict fail", "WORSE: ") } else { ("", "") };
                    page.element("div", &[("class", class)], &format!("{word}{}", change.text));
                    page.element("div", &[("class", "soft")], &format!("was {}; now {}", change.was, change.now));
                }
                if let Some(why) = on_purpose(&record.target).filter(|_| changes.is_some()) {
                    page.element("div", &[("class", "soft")], why);
                }
            }
        }
        page.element("pre", &[], &round.output).close("td").close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

/// Every case, with a filter where scripts run.
pub(super) fn cases(page: &mut Page, record: &RunRecord) {
    page.raw("<section aria-labelledby=\"cases\">\n<h2 id=\"cases\">Cases</h2>\n");
    page.raw("<form id=\"filters\" class=\"filters\" role=\"search\" hidden>\n");
    page.raw("<label for=\"filter-text\">Filter</label>\n");
    page.raw("<input id=\"filter-text\" type=\"search\" placeholder=\"words of id, title, requirement\">\n");
    page.raw("<fieldset><legend>Verdicts</legend>\n");
    for verdict in ALL.into_iter().filter(|verdict| record.count(*verdict) > 0) {
        page.open("label", &[("class", verdict.word())]);
        page.open("input", &[("type", "checkbox"), ("value", verdict.word()), ("checked", "")]);
        page.text(&format!(" {} {}", verdict.word(), record.count(verdict))).close("label");
    }
    page.raw("</fieldset>\n<span id=\"filter-count\" class=\"soft\" aria-live=\"polite\"></span>\n</form>\n");
    page.open("div", TABLE).open("table", &[("id", "case-table")]);
    page.head("In the order of the plan", &["Verdict", "Case", "Requests", "Seconds"]).raw("<tbody>\n");
    for case in &record.cases {
        let verdict = case.verdict.word();
        let requirements = case.requirements.join(" ");
        let id = format!("case-{}", case.id);
        page.open("tr", &[("id", &id), ("data-verdict", verdict), ("data-requirements", &requirements)]);
        page.open("td", &[]).element("span", &[("class", &format!("verdict {verdict}"))], verdict).close("td");
        page.open("th", &[("scope", "row"), ("class", "wide")]).element("code", &[], &case.id);
        page.element("div", &[("class", "soft")], &case.title);
        detail(page, record, case);
        page.close("th").element("td", &[("class", "number")], &case.requests.to_string());
        page.element("td", &[("class", "number")], &format!("{:.3}", case.seconds)).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}

fn detail(page: &mut Page, record: &RunRecord, case: &CaseRecord) {
    if let Some(reason) = &case.reason {
        page.element("div", &[], reason);
    }
    if case.verdict == Verdict::Pass || case.mismatches.is_empty() {
        return;
    }
    let count = case.mismatches.len();
    let word = if count == 1 { "1 mismatch".to_owned() } else { format!("{count} mismatches") };
    page.open("details", &[]).element("summary", &[], &word);
    for mismatch in &case.mismatches {
        page.element("pre", &[], &text::mismatch(record, case, mismatch, store::EXCHANGES));
    }
    page.close("details");
}

/// The texts of all requirements that the cases name, with how they fared.
pub(super) fn requirements(page: &mut Page, record: &RunRecord) {
    if record.requirements.is_empty() {
        return;
    }
    let mut tallies: BTreeMap<&str, BTreeMap<Verdict, u64>> = BTreeMap::new();
    for case in &record.cases {
        for id in &case.requirements {
            *tallies.entry(id).or_default().entry(case.verdict).or_default() += 1;
        }
    }
    page.raw("<section aria-labelledby=\"requirements\">\n<h2 id=\"requirements\">Requirements</h2>\n");
    page.open("div", TABLE).open("table", &[]);
    page.head("In our own words; the source has the law's", &["Requirement", "Level", "Source", "Cases"]);
    page.raw("<tbody>\n");
    for (id, requirement) in &record.requirements {
        page.open("tr", &[]).open("th", &[("scope", "row"), ("class", "wide")]).element("code", &[], id);
        page.element("div", &[], &requirement.text).close("th");
        page.element("td", &[], text::level(requirement.level));
        let basis = match requirement.basis {
            Basis::Spec => "spec",
            Basis::Rfc => "RFC",
            Basis::Docker => "Docker's API",
            Basis::Product => "the product's promise",
            Basis::Lacuna => "lacuna's reading",
        };
        page.element("td", &[], &format!("{} ({basis})", requirement.source));
        let tally = tallies.get(id.as_str()).into_iter().flatten();
        let fared: Vec<String> = tally.map(|(verdict, count)| format!("{count} {}", verdict.word())).collect();
        page.element("td", &[], &fared.join(", ")).close("tr");
    }
    page.raw("</tbody>").close("table").close("div").close("section");
}
