//! The exit code: what a gate can trust.

use std::collections::BTreeMap;

use super::Verdict;

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Cases by verdict, claims among them.
    pub totals: &'a BTreeMap<Verdict, u64>,
    /// Whether every planned case came to its end.
    pub complete: bool,
    /// Cases wait at a barrier, as they were told to, to go on another day.
    pub paused: bool,
    /// Arguments or files were refused.
    pub refused: bool,
    /// The target is not there, could not be started or probed.
    pub untestable: bool,
    /// Cases were asked, and none got an answer.
    pub mute: bool,
    /// A report could not be written.
    pub unwritten: bool,
    /// The signal that interrupted the run.
    pub signal: Option<i32>,
}

/// The exit code of a run: 0 as expected, 1 conformance failure (or a run that did not come to its end), 2 usage or
/// refused files, 3 the target could not be tested, 4 nothing selected or all skipped, 5 a report could not be written,
/// 128 + signal interrupted. Where several hold: 2, the signal, 3, 4, 5, 1.
pub fn exit_code(ending: &Ending<'_>) -> u8 {
    let count = |verdict| ending.totals.get(&verdict).copied().unwrap_or(0);
    let all: u64 = ending.totals.values().sum();
    let asked = all - count(Verdict::Skip);
    let failed = [Verdict::Fail, Verdict::Fixed, Verdict::Error].into_iter().any(|verdict| count(verdict) > 0);
    if ending.refused {
        2
    } else if let Some(signal) = ending.signal {
        u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX)
    } else if ending.untestable || ending.mute {
        3
    } else if asked == 0 && !ending.paused {
        4
    } else if ending.unwritten {
        5
    } else if failed || !ending.complete && !ending.paused {
        1
    } else {
        0
    }
}
