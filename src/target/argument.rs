//! TARGET as it is typed: a URL, a host and port, a profile file, a shipped profile's name.

use std::path::Path;
use std::time::Duration;

use super::findings::Is;
use super::load;
use super::profile::{Auth, Profile};
use super::units::{Expiry, Time};
use crate::near;
use crate::reference::{Config, writes_while_collecting};
use crate::suite::fault::Diagnostics;

/// What is said of a password in an argument, which is not repeated.
const CREDENTIALS: &str = "credentials do not belong in a URL: use a profile's `auth`, or `docker login`";

/// The embedded registry's name.
pub const REFERENCE: &str = "reference";

/// How old garbage of the embedded registry must be before a collection takes it.
const GRACE: Duration = Duration::from_millis(500);

/// How long cases of expiry wait on the embedded registry, which drops nothing by itself.
const EXPIRY: Duration = Duration::from_millis(250);

/// A token that lives shorter is dead when its cases look at it again.
const SHORT: Duration = Duration::from_millis(2500);

/// Whom to ask, before anybody is asked.
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// The profile's name, `host_port`, or `reference`.
    pub name: String,
    /// Its profile.
    pub profile: Profile,
    /// For the embedded registry: how it is set.
    pub reference: Option<Config>,
    /// Whether it may be asked by nobody too, where no credentials can be had.
    pub credentials_optional: bool,
}

/// What the first argument of `run` and `list` is.
#[derive(Debug, Clone)]
pub enum First {
    /// A target, by the text that names it.
    Target(String),
    /// A filter.
    Filter(String),
}

/// Why an argument names no target.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// It is nothing that can be asked.
    #[error("{0}")]
    NoTarget(String),
    /// Its profile is refused.
    #[error("{0}")]
    Profile(#[from] Diagnostics),
}

/// Whether `argument` names a target: it has `://`, is `host:port`, ends in `.yaml`, or is a shipped profile's name.
pub fn is_target(argument: &str) -> bool {
    argument.contains("://")
        || host_port(argument).is_some()
        || argument.ends_with(".yaml")
        || argument == REFERENCE
        || load::shipped_names().contains(&argument)
}

/// Tells a target from a filter.
///
/// # Errors
/// It is neither: says what was perhaps meant. A usage error (exit 2).
pub fn parse_first(argument: &str) -> Result<First, ArgumentError> {
    if is_target(argument) {
        return Ok(First::Target(argument.to_owned()));
    }
    refuse_credentials(argument)?;
    if argument.contains(':') {
        // No case id has a colon, so this is a target that was mistyped.
        let host = argument.split('/').next().unwrap_or_default();
        let hint = if host_port(host).is_some() { format!("; did you mean `{host}`?") } else { String::new() };
        return Err(ArgumentError::NoTarget(format!("`{argument}` is neither a target nor a filter{hint}")));
    }
    if argument.contains('*') || argument.contains('/') {
        return Ok(First::Filter(argument.to_owned()));
    }
    Err(unknown(argument, true))
}

/// Refuses `user:password@host` without repeating it: nothing else that is typed here has an `@`.
fn refuse_credentials(argument: &str) -> Result<(), ArgumentError> {
    if argument.contains('@') { Err(ArgumentError::NoTarget(CREDENTIALS.into())) } else { Ok(()) }
}

/// An argument that names no target, where a filter could (or could not) stand too.
fn unknown(argument: &str, or_filter: bool) -> ArgumentError {
    let mut names = load::shipped_names();
    names.push(REFERENCE);
    let mut hint = near::hint(argument, names.iter().copied());
    if hint.is_empty() && argument.ends_with(".yml") {
        hint = "; a profile file ends in `.yaml`".into();
    } else if or_filter
        && hint.is_empty()
        && !argument.is_empty()
        && argument.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    {
        hint = format!("; for a filter, did you mean `{argument}/**`?");
    }
    ArgumentError::NoTarget(format!(
        "`{argument}` is no target (a URL, `host:port`, a `.yaml` file, or one of {}){hint}",
        names.join(", ")
    ))
}

