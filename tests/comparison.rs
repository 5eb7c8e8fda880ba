//! `docs/comparison.md`: the OCI's suite and lacuna on the same registries, and what each finds that the other does not. With
//! `UPDATE_COMPARISON=1 PEERS=all` it is written, else it is held against what the OCI's suite says now of the registries that are here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use kit::{OciSuite, find, missing};
use lacuna::report::publish::{Summary, summaries};
use lacuna::suite::{SuiteSource, load};
use lacuna::target::argument::TargetSpec;
use lacuna::target::launch::LaunchError;
use lacuna::target::open::{OpenError, open};
use lacuna::verdict::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};

/// Of which registries, and whether each is asked without `PEERS=all` too.
const PROFILES: &[(&str, bool)] = &[
    ("docker-registry", true),
    ("distribution-3.0-none", false),
    ("distribution-3.0-list", false),
    ("distribution-3.0-all", false),
    ("distribution-none", true),
    ("distribution-list", true),
    ("distribution-all", true),
    ("distribution-memory", false),
    ("olareg", true),
    ("olareg-sparse", true),
    ("olareg-dir", true),
    ("olareg-sparse-dir", true),
    ("crane", false),
    ("ferro", false),
];

/// What we say of each part of the OCI's suite that fails: profiles, the part, our answer.
const ANSWERS: &str = include_str!("comparison/answers.tsv");

const DOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/comparison.md");

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let all = std::env::var("PEERS").is_ok_and(|which| which == "all");
    let is_written = std::env::var_os("UPDATE_COMPARISON").is_some();
    let trials = if is_written {
        vec![Trial::test("written", write)]
    } else {
        let trial = |&(profile, quick): &(&'static str, bool)| {
            Trial::test(format!("said::{profile}"), move || said(profile)).with_ignored_flag(!quick && !all)
        };
        PROFILES.iter().map(trial).chain([Trial::test("whole", whole)]).collect()
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// Writes the page: all registries have to be here.
fn write() -> Result<(), Failed> {
    let mut findings = BTreeMap::new();
    for (profile, _) in PROFILES {
        findings.insert(*profile, Finding::of(profile)?.ok_or_else(|| format!("`{profile}` is not installed"))?);
    }
    let mut rows = String::new();
    for (profile, _) in PROFILES {
        rows.push_str(&row(profile, &findings[profile])?);
    }
    std::fs::write(DOC, page(&rows)?)?;
    Ok(())
}

/// A registry's row is what the OCI's suite and the published summary say now, and each part that fails has an answer.
fn said(profile: &'static str) -> Result<(), Failed> {
    let Some(finding) = Finding::of(profile)? else {
        return missing(profile);
    };
    let row = row(profile, &finding)?;
    let is_there = std::fs::read_to_string(DOC)?.contains(&row);
    is_there.then_some(()).ok_or_else(|| format!("{STALE}\n{row}").into())
}

/// The rest of the page is made of the committed answers and summaries, and of rows that are looked at one by one.
fn whole() -> Result<(), Failed> {
    let text = std::fs::read_to_string(DOC)?;
    let rows: String = text
        .split(FAILED)
        .next()
        .into_iter()
        .flat_map(|above| above.split_inclusive('\n'))
        .filter(|line| line.starts_with("| `"))
        .collect();
    (page(&rows)? == text).then_some(()).ok_or_else(|| STALE.into())
}

const STALE: &str =
    "docs/comparison.md says something else: UPDATE_COMPARISON=1 PEERS=all cargo test --release --test comparison";

/// What the OCI's suite says of a registry, by edition of the spec.
struct Finding(BTreeMap<&'static str, Edition>);

/// What it says by one edition.
struct Edition {
    said: OciSuite,
    /// The parts of it that fail.
    failed: BTreeSet<String>,
}

impl Finding {
    /// Asks a fresh registry for each edition; `None` where a program is not installed.
    fn of(profile: &str) -> Result<Option<Finding>, Failed> {
        let Some(suite) = find("conformance") else { return Ok(None) };
        let spec = TargetSpec::parse(Some(profile)).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Runtime::new()?;
        let mut editions = BTreeMap::new();
        for edition in ["1.1", "dev"] {
            let live = match runtime.block_on(open(&spec)) {
                Ok(live) => live,
                Err(OpenError::Launch(LaunchError::Missing { .. })) => return Ok(None),
                Err(error) => return Err(error.to_string().into()),
            };
            editions.insert(edition, Edition::of(&suite, &live.url, edition)?);
        }
        Ok(Some(Finding(editions)))
    }

    fn failed(&self) -> BTreeSet<&String> {
        self.0.values().flat_map(|edition| &edition.failed).collect()
    }
}

impl Edition {
    fn of(suite: &Path, url: &str, edition: &str) -> Result<Edition, Failed> {
        let said = OciSuite::run(suite, url.trim_start_matches("http://"), edition)?;
        let results: Results = serde_saphyr::from_str(&std::fs::read_to_string(said.out.path().join("results.yaml"))?)?;
        let parts = results.apis.into_iter().chain(results.data);
        let failed = parts.filter(|(_, how)| how == "FAIL").map(|(part, _)| part).collect();
        Ok(Edition { said, failed })
    }

    fn count(&self, what: &str) -> Result<u64, String> {
        self.said.count(what).ok_or_else(|| format!("the OCI's suite does not count {what}:\n{}", self.said.text))
    }
}

#[derive(serde::Deserialize)]
struct Results {
    apis: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
}

/// A part that fails, in which registries, and what we say of it.
struct Answer {
    profiles: Vec<&'static str>,
    part: &'static str,
    ours: &'static str,
}

impl Answer {
    fn all() -> Vec<Answer> {
        let rows = ANSWERS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let answer = |line: &'static str| {
            let [profiles, part, ours] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("answers.tsv: not three columns: {line}")
            };
            Answer { profiles: profiles.split(' ').collect(), part, ours }
        };
        rows.map(answer).collect()
    }

    fn is_of(&self, profile: &str) -> bool {
        self.profiles
            .iter()
            .any(|own| own.strip_suffix('*').map_or(*own == profile, |begin| profile.starts_with(begin)))
    }

    /// The requirements that it names.
    fn requirements(&self) -> impl Iterator<Item = &'static str> {
        self.ours.split('`').skip(1).step_by(2).filter(|name| name.contains('.') && !name.contains('/'))
    }
}

