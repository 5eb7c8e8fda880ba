//! The ledger against the specifications' own text: no line that demands or permits is without an entry.
//!
//! v1.1.1 of the distribution-spec and of the image-spec are read as Go modules. Of the development version, and of the RFCs, there are
//! lists in `tests/ledger`; the former is held against the text where `DISTRIBUTION_SPEC_DEV` names its spec.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use lacuna::content::digest::Digest;
use lacuna::content::graph::Algorithm;
use lacuna::suite::{Library, SuiteSource, load};

/// The key words of RFC 2119.
const WORDS: [&str; 7] = ["MUST", "SHOULD", "SHALL", "MAY", "REQUIRED", "RECOMMENDED", "OPTIONAL"];

/// The line that says what the key words mean, in v1.1.1 and in the development version.
const MEANING: [usize; 2] = [82, 80];

/// The parts of the image-spec that a registry must know; in the others content is described, which is bytes to it.
const IMAGE_SPEC: [&str; 6] =
    ["image-index.md", "manifest.md", "descriptor.md", "media-types.md", "annotations.md", "considerations.md"];

/// A file and a line of it.
type Place = (String, usize);

fn library() -> Library {
    load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The text of a module's file, as the Go tool keeps it. `None` where the module is not there, which is wrong in CI.
fn module(name: &str, file: &str) -> Option<String> {
    let cache = Command::new("go").args(["env", "GOMODCACHE"]).output().ok();
    let cache = cache.and_then(|cache| String::from_utf8(cache.stdout).ok()).unwrap_or_default();
    let path = PathBuf::from(cache.trim()).join(name).join(file);
    if !path.is_file() {
        let text = format!("{name} is not there: go mod download {name}");
        assert!(std::env::var("CI").is_err(), "{text}");
        eprintln!("{text}");
        return None;
    }
    Some(std::fs::read_to_string(path).unwrap())
}

fn demands(line: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphabetic()).any(|word| WORDS.contains(&word))
}

/// The numbers of `L10` and `L20-22`.
fn span(text: &str) -> std::ops::RangeInclusive<usize> {
    let number = |text: &str| text.trim_start_matches('L').parse::<usize>().unwrap_or_else(|_| panic!("`{text}`"));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    number(first)..=number(last)
}

/// The lines of `v1.1.1 L10, L20-22; image-spec manifest.md L3` in a source, which other sources may stand beside. The file of the
/// distribution-spec is `spec.md`.
fn cited(source: &str) -> Vec<(Place, bool)> {
    let mut places = Vec::new();
    for part in source.split(';').map(str::trim) {
        let (mut file, spans) = match (part.strip_prefix("v1.1.1 "), part.strip_prefix("image-spec ")) {
            (Some(spans), _) => ("spec.md", spans),
            (_, Some(spans)) => ("", spans),
            _ => continue,
        };
        for text in spans.split(',').map(|text| text.trim().trim_start_matches("v1.1.1 ")) {
            let lines = match text.split_once(' ') {
                Some((named, lines)) => {
                    file = named;
                    lines
                }
                None => text,
            };
            let lines = span(lines);
            let alone = lines.clone().count() == 1;
            places.extend(lines.map(|line| ((file.to_owned(), line), alone)));
        }
    }
    places
}

/// Asserts that each line of a text that demands is cited, and that no citation names a line that is not there.
fn is_covered(file: &str, text: &str, except: &[usize]) {
    let lines: Vec<&str> = text.lines().collect();
    let mut seen = BTreeSet::new();
    for requirement in library().requirements.values() {
        for ((named, line), alone) in cited(&requirement.source).into_iter().filter(|((named, _), _)| named == file) {
            let said = lines.get(line - 1).unwrap_or_else(|| panic!("{}: {named} has no line {line}", requirement.id));
            // Spans go over blank lines; a single one says nothing.
            assert!(!alone || !said.trim().is_empty(), "{}: line {line} of {named} is blank", requirement.id);
            seen.insert(line);
        }
    }
    let missing: Vec<String> = (1..)
        .zip(&lines)
        .filter(|(line, text)| demands(text) && !except.contains(line) && !seen.contains(line))
        .map(|(line, text)| format!("{file} L{line}: {text}"))
        .collect();
    assert!(missing.is_empty(), "no requirement speaks of these lines:\n{}", missing.join("\n"));
}

