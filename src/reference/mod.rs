//! The embedded reference registry, and the ways in which it can be told to be wrong.
//!
//! A whole registry of the distribution-spec (v1.1.1, and the development version), in memory or in a folder:
//!
//! ```text
//! server     a request -> route -> handler -> Answer -> the layer over finished answers -> HTTP
//! manifests, blobs, sessions, lists, referrers, auth, gc      the handlers: each computes what is right
//! policy     the seams: every decision passes here, and whoever is switched on may change it
//! state, content, folder      what is held, and how it lasts
//! traffic    what is under way at once
//! running, serving, boot      start, restart, kill, upgrade: the address stays, and what was held is found again
//! defects    rows of (name, sentence, requirement, seam): one wrong decision each
//! variations the same for decisions that differ and are lawful
//! mutants    each kind of answer, wrong in each systematic way, made by machine
//! ```

pub mod answer;
mod auth;
mod blobs;
pub mod boot;
pub mod caller;
pub mod config;
mod connection;
pub mod content;
pub mod defects;
mod folder;
mod fresh;
pub mod gc;
mod lists;
pub mod manifest;
mod manifests;
pub mod mutants;
mod parts;
pub mod past;
pub mod policy;
pub mod problem;
pub mod question;
mod referrers;
mod registry;
pub mod route;
mod running;
mod server;
mod serving;
mod sessions;
pub mod state;
#[cfg(test)]
mod tests;
pub mod traffic;
pub mod uploads;
pub mod variations;

pub use boot::Ended;
pub use config::{AuthConfig, Config, GcConfig, Scheme, Stance};
pub use defects::{Defect, defects};
pub use gc::Collected;
pub use running::{Running, start};
pub use variations::{Variation, variations, writes_while_collecting};
