//! Summaries for people: a page of each, and the index of all. Markdown, in which nothing of a text is markup.

use std::collections::BTreeMap;

use super::folder::SUMMARY;
use super::{Summary, Told};
use crate::record::ALL;
use crate::report::{clean, savings, text};
use crate::target::findings::Is;
use crate::verdict::Verdict;

/// Cases that are named one by one; the rest is counted, and stands in the summary.
const NAMED: usize = 6;

/// The index: a line for each summary, by the name of its folder.
pub fn index(all: &BTreeMap<String, Summary>) -> String {
    let mut out = Page::default();
    out.text("# What registries show");
    out.text(
        "Written by `lacuna report RESULTS.. --publish reports/published`, from the summaries beside it and nothing else. \
         A known failure is one that was decided: its page says why, and where that is borne out.",
    );
    let mut rows = Vec::new();
    for (folder, summary) in all {
        let mut row = vec![
            format!("[{}]({folder}/README.md)", plain(&summary.product)),
            plain(summary.version.as_deref().unwrap_or("-")),
            code(&summary.profile),
            plain(&stance(summary)),
        ];
        row.extend(COLUMNS.map(|(_, verdicts)| verdicts.iter().map(|v| summary.count(*v)).sum::<u64>().to_string()));
        row.extend([seconds(summary.seconds), plain(&summary.date)]);
        rows.push(row);
    }
    let mut head = vec!["registry", "version", "profile", "stance"];
    head.extend(COLUMNS.map(|(name, _)| name));
    head.extend(["seconds", "date"]);
    out.table(&head, &rows);
    out.done()
}

/// The index's columns of counts: something that failed after all is as open as something that could not be asked.
const COLUMNS: [(&str, &[Verdict]); 5] = [
    ("pass", &[Verdict::Pass]),
    ("fail", &[Verdict::Fail, Verdict::Error, Verdict::Fixed]),
    ("known", &[Verdict::Known]),
    ("skip", &[Verdict::Skip]),
    ("warn", &[Verdict::Warn]),
];

/// One summary.
pub fn page(summary: &Summary) -> String {
    let mut out = Page::default();
    let version = summary.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    out.text(&format!("# {}{}", plain(&summary.product), plain(&version)));
    let spec = if summary.spec == crate::suite::requirement::Spec::Dev { "dev" } else { "1.1" };
    out.text(&format!(
        "Profile {}, run on {} in {} s by lacuna {} (suites {}), judged by distribution-spec {spec}, failing from {}. \
         Written by `lacuna report --publish` from [{SUMMARY}]({SUMMARY}).",
        code(&summary.profile),
        plain(&summary.date),
        seconds(summary.seconds),
        plain(&summary.lacuna.version),
        code(summary.lacuna.suites.get(..19).unwrap_or(&summary.lacuna.suites)),
        text::level(summary.level),
    ));
    out.text(&format!("Stance: {}.", plain(&stance(summary))));

    out.text("## The eleven questions");
    let answers = summary.answers.iter().map(|a| vec![a.question.to_string(), plain(&a.name), plain(&a.answer)]);
    out.table(&["", "question", "answer"], &answers.collect::<Vec<_>>());

    if !summary.savings.is_empty() {
        out.text("## Savings");
        let rows: Vec<Vec<String>> = savings::rows(&summary.savings).into_iter().map(|row| row.to_vec()).collect();
        let head = ["children that are there", "stored", "sent", "against the full index"];
        out.table(&head, &rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect::<Vec<_>>());
    }
    out.text("## Areas");
    let head: Vec<&str> = std::iter::once("area").chain(ALL.map(word)).collect();
    let count = |tally: &BTreeMap<Verdict, u64>, v| tally.get(&v).map_or("".into(), u64::to_string);
    let row = |name: String, tally| std::iter::once(name).chain(ALL.map(|v| count(tally, v))).collect::<Vec<_>>();
    let mut rows: Vec<_> = summary.areas.iter().map(|(area, tally)| row(code(area), tally)).collect();
    rows.push(row("all".into(), &summary.totals));
    out.table(&head, &rows);

    out.told("## Open", &summary.open);
    out.told("## Known to fail", &summary.known);
    out.counts("## Warnings", "requirement", &summary.warnings);
    out.counts("## Skipped", "reason", &summary.skips);

    out.text("## Capabilities");
    for (is, name) in [(Is::Supported, "Supported"), (Is::Absent, "Absent"), (Is::Broken, "Broken")] {
        let names = summary.capabilities.iter().filter(|(_, found)| **found == is).map(|(name, _)| code(name));
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            out.text(&format!("{name}: {}.", names.join(", ")));
        }
    }
    out.done()
}

