//! How a registry is asked: one [`Exchange`] is a request and what came of it, recorded and redacted at birth.
//!
//! [`Client`] decides what is sent: redirects, authentication, repetitions. It has two doors: `http` is reqwest, with all
//! that it would do by itself switched off; `raw` writes bytes as given and reads answers leniently. [`Client::send`]
//! takes the first where it changes nothing. Secrets stay inside: `trace` makes the record, and redacts it.

mod access;
mod address;
mod answer;
mod auth;
pub(crate) mod challenge;
mod client;
mod credentials;
pub mod exchange;
mod failure;
mod gate;
mod http;
mod link;
mod raw;
pub mod redact;
mod scope;
mod settings;
mod tls;
mod token;
mod trace;
mod transfer;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use auth::Who;
pub(crate) use auth::basic;
pub use client::Client;
pub use credentials::Credentials;
pub use exchange::*;
pub use settings::Settings;

/// How the harness names itself to a registry.
pub const USER_AGENT: &str = concat!("lacuna/", env!("CARGO_PKG_VERSION"));

/// Whether two URLs lead to the same scheme, host and port; what is no URL leads nowhere.
pub fn same_origin(one: &str, other: &str) -> bool {
    let origin = |url: &str| address::Address::parse(url).ok().map(|address| address.origin());
    origin(one).is_some_and(|one| origin(other) == Some(one))
}
