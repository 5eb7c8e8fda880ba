//! What is published of a run: a small summary to be reviewed like code, a page that tells it, and an index of all of them.
//!
//! A summary is from a record alone, and a page from summaries alone; nothing in them is of the machine that ran it.

mod folder;
mod page;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use folder::{Refused, publish, summaries};
pub use page::{index, page};

use super::savings::{self, Saving};
use super::{console, groups};
use crate::record::{Answer, CaseRecord, Harness, RunRecord, answers};
use crate::suite::requirement::{Level, Spec};
use crate::target::findings::Is;
use crate::verdict::Verdict;

/// Version of the format of `summary.json`.
pub const SCHEMA: u32 = 1;

/// One run in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Summary {
    /// Version of this format.
    pub schema: u32,
    /// The product, without its version; the profile's name where the profile does not say.
    pub product: String,
    /// Its version.
    pub version: Option<String>,
    /// The profile's name.
    pub profile: String,
    /// The harness.
    pub lacuna: Harness,
    /// The day on which the run ended, UTC: `2026-11-24`.
    pub date: String,
    /// The edition that it was judged by.
    pub spec: Spec,
    /// The level from which a mismatch fails.
    pub level: Level,
    /// In words, by format.
    pub stance: BTreeMap<String, String>,
    /// By name.
    pub capabilities: BTreeMap<String, Is>,
    /// The mission's eleven questions.
    pub answers: Vec<Answer>,
    /// Cases by verdict, every one of them, zeros too.
    pub totals: BTreeMap<Verdict, u64>,
    /// Cases by area and verdict, without zeros.
    pub areas: BTreeMap<String, BTreeMap<Verdict, u64>>,
    /// What fails and nobody has decided on, or could not be asked.
    pub open: Vec<Told>,
    /// What is known to fail.
    pub known: Vec<Told>,
    /// How many cases only warn, by requirement.
    pub warnings: BTreeMap<String, u64>,
    /// How many cases were skipped, by reason.
    pub skips: BTreeMap<String, u64>,
    /// What sparse copies of one index saved, where the storage could be measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub savings: Vec<Saving>,
    /// How long the run took, in seconds.
    pub seconds: f64,
}

/// Cases that show the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Told {
    /// What is broken, and by what: `manifest.get.malformed: status 500`.
    pub shows: Vec<String>,
    /// The cases, by id.
    pub cases: Vec<String>,
    /// Why it is so; empty where nobody has said.
    pub reason: String,
    /// Where that is borne out: spec section, the product's source or issue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

impl Summary {
    /// Of a whole run.
    pub fn of(record: &RunRecord) -> Summary {
        let (product, version) = product(record);
        let mut areas: BTreeMap<String, BTreeMap<Verdict, u64>> = BTreeMap::new();
        for case in &record.cases {
            let area = case.id.split('/').next().unwrap_or_default().to_owned();
            *areas.entry(area).or_default().entry(case.verdict).or_default() += 1;
        }
        let mut warnings = BTreeMap::new();
        for group in groups::warnings(record) {
            *warnings.entry(group.first.requirement.clone()).or_default() += group.cases.len() as u64;
        }
        let mut skips = BTreeMap::new();
        for case in record.cases.iter().filter(|case| case.verdict == Verdict::Skip) {
            let reason = console::short(case.reason.as_deref().unwrap_or_default());
            *skips.entry(reason.to_owned()).or_default() += 1;
        }
        Summary {
            schema: SCHEMA,
            product,
            version,
            profile: record.target.name.clone(),
            lacuna: record.lacuna.clone(),
            date: record.finished.chars().take(10).collect(),
            spec: record.spec,
            level: groups::level(record),
            stance: record.stance.iter().map(|(format, found)| (format.clone(), answers::words(found))).collect(),
            capabilities: record.capabilities.iter().map(|(name, found)| (name.clone(), found.is)).collect(),
            answers: record.answers.clone(),
            totals: record.totals.clone(),
            areas,
            open: told(record, |v| matches!(v, Verdict::Fail | Verdict::Error | Verdict::Fixed)),
            known: told(record, |v| v == Verdict::Known),
            warnings,
            skips,
            savings: savings::savings(record),
            seconds: super::seconds(record).map_or(0.0, |seconds| (seconds * 10.0).round() / 10.0),
        }
    }

    /// The name of its folder: product, version, and what of the profile's name neither says: `distribution-3.1.1-none`.
    pub fn folder(&self) -> String {
        let version = self.version.as_deref().unwrap_or_default();
        let product = slug(&self.product);
        let said = |part: &&str| product.split('-').any(|word| word == *part) || is_of(version, part);
        let profile = slug(&self.profile);
        let parts = profile.split('-').filter(|part| !said(part));
        let version_slug = slug(version);
        let all: Vec<&str> = [product.as_str(), &version_slug].into_iter().chain(parts).collect();
        all.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// How many cases ended with this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.totals.get(&verdict).copied().unwrap_or(0)
    }
}

