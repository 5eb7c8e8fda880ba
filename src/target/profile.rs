//! The target profile as it is written, and the shipped ones.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::findings::Is;
use super::units::{Rate, Size, Time};
use crate::suite::model::{Scope, StanceWord};

/// A profile file. Its name is the file's stem. Durations are texts with a unit (`500ms`, `10s`), sizes too (`64MiB`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Profile {
    /// Product and version.
    pub product: Option<String>,
    /// Base URL; `{port}` is a free port, where it is launched.
    pub url: String,
    /// How it is started; absent: it runs already.
    pub launch: Option<Launch>,
    /// Credentials; never inline.
    pub auth: Option<Auth>,
    /// TLS.
    pub tls: Tls,
    /// Repository names.
    pub repositories: Repositories,
    /// What it says of itself.
    pub claims: Claims,
    /// Limits.
    pub limits: Limits,
    /// Grace.
    pub windows: Windows,
    /// Failures that are known.
    pub known: Vec<Known>,
}

/// How a target is started. Placeholders: `{port}`, `{dir}` (a fresh folder of its own).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Files written into `{dir}` first, by relative path.
    pub files: BTreeMap<String, String>,
    /// Environment added.
    pub env: BTreeMap<String, String>,
    /// When it is ready.
    pub ready: Ready,
    /// The line that installs it, printed when the program is not there.
    pub missing: String,
}

/// When a launched target is ready.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Ready {
    /// The path that must answer below 500.
    pub get: String,
    /// Within this time.
    pub within: Time,
}

impl Default for Ready {
    fn default() -> Self {
        Ready { get: "/v2/".into(), within: seconds(10) }
    }
}

/// Where credentials come from: exactly one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Auth {
    /// Names of two environment variables: user, password.
    pub env: Option<(String, String)>,
    /// docker's config.json (`DOCKER_CONFIG` or the home folder), with its helpers.
    pub docker_config: bool,
    /// A credential helper by name (`docker-credential-NAME`).
    pub helper: Option<String>,
}

/// TLS.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tls {
    /// A PEM file of further roots.
    pub ca: Option<String>,
    /// Verifies nothing.
    pub insecure: bool,
}

/// Repository names.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Repositories {
    /// `{run}` is the run's id, `{case}` a short name of the case, `{n}` the repository's number within it.
    pub template: String,
    /// Existing repositories to be used instead, in turn.
    pub pool: Vec<String>,
}

impl Default for Repositories {
    fn default() -> Self {
        Repositories { template: "lacuna/{run}/{case}-{n}".into(), pool: Vec::new() }
    }
}

/// What a profile says of its product: held against the findings. Read by [`super::claims`], which keeps positions.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(rename_all = "kebab-case", default)]
pub struct Claims {
    /// By format (`oci`, `docker`).
    pub stance: BTreeMap<String, StanceClaim>,
    /// By capability, beside `stance`; names are checked when the profile is loaded.
    #[schemars(flatten)]
    pub capabilities: BTreeMap<String, Is>,
}

/// A claimed stance.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum StanceClaim {
    /// `accept`, `refuse`, `broken`.
    Word(StanceWord),
    /// `require: [platforms]`, with the scope where it refuses.
    Require {
        /// The platforms.
        require: Vec<String>,
    },
    /// `refuse` with its scope.
    Refuse {
        /// Where children are looked for.
        refuse: Scope,
    },
}

/// Limits.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Cases at once; 8 where nothing is said.
    pub jobs: Option<usize>,
    /// Requests a second: `50/s`.
    pub rate: Option<Rate>,
    /// To connect.
    pub connect: Time,
    /// Between two bytes, and to the first one.
    pub idle: Time,
    /// For one exchange, its redirects too.
    pub total: Time,
    /// A response body's size.
    pub body: Size,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            jobs: None,
            rate: None,
            connect: seconds(5),
            idle: seconds(10),
            total: seconds(60),
            body: Size(64 << 20),
        }
    }
}

/// How late an answer may be and still only warn.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Windows {
    /// After a write.
    pub read: Time,
    /// After a delete.
    pub delete: Time,
    /// The time after which the target drops content by itself; `none` where it never does.
    pub expiry: Expiry,
}

/// When content ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum Expiry {
    /// Never.
    #[default]
    None,
    /// After this time.
    After(#[schemars(skip)] Time),
}

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Expiry, String> {
        if text == "none" { Ok(Expiry::None) } else { Time::try_from(text).map(Expiry::After) }
    }
}

/// So many seconds.
fn seconds(n: u64) -> Time {
    Time(Duration::from_secs(n))
}

/// A failure that is known.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Known {
    /// Case ids; `*` for parameters only, never for area, topic or name.
    pub cases: String,
    /// The requirement.
    pub requirement: String,
    /// What came, exactly.
    pub got: String,
    /// Why it is so.
    pub reason: String,
    /// Where that is shown: spec section, the product's issue or source.
    pub source: String,
    /// The product's versions (a glob), where it is not all.
    pub versions: Option<String>,
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Claims;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`stance` and names of capabilities, each `supported`, `absent` or `broken`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = Claims::default();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "stance" {
                        claims.stance = map.next_value()?;
                    } else {
                        claims.capabilities.insert(name, map.next_value()?);
                    }
                }
                Ok(claims)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl<'de> Deserialize<'de> for StanceClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StanceClaim, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = StanceClaim;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`accept`, `refuse`, `broken`, `require: [platforms]` or `refuse: repository|registry`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<StanceClaim, E> {
                StanceWord::deserialize(serde::de::value::StrDeserializer::new(word)).map(StanceClaim::Word)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StanceClaim, A::Error> {
                let claim = match map.next_key::<String>()?.as_deref() {
                    Some("require") => StanceClaim::Require { require: map.next_value()? },
                    Some("refuse") => StanceClaim::Refuse { refuse: map.next_value()? },
                    Some(other) => return Err(serde::de::Error::unknown_field(other, &["require", "refuse"])),
                    None => return Err(serde::de::Error::missing_field("require")),
                };
                match map.next_key::<String>()? {
                    None => Ok(claim),
                    Some(other) => Err(serde::de::Error::custom(format!("`{other}`: a stance is one thing only"))),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