impl TargetSpec {
    /// The embedded registry, set so.
    pub fn reference(mut config: Config) -> TargetSpec {
        config.gc.untagged = true;
        config.gc.dangling = true;
        config.gc.grace = GRACE;
        let mut profile = Profile::default();
        profile.windows.grace = Time(config.gc.grace);
        profile.windows.expiry = Expiry::After(Time(EXPIRY));
        let claims = [
            ("gc.untagged", Is::Supported),
            ("gc.orphan-blobs", Is::Supported),
            ("gc.keeps-referrers", Is::Supported),
            ("gc.keeps-dangling-referrers", Is::Supported),
            ("gc.grace", Is::Supported),
            ("names.free", Is::Supported),
        ];
        let writes = if writes_while_collecting(&config) { Is::Supported } else { Is::Absent };
        let locks = if config.auth.is_some() { Is::Supported } else { Is::Absent };
        let short = config.auth.as_ref().is_some_and(|auth| auth.token_lifetime < SHORT);
        let tokens = if short { Is::Supported } else { Is::Absent };
        let auth = [("auth.wrong-passwords", locks), ("auth.short-tokens", tokens)];
        let claims = claims.into_iter().chain([("gc.writes", writes)]).chain(auth);
        profile.claims.capabilities = claims.map(|(name, is)| (name.to_owned(), is)).collect();
        TargetSpec { name: REFERENCE.into(), profile, reference: Some(config), credentials_optional: false }
    }

    /// Whether nobody wrote a profile of it: it was named by its address.
    pub(super) fn is_bare(&self) -> bool {
        self.credentials_optional
    }

    /// The target that `argument` names; none: the embedded registry.
    ///
    /// # Errors
    /// It names none, or its profile is refused. A usage error (exit 2).
    pub fn parse(argument: Option<&str>) -> Result<TargetSpec, ArgumentError> {
        let Some(argument) = argument else { return Ok(TargetSpec::reference(Config::default())) };
        if argument.contains("://") {
            return TargetSpec::url(argument);
        }
        if argument.ends_with(".yaml") {
            let path = Path::new(argument);
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(argument).to_owned();
            return Ok(TargetSpec { name, profile: load::file(path)?, reference: None, credentials_optional: false });
        }
        refuse_credentials(argument)?;
        if let Some((host, port)) = host_port(argument) {
            let scheme = if is_loopback(host) { "http" } else { "https" };
            return TargetSpec::url(&format!("{scheme}://{host}:{port}"));
        }
        if argument == REFERENCE {
            return Ok(TargetSpec::reference(Config::default()));
        }
        match load::shipped(argument) {
            Some(profile) => Ok(TargetSpec {
                name: argument.to_owned(),
                profile: profile?,
                reference: None,
                credentials_optional: false,
            }),
            None => Err(unknown(argument, false)),
        }
    }

    /// With what its user says of it in the environment; before it is asked.
    ///
    /// # Errors
    /// What has to be set, and how. A usage error (exit 2).
    pub fn filled(mut self) -> Result<TargetSpec, ArgumentError> {
        let name = self.name.clone();
        let value = |name: &str| std::env::var(name).ok();
        self.profile.fill(value).map_err(|fault| {
            ArgumentError::NoTarget(format!("`{name}` does not know its registry: {fault} (docs/url-profiles.md)"))
        })?;
        Ok(self)
    }

    /// What is said first of a profile that nobody has run here yet.
    pub fn caution(&self) -> Option<String> {
        let not_run = self.profile.not_run.as_deref()?;
        Some(format!("`{}` was not run here yet: {not_run}; its claims are read, not measured", self.name))
    }

    /// A registry that runs already. Credentials are those that docker has for its host, if it has any.
    fn url(text: &str) -> Result<TargetSpec, ArgumentError> {
        let url = base_url(text).map_err(ArgumentError::NoTarget)?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().map(|port| format!("_{port}")).unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
        let name = format!("{}{port}", host.trim_matches(['[', ']']).chars().map(plain).collect::<String>());
        let profile = Profile {
            url: url.as_str().trim_end_matches('/').to_owned(),
            auth: Some(Auth { docker_config: true, ..Auth::default() }),
            ..Profile::default()
        };
        Ok(TargetSpec { name, profile, reference: None, credentials_optional: true })
    }
}