/// The published summary of a profile.
fn summary(profile: &str) -> Summary {
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/published");
    let all = summaries(Path::new(published)).unwrap_or_else(|error| panic!("{error}"));
    all.into_values().find(|summary| summary.profile == profile).unwrap_or_else(|| panic!("{profile} is not published"))
}

/// The requirements that a registry breaks, as published, with the number of cases that show it.
fn broken(summary: &Summary) -> BTreeMap<String, usize> {
    let mut broken = BTreeMap::<String, BTreeSet<&str>>::new();
    for told in &summary.known {
        for shows in &told.shows {
            let id = shows.split_once(": ").map_or(shows.as_str(), |(id, _)| id);
            broken.entry(id.to_owned()).or_default().extend(told.cases.iter().map(String::as_str));
        }
    }
    broken.into_iter().map(|(id, cases)| (id, cases.len())).collect()
}

/// Those of the broken requirements to which no failure of the OCI's suite leads.
fn alone(mut broken: BTreeMap<String, usize>, answers: &[Answer]) -> BTreeMap<String, usize> {
    broken.retain(|id, _| !answers.iter().any(|answer| answer.requirements().any(|own| own == id)));
    broken
}

/// A registry's row. Each part that fails has an answer, and each answer a part that fails.
fn row(profile: &str, finding: &Finding) -> Result<String, Failed> {
    let answers: Vec<Answer> = Answer::all().into_iter().filter(|answer| answer.is_of(profile)).collect();
    for part in finding.failed() {
        if !answers.iter().any(|answer| answer.part == part) {
            return Err(format!("{profile}: `{part}` fails there: no answer in tests/comparison/answers.tsv").into());
        }
    }
    for answer in &answers {
        if !finding.failed().iter().any(|part| *part == answer.part) {
            return Err(format!("{profile}: `{}` does not fail there: take the answer away", answer.part).into());
        }
    }
    let oci = |edition: &str| {
        let said = &finding.0[edition];
        Ok::<_, String>(format!("{} / {} / {}", said.count("Pass")?, said.count("FAIL")?, said.failed.len()))
    };
    let summary = summary(profile);
    let broken = broken(&summary);
    for id in answers.iter().flat_map(Answer::requirements) {
        if !broken.contains_key(id) && !summary.warnings.contains_key(id) {
            return Err(format!("{profile}: answers.tsv says that lacuna shows `{id}`, which it does not").into());
        }
    }
    let count = |verdict| summary.totals.get(&verdict).copied().unwrap_or_default();
    let asked = count(Verdict::Pass) + count(Verdict::Warn) + count(Verdict::Known);
    let requirements = broken.len();
    Ok(format!(
        "| `{profile}` | {} | {} | {asked} / {} / {} | {} |\n",
        oci("1.1")?,
        oci("dev")?,
        count(Verdict::Known),
        requirements,
        alone(broken, &answers).len(),
    ))
}

