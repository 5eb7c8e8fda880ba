//! `fixtures/bad/`: what must be refused. Each file says in comments where its faults are (`# fault: LINE:COLUMN TEXT`, where
//! TEXT stands there; `# fault: @PATH LINE:COLUMN` of another file), and beside it a snapshot has the diagnostics in full.
//! `LACUNA_ACCEPT=1` writes the snapshots; a missing one is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lacuna::suite::{Diagnostics, SuiteSource, load};
use libtest_mimic::{Arguments, Failed, Trial};

const ROOT: &str = "fixtures/bad";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let entries = entries();
    let mut trials: Vec<Trial> = entries
        .iter()
        .map(|path| {
            let path = path.clone();
            Trial::test(path.to_string_lossy().into_owned(), move || refused(&path))
        })
        .collect();
    let all = entries.clone();
    trials.push(Trial::test("all-differ", move || all_differ(&all)));
    trials.push(Trial::test("no-snapshot-is-left-over", move || left_over(&entries)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every case file and every folder that must be refused.
fn entries() -> Vec<PathBuf> {
    let list =
        |folder: &str| std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = list("cases").filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let folders = list("suites").filter(|path| path.is_dir());
    let mut all: Vec<PathBuf> = files.chain(folders).collect();
    all.sort();
    assert!(all.len() > 100, "only {} entries in {ROOT}", all.len());
    all
}

fn diagnostics(path: &Path) -> Result<Diagnostics, Failed> {
    match load(&SuiteSource::Folder(path.to_owned())) {
        Ok(library) => Err(format!("it is taken: {} instances", library.instances.len()).into()),
        Err(diagnostics) => Ok(diagnostics),
    }
}

fn snapshot(path: &Path) -> PathBuf {
    path.with_extension("txt")
}

/// It is refused, at the declared places and with the accepted words.
fn refused(path: &Path) -> Result<(), Failed> {
    let diagnostics = diagnostics(path)?;
    let got: BTreeSet<(String, usize, usize)> =
        diagnostics.0.iter().map(|d| (d.source.file.to_string(), d.source.line, d.source.column)).collect();
    let mut declared = BTreeSet::new();
    for file in files(path) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for (other, line, column, token) in faults(&text) {
            if let (Some(token), None) = (&token, &other) {
                let stands =
                    text.lines().nth(line - 1).unwrap_or_default().chars().skip(column - 1).collect::<String>();
                if !stands.starts_with(token.as_str()) {
                    return Err(format!("at {line}:{column} of {} there is not `{token}`", file.display()).into());
                }
            }
            let place =
                other.map_or(file.clone(), |other| if other == "." { path.to_owned() } else { path.join(other) });
            declared.insert((place.to_string_lossy().into_owned(), line, column));
        }
    }
    let rendered = diagnostics.render(false);
    if got != declared {
        return Err(format!("declared are {declared:?},\ngot were {got:?}:\n{rendered}").into());
    }
    if let Some(long) = rendered.lines().find(|line| line.chars().count() > 420) {
        return Err(format!("a line of {} characters", long.chars().count()).into());
    }
    if rendered.chars().any(|c| c.is_control() && c != '\n') {
        return Err("a control character is printed".into());
    }
    let snapshot = snapshot(path);
    if std::env::var_os("LACUNA_ACCEPT").is_some() {
        std::fs::write(&snapshot, &rendered).unwrap();
        return Ok(());
    }
    let accepted = std::fs::read_to_string(&snapshot)
        .map_err(|e| Failed::from(format!("{}: {e}; LACUNA_ACCEPT=1 writes it", snapshot.display())))?;
    if accepted == rendered {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&accepted, &rendered).unified_diff().to_string();
    Err(format!("not as accepted (LACUNA_ACCEPT=1 accepts it):\n{diff}").into())
}

/// The files of an entry.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect();
    all.sort();
    all
}

/// The declared faults: another file, line, column, what stands there.
fn faults(text: &str) -> Vec<(Option<String>, usize, usize, Option<String>)> {
    let declared = text.lines().filter_map(|line| line.trim_start_matches('\u{feff}').strip_prefix("# fault: "));
    declared
        .map(|rest| {
            let (other, rest) = match rest.strip_prefix('@') {
                Some(rest) => rest.split_once(' ').map(|(other, rest)| (Some(other.to_owned()), rest)).unwrap(),
                None => (None, rest),
            };
            let (place, token) =
                rest.split_once(' ').map_or((rest, None), |(place, token)| (place, Some(token.to_owned())));
            let (line, column) = place.split_once(':').unwrap();
            (other, line.trim().parse().unwrap(), column.trim().parse().unwrap(), token)
        })
        .collect()
}

/// No two entries are refused with the same words, and there are many kinds of diagnostics, names and numbers aside.
fn all_differ(entries: &[PathBuf]) -> Result<(), Failed> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for path in entries {
        let diagnostics = diagnostics(path)?.0;
        kinds.extend(diagnostics.iter().map(|d| kind(&d.message)));
        let own: BTreeSet<String> = diagnostics.iter().map(|d| format!("{} {:?}", d.message, d.help)).collect();
        for words in own {
            if let Some(other) = seen.insert(words.clone(), path.display().to_string()) {
                return Err(format!("{other} and {} are refused with the same words: {words}", path.display()).into());
            }
        }
    }
    if kinds.len() < 100 {
        return Err(format!("only {} kinds of diagnostics: {kinds:#?}", kinds.len()).into());
    }
    Ok(())
}

/// A message without what it names.
fn kind(message: &str) -> String {
    let outside = message.split('`').step_by(2).collect::<Vec<_>>().join("`");
    outside.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Every snapshot has its entry.
fn left_over(entries: &[PathBuf]) -> Result<(), Failed> {
    let expected: BTreeSet<PathBuf> = entries.iter().map(|path| snapshot(path)).collect();
    for folder in ["cases", "suites"] {
        for path in std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_some_and(|extension| extension == "txt") && !expected.contains(&path) {
                return Err(format!("{} belongs to nothing", path.display()).into());
            }
        }
    }
    Ok(())
}
