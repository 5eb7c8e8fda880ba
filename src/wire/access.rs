//! How a program beside us would reach the target.

use std::path::PathBuf;

use super::address::Address;
use super::credentials::Credentials;
use super::settings::Settings;

/// A target, as another program has to be told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// `host` or `host:port`.
    pub host: String,
    /// The path before `/v2/`, which most programs know nothing of; empty almost always.
    pub below: String,
    /// Whether it is https.
    pub secure: bool,
    /// Whether certificates are not verified.
    pub insecure: bool,
    /// A PEM file of further roots.
    pub ca: Option<PathBuf>,
    /// Who asks.
    pub credentials: Option<Credentials>,
}

impl Access {
    pub(super) fn of(base: &Address, settings: &Settings) -> Access {
        Access {
            host: base.authority(),
            below: base.path.trim_end_matches('/').to_owned(),
            secure: base.secure,
            insecure: settings.insecure,
            ca: settings.ca.clone(),
            credentials: settings.credentials.clone(),
        }
    }
}
