//! lacuna asks an OCI registry what it does with a *sparse index*, and says exactly what came.
//!
//! The modules are the pipeline, and plain values pass between them:
//!
//! ```text
//! suites + fixtures + target  --suite, content, target-->  Library or diagnostics
//! Library + Target + filter   --plan-->    ordered cases, and skips with reasons
//! cases                       --engine-->  Outcomes   (the only stage that touches the network, through wire)
//! Outcome + known failures    --verdict--> Verdicts
//! Verdicts                    --record-->  one RunRecord, of which every report is a pure view
//! ```
//!
//! [`mod@reference`] is a registry of our own: a target that is always at hand, and that can be told to be wrong.

pub mod cli;
pub mod clients;
pub mod content;
pub mod engine;
pub mod input;
pub mod near;
pub mod plan;
pub mod proof;
pub mod record;
pub mod reference;
pub mod report;
pub mod run;
pub mod suite;
pub mod target;
pub mod verdict;
pub mod wire;
