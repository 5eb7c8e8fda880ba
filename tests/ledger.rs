//! The ledger against the specification's own text: no line that demands or permits is without an entry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use lacuna::suite::{SuiteSource, load};

/// The key words of RFC 2119.
const WORDS: [&str; 7] = ["MUST", "SHOULD", "SHALL", "MAY", "REQUIRED", "RECOMMENDED", "OPTIONAL"];

/// The line that says what the key words mean.
const MEANING: usize = 82;

/// A module's folder, as the Go tool keeps it.
fn module(name: &str) -> Option<PathBuf> {
    let cache = Command::new("go").args(["env", "GOMODCACHE"]).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(cache.stdout).ok()?.trim()).join(name);
    folder.is_dir().then_some(folder)
}

/// The lines of `v1.1.1 L10, L20-22` in a source, which other sources may stand beside.
fn cited(source: &str) -> impl Iterator<Item = usize> {
    let parts = source.split(';').filter_map(|part| part.trim().strip_prefix("v1.1.1 "));
    let spans = parts.flat_map(|part| part.split(',')).filter_map(|span| span.trim().strip_prefix('L'));
    spans.flat_map(|span| {
        let (first, last) = span.split_once('-').unwrap_or((span, span));
        let number = |text: &str| text.trim_start_matches('L').parse::<usize>().unwrap_or_else(|_| panic!("{span}"));
        number(first)..=number(last)
    })
}

#[test]
fn every_line_of_the_distribution_spec_that_demands_has_an_entry() {
    let Some(folder) = module("github.com/opencontainers/distribution-spec@v1.1.1") else {
        let text =
            "the distribution-spec is not there: go mod download github.com/opencontainers/distribution-spec@v1.1.1";
        assert!(std::env::var("CI").is_err(), "{text}");
        eprintln!("{text}");
        return;
    };
    let spec = std::fs::read_to_string(folder.join("spec.md")).unwrap();
    let lines: Vec<&str> = spec.lines().collect();
    let library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let mut seen = BTreeSet::new();
    for requirement in library.requirements.values() {
        for line in cited(&requirement.source) {
            let text = lines.get(line - 1).unwrap_or_else(|| panic!("{}: there is no line {line}", requirement.id));
            seen.insert(line);
            // Spans go over blank lines; a single one says nothing.
            let alone = requirement.source.split([',', ';']).any(|span| span.trim().ends_with(&format!("L{line}")));
            assert!(!alone || !text.trim().is_empty(), "{}: line {line} is blank", requirement.id);
        }
    }
    let demands = |line: &str| line.split(|c: char| !c.is_ascii_alphabetic()).any(|word| WORDS.contains(&word));
    let missing: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(at, text)| (at + 1, text))
        .filter(|(line, text)| *line != MEANING && demands(text) && !seen.contains(line))
        .map(|(line, text)| format!("L{line}: {text}"))
        .collect();
    assert!(missing.is_empty(), "no requirement speaks of these lines:\n{}", missing.join("\n"));
}
