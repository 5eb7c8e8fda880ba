//! Barriers in words: what was passed, and for an action that failed, who was blamed and how that was found out.

use super::clean;
use crate::record::{Round, RunRecord, counted};

/// Cases that are named, and repetitions that are told.
const NAMED: usize = 5;

/// All barriers in one line, each once: `gc: 34 cases in 3 rounds, 0.3 s; restart: 12 cases, 0.1 s`; `None`: there was none.
pub(super) fn line(record: &RunRecord) -> Option<String> {
    all(&record.rounds)
}

fn all(rounds: &[Round]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for round in rounds {
        if !names.contains(&round.barrier.as_str()) {
            names.push(&round.barrier);
        }
    }
    let one = |name: &&str| {
        let rounds: Vec<&Round> = rounds.iter().filter(|round| round.barrier == **name).collect();
        let cases = rounds.iter().map(|round| round.cases).fold(0, u64::saturating_add);
        let cases = counted::cases(usize::try_from(cases).unwrap_or(usize::MAX));
        let seconds: f64 = rounds.iter().map(|round| round.seconds).sum();
        let count = if rounds.len() > 1 { format!(" in {} rounds", rounds.len()) } else { String::new() };
        let failed: Vec<&str> = rounds.iter().filter_map(|round| round.failed.as_deref()).collect();
        let failed = failed.first().map(|first| {
            let times = if rounds.len() > 1 { format!(" {} of {}", failed.len(), rounds.len()) } else { String::new() };
            format!(", failed{times} ({})", clean::clip(&clean::line(first), 80))
        });
        format!("{}: {cases}{count}, {seconds:.1} s{}", clean::line(name), failed.unwrap_or_default())
    };
    let all: Vec<String> = names.iter().map(one).collect();
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
    lines.extend(smallest(round));
    if !round.tried.is_empty() {
        lines.push(format!("tried on fresh registries: {}", some(&round.tried, "; ")));
    }
    lines
}

/// The smallest of several that make an action fail: where somebody begins who wants to know why.
pub(super) fn smallest(round: &Round) -> Option<String> {
    let least = round.smallest.as_deref().filter(|least| least.len() < round.blamed.len())?;
    Some(format!("the smallest: {}", some(least, " with ")))
}

/// The first of them, the rest counted.
fn some(all: &[String], between: &str) -> String {
    let mut shown: Vec<String> = all.iter().take(NAMED).map(|text| clean::line(text)).collect();
    if all.len() > NAMED {
        shown.push(format!("and {} more", all.len() - NAMED));
    }
    shown.join(between)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_barrier_stands_once_in_the_line() {
        let round = |barrier: &str, failed: Option<&str>| {
            serde_json::json!({
                "barrier": barrier, "cases": 4, "seconds": 0.25, "exit": null, "output": "", "failed": failed, "blamed": []
            })
        };
        let said = |rounds: &[serde_json::Value]| {
            let rounds: Vec<Round> = rounds.iter().map(|r| serde_json::from_value(r.clone()).unwrap()).collect();
            super::all(&rounds)
        };
        assert_eq!(said(&[]), None);
        assert_eq!(
            said(&[round("gc", None), round("restart", None), round("gc", Some("exit 1"))]).unwrap(),
            "gc: 8 cases in 2 rounds, 0.5 s, failed 1 of 2 (exit 1); restart: 4 cases, 0.2 s"
        );
        assert_eq!(said(&[round("gc", Some("exit 1"))]).unwrap(), "gc: 4 cases, 0.2 s, failed (exit 1)");
    }
}
