//! Whom we ask: the profile, its credentials, how it is launched, and what the probe found.

mod act;
pub mod actions;
pub mod argument;
mod canary;
mod check;
mod claimed;
pub mod claims;
mod command;
mod embedded;
pub mod findings;
pub mod launch;
pub mod load;
pub mod open;
mod output;
pub mod probe;
pub mod profile;
pub mod repository;
pub mod units;
pub mod visit;
