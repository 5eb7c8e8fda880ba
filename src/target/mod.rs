//! Whom we ask: the profile, its credentials, how it is launched, and what the probe found.

mod act;
pub mod actions;
pub mod argument;
mod barriers;
mod canary;
mod check;
mod claimed;
pub mod claims;
pub(crate) mod command;
mod embedded;
pub mod findings;
pub(crate) mod groups;
pub mod launch;
pub mod load;
pub mod open;
pub(crate) mod output;
mod ports;
pub mod probe;
pub mod profile;
pub(crate) mod program;
pub mod repository;
mod start;
pub mod units;
mod usage;
mod variables;
pub mod visit;