/// The page, with these rows.
fn page(rows: &str) -> Result<String, Failed> {
    let library = load(&SuiteSource::Shipped).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let answers = Answer::all();
    let mut text = format!("{HEAD}{rows}\n{FAILED}");
    if let Some(id) = answers.iter().flat_map(Answer::requirements).find(|id| !library.requirements.contains_key(*id)) {
        return Err(format!("answers.tsv: `{id}` is no requirement").into());
    }
    // Parts that fail for the same reason in the same registries stand together, in the place of the first.
    let mut told: Vec<(&[&str], &str, Vec<&str>)> = Vec::new();
    for Answer { profiles, part, ours } in &answers {
        match told.iter_mut().find(|(of, why, _)| of == profiles && why == ours) {
            Some((.., parts)) => parts.push(part),
            None => told.push((profiles, ours, vec![part])),
        }
    }
    for (profiles, ours, parts) in told {
        let profiles: Vec<String> = profiles.iter().map(|profile| format!("`{profile}`")).collect();
        let _ = writeln!(text, "| {} | {} | {ours} |", parts.join(", "), profiles.join(" "));
    }
    text.push_str(ONLY);
    for (profile, _) in PROFILES {
        let mine = Answer::all().into_iter().filter(|answer| answer.is_of(profile)).collect::<Vec<_>>();
        let only = alone(broken(&summary(profile)), &mine).into_iter();
        let only: Vec<String> = only.map(|(id, cases)| format!("`{id}` {cases}")).collect();
        let _ = writeln!(text, "| `{profile}` | {} |", if only.is_empty() { "-".into() } else { only.join(", ") });
    }
    Ok(text)
}

const HEAD: &str = "\
# The OCI's suite and lacuna, side by side

The OCI's conformance suite (`conformance`, as `.ci/peers` installs it, `OCI_DATA_SPARSE=true`, everything else as it is by default) and lacuna on the same registries, each freshly started from
the profile. Written by `UPDATE_COMPARISON=1 PEERS=all cargo test --release --test comparison`; the same test without the first holds it against what is said now.

By edition, of the OCI's suite: its tests that pass / that fail / the parts (APIs and data) that they belong to. Of lacuna, as [published](../reports/published/README.md), by 1.1: instances that were asked / that fail as recorded / the
requirements that these break; and how many of these requirements no failure of the OCI's suite leads to.

| registry | OCI's suite 1.1 | OCI's suite dev | lacuna | of lacuna's alone |
|---|---|---|---|---|
";

const FAILED: &str = "\
The numbers of the two do not compare as such. A test of the OCI's suite goes on with what a failed one left: where an index is refused, its HEAD, its GETs and its tag fail too.

## What the OCI's suite fails, and what lacuna says of it

| part | registries | lacuna |
|---|---|---|
";

const ONLY: &str = "
## What only lacuna shows

Requirements that a registry breaks, each with the number of instances that show it, where no failure of the OCI's suite leads to it.

| registry | requirements |
|---|---|
";
