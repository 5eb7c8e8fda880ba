//! Barriers in words: what was passed, and for an action that failed, who was blamed and how that was found out.

use super::{clean, text};
use crate::record::{Round, RunRecord};

/// Cases that are named, and repetitions that are told.
const NAMED: usize = 5;

/// All barriers in one line: `gc: 34 cases, 0.3 s; restart: 12 cases, 0.1 s`; `None`: there was none.
pub(super) fn line(record: &RunRecord) -> Option<String> {
    let one = |round: &Round| {
        let cases = text::cases(usize::try_from(round.cases).unwrap_or(usize::MAX));
        let failed = round.failed.as_deref().map(|what| format!(", failed ({})", clean::clip(&clean::line(what), 80)));
        format!("{}: {cases}, {:.1} s{}", clean::line(&round.barrier), round.seconds, failed.unwrap_or_default())
    };
    let all: Vec<String> = record.rounds.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// What is to be said of a round whose action failed, a line each; nothing of others.
pub(super) fn trouble(round: &Round) -> Vec<String> {
    let Some(failed) = &round.failed else { return Vec::new() };
    let mut lines = vec![format!("the {} action failed: {}", clean::line(&round.barrier), clean::line(failed))];
    lines.push(match round.blamed.as_slice() {
        [] if round.tried.is_empty() => {
            "nobody is blamed: a registry that lacuna did not launch cannot be had afresh".into()
        }
        [] => "nobody is blamed".into(),
        all => format!("blamed: {}", some(all, ", ")),
    });
    if !round.tried.is_empty() {
        lines.push(format!("tried on fresh registries: {}", some(&round.tried, "; ")));
    }
    lines
}

/// The first of them, the rest counted.
fn some(all: &[String], between: &str) -> String {
    let mut shown: Vec<String> = all.iter().take(NAMED).map(|text| clean::line(text)).collect();
    if all.len() > NAMED {
        shown.push(format!("and {} more", all.len() - NAMED));
    }
    shown.join(between)
}
