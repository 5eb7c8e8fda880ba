//! Whom we ask: the profile, its credentials, how it is launched, and what the probe found.

mod act;
pub mod actions;
pub mod argument;
mod barriers;
mod canary;
mod check;
mod claimed;
pub mod claims;
mod command;
mod embedded;
pub mod findings;
pub(crate) mod groups;
pub mod launch;
pub mod load;
pub mod open;
mod output;
mod ports;
pub mod probe;
pub mod profile;
mod program;
pub mod repository;
mod start;
pub mod units;
mod variables;
pub mod visit;
