//! Real clients: what `fixtures/clients` says of them, and one of their commands run against a registry.
//!
//! A client is told where things are by its command line, and who asks by a file in a folder of its own: credentials never
//! stand in an argument, and nothing of the user's own settings is read.

mod fill;
mod run;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use fill::Places;
pub use run::Ended;

/// The clients that are compiled in.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/clients");

static CLIENTS: LazyLock<BTreeMap<String, Client>> = LazyLock::new(|| {
    let files = SHIPPED.files().filter_map(|file| {
        let name = file.path().file_stem()?.to_str()?.to_owned();
        // A test reads each of them: what is shipped is well formed.
        Some((name, parse(file.contents()).ok()?))
    });
    files.collect()
});

/// Something that a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Copies an index and every child, from one repository to another.
    CopyAll,
    /// Copies an index alone.
    CopyIndex,
    /// Copies an index, and the children of some platforms.
    CopyPlatforms,
    /// Copies one image.
    CopyImage,
    /// Fetches an index and every child into a folder.
    PullAll,
    /// Pushes what was fetched last.
    PushAll,
    /// Fetches, of an index, the image of one platform.
    PullPlatform,
}

impl Deed {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Deed::CopyAll => "copy-all",
            Deed::CopyIndex => "copy-index",
            Deed::CopyPlatforms => "copy-platforms",
            Deed::CopyImage => "copy-image",
            Deed::PullAll => "pull-all",
            Deed::PushAll => "push-all",
            Deed::PullPlatform => "pull-platform",
        }
    }

    /// Whether it writes to a registry.
    pub fn writes(self) -> bool {
        !matches!(self, Deed::PullAll | Deed::PullPlatform)
    }

    /// Whether it is about platforms that the step names.
    pub fn has_platforms(self) -> bool {
        matches!(self, Deed::CopyPlatforms | Deed::PullPlatform)
    }
}

/// A client, as its file describes it. In every text `{dir}` (a folder of its own), `{host}`, `{tls}` (`disabled`,
/// `insecure`, `enabled`) and `{verify}` (`true`, `false`) are put in; in arguments also `{from}` and `{to}` (registry,
/// repository and reference), and `{platform}`, `{os}`, `{architecture}`: an argument with one of these stands there once
/// for each platform.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// The program.
    pub program: String,
    /// The line that installs it.
    pub missing: String,
    /// Arguments by which it tells its version.
    pub version: Vec<String>,
    /// Environment; beside these it has `PATH` and `HOME` only.
    pub env: BTreeMap<String, String>,
    /// Files written into `{dir}` first. `auth/config.json`, of docker's form, is always there.
    pub files: BTreeMap<String, String>,
    /// Arguments by what is done.
    pub runs: BTreeMap<Deed, Vec<String>>,
}

fn parse(bytes: &[u8]) -> Result<Client, String> {
    serde_saphyr::from_slice(bytes).map_err(|e| e.to_string())
}

/// Every client, by name.
pub fn all() -> &'static BTreeMap<String, Client> {
    &CLIENTS
}

impl Client {
    /// Whether its program is there.
    pub fn is_installed(&self) -> bool {
        crate::target::program::find_program(&self.program).is_some()
    }
}

/// Clients that are not installed, with the lines that install them.
pub fn absent() -> impl Iterator<Item = (&'static str, &'static Client)> {
    all().iter().filter(|(_, client)| !client.is_installed()).map(|(name, client)| (name.as_str(), client))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_describes_a_client_whose_places_are_known() {
        for file in SHIPPED.files() {
            let client = parse(file.contents()).unwrap();
            let texts = client.env.values().chain(client.files.values());
            assert_eq!(texts.filter_map(|text| fill::unknown(text, fill::COMMON)).next(), None, "{:?}", file.path());
            for (deed, arguments) in &client.runs {
                let unknown = arguments.iter().find_map(|text| fill::unknown(text, fill::ALL));
                assert_eq!(unknown, None, "{:?} {}", file.path(), deed.word());
                let has = |place: &str| arguments.iter().any(|argument| argument.contains(place));
                assert_eq!(has("{to}"), deed.writes(), "{:?} {}", file.path(), deed.word());
                assert_eq!(has("{platform}") || has("{architecture}"), deed.has_platforms(), "{}", deed.word());
            }
        }
        assert!(all().len() == SHIPPED.files().count() && all().len() >= 2);
    }

    #[test]
    fn a_file_with_an_unknown_key_is_none() {
        let text = "program: x\nmissing: y\nversion: []\nenv: {}\nfiles: {}\nruns: {copy-al: []}\n";
        assert!(parse(text.as_bytes()).unwrap_err().contains("copy-al"));
        assert!(parse(b"program: x\n").is_err());
    }
}
