//! The keys of the steps that are no single verb of a registry: raw requests, real clients, measurements, waits.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{By, Nodes};
use crate::clients::Deed;

/// Keys of `raw`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Raw {
    /// The method, as sent.
    pub method: String,
    /// Path and query, as sent; `{repo}` is the repository's name, `{digest:NODE}` a node's digest, `{hex:NODE}` what follows its colon.
    pub path: String,
    /// The body, as text.
    pub body: Option<String>,
    /// The body: a node's bytes.
    pub bytes_of: Option<String>,
    /// The body is sent in the chunked coding, so many bytes to a chunk, without Content-Length (RFC 9112 7.1).
    #[schemars(range(min = 1))]
    pub chunks: Option<u64>,
}

/// Keys of `client`. What it writes goes to the step's repository.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientStep {
    /// The client, by the name of its file in `fixtures/clients`.
    pub name: String,
    /// What it does.
    pub run: Deed,
    /// The node that it is told to copy, fetch or push.
    pub manifest: String,
    /// How it is told: by tag (`latest`) or by digest.
    #[serde(default)]
    pub by: By,
    /// The repository that it reads from, by nickname; the step's own where nothing is said.
    pub from: Option<String>,
    /// Platforms, where what it does is about some.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// What is acknowledged when it ended well, beside `manifest` itself.
    #[serde(default)]
    pub brings: Nodes,
    /// How it must end.
    #[serde(default)]
    pub ends: Ends,
}

/// How a client ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// It says that it did what it was told.
    #[default]
    Well,
    /// It says that it could not.
    Badly,
}

/// Keys of `usage`. Without any of them it is what a later one, by `as`, is compared with.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct UsageStep {
    /// The earlier step, by its `as`.
    pub since: Option<String>,
    /// What is looked at: the requirement's name after `storage.`.
    pub shows: Option<Shows>,
    /// What may have come since then: the bytes of these nodes, each counted once.
    pub holds: Nodes,
}

/// What a measurement shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// A sparse index takes what was pushed of it.
    Sparse,
    /// What is pushed again, or belongs to several images of a repository, is stored once.
    Once,
    /// What is in several repositories is stored once.
    Shared,
    /// What was collected is not stored any more.
    Freed,
}

impl Shows {
    /// The requirement.
    pub fn requirement(self) -> &'static str {
        match self {
            Shows::Sparse => "storage.sparse",
            Shows::Once => "storage.once",
            Shows::Shared => "storage.shared",
            Shows::Freed => "storage.freed",
        }
    }
}

/// Keys of `token`: one is asked of the endpoint that the registry's challenges named. A later step sends it, by its `as`:
/// `headers: {Authorization: "Bearer {token:NAME}"}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TokenStep {
    /// What it is to be good for: `repository:{repo}:pull,push`.
    pub scopes: Vec<String>,
    /// Who asks for it; the target's own credentials where nothing is said.
    pub who: Asker,
}

/// Who asks for a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Asker {
    /// The target's own credentials.
    #[default]
    User,
    /// Nobody.
    Nobody,
    /// The user, with a password that is not theirs.
    WrongPassword,
}

/// Keys of `wait`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wait {
    /// A duration with its unit: `500ms`, `2s`.
    pub time: String,
}
