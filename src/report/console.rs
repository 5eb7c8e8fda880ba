//! What is printed when a run has ended: nothing of what passed, one block for each thing that went wrong.

use super::groups::{self, Group, Reason};
use super::paint::Painter;
use super::{changes, clean, curl, rounds, savings, text};
use crate::record::answers::words;
use crate::record::{ALL, CaseRecord, ExchangeRecord, RunRecord, counted};
use crate::verdict::Verdict;

/// Requirements, and reasons, that have a block of their own; the rest is counted.
const BLOCKS: usize = 40;
/// Further ways in which one requirement fails that have a line in its block.
const WAYS: usize = 6;
/// Lines for warnings and known failures.
const LINES: usize = 20;
/// Lines of a diff.
const DIFF: usize = 12;

/// How and where it is shown.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Colours.
    pub paint: Painter,
    /// The folder of the reports, as the user would type it; empty where none were written.
    pub out: String,
}

/// The whole text, lines ended.
pub fn render(record: &RunRecord, view: &View) -> String {
    let mut out = Out { paint: view.paint, lines: Vec::new() };
    out.head(record);
    let exchanges = if view.out.is_empty() { "exchanges".into() } else { format!("{}/exchanges", view.out) };
    let failures = groups::by_requirement(groups::failures(record));
    for ways in failures.iter().take(BLOCKS) {
        out.failure(record, ways, &exchanges);
    }
    out.rest(failures.len(), BLOCKS, "requirements that failed");
    for case in groups::bare_failures(record) {
        out.bare(case, "FAIL");
    }
    let errors = groups::errors(record);
    for reason in errors.iter().take(BLOCKS) {
        out.error(record, reason, &exchanges);
    }
    out.rest(errors.len(), BLOCKS, "groups of errors");
    for case in record.cases.iter().filter(|case| case.verdict == Verdict::Fixed) {
        out.bare(case, "FIXED");
    }
    out.warnings(record);
    out.known(record);
    out.notes(record);
    out.totals(record, view);
    out.lines.join("\n") + "\n"
}

struct Out {
    paint: Painter,
    lines: Vec<String>,
}

impl Out {
    fn line(&mut self, text: String) {
        self.lines.push(text);
    }

    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn head(&mut self, record: &RunRecord) {
        let target = &record.target;
        let product = target.product.as_deref().map(|p| format!(" ({})", clean::line(p))).unwrap_or_default();
        let name = self.paint.strong(&clean::line(&target.name));
        self.line(format!("{name}{product} at {}", clean::line(&target.url)));
        if let Some(not_run) = &target.not_run {
            let text = format!("the profile was not run before: {}", clean::line(not_run));
            self.line(self.paint.odd(&text));
        }
        if !record.stance.is_empty() {
            let found = record.stance.iter().rev().map(|(format, s)| format!("{format} {}", clean::line(&words(s))));
            self.line(format!("stance: {}", found.collect::<Vec<_>>().join("; ")));
        }
    }

