//! Requirements: whose law a check rests on, and how strong it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
