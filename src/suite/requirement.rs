//! Requirements: whose law a check rests on, and how strong it is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::either::Forms;
use super::fault::{Fault, shown};
use super::tree::{Kind, Node};
use super::words;

/// How strong a requirement is. Ordered: `May < Should < Must`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    May,
    /// Recommended.
    Should,
    /// Demanded.
    Must,
}

/// The edition of the distribution-spec that a run is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Spec {
    /// v1.1.1.
    #[default]
    #[serde(rename = "1.1")]
    V1_1,
    /// The development version, 967efdc.
    #[serde(rename = "dev")]
    Dev,
}

/// Whose law it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The distribution-spec or image-spec.
    Spec,
    /// An RFC that it leans on.
    Rfc,
    /// Docker's Registry API V2, where clients still rely on it.
    Docker,
    /// A product's documented promise.
    Product,
    /// What reachability and durability mean; ours.
    Lacuna,
}

/// One entry of `suites/requirements.yaml`, levels settled for one edition by [`Requirement::level`].
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// Dotted, stable: `manifest.get.absent`.
    pub id: String,
    /// Under v1.1.1.
    pub level_1_1: Level,
    /// Under the development version.
    pub level_dev: Level,
    /// Whose law.
    pub basis: Basis,
    /// Where it stands: `v1.1.1 L547`, `RFC 9110 15.5`.
    pub source: String,
    /// Our own words.
    pub text: String,
    /// Which of the mission's eleven questions it helps to answer.
    pub question: u8,
    /// The statuses that its text leaves open, where it leaves any: only within them may an expectation name a set or a class.
    pub statuses: Option<super::assertion::Statuses>,
    /// Why HTTP cannot observe it, where it cannot.
    pub unobservable: Option<String>,
}

impl Requirement {
    /// The level under an edition.
    pub fn level(&self, spec: Spec) -> Level {
        match spec {
            Spec::V1_1 => self.level_1_1,
            Spec::Dev => self.level_dev,
        }
    }
}

/// The mission's questions.
const QUESTIONS: u8 = 11;

/// An entry of requirements.yaml, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    level: Levels,
    basis: Basis,
    source: String,
    text: String,
    question: u8,
    statuses: Option<super::assertion::Statuses>,
    observed_by: Option<ObservedBy>,
}

/// One level, or one for each edition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Editions {
    #[serde(rename = "1.1")]
    v1_1: Level,
    dev: Level,
}

#[derive(Debug)]
struct Levels(Editions);

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn one(word: String) -> Result<Levels, String> {
            let level = match word.as_str() {
                "must" => Level::Must,
                "should" => Level::Should,
                "may" => Level::May,
                _ => return Err(format!("`{word}` is no level: they are must, should and may")),
            };
            Ok(Levels(Editions { v1_1: level, dev: level }))
        }
        Forms::new("must, should or may, or {1.1: LEVEL, dev: LEVEL}").text(one).map(Levels).decode(deserializer)
    }
}

/// `http`, or `{none: why}`.
#[derive(Debug)]
struct ObservedBy(Option<String>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unobservable {
    none: String,
}

impl<'de> Deserialize<'de> for ObservedBy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn word(word: String) -> Result<ObservedBy, String> {
            let http = word == "http";
            http.then_some(ObservedBy(None)).ok_or_else(|| format!("`{word}` is no way to observe: there is only http"))
        }
        fn none(none: Unobservable) -> ObservedBy {
            ObservedBy(Some(none.none))
        }
        Forms::new("http, or {none: WHY}").text(word).map(none).decode(deserializer)
    }
}

/// Decodes requirements.yaml: every entry that is without fault, by id.
pub(super) fn decode(root: &Node, context: &Context) -> BTreeMap<String, Requirement> {
    let Kind::Map(entries) = &root.kind else {
        let fault = root.fault(format!("{} instead of a map from ids to requirements", root.what()));
        context.report(fault.help("write ID: {level: must, basis: spec, source: ..., text: ..., question: 1}"));
        return BTreeMap::new();
    };
    let mut out = BTreeMap::new();
    for entry in context.unique(entries) {
        let id = entry.key.text.to_string();
        if !words::is_dotted(&id) {
            let fault = Fault::new(entry.key.at, format!("`{}` cannot be a requirement's id", shown(&id, 80)));
            context.report(fault.help("ids have words of lower-case letters, digits and hyphens, with dots between"));
        }
        let Some(written) = context.decode::<Written>(&Node { at: entry.key.at, ..entry.value.clone() }) else {
            continue;
        };
        for (key, text) in [("source", &written.source), ("text", &written.text)] {
            if text.trim().is_empty() {
                let fault = entry.value.find([key]).fault(format!("the requirement's `{key}` is empty"));
                context.report(fault.help(match key {
                    "source" => "say where it stands: `v1.1.1 L547`, `RFC 9110 15.5`",
                    _ => "say in our own words what is demanded",
                }));
            }
        }
        if !(1..=QUESTIONS).contains(&written.question) {
            let message = format!("there is no question {}", written.question);
            let fault = entry.value.find(["question"]).fault(message);
            context.report(fault.help(format!("name one of the mission's questions, 1 to {QUESTIONS}")));
        }
        let Levels(level) = written.level;
        let requirement = Requirement {
            id: id.clone(),
            level_1_1: level.v1_1,
            level_dev: level.dev,
            basis: written.basis,
            source: written.source,
            text: written.text,
            question: written.question,
            statuses: written.statuses,
            unobservable: written.observed_by.and_then(|observed| observed.0),
        };
        out.insert(id, requirement);
    }
    out
}
