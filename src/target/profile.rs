//! The target profile as it is written, and the shipped ones.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actions::Actions;
use super::findings::Is;
use super::units::{Expiry, Rate, Size, Time};
use crate::suite::assertion::OneOrMany;
use crate::suite::model::{Scope, StanceWord};

/// A profile file. Its name is the file's stem. Durations are texts with a unit (`500ms`, `10s`), sizes too (`64MiB`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Profile {
    /// Product and version.
    pub product: Option<String>,
    /// Said where nobody has run it here yet: what its claims were read from. They are not measured.
    pub not_run: Option<String>,
    /// Environment variables that stand as `{NAME}` in `url` and `repositories`, each with what it has to hold.
    pub variables: BTreeMap<String, String>,
    /// Base URL; `{port}` is a free port, where it is launched.
    pub url: String,
    /// How it is started; absent: it runs already.
    pub launch: Option<Launch>,
    /// A second server on the storage of the first: another version of it.
    pub beside: Option<Beside>,
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
    /// What happens at barriers.
    pub actions: Actions,
    /// Failures that are known.
    pub known: Vec<Known>,
}

/// How a target is started. Placeholders: `{port}`, `{port-NAME}`, `{dir}` (a fresh folder of its own).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Launch {
    /// Further free ports, by names: each stands as `{port-NAME}`.
    pub ports: Vec<String>,
    /// What is done first, in this order, once: what starts the registry again repeats none of it.
    pub before: Vec<Before>,
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

/// What a registry needs before it starts: a command that does something and ends, or a server that goes on.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Before {
    /// Program and arguments. It is done when this has ended with 0, unless it `listens`.
    pub command: Vec<String>,
    /// Environment, beside the launch's.
    pub env: BTreeMap<String, String>,
    /// It is a server: which of `ports` it listens on when it is ready. It runs until the registry is gone for good.
    pub listens: Option<String>,
    /// Within this time it has ended, or listens.
    pub within: Time,
    /// The line that installs it; the launch's, where it has none.
    pub missing: String,
}

impl Default for Before {
    fn default() -> Self {
        Before { command: Vec::new(), env: BTreeMap::new(), listens: None, within: seconds(60), missing: String::new() }
    }
}

/// A second server on the target's storage, while some cases run. Credentials, TLS and limits are the target's.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Beside {
    /// Product and version.
    pub product: Option<String>,
    /// Base URL; `{port}` is a free port of its own, where it is launched.
    pub url: String,
    /// How it is started, where the target is launched: `{dir}` is the target's folder, `{port}` its own port.
    pub launch: Option<Launch>,
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

/// What a profile says of its product: held against the findings. Names are checked by `super::check`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    /// By format (`oci`, `docker`).
    pub stance: BTreeMap<String, StanceClaim>,
    /// By capability, beside `stance`; names are checked when the profile is loaded.
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
    /// Cases at once, and questions of the probe; 8 where nothing is said.
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

impl Limits {
    /// Cases at once; questions of the probe, too.
    pub fn together(&self) -> usize {
        self.jobs.unwrap_or(8)
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
    /// How old garbage must be before a collection takes it.
    pub grace: Time,
    /// The time after which the target drops content by itself; `none` where it never does.
    pub expiry: Expiry,
}

/// So many seconds.
fn seconds(n: u64) -> Time {
    Time(Duration::from_secs(n))
}

/// A failure that is known.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Known {
    /// Case ids, one or a list; `*` for parameters only, never for area, topic or name.
    pub cases: OneOrMany,
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
    /// It is seen in some runs only, since it takes two requests that meet: a run in which it is not seen passes.
    #[serde(default)]
    pub sometimes: bool,
}

/// The JSON Schema of a profile file, for editors.
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut schema = settings.into_generator().into_root_schema_for::<Profile>();
    schema.insert("$id".into(), "https://github.com/lacuna/lacuna/schemas/profile.schema.json".into());
    schema.to_value()
}
