//! `lacuna coverage`: the ledger as runs observe it, and mutants that a few cases notice or let pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use lacuna::plan::Filter;
use lacuna::proof::Proof;
use lacuna::proof::coverage::{Covered, case_name};
use lacuna::proof::mutants::End;
use lacuna::report::coverage as report;
use lacuna::suite::{Library, SuiteSource, load};

/// The shipped cases of these topics alone.
fn cases(topics: &[&str]) -> Library {
    let mut library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    library.instances.retain(|case| topics.iter().any(|topic| case.id.starts_with(topic)));
    library
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_case_observes_or_no_defect_breaks_is_a_hole() {
    let covered = Proof::new(cases(&["pull/range/"])).coverage().await.unwrap();
    let hole = |id: &str| covered.iter().find(|row| row.requirement.id == id).expect(id).hole();
    assert_eq!(hole("blob.range.bytes"), None);
    assert_eq!(hole("tags.complete"), Some("no case observes it"));
    let text = report::ledger(&covered);
    assert!(text.contains("| tags.complete | no case observes it |"), "{text}");
    assert!(text.contains("pull/range/slice"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutant_is_noticed_by_a_case_that_gets_its_kind_of_answer_or_survives() {
    let proof = Proof::new(cases(&["pull/range/", "tags/list/"]));
    let wanted = |name: &str| name.starts_with("GET/blob/206/") || name.starts_with("GET/tags/200/");
    let mut told = String::new();
    let fates = proof.mutants(wanted, |fate| told.push_str(&report::fate(fate))).await.unwrap();
    let end = |name: &str| &fates.iter().find(|fate| fate.mutant.name() == name).expect(name).end;
    for (name, requirement) in [
        ("GET/blob/206/content-range/dropped", "blob.range.header"),
        ("GET/blob/206/body/changed", "blob.range.bytes"),
        ("GET/tags/200/list/last", "tags.complete"),
        ("GET/tags/200/list/foreign", "tags.no-phantom"),
    ] {
        assert!(matches!(end(name), End::Failed(_, by) if by == requirement), "{name}: {:?}", end(name));
    }
    // Nothing says how a list of tags is spaced.
    assert_eq!(end("GET/tags/200/body/reserialised"), &End::Allowed("tags.form"));
    assert!(told.contains("GET/tags/200/body/reserialised  is left open by tags.form\n"));
    let text = report::mutants(&fates);
    assert!(text.contains(&format!("\n{} mutants: ", fates.len())), "{text}");
    assert!(text.contains("\n| GET tags | "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutant_that_makes_nothing_wrong_is_none() {
    let proof = Proof::new(cases(&["missing/blob/", "missing/algorithm/"]));
    let wanted = |name: &str| name.starts_with("HEAD/blob/");
    let fates = proof.mutants(wanted, |_| {}).await.unwrap();
    let names: Vec<String> = fates.iter().map(|fate| fate.mutant.name()).collect();
    // An answer to HEAD has no body that could be cut.
    assert!(names.len() > 10 && !names.iter().any(|name| name.contains("/body/")), "{names:#?}");
}

/// The observations are the file's own, since to make them anew takes a while; what is computed from them and all else is not.
#[test]
fn the_page_is_what_the_command_writes() {
    let library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coverage.md")).unwrap();
    let names: BTreeSet<String> = library.instances.iter().map(|case| case_name(&case.id)).collect();
    let rows: BTreeMap<&str, BTreeSet<String>> = text
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix('|')?.split(" | ").collect();
            let [id, _, _, _, _, cases, _] = cells[..] else { return None };
            let cases = cases.split(' ').filter(|case| names.contains(*case)).map(str::to_owned).collect();
            Some((id, cases))
        })
        .collect();
    let covered = library.requirements.iter();
    let covered =
        covered.map(|(id, requirement)| Covered::of(requirement, rows.get(&**id).cloned().unwrap_or_default()));
    let ours = report::ledger(&covered.collect::<Vec<_>>());
    let differs = ours.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
    assert!(
        ours == text,
        "docs/coverage.md is older than the suites: lacuna coverage > docs/coverage.md\n{differs:#?}"
    );
}

#[test]
fn the_museum_names_cases_that_there_are() {
    let library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/museum.md")).unwrap();
    let areas: Vec<&str> = library.instances.iter().filter_map(|case| case.id.split('/').next()).collect();
    let quoted =
        text.lines().flat_map(|line| line.rsplit(" | ").next().unwrap_or_default().split('`').skip(1).step_by(2));
    let named: Vec<&str> =
        quoted.filter(|name| name.split('/').count() > 2 && areas.contains(&name.split('/').next().unwrap())).collect();
    assert!(named.len() > 200, "only {} cases are named", named.len());
    for name in named {
        let filter = Filter::parse(name).unwrap();
        assert!(library.instances.iter().any(|case| filter.selects(&case.id)), "docs/museum.md: no case is `{name}`");
    }
}
