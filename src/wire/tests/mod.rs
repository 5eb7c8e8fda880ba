//! The client against scripted servers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bearer;
mod bodies;
mod canary;
mod failures;
mod peer;
mod redirects;

use std::time::Duration;

use super::{Client, Credentials, Settings};

/// A client whose deadlines are short enough for a test.
fn client(base: &str) -> Client {
    with(base, None)
}

fn with(base: &str, credentials: Option<Credentials>) -> Client {
    Client::new(settings(base, credentials)).unwrap()
}

fn settings(base: &str, credentials: Option<Credentials>) -> Settings {
    Settings {
        credentials,
        connect: Duration::from_secs(1),
        idle: Duration::from_millis(400),
        total: Duration::from_secs(4),
        body_limit: 1 << 20,
        hash_limit: 8 << 20,
        ..Settings::new(base)
    }
}