    /// A requirement that failed: the first way in full, a line for each other one.
    fn failure(&mut self, record: &RunRecord, ways: &[Group<'_>], exchanges: &str) {
        let Some((group, others)) = ways.split_first() else { return };
        let mismatch = group.first;
        let Some(case) = group.cases.first() else { return };
        let requirement = self.paint.strong(&clean::line(&mismatch.requirement));
        let law = text::law(record, &mismatch.requirement);
        let level = text::level(mismatch.level);
        self.gap();
        let fail = self.paint.bad("FAIL");
        self.line(format!("{fail}  {requirement}  {level}, {law}  {}", counted::cases(groups::cases(ways))));
        if let Some(found) = record.requirements.get(&mismatch.requirement) {
            self.line(format!("      {}", self.paint.faint(&clean::line(&found.text))));
        }
        self.ids(&group.cases);
        self.line(format!("      step {} ({})", clean::line(&mismatch.step), clean::line(&mismatch.source)));
        self.line(format!("      expected  {}", self.paint.good(&clean::clip(&clean::line(&mismatch.expected), 400))));
        self.line(format!("      got       {}", self.paint.bad(&clean::clip(&clean::line(&mismatch.got), 400))));
        if let Some(diff) = &mismatch.diff {
            self.diff(diff);
        }
        if let Some(found) = mismatch.exchange.and_then(|i| case.exchanges.get(i)) {
            self.exchange(record, found, exchanges);
        }
        for way in others.iter().take(WAYS) {
            self.way(way);
        }
        self.rest(others.len(), WAYS, "ways in which it fails");
    }

    /// Another way in which a requirement fails.
    fn way(&mut self, group: &Group<'_>) {
        let Some(case) = group.cases.first() else { return };
        let (id, mismatch) = (clean::line(&case.id), group.first);
        let place = self.paint.faint(&format!("step {}", clean::line(&mismatch.step)));
        self.line(format!("      also {}: {id}, {place}", counted::cases(group.cases.len())));
        let expected = self.paint.good(&clean::clip(&clean::line(&mismatch.expected), 160));
        let got = self.paint.bad(&clean::clip(&clean::line(&mismatch.got), 160));
        self.line(format!("        expected  {expected}"));
        self.line(format!("        got       {got}"));
    }

    fn diff(&mut self, diff: &str) {
        for line in diff.trim_end().lines().take(DIFF) {
            let painted = match (line.as_bytes().first(), clean::line(line)) {
                (Some(b'+'), text) => self.paint.bad(&text),
                (Some(b'-'), text) => self.paint.good(&text),
                (_, text) => text,
            };
            self.line(format!("      | {painted}"));
        }
        let more = diff.trim_end().lines().count().saturating_sub(DIFF);
        if more > 0 {
            self.line(format!("      | ... {more} more lines in report.html"));
        }
    }

    /// The first case with its place, the next ones by id, the rest counted.
    fn ids(&mut self, cases: &[&CaseRecord]) {
        let Some((first, rest)) = cases.split_first() else { return };
        self.line(format!("      {}  {}", clean::line(&first.id), self.paint.faint(&clean::line(&first.source))));
        for case in rest.iter().take(2) {
            self.line(format!("      {}", clean::line(&case.id)));
        }
        if rest.len() > 2 {
            self.line(format!("      and {} more", rest.len() - 2));
        }
    }

    fn bare(&mut self, case: &CaseRecord, word: &str) {
        self.gap();
        let word = self.paint.bad(word);
        let id = self.paint.strong(&clean::line(&case.id));
        self.line(format!("{word}  {id}  {}", self.paint.faint(&clean::line(&case.source))));
        if let Some(reason) = &case.reason {
            self.line(format!("      {}", clean::line(reason)));
        }
    }

    fn error(&mut self, record: &RunRecord, reason: &Reason<'_>, exchanges: &str) {
        let Some(case) = reason.cases.first() else { return };
        self.gap();
        let kind = self.paint.strong(&clean::line(case.error_kind.as_deref().unwrap_or("error")));
        self.line(format!("{}  {kind}  {}", self.paint.bad("ERROR"), counted::cases(reason.cases.len())));
        self.line(format!("      {}", clean::clip(&clean::line(reason.text), 600)));
        self.ids(&reason.cases);
        if let Some(found) = groups::unanswered(case) {
            self.exchange(record, found, exchanges);
        }
    }

    fn exchange(&mut self, record: &RunRecord, found: &ExchangeRecord, exchanges: &str) {
        for line in text::exchange(found) {
            self.line(format!("      {line}"));
        }
        self.line(format!("      {}", self.paint.faint(&curl::line(&record.target, found, exchanges))));
    }

    fn warnings(&mut self, record: &RunRecord) {
        let warnings = groups::warnings(record);
        if !warnings.is_empty() {
            self.gap();
        }
        for group in warnings.iter().take(LINES) {
            let m = group.first;
            let what = match m.late {
                Some(late) => format!("held after {late} s: expected {}, got {} at first", m.expected, m.got),
                None => format!("expected {}, got {}", m.expected, m.got),
            };
            let first = group.cases.first().map(|case| clean::line(&case.id)).unwrap_or_default();
            let what = clean::clip(&clean::line(&what), 200);
            let (word, level) = (self.paint.odd("warn"), text::level(m.level));
            let requirement = clean::line(&m.requirement);
            self.line(format!("{word}  {requirement}  {level}  {}: {what}", counted::cases(group.cases.len())));
            self.line(format!("      {}", self.paint.faint(&first)));
        }
        self.rest(warnings.len(), LINES, "groups of warnings");
    }

    fn known(&mut self, record: &RunRecord) {
        let known = groups::reasons(record, Verdict::Known);
        if !known.is_empty() {
            self.gap();
        }
        for reason in known.iter().take(LINES) {
            let text = clean::clip(&clean::line(reason.text), 240);
            self.line(format!("known  {}: {text}", counted::cases(reason.cases.len())));
        }
        self.rest(known.len(), LINES, "reasons of known failures");
    }

    fn notes(&mut self, record: &RunRecord) {
        self.gap();
        match &record.paused {
            Some(barrier) => {
                self.line(format!(
                    "paused  at {}, as it was told to; what is here is what was seen until then",
                    clean::line(barrier)
                ));
            }
            None if !record.complete => {
                let word = self.paint.bad("INCOMPLETE");
                self.line(format!("{word}  the run did not come to its end; what is here is what was seen until then"));
            }
            None => {}
        }
        for note in &record.notes {
            self.line(format!("note  {}", clean::line(note)));
        }
        for round in &record.rounds {
            for (i, line) in rounds::trouble(round).into_iter().enumerate() {
                self.line(format!("{}{line}", if i == 0 { "barrier  " } else { "         " }));
            }
        }
        self.changes(record);
        for left in record.clean_up.left.iter().take(LINES) {
            self.line(format!("left  {}", clean::line(left)));
        }
        self.rest(record.clean_up.left.len(), LINES, "lines of what stays in the registry");
    }

    /// What the registry became, the bad first.
    fn changes(&mut self, record: &RunRecord) {
        let all =
            record.rounds.iter().flat_map(|round| round.changes.iter().flatten().map(move |change| (round, change)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, change)| !change.worse);
        let purpose = changes::on_purpose(&record.target).filter(|_| !all.is_empty());
        self.lines.extend(purpose.map(str::to_owned));
        for (round, change) in all.iter().take(LINES) {
            let stands_out = changes::stands_out(&record.target, change);
            let word = if stands_out { self.paint.bad("WORSE") } else { self.paint.odd("change") };
            self.line(format!("{word}  after {}: {}", clean::line(&round.barrier), clean::line(&change.text)));
            for (when, evidence) in [("was", &change.was), ("now", &change.now)] {
                self.line(format!("      {when}  {}", self.paint.faint(&clean::clip(&clean::line(evidence), 160))));
            }
        }
        self.rest(all.len(), LINES, "changes after barriers");
    }

    fn totals(&mut self, record: &RunRecord, view: &View) {
        self.gap();
        if !view.out.is_empty() {
            self.line(format!("reports  {}/{{report.html, junit.xml, results.json}}", clean::line(&view.out)));
        }
        self.line(format!("seed     {} (--seed repeats the content)", clean::line(&record.seed)));
        let count = |verdict: &Verdict| record.count(*verdict);
        let parts: Vec<String> =
            ALL.iter().filter(|v| count(v) > 0).map(|v| self.tally(*v, record.count(*v))).collect();
        let seconds = super::seconds(record).map(|s| format!(" in {s:.1} s")).unwrap_or_default();
        let sum = if parts.is_empty() { "none".into() } else { parts.join(", ") };
        self.line(format!("cases    {}{seconds}: {sum}", record.cases.len()));
        if let Some(barriers) = rounds::line(record) {
            self.line(format!("barriers {barriers}"));
        }
        for [children, stored, sent, less] in savings::rows(&savings::savings(record)) {
            self.line(format!("savings  {}: {stored} stored, {sent} sent, {less}", clean::line(&children)));
        }
        let skipped = groups::reasons(record, Verdict::Skip);
        let reasons: Vec<String> = skipped
            .iter()
            .map(|reason| format!("{} {}", reason.cases.len(), clean::clip(&clean::line(short(reason.text)), 100)))
            .collect();
        let reasons = if reasons.is_empty() { "none".into() } else { reasons.join("; ") };
        self.line(format!("skipped  {reasons}"));
    }

    fn tally(&self, verdict: Verdict, count: u64) -> String {
        match verdict {
            Verdict::Pass => self.paint.good(&format!("{count} passed")),
            Verdict::Warn => self.paint.odd(&format!("{count} warned")),
            Verdict::Skip => format!("{count} skipped"),
            Verdict::Known => format!("{count} known to fail"),
            Verdict::Fixed => self.paint.bad(&format!("{count} fixed")),
            Verdict::Fail => self.paint.bad(&format!("{count} failed")),
            Verdict::Error => self.paint.bad(&format!("{count} could not be asked")),
        }
    }

    fn rest(&mut self, all: usize, shown: usize, what: &str) {
        if all > shown {
            self.line(format!("      and {} more {what}: see report.html", all - shown));
        }
    }
}

/// A skip's reason without its evidence, which follows a colon.
pub(super) fn short(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(before, _)| before)
}
