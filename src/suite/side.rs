//! Which of two servers a step is sent to, where two serve one storage at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::CaseInstance;

/// A server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The target.
    #[default]
    Main,
    /// The second server on the target's storage, another version of it (the profile's `beside`).
    Beside,
}

/// Whether a case asks the second server, too.
pub fn is_skewed(case: &CaseInstance) -> bool {
    case.every_step().any(|step| step.at == Side::Beside)
}