/// A registry's base URL: http or https, a host, no query, fragment or password.
///
/// # Errors
/// What is wrong, for the person who typed it; a password is not repeated.
pub(super) fn base_url(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|e| format!("this is no URL: {e}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CREDENTIALS.into());
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{text}`: a registry is asked by http:// or https://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("`{text}` has no host"));
    }
    if url.port() == Some(0) {
        return Err(format!("`{text}`: no registry listens on port 0"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a registry's URL has no query and no fragment".into());
    }
    if url.path() == "/v2" || url.path().starts_with("/v2/") {
        return Err(format!("`{text}`: leave `/v2/` out; it is added"));
    }
    Ok(url)
}

/// `host:port`, `[::1]:port`.
fn host_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let name = |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let valid = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && name(host),
    };
    valid.then_some((host, port))
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.eq_ignore_ascii_case("localhost")
        || bare.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_filters_are_told_apart_by_their_form() {
        for target in [
            "http://h",
            "https://h:1",
            "localhost:5000",
            "[::1]:5000",
            "a.b:443",
            "x.yaml",
            "a/b.yaml",
            "olareg",
            "reference",
        ] {
            assert!(matches!(parse_first(target), Ok(First::Target(text)) if text == target), "{target}");
        }
        for filter in ["sparse/**", "sparse/push/*", "*", "sparse/push/some/oci/tag/amd64+arm64", "olareg/x"] {
            assert!(matches!(parse_first(filter), Ok(First::Filter(text)) if text == filter), "{filter}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_what_was_perhaps_meant() {
        for (argument, hint) in [
            ("olarag", "did you mean `olareg`?"),
            ("docker-registy", "did you mean `docker-registry`?"),
            ("sparse", "did you mean `sparse/**`?"),
            ("localhost:5000/x", "did you mean `localhost:5000`?"),
            ("localhost:70000", "neither a target nor a filter"),
            ("mine.yml", "ends in `.yaml`"),
            ("", "is no target"),
        ] {
            let error = parse_first(argument).unwrap_err().to_string();
            assert!(error.contains(hint), "{argument}: {error}");
        }
    }

    #[test]
    fn host_and_port_are_asked_by_https_but_on_this_machine() {
        for (argument, url, name) in [
            ("127.0.0.1:5000", "http://127.0.0.1:5000", "127.0.0.1_5000"),
            ("localhost:5000", "http://localhost:5000", "localhost_5000"),
            ("[::1]:5000", "http://[::1]:5000", "__1_5000"),
            ("registry.example:443", "https://registry.example", "registry.example_443"),
            ("https://registry.example/", "https://registry.example", "registry.example_443"),
            ("http://registry.example", "http://registry.example", "registry.example_80"),
        ] {
            let spec = TargetSpec::parse(Some(argument)).unwrap();
            assert_eq!((spec.profile.url.as_str(), spec.name.as_str()), (url, name), "{argument}");
        }
    }

    #[test]
    fn no_password_is_repeated() {
        for typed in
            ["http://me:hunter2@registry.example", "me:hunter2@127.0.0.1:5000", "me:hunter2@host/x", "hunter2@h"]
        {
            let first = parse_first(typed).and_then(|_| TargetSpec::parse(Some(typed))).unwrap_err().to_string();
            let only = TargetSpec::parse(Some(typed)).unwrap_err().to_string();
            for error in [first, only] {
                assert!(error.contains("docker login") && !error.contains("hunter2"), "{typed}: {error}");
            }
        }
    }

    #[test]
    fn every_shipped_profile_loads_and_says_how_to_install_it() {
        for name in load::shipped_names() {
            let spec = TargetSpec::parse(Some(name)).unwrap();
            assert!(spec.profile.product.is_some(), "{name}");
            let Some(launch) = spec.profile.launch else { continue };
            assert!(!launch.missing.is_empty(), "{name}");
            assert!(!spec.profile.claims.capabilities.is_empty(), "{name}");
        }
    }
}