/// Whether a part of a profile's name says this version: `3.0` of `3.0.2`.
fn is_of(version: &str, part: &str) -> bool {
    !part.is_empty() && (version == part || version.strip_prefix(part).is_some_and(|rest| rest.starts_with('.')))
}

/// What can stand in a folder's name and a link without being quoted: letters and digits, and single `.` and `-` between.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(80) {
        let c = if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
        if c.is_ascii_alphanumeric() || out.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            out.push(c);
        }
    }
    out.trim_end_matches(['-', '.']).to_owned()
}

/// Product and version; the version is the last word, where it has a digit at its beginning.
fn product(record: &RunRecord) -> (String, Option<String>) {
    let Some(product) = &record.target.product else { return (record.target.name.clone(), None) };
    match product.rsplit_once(' ') {
        Some((name, version)) if version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) => {
            (name.to_owned(), Some(version.to_owned()))
        }
        _ => (product.clone(), None),
    }
}

/// Cases of some verdicts, together where they show the same for the same reason.
fn told(record: &RunRecord, of: impl Fn(Verdict) -> bool) -> Vec<Told> {
    let shows = |case: &CaseRecord| -> Vec<String> {
        let failing = case.mismatches.iter().filter(|mismatch| groups::fails(record, mismatch));
        let mut shows: Vec<String> = failing.map(|m| format!("{}: {}", m.requirement, m.got)).collect();
        shows.sort();
        shows.dedup();
        shows
    };
    let mut all: BTreeMap<(Vec<String>, String, Vec<String>), Vec<String>> = BTreeMap::new();
    for case in record.cases.iter().filter(|case| of(case.verdict)) {
        let shows = shows(case);
        // A text about one run may hold its folder or its port; only what a profile says of all runs is published.
        let reason = match case.verdict {
            Verdict::Known => case.reason.clone().unwrap_or_default(),
            Verdict::Error => format!("could not be asked: {}", case.error_kind.as_deref().unwrap_or("error")),
            Verdict::Fixed => "recorded as failing, and passes".to_owned(),
            _ => String::new(),
        };
        all.entry((shows, reason, case.sources.clone())).or_default().push(case.id.clone());
    }
    let told = |((shows, reason, sources), mut cases): (_, Vec<String>)| {
        cases.sort();
        Told { shows, cases, reason, sources }
    };
    let mut told: Vec<Told> = all.into_iter().map(told).collect();
    told.sort_by(|a, b| a.cases.cmp(&b.cases));
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A summary of which only the names matter.
    pub(super) fn summary(product: &str, version: Option<&str>, profile: &str) -> Summary {
        Summary {
            schema: SCHEMA,
            product: product.into(),
            version: version.map(str::to_owned),
            profile: profile.into(),
            lacuna: Harness { version: "0.1.0".into(), suites: "sha256:00".into() },
            date: "2026-11-24".into(),
            spec: Spec::V1_1,
            level: Level::Must,
            stance: BTreeMap::from([("oci".into(), "accept".into())]),
            capabilities: BTreeMap::new(),
            answers: Vec::new(),
            totals: BTreeMap::from([(Verdict::Pass, 3)]),
            areas: BTreeMap::new(),
            open: Vec::new(),
            known: Vec::new(),
            warnings: BTreeMap::new(),
            skips: BTreeMap::new(),
            savings: Vec::new(),
            seconds: 1.5,
        }
    }

    #[test]
    fn a_folder_says_product_version_and_what_only_the_profile_says() {
        for (product, version, profile, folder) in [
            ("distribution", Some("3.1.1"), "distribution-none", "distribution-3.1.1-none"),
            ("distribution", Some("3.0.0"), "distribution-3.0-none", "distribution-3.0.0-none"),
            ("distribution", Some("2.8.2"), "docker-registry", "distribution-2.8.2-docker-registry"),
            ("olareg", Some("0.2.2"), "olareg", "olareg-0.2.2"),
            ("olareg", Some("0.2.2"), "olareg-sparse-dir", "olareg-0.2.2-sparse-dir"),
            ("reference", None, "reference", "reference"),
            ("pulp-container", Some("2.30.0"), "pulp", "pulp-container-2.30.0"),
            ("../../etc", Some("1/../2"), "x", "etc-1-2-x"),
        ] {
            assert_eq!(summary(product, version, profile).folder(), folder);
        }
    }
}
