//! What an author can write: topics of cases, bundles of expectations, requirements.
//!
//! ```text
//! files      where suites come from          bytes by role
//! yaml       bytes to a tree with places     YAML, as much of it as suites use
//! decode     tree to Rust types              by serde; a fault names its own place, and (context) hides no other
//! each, template, topic                      cases to instances: parameters put in, steps decoded
//! step, expect, needs                        what a case consists of
//! symbols, sense, sequence                   what can be wrong although it decodes
//! load       all of it                       a Library, or every diagnostic of every file
//! ```

pub mod assertion;
pub mod barrier;
pub(crate) mod context;
mod decode;
mod each;
pub mod either;
mod expect;
pub mod fault;
mod files;
mod load;
pub mod model;
mod needs;
mod nodes;
pub mod parallel;
pub mod requirement;
pub mod schema;
mod sense;
pub mod sequence;
pub mod side;
mod step;
mod symbols;
mod template;
mod topic;
pub(crate) mod tree;
mod unfit;
mod vary;
mod who;
mod words;
mod written;
pub(crate) mod yaml;

pub use fault::{Diagnostic, Diagnostics};
pub use files::SuiteSource;
pub use load::{Library, load};
