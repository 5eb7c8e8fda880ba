//! `report.html`: one file that needs no other, for whoever wants to see what a registry did.

mod failures;
mod page;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use page::Page;
use sha2::{Digest as _, Sha256};

use super::text;
use crate::record::{ALL, RunRecord};
use crate::suite::requirement::Spec;
use crate::verdict::Verdict;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page.
pub fn render(record: &RunRecord) -> String {
    let mut page = Page::default();
    let title = format!("{}: {}", record.target.name, outcome(record));
    // Only this script may run, whatever else got into the page.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()))
    );
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    page.raw("\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.element("title", &[], &format!("lacuna: {title}"));
    page.raw("<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    page.raw("<a class=\"skip-link\" href=\"#cases\">To all cases</a>\n");
    header(&mut page, record);
    page.raw("<main>\n");
    failures::sections(&mut page, record);
    tables::stance(&mut page, record);
    tables::answers(&mut page, record);
    tables::saved(&mut page, record);
    tables::capabilities(&mut page, record);
    tables::rounds(&mut page, record);
    tables::cases(&mut page, record);
    tables::requirements(&mut page, record);
    page.raw(
        "</main>\n<footer><p>Made by lacuna from results.json, which holds all of this and more. Bodies that the \
              curl lines name stand in the folder exchanges.</p></footer>\n<script>",
    );
    page.raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    page.finish()
}

/// The run in a few words.
fn outcome(record: &RunRecord) -> String {
    let bad = [
        (Verdict::Fail, "failed"),
        (Verdict::Error, "could not be asked"),
        (Verdict::Fixed, "pass although known to fail"),
    ];
    let parts: Vec<String> = bad
        .iter()
        .filter(|(verdict, _)| record.count(*verdict) > 0)
        .map(|(verdict, word)| format!("{} {word}", record.count(*verdict)))
        .collect();
    let asked = record.cases.iter().filter(|case| case.verdict != Verdict::Skip).count();
    let text = match (parts.is_empty(), asked) {
        (true, 0) => "nothing was asked".to_owned(),
        (true, _) => "as expected".to_owned(),
        (false, _) => format!("{} of {asked} cases", parts.join(", ")),
    };
    match &record.paused {
        Some(barrier) => format!("paused at {barrier}; {text}"),
        None if !record.complete => format!("incomplete; {text}"),
        None => text,
    }
}

fn header(page: &mut Page, record: &RunRecord) {
    let target = &record.target;
    page.raw("<header class=\"page\">\n").element("h1", &[], &target.name);
    let product = target.product.as_deref().map(|product| format!("{product}, ")).unwrap_or_default();
    page.element("p", &[("class", "soft")], &format!("{product}{}", target.url));
    if let Some(not_run) = &target.not_run {
        page.element("p", &[("class", "soft")], &format!("The profile was not run before: {not_run}."));
    }
    let bad = [Verdict::Fail, Verdict::Error, Verdict::Fixed].into_iter().any(|verdict| record.count(verdict) > 0);
    let class = if bad || !record.complete && record.paused.is_none() { "outcome fail" } else { "outcome pass" };
    page.element("p", &[("class", class)], &outcome(record));
    tiles(page, record);
    page.open("dl", &[("class", "facts")]);
    let seconds = super::seconds(record).map(|s| format!(", {s:.1} s")).unwrap_or_default();
    page.fact("Run", &format!("{}{seconds}", record.started));
    let spec = match record.spec {
        Spec::V1_1 => "distribution-spec v1.1.1",
        Spec::Dev => "distribution-spec, development version",
    };
    page.fact(
        "Judged by",
        &format!("{spec}; a mismatch fails from level {}", text::level(super::groups::level(record))),
    );
    page.fact("Selected", &selected(record));
    page.fact("Seed", &record.seed);
    page.fact("lacuna", &format!("{}, suites {}", record.lacuna.version, record.lacuna.suites));
    if record.windows.read > 0.0 || record.windows.delete > 0.0 {
        let w = &record.windows;
        page.fact("Lateness", &format!("a write was read after {} s, a delete seen after {} s", w.read, w.delete));
    }
    let clean_up = &record.clean_up;
    let left = clean_up.left.len();
    let rest = if clean_up.discarded { ", the rest gone with the registry" } else { "" };
    page.fact("Clean-up", &format!("{} created, {} removed{rest}", clean_up.created, clean_up.removed));
    page.close("dl");
    if !record.notes.is_empty() || left > 0 {
        page.raw("<ul>\n");
        for note in record.notes.iter().chain(&clean_up.left) {
            page.element("li", &[], note);
        }
        page.close("ul");
    }
    page.close("header");
}

fn selected(record: &RunRecord) -> String {
    let selection = &record.selection;
    let mut text = if selection.filters.is_empty() { "all cases".into() } else { selection.filters.join(" ") };
    if let Some(shard) = &selection.shard {
        text += &format!(", shard {shard}");
    }
    if selection.repeat > 1 {
        text += &format!(", each {} times", selection.repeat);
    }
    text
}

fn tiles(page: &mut Page, record: &RunRecord) {
    page.raw("<ul class=\"tiles\" aria-label=\"Totals\">\n");
    for verdict in ALL {
        let count = record.count(verdict);
        let class = if count == 0 { format!("{} zero", verdict.word()) } else { verdict.word().into() };
        page.open("li", &[("class", &class)]).element("strong", &[], &count.to_string());
        page.text(verdict.word()).close("li");
    }
    page.close("ul");
    page.raw("<div class=\"bar\" aria-hidden=\"true\">");
    for verdict in ALL.into_iter().filter(|verdict| record.count(*verdict) > 0) {
        let style = format!("flex:{}", record.count(verdict));
        page.open("span", &[("class", verdict.word()), ("style", &style)]).close("span");
    }
    page.close("div");
}