/// `oci accept; docker accept`, in one word where both are the same.
fn stance(summary: &Summary) -> String {
    // `oci` before `docker`.
    let mut words: Vec<&String> = summary.stance.values().collect();
    words.dedup();
    match words.as_slice() {
        [] => "not found out".into(),
        [one] => (*one).clone(),
        _ => summary.stance.iter().rev().map(|(format, is)| format!("{format} {is}")).collect::<Vec<_>>().join("; "),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Skip => "skip",
        Verdict::Known => "known",
        Verdict::Fixed => "fixed",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1}")
}

/// Text as itself: nothing in it is markup, and it is one line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in clean::line(text).chars() {
        if "\\`*_{}[]<>#|&~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as code, also within a table.
fn code(text: &str) -> String {
    format!("`{}`", clean::line(text).replace('`', "'").replace('|', "\\|"))
}

/// Blocks with an empty line between them.
#[derive(Default)]
struct Page {
    blocks: Vec<String>,
}

impl Page {
    fn text(&mut self, text: &str) {
        self.blocks.push(text.to_owned());
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        let mut lines = vec![line(&head), line(&vec!["---".to_owned(); head.len()])];
        lines.extend(rows.iter().map(|row| line(row)));
        self.blocks.push(lines.join("\n"));
    }

    fn counts(&mut self, title: &str, name: &str, counts: &BTreeMap<String, u64>) {
        if counts.is_empty() {
            return;
        }
        self.text(title);
        let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let rows = counts.into_iter().map(|(name, count)| vec![plain(name), count.to_string()]);
        self.table(&[name, "cases"], &rows.collect::<Vec<_>>());
    }

    fn told(&mut self, title: &str, all: &[Told]) {
        if all.is_empty() {
            return;
        }
        self.text(title);
        let mut items = Vec::new();
        for told in all {
            let mut cases: Vec<String> = told.cases.iter().take(NAMED).map(|id| code(id)).collect();
            if told.cases.len() > NAMED {
                cases.push(format!("{} more", told.cases.len() - NAMED));
            }
            let mut item = format!("- {}", cases.join(", "));
            let shows: Vec<String> = told.shows.iter().map(|shown| code(shown)).collect();
            if !shows.is_empty() {
                item += &format!("  \n  shows {}", shows.join(", "));
            }
            if !told.reason.is_empty() {
                item += &format!("  \n  {}", plain(&told.reason));
            }
            for source in &told.sources {
                item += &format!("  \n  see {}", plain(source));
            }
            items.push(item);
        }
        self.blocks.push(items.join("\n"));
    }

    fn done(self) -> String {
        self.blocks.join("\n\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::summary;
    use super::*;

    #[test]
    fn no_text_becomes_markup_or_a_second_row() {
        assert_eq!(plain("a|b\n[x](y) <b> `c`"), "a\\|b\\\\n\\[x\\](y) \\<b\\> \\`c\\`");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
        let mut one = summary("olareg", Some("0.2.2"), "olareg");
        one.skips = BTreeMap::from([("a | b".to_owned(), 2), ("c".to_owned(), 9)]);
        let text = page(&one);
        assert!(text.contains("| c | 9 |\n| a \\| b | 2 |"), "{text}");
        assert!(!text.contains("## Open") && text.contains("# olareg 0.2.2"), "{text}");
    }

    #[test]
    fn the_index_has_a_line_for_each_and_one_word_where_both_formats_agree() {
        let mut one = summary("olareg", Some("0.2.2"), "olareg");
        one.stance.insert("docker".into(), "accept".into());
        let all = BTreeMap::from([("olareg-0.2.2".to_owned(), one)]);
        let text = index(&all);
        let row =
            "| [olareg](olareg-0.2.2/README.md) | 0.2.2 | `olareg` | accept | 3 | 0 | 0 | 0 | 0 | 1.5 | 2026-11-24 |";
        assert!(text.contains(row), "{text}");
    }
}
