//! What the probe found out: stance and capabilities, each with its evidence.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::Claims;
use crate::content::graph::Format;
use crate::suite::model::{Scope, StanceWord};

/// Every capability that a case may need, a profile may claim, and the probe finds: name and meaning.
pub const CAPABILITIES: &[(&str, &str)] = &[
    ("media.oci", "takes OCI image manifests and indexes"),
    ("media.docker", "takes Docker schema 2 manifests and manifest lists"),
    ("sparse-image", "takes an image manifest although a layer is absent"),
    ("delete.manifest", "deletes a manifest by digest"),
    ("delete.tag", "deletes a tag"),
    ("delete.blob", "deletes a blob"),
    ("delete.referenced-child", "deletes a manifest that an index names"),
    ("referrers", "has the referrers API"),
    ("header.subject", "answers OCI-Subject to a manifest with a subject"),
    ("header.digest", "answers Docker-Content-Digest to GET and HEAD of a manifest"),
    ("mount", "mounts a blob from a named repository"),
    ("mount.anonymous", "mounts a blob without the source's name"),
    ("upload.chunked", "takes a blob in chunks"),
    ("upload.small-chunks", "takes chunks of a hundred bytes"),
    ("upload.unranged", "takes a chunk without Content-Range, as several clients send it"),
    ("tag.move", "moves a tag to another manifest"),
    ("put.tags", "takes further tags in the query of a push by digest"),
    ("tags.paging", "pages the tag list by `n`"),
    ("digest.sha512", "takes manifests and blobs by sha512 digest"),
    ("catalog", "lists repositories"),
    ("index.empty", "takes an index without children"),
    ("index.nested", "takes an index that names an index"),
    ("list.nested", "takes a Docker manifest list that names one"),
    ("index.no-media-type", "takes an index without `mediaType`"),
    ("index.no-platform", "takes an index that names an image without its platform"),
    ("auth", "wants to know who asks: answers 401 to somebody who does not say it"),
    ("auth.protected", "is closed, for reads and pushes, to whoever does not say who they are"),
    ("auth.anonymous-pull", "serves reads to anybody, and takes pushes of those it knows"),
    ("auth.token", "has its challenges name an endpoint at which tokens are to be had"),
    ("auth.anonymous-token", "has a token for nobody in particular, which is good for a pull"),
    ("auth.scoped", "has tokens that are good for the repositories that they were asked for, and no more"),
];

/// Capabilities that no request shows, so that only a profile can claim them: what a collection takes, and how free names are.
pub const DECLARED: &[(&str, &str)] = &[
    ("gc.untagged", "a collection removes manifests that no tag leads to"),
    ("gc.orphan-blobs", "a collection removes blobs that no manifest names"),
    ("gc.keeps-referrers", "a collection keeps what refers, by `subject`, to a manifest that it keeps"),
    ("gc.keeps-dangling-referrers", "a collection keeps what refers, by `subject`, to a manifest that is not there"),
    ("gc.grace", "a collection spares what was pushed just before it"),
    ("gc.by-itself", "collects by a clock of its own, so that what no tag leads to may go at any time"),
    ("gc.writes", "takes pushes while a collection is under way"),
    ("auth.wrong-passwords", "takes no measures against the user or the address that wrong passwords come from"),
    ("auth.short-tokens", "has tokens that are refused three seconds after they were given out"),
    ("names.free", "takes any name of a repository that the spec's grammar allows, at any depth"),
];

/// Every capability, probed or declared, with its meaning.
pub fn all_capabilities() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    CAPABILITIES.iter().chain(DECLARED).copied()
}

/// Whether a capability is only declared.
pub fn is_declared(name: &str) -> bool {
    DECLARED.iter().any(|(declared, _)| *declared == name)
}

/// Whether a capability is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Is {
    /// It works.
    Supported,
    /// Answered with what the spec names for absence.
    Absent,
    /// Answered with anything else.
    Broken,
}

/// A capability, and what shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// Whether it is there.
    pub is: Is,
    /// What was asked and what came, in a line: `DELETE manifests/<tag> -> 405 UNSUPPORTED`.
    pub evidence: String,
}

/// A stance, and what shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StanceFinding {
    /// The word.
    pub is: StanceWord,
    /// The platforms demanded, with `require`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Where children are looked for, with `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What was asked and what came.
    pub evidence: String,
}

/// Everything that the probe found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Findings {
    /// For OCI indexes.
    pub oci: StanceFinding,
    /// For Docker manifest lists.
    pub docker: StanceFinding,
    /// By capability, every one of [`CAPABILITIES`] and [`DECLARED`].
    pub capabilities: BTreeMap<String, Finding>,
    /// How long after an acknowledged write a read still showed the old state, in seconds; 0: at once.
    pub read_window: f64,
    /// The same of deletes.
    pub delete_window: f64,
    /// Whether a write was seen at all; without one, the window of reads was not measured.
    #[serde(default)]
    pub write_seen: bool,
    /// The same of deletes.
    #[serde(default)]
    pub delete_seen: bool,
    /// How long the probe took, in seconds.
    pub seconds: f64,
    /// Requests that it sent.
    pub requests: u64,
}

impl Findings {
    /// Adds what only the profile can say.
    pub fn declare(&mut self, claims: &Claims) {
        for (name, _) in DECLARED {
            let (is, evidence) = match claims.capabilities.get(*name) {
                Some(is) => (*is, "as the profile claims"),
                None => (Is::Absent, "nobody claims it, and no request shows it"),
            };
            self.capabilities.insert((*name).to_owned(), Finding { is, evidence: evidence.to_owned() });
        }
    }

    /// The stance for a format.
    pub fn stance(&self, format: Format) -> &StanceFinding {
        match format {
            Format::Oci => &self.oci,
            Format::Docker => &self.docker,
        }
    }
}
