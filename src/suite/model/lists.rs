//! The keys of the steps that ask for lists.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::either::Forms;

/// Keys of `tags`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tags {
    /// The query's `n`, as written (`0`, `-1`, `abc`).
    pub n: Option<Literal>,
    /// The query's `last`.
    pub last: Option<Literal>,
    /// Follows `Link` to exhaustion (bounded), asserts on all pages together.
    pub follow: bool,
    /// Steps between the first page and the next, where `follow` is set: a tag to delete.
    pub delete_between: Option<String>,
}

/// Keys of `catalog`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Catalog {
    /// The query's `n`, as written.
    pub n: Option<Literal>,
    /// The query's `last`; `{repo}` is a repository's full name.
    pub last: Option<Literal>,
    /// Follows `Link` to exhaustion (bounded), asserts on all pages together.
    pub follow: bool,
}

/// A query value: text or a number, sent as written.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Literal {
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Forms::new("text or a whole number; any other number in quotes")
            .number(|n| Ok(Literal::Number(n)))
            .text(|text| Ok(Literal::Text(text)))
            .decode(deserializer)
    }
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Literal::Number(n) => write!(f, "{n}"),
            Literal::Text(t) => f.write_str(t),
        }
    }
}

/// Keys of `referrers`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Referrers {
    /// The subject: a node.
    pub of: Option<String>,
    /// The subject: a literal digest.
    pub digest: Option<String>,
    /// The query's `artifactType`.
    pub artifact_type: Option<String>,
}
