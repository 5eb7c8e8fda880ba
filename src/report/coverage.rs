//! `docs/coverage.md`: the ledger of requirements, and what the mutants came to.

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

/// How many mutants there were, and how many of them show a hole.
pub fn mutants(fates: &[Fate]) -> String {
    let count = |is: fn(&End) -> bool| fates.iter().filter(|fate| is(&fate.end)).count();
    format!(
        "{} mutants: {} survive, {} are accused though a text leaves them open, {} are left open\n",
        fates.len(),
        count(|end| matches!(end, End::Survived)),
        count(|end| matches!(end, End::Accused(..))),
        count(|end| matches!(end, End::Allowed(_))),
    )
}
