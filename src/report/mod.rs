//! Reports: each a pure function of a run's record.

pub mod changes;
pub mod clean;
pub mod console;
pub mod coverage;
pub mod curl;
pub mod diff;
pub mod files;
pub mod groups;
pub mod html;
pub mod junit;
pub mod list;
pub mod paint;
pub mod probe;
pub mod progress;
pub mod publish;
mod rounds;
pub mod savings;
pub mod text;

use crate::record::RunRecord;

/// How long the run took, where its times can be read.
pub fn seconds(record: &RunRecord) -> Option<f64> {
    let started: jiff::Timestamp = record.started.parse().ok()?;
    let finished: jiff::Timestamp = record.finished.parse().ok()?;
    Some(finished.duration_since(started).as_secs_f64().max(0.0))
}