#[test]
fn every_line_of_the_distribution_spec_that_demands_has_an_entry() {
    if let Some(text) = module("github.com/opencontainers/distribution-spec@v1.1.1", "spec.md") {
        is_covered("spec.md", &text, &MEANING[..1]);
    }
}

#[test]
fn every_line_of_the_image_spec_that_demands_and_a_registry_must_know_has_an_entry() {
    for file in IMAGE_SPEC {
        if let Some(text) = module("github.com/opencontainers/image-spec@v1.1.1", file) {
            is_covered(file, &text, &[]);
        }
    }
}

/// A list of `tests/ledger`, without its head.
fn list(name: &str) -> Vec<Vec<String>> {
    let path = format!("{}/tests/ledger/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The first 12 digits of a sentence's sha256.
fn hash(line: &str) -> String {
    Digest::of(Algorithm::Sha256, line.trim().as_bytes()).hex().chars().take(12).collect()
}

#[test]
fn every_line_of_the_development_version_has_an_entry_or_a_reason() {
    let library = library();
    let cited: BTreeSet<Place> = library.requirements.values().flat_map(|r| cited(&r.source)).map(|(p, _)| p).collect();
    let mut lines = BTreeMap::new();
    for row in list("dev.tsv") {
        let [line, hash, ledger] = &row[..] else { panic!("{row:?}: a line, a hash, and what looks after it") };
        // The same sentence as in v1.1.1; why there is none; or entries.
        if let Some(same) = ledger.strip_prefix("v1.1.1 L") {
            let place = ("spec.md".to_owned(), same.parse().unwrap());
            let meaning = place.1 == MEANING[0];
            assert!(meaning || cited.contains(&place), "dev L{line}: no requirement speaks of v1.1.1 L{same}");
        } else if ledger.strip_prefix("- ").is_none_or(str::is_empty) {
            for id in ledger.split(' ') {
                assert!(library.requirements.contains_key(id), "dev L{line}: there is no requirement `{id}`");
            }
        }
        assert!(lines.insert(line.parse::<usize>().unwrap(), hash.clone()).is_none(), "dev L{line} is there twice");
    }
    for requirement in library.requirements.values() {
        let spans = requirement.source.split(';').filter_map(|part| part.trim().strip_prefix("dev "));
        for line in spans.flat_map(|spans| spans.split(',')).filter_map(|text| {
            let lines = span(text.trim());
            (lines.clone().count() == 1).then(|| *lines.start())
        }) {
            assert!(lines.contains_key(&line), "{}: dev L{line} is not in tests/ledger/dev.tsv", requirement.id);
        }
    }
    let Ok(path) = std::env::var("DISTRIBUTION_SPEC_DEV") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let said: Vec<&str> = text.lines().collect();
    for (line, hash_of_list) in &lines {
        let sentence = said.get(line - 1).unwrap_or_else(|| panic!("there is no line {line}"));
        assert_eq!(hash(sentence), *hash_of_list, "dev L{line} says something else now: {sentence}");
    }
    let missing = |(line, text): &(usize, &&str)| demands(text) && *line != MEANING[1] && !lines.contains_key(line);
    let missing: Vec<_> = (1..).zip(&said).filter(missing).collect();
    assert!(missing.is_empty(), "tests/ledger/dev.tsv has nothing for these lines: {missing:?}");
}

#[test]
fn every_line_of_the_rfcs_that_the_ledger_leans_on_has_an_entry() {
    let library = library();
    let rows = list("rfc.tsv");
    let mut sections = BTreeSet::new();
    for row in &rows {
        let [document, section, _, _, ledger, ..] = &row[..] else { panic!("{row:?}: five columns, or six") };
        assert!(!ledger.is_empty(), "{document} {section}: nothing looks after it");
        for id in ledger.split(' ') {
            assert!(library.requirements.contains_key(id), "{document} {section}: there is no requirement `{id}`");
        }
        sections.extend(section.split([',', ';']).map(|section| format!("{document} {}", section.trim())));
    }
    assert!(rows.len() > 100, "only {} sentences", rows.len());
    for requirement in library.requirements.values() {
        let parts = requirement.source.split(';').filter(|part| part.trim().starts_with("RFC "));
        for part in parts {
            let mut words = part.trim().splitn(3, ' ');
            let document = format!("{} {}", words.next().unwrap(), words.next().unwrap());
            let known = sections.iter().any(|known| known.starts_with(&document));
            assert!(known, "{}: nothing of {document} is in tests/ledger/rfc.tsv", requirement.id);
        }
    }
}
