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
//! [`proof`] runs the pipeline against it, wrong in one way after the other.
//!
//! One case on its way: [`run`] opens the target ([`target`]: profile, launch, probe, barriers), [`plan`] says which cases are for
//! it, [`engine`] takes them from barrier to barrier (`rounds`), each step by step (`steps`), asks through [`wire`], holds what comes
//! against the expectations (`expect`), and keeps a journal of what it made. [`clients`] are programs of others that a step may run;
//! [`report`] draws the record; [`cli`] is the verbs; [`input`] and [`near`] read files, and say what may have been meant.
//!
//! A new *step* is a model in `suite/model`, its rules in `suite/sense.rs`, and what it does in `engine/steps`; a new *assertion* a key
//! in `suite/assertion.rs`, and its check in `engine/expect`; a new *defect* a row in `reference/defects`, at one of the seams of
//! `reference/policy.rs`, and a case that names it under `caught-by`.

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
