//! The difference for people: a block for each thing that changed, the bad ones first, never a flood.

use super::group::{Group, grouped, reasons, told, what};
use super::{Diff, Found, KINDS, Kind, Place, Side};
use crate::record::{ALL, counted};
use crate::report::clean;
use crate::report::paint::Painter;
use crate::target::claims::is;
use crate::verdict::Verdict;

/// Groups of one kind that are printed; the rest is counted.
const GROUPS: usize = 20;
/// Ids of one group that are printed.
const IDS: usize = 3;
/// Characters of a line's free text.
const WIDTH: usize = 300;

/// The whole text, lines ended.
pub fn render(diff: &Diff, paint: Painter) -> String {
    let mut out = Out { paint, lines: Vec::new() };
    out.line(format!("old  {}", out.side(&diff.old)));
    out.line(format!("new  {}", out.side(&diff.new)));
    out.gap();
    for caution in &diff.cautions {
        out.line(format!("{}  {}", out.paint.odd("caution"), clip(caution)));
    }
    out.gap();
    out.found(diff);
    for kind in KINDS {
        out.cases(diff, kind);
    }
    out.gap();
    out.totals(diff);
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

    fn side(&self, side: &Side) -> String {
        let target = &side.target;
        let product = target.product.as_deref().map(|p| format!(" ({})", clean::line(p))).unwrap_or_default();
        let name = self.paint.strong(&clean::line(&target.name));
        let count = |verdict: &Verdict| side.totals.get(verdict).copied().unwrap_or(0);
        let parts = ALL.iter().filter(|v| count(v) > 0).map(|v| format!("{} {}", count(v), v.word()));
        let parts: Vec<String> = parts.collect();
        let sum = if parts.is_empty() { "no cases".into() } else { parts.join(", ") };
        format!("{name}{product}, {}: {sum}", clean::line(&side.started))
    }

    fn found(&mut self, diff: &Diff) {
        for stance in &diff.stance {
            let format = clean::line(&stance.format);
            if stance.what == Found::Answers {
                let now = stance.now.as_deref().map(clean::line).unwrap_or_default();
                self.line(format!("stance  {format}: is {now} as it was, by other answers"));
            } else {
                let said = |words: &Option<String>| words.as_deref().map_or_else(|| "not found".into(), clean::line);
                let now = self.judged(stance.what, &said(&stance.now));
                self.line(format!("stance  {format}: was {}; now {now}", said(&stance.was)));
            }
            self.evidence(&stance.was_evidence, &stance.now_evidence);
        }
        for found in &diff.capabilities {
            let name = clean::line(&found.name);
            let said = |found: Option<crate::target::findings::Is>| found.map_or("not probed", is);
            let outside = self.outside(found.place);
            if found.what == Found::Answers {
                self.line(format!("capability  {name}: is {} as it was, by other answers{outside}", said(found.now)));
            } else {
                let now = self.judged(found.what, said(found.now));
                self.line(format!("capability  {name}: was {}; now {now}{outside}", said(found.was)));
            }
            self.evidence(&found.was_evidence, &found.now_evidence);
        }
        for claim in &diff.claims {
            let said = |words: &Option<String>| words.as_deref().map_or_else(|| "not claimed".into(), clean::line);
            self.line(format!(
                "claim  {}: was {}; now {}",
                clean::line(&claim.name),
                said(&claim.was),
                said(&claim.now)
            ));
        }
    }

    fn judged(&self, what: Found, text: &str) -> String {
        match what {
            Found::Broke => self.paint.bad(text),
            Found::Lost => self.paint.odd(text),
            Found::Gained => self.paint.good(text),
            Found::Changed | Found::Answers => self.paint.strong(text),
        }
    }

    fn outside(&self, place: Option<Place>) -> String {
        match place {
            Some(Place::Outside) => format!("  {}", self.paint.bad("OUTSIDE")),
            _ => String::new(),
        }
    }

    fn evidence(&mut self, was: &Option<String>, now: &Option<String>) {
        for (word, text) in [("was", was), ("now", now)] {
            if let Some(text) = text {
                self.line(format!("      {word}  {}", self.paint.faint(&clip(text))));
            }
        }
    }

    fn cases(&mut self, diff: &Diff, kind: Kind) {
        let mut groups = grouped(diff, kind);
        if groups.is_empty() {
            return;
        }
        self.gap();
        // What breaks the promise is never among what is only counted.
        groups.sort_by_key(|group| group.first.place);
        for group in groups.iter().take(GROUPS) {
            self.group(kind, group);
        }
        if groups.len() > GROUPS {
            let cases: usize = groups.iter().skip(GROUPS).map(|group| group.cases.len()).sum();
            let more = groups.len() - GROUPS;
            self.line(format!("      and {more} more groups with {}: see --json", counted::cases(cases)));
        }
    }

    fn group(&mut self, kind: Kind, group: &Group<'_>) {
        let first = group.first;
        let word = match kind {
            Kind::Regression => self.paint.bad(name(kind)),
            Kind::Weaker | Kind::NotAsked | Kind::Vanished => self.paint.odd(name(kind)),
            Kind::Stronger | Kind::Fix => self.paint.good(name(kind)),
            Kind::Changed | Kind::New | Kind::Asked => name(kind).to_owned(),
        };
        let topic = self.paint.strong(&clean::line(group.topic));
        let verdicts = match (first.was, first.now) {
            (Some(was), Some(now)) => format!("was {}, now {}", was.word(), now.word()),
            (None, Some(now)) => now.word().to_owned(),
            (Some(was), None) => format!("was {}", was.word()),
            (None, None) => String::new(),
        };
        let newly = if kind == Kind::Regression && first.was == Some(Verdict::Skip) { " (newly asked)" } else { "" };
        let outside = self.outside(first.place);
        let head = format!("{word}  {topic}  {verdicts}{newly}  {}{outside}", counted::cases(group.cases.len()));
        if !told(kind) {
            let reasons = reasons(group);
            let reasons = if reasons.is_empty() { reasons } else { format!(": {reasons}") };
            self.line(head + &reasons);
            return;
        }
        self.line(head);
        for line in what(first) {
            self.line(format!("      {line}"));
        }
        for case in group.cases.iter().take(IDS) {
            self.line(format!("      {}", self.paint.faint(&clean::line(&case.id))));
        }
        if group.cases.len() > IDS {
            self.line(format!("      and {} more", group.cases.len() - IDS));
        }
    }

    fn totals(&mut self, diff: &Diff) {
        let count = |kind: &Kind| diff.totals.get(kind).copied().unwrap_or(0);
        let mut parts: Vec<String> =
            KINDS.iter().filter(|kind| count(kind) > 0).map(|kind| counted(*kind, count(kind))).collect();
        parts.push(format!("{} the same", diff.same));
        self.line(format!("cases    {}", parts.join(", ")));
        if let Some(only) = &diff.only_in {
            let patterns = clean::line(&only.patterns.join(", "));
            let changes = |count: u64| if count == 1 { "1 change".to_owned() } else { format!("{count} changes") };
            let outside = match only.outside {
                0 => self.paint.good("nothing else changed"),
                count => self.paint.bad(&format!("{} outside", changes(count))),
            };
            let within = changes(only.within);
            let excused = only.excused;
            self.line(format!(
                "only in  {patterns}: {outside}; {within} within; elsewhere {excused} asked, or not, for the stance alone"
            ));
        }
        let verdict = if diff.worse { self.paint.bad("worse") } else { self.paint.good("nothing is worse") };
        self.line(format!("verdict  {verdict}"));
    }
}

/// One line, and not an endless one.
pub(super) fn clip(text: &str) -> String {
    clean::clip(&clean::line(text), WIDTH)
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Regression => "REGRESSION",
        Kind::Weaker => "weaker",
        Kind::Changed => "changed",
        Kind::NotAsked => "not asked",
        Kind::Vanished => "vanished",
        Kind::New => "new",
        Kind::Asked => "newly asked",
        Kind::Stronger => "stronger",
        Kind::Fix => "fixed",
    }
}

fn counted(kind: Kind, count: u64) -> String {
    match kind {
        Kind::Regression if count == 1 => "1 regression".into(),
        Kind::Regression => format!("{count} regressions"),
        Kind::NotAsked => format!("{count} not asked any more"),
        kind => format!("{count} {}", name(kind)),
    }
}
