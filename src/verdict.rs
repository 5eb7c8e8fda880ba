//! Judging: an outcome and the known failures become a verdict. One table; no other stage decides.

mod end;
mod judge;
mod known;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use end::{Ending, exit_code};
pub use judge::{Judged, Law, judge, worst};
pub use known::KnownFailures;

/// What is said of a case. Ordered from best to worst, by which `--repeat` takes the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything held.
    Pass,
    /// Only mismatches below the level asked.
    Warn,
    /// Not applicable.
    Skip,
    /// Failed as recorded.
    Known,
    /// Recorded as failing, and passes.
    Fixed,
    /// A mismatch at or above the level.
    Fail,
    /// Could not be asked.
    Error,
}

impl Verdict {
    /// The word that reports have for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Skip => "skip",
            Verdict::Known => "known",
            Verdict::Fixed => "fixed",
            Verdict::Fail => "fail",
            Verdict::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests;
