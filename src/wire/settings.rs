//! What a client is told once.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::Credentials;

/// How a target is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base URL, `http://127.0.0.1:5000`, maybe with a path prefix. Credentials in it are refused.
    pub base: String,
    /// Who asks; `None`: nobody.
    pub credentials: Option<Credentials>,
    /// A PEM file of further roots.
    pub ca: Option<PathBuf>,
    /// Verifies no certificate.
    pub insecure: bool,
    /// To connect, TLS included.
    pub connect: Duration,
    /// Between two bytes, and from the last byte sent to the first one received.
    pub idle: Duration,
    /// For one exchange, its redirects and token requests too.
    pub total: Duration,
    /// The largest body that is taken where it is to be kept, in bytes.
    pub body_limit: u64,
    /// The largest body that is only hashed ([`super::Keep::Hash`]), in bytes.
    pub hash_limit: u64,
    /// Requests a second; `None`: as fast as they come.
    pub rate: Option<f64>,
}

impl Settings {
    /// For a base URL, with the limits that a profile has where it says nothing.
    pub fn new(base: &str) -> Settings {
        Settings {
            base: base.to_owned(),
            credentials: None,
            ca: None,
            insecure: false,
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(60),
            body_limit: 64 << 20,
            hash_limit: 64 << 30,
            rate: None,
        }
    }
}
