//! What kind of registry it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::mutants::{Spread, Witness};
use super::policy::Seam;
use crate::suite::model::Scope;

/// Everything that can be chosen. The default accepts every index and keeps everything in memory.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which version of itself it is. A start with another is an upgrade or a downgrade of what was there before.
    pub version: u32,
    /// What is done with an index of which a child is absent.
    pub stance: Stance,
    /// Where a child is looked for before an index is refused.
    pub scope: Scope,
    /// Accepts images of which the config or a layer is absent; `None`: where the stance is to accept.
    pub sparse_images: Option<bool>,
    /// The folder that everything is kept in; `None`: in memory.
    pub dir: Option<PathBuf>,
    /// Who may do what; `None`: everybody everything.
    pub auth: Option<AuthConfig>,
    /// Bytes of the largest manifest that is taken; larger ones are answered 413.
    pub manifest_limit: u64,
    /// Most referrers on a page.
    pub referrers_page: usize,
    /// Takes a blob in a single POST; else the POST begins a session.
    pub single_post: bool,
    /// Mounts a blob though the request does not say from where.
    pub anonymous_mount: bool,
    /// Garbage collection.
    pub gc: GcConfig,
    /// Defects by name: see [`super::defects()`].
    pub defects: BTreeSet<&'static str>,
    /// Variations by name: see [`super::variations()`].
    pub variations: BTreeSet<&'static str>,
    /// Further seams, after those of variations and defects.
    pub seams: Vec<Seam>,
    /// Kinds of answers that are wrong, after all others.
    pub mutants: Option<Spread>,
    /// Who sees every answer.
    pub witness: Option<Arc<Witness>>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: 1,
            stance: Stance::Accept,
            scope: Scope::Repository,
            sparse_images: None,
            dir: None,
            auth: None,
            manifest_limit: 4 * 1024 * 1024,
            referrers_page: 1000,
            single_post: true,
            anonymous_mount: false,
            gc: GcConfig::default(),
            defects: BTreeSet::new(),
            variations: BTreeSet::new(),
            seams: Vec::new(),
            mutants: None,
            witness: None,
        }
    }
}

/// What is done with an index of which a child is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stance {
    /// It is stored.
    #[default]
    Accept,
    /// It is refused.
    Refuse,
    /// It is refused where the absent child is of one of these platforms (`os/arch`, or `os/arch/variant`; without a
    /// variant every variant is meant). A platform that no child has demands nothing, and a child without a platform
    /// is never demanded.
    Require(Vec<String>),
}

impl Stance {
    /// Reads `accept`, `refuse`, or `require=linux/amd64,linux/arm64`.
    ///
    /// # Errors
    /// What would have been understood.
    pub fn parse(text: &str) -> Result<Stance, String> {
        match text {
            "accept" => return Ok(Stance::Accept),
            "refuse" => return Ok(Stance::Refuse),
            _ => {}
        }
        let Some(list) = text.strip_prefix("require=") else {
            return Err(format!("`{text}` is no stance: accept, refuse, or require=linux/amd64,.."));
        };
        let platforms: Vec<String> = list.split(',').map(|p| p.trim().to_owned()).collect();
        for platform in &platforms {
            let parts: Vec<&str> = platform.split('/').collect();
            if !(2..=3).contains(&parts.len()) || parts.iter().any(|p| p.is_empty()) {
                return Err(format!("`{platform}` is no platform: os/architecture or os/architecture/variant"));
            }
        }
        Ok(Stance::Require(platforms))
    }

    /// The word alone.
    pub fn word(&self) -> &'static str {
        match self {
            Stance::Accept => "accept",
            Stance::Refuse => "refuse",
            Stance::Require(_) => "require",
        }
    }

    /// Whether a child of this platform must be there.
    pub fn demands(&self, platform: Option<&str>) -> bool {
        match self {
            Stance::Accept => false,
            Stance::Refuse => true,
            Stance::Require(platforms) => platform.is_some_and(|p| {
                platforms.iter().any(|r| p == r || p.strip_prefix(r.as_str()).is_some_and(|rest| rest.starts_with('/')))
            }),
        }
    }
}

/// How a client says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheme {
    /// Name and password with every request.
    Basic,
    /// A token from `/token`, for a scope and a time.
    Bearer,
}

/// Who may do what.
#[derive(Clone)]
pub struct AuthConfig {
    /// How a client says who it is.
    pub scheme: Scheme,
    /// Passwords by name. Every user may do everything.
    pub users: BTreeMap<String, String>,
    /// Nobody in particular may pull.
    pub anonymous_pull: bool,
    /// How long a token is good.
    pub token_lifetime: Duration,
}

impl AuthConfig {
    /// A registry that lets in one user, and by tokens or not; tokens live for five minutes, as in most products.
    pub fn of(scheme: Scheme, user: &str, password: &str) -> AuthConfig {
        let users = [(user.to_owned(), password.to_owned())].into();
        AuthConfig { scheme, users, anonymous_pull: false, token_lifetime: Duration::from_secs(300) }
    }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let users: Vec<_> = self.users.keys().collect();
        f.debug_struct("AuthConfig").field("scheme", &self.scheme).field("users", &users).finish_non_exhaustive()
    }
}

/// Garbage collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcConfig {
    /// `POST /_lacuna/gc` collects.
    pub admin: bool,
    /// What is younger is never collected.
    pub grace: Duration,
    /// Manifests that nothing leads to - no tag, no index, no subject - are garbage too.
    pub untagged: bool,
    /// Manifests whose subject is not there are kept: a signature may be pushed before what it signs.
    pub dangling: bool,
    /// A collection takes no less: time for requests that are to meet it.
    pub least: Duration,
    /// With this status every push and deletion is refused while a collection is under way.
    pub refuses: Option<u16>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stances_are_read_and_demand() {
        let stance = Stance::parse("require=linux/amd64,linux/arm/v7").unwrap();
        assert!(stance.demands(Some("linux/amd64")) && stance.demands(Some("linux/amd64/v2")));
        assert!(stance.demands(Some("linux/arm/v7")));
        assert!(!stance.demands(Some("linux/arm")) && !stance.demands(Some("linux/amd64x")) && !stance.demands(None));
        assert!(Stance::parse("refuse").unwrap().demands(None));
        for wrong in ["", "Refuse", "require=", "require=linux", "require=linux/", "require=a/b,"] {
            assert!(Stance::parse(wrong).is_err(), "{wrong}");
        }
    }
}
