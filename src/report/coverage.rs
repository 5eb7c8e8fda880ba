//! `docs/coverage.md`: the ledger of requirements, and what the mutants came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::proof::coverage::Covered;
use crate::proof::mutants::{End, Fate};
use crate::suite::requirement::{Basis, Level, Requirement};

/// The ledger as Markdown: each requirement with its cases and defects, holes first.
pub fn ledger(covered: &[Covered]) -> String {
    let mut text = String::from("# Coverage\n\n");
    let holes: Vec<&Covered> = covered.iter().filter(|row| row.hole().is_some()).collect();
    let cases: std::collections::BTreeSet<&String> = covered.iter().flat_map(|row| &row.cases).collect();
    let _ = writeln!(
        text,
        "{} requirements, of which HTTP shows {} and cases of {} names observe them; {}.\n\
         The others say why it does not. Written by `lacuna coverage > docs/coverage.md`.\n",
        covered.len(),
        covered.iter().filter(|row| row.requirement.unobservable.is_none()).count(),
        cases.len(),
        match holes.len() {
            0 => "each has a case that observes it and a defect that breaks it".to_owned(),
            count => format!("{count} of them with a hole"),
        }
    );
    if !holes.is_empty() {
        text.push_str("## Holes\n\n| requirement | what is missing |\n|---|---|\n");
        for row in &holes {
            let _ = writeln!(text, "| {} | {} |", row.requirement.id, row.hole().unwrap_or_default());
        }
        text.push('\n');
    }
    text.push_str("## Requirements\n\n| requirement | level | basis | source | text | cases | defects |\n|---|---|---|---|---|---|---|\n");
    for row in covered {
        let Requirement { id, source, text: words, .. } = &row.requirement;
        let cases = match &row.requirement.unobservable {
            Some(why) => format!("none: {why}"),
            None => row.cases.iter().cloned().collect::<Vec<_>>().join(" "),
        };
        let defects = row.defects.iter().copied().collect::<Vec<_>>().join(" ");
        let (level, basis) = (levels(&row.requirement), basis(row.requirement.basis));
        let _ = writeln!(text, "| {id} | {level} | {basis} | {source} | {words} | {cases} | {defects} |");
    }
    text
}

fn levels(requirement: &Requirement) -> String {
    let word = |level| match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    };
    match (requirement.level_1_1, requirement.level_dev) {
        (one, dev) if one == dev => word(one).to_owned(),
        (one, dev) => format!("1.1: {}, dev: {}", word(one), word(dev)),
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Spec => "spec",
        Basis::Rfc => "rfc",
        Basis::Docker => "docker",
        Basis::Product => "product",
        Basis::Lacuna => "lacuna",
    }
}

/// How a mutant fared, in a line.
pub fn fate(fate: &Fate) -> String {
    let end = match &fate.end {
        End::Failed(case, by) => format!("fails {by} in {case}"),
        End::Errored(case, why) => format!("is an error of {case}: {why}"),
        End::Warned(case, by) => format!("warns by {by} in {case}"),
        End::Untestable(why) => format!("cannot be tested: {}", why.lines().next().unwrap_or_default()),
        End::Allowed(by) => format!("is left open by {by}"),
        End::Accused(case, by) => format!("ACCUSED by {by} in {case}, though a text leaves it open"),
        End::Survived => format!("SURVIVES {} cases", fate.asked),
    };
    format!("{}  {end}\n", fate.mutant.name())
}

/// The kill matrix: what was asked, and what was wrong with the answers; in each place how many of how many mutants a case noticed,
/// without those that a text leaves open. Then how many there were, and how many of them show a hole.
pub fn mutants(fates: &[Fate]) -> String {
    let mut groups = Vec::new();
    let mut matrix = BTreeMap::<String, BTreeMap<&'static str, (usize, usize)>>::new();
    for fate in fates.iter().filter(|fate| !matches!(fate.end, End::Allowed(_))) {
        let group = fate.mutant.wrong.group();
        if !groups.contains(&group) {
            groups.push(group);
        }
        let (noticed, all) = matrix.entry(fate.mutant.kind.question()).or_default().entry(group).or_default();
        *noticed += usize::from(fate.end != End::Survived);
        *all += 1;
    }
    let mut text = format!("\n| asked | {} |\n|---|{}\n", groups.join(" | "), "---|".repeat(groups.len()));
    for (asked, row) in matrix {
        let cell = |group| row.get(group).map_or_else(String::new, |(noticed, all)| format!("{noticed}/{all}"));
        let _ = writeln!(text, "| {asked} | {} |", groups.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    let count = |is: fn(&End) -> bool| fates.iter().filter(|fate| is(&fate.end)).count();
    let survive = count(|end| matches!(end, End::Survived));
    let _ = writeln!(
        text,
        "\n{} mutants: {survive} survive ({:.1}%), {} are accused though a text leaves them open, {} are left open",
        fates.len(),
        // Some thousands at most.
        100.0 * survive as f64 / fates.len().max(1) as f64,
        count(|end| matches!(end, End::Accused(..))),
        count(|end| matches!(end, End::Allowed(_))),
    );
    text
}
