//! The mission's eleven questions, answered from the cases that bear on them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, CaseRecord, RequirementRecord, StanceRecord};
use crate::suite::model::{Scope, StanceWord};
use crate::suite::requirement::Level;
use crate::verdict::Verdict;

/// The questions' short names, the first is number 1.
pub const QUESTIONS: [&str; 11] = [
    "Acceptance",
    "Pull",
    "404 semantics",
    "Tag listing",
    "GC safety",
    "Late arrival and removal",
    "Signatures and referrers",
    "Mirroring",
    "Savings",
    "Upgrade, downgrade, restart, version skew",
    "The ground under it",
];

/// All eleven, in order. A case bears on a question if a requirement that it names does; what it says of the question is
/// what the question's own requirements came to, so that one fault does not colour every answer.
pub fn answers(
    cases: &[CaseRecord],
    level: Level,
    requirements: &BTreeMap<String, RequirementRecord>,
    stance: &BTreeMap<String, StanceRecord>,
) -> Vec<Answer> {
    let mut tallies: [BTreeMap<Verdict, u64>; QUESTIONS.len()] = Default::default();
    for case in cases {
        let questions: BTreeSet<u8> =
            case.requirements.iter().filter_map(|id| requirements.get(id)).map(|r| r.question).collect();
        for question in questions {
            if let Some(tally) = usize::from(question).checked_sub(1).and_then(|i| tallies.get_mut(i)) {
                *tally.entry(verdict(case, question, level, requirements)).or_default() += 1;
            }
        }
    }
    let questions = (1..).zip(QUESTIONS).zip(&tallies);
    questions
        .map(|((question, name), tally)| {
            let mut answer = sentence(tally);
            if question == 1 && !stance.is_empty() {
                // `oci` before `docker`.
                let found: Vec<String> =
                    stance.iter().rev().map(|(format, s)| format!("{format}: {}", words(s))).collect();
                answer = format!("{}; {answer}", found.join(", "));
            }
            Answer { question, name: name.into(), answer, cases: tally.values().sum() }
        })
        .collect()
}

/// What a case says of one question: its verdict, or less where the mismatches that brought it belong to other questions.
fn verdict(
    case: &CaseRecord,
    question: u8,
    level: Level,
    requirements: &BTreeMap<String, RequirementRecord>,
) -> Verdict {
    if case.mismatches.is_empty() || matches!(case.verdict, Verdict::Error | Verdict::Fixed) {
        return case.verdict;
    }
    let ours = |id: &str| requirements.get(id).is_some_and(|r| r.question == question);
    let here: Vec<bool> =
        case.mismatches.iter().filter(|m| ours(&m.requirement)).map(|m| m.late.is_none() && m.level >= level).collect();
    match here.iter().max() {
        Some(true) => case.verdict,
        Some(false) => Verdict::Warn,
        None => Verdict::Pass,
    }
}

/// A stance in words: `require linux/amd64, linux/arm64`, `refuse (scope repository)`.
pub fn words(stance: &StanceRecord) -> String {
    let word = match stance.found.is {
        StanceWord::Accept => "accept",
        StanceWord::Refuse => "refuse",
        StanceWord::Require => "require",
        StanceWord::Broken => "broken",
    };
    let mut text = word.to_owned();
    if !stance.found.platforms.is_empty() {
        text = format!("{text} {}", stance.found.platforms.join(", "));
    }
    match stance.found.scope {
        Some(Scope::Repository) => text += " (scope repository)",
        Some(Scope::Registry) => text += " (scope registry)",
        None => {}
    }
    text
}

fn sentence(tally: &BTreeMap<Verdict, u64>) -> String {
    let of = |verdict| tally.get(&verdict).copied().unwrap_or(0);
    let skipped = of(Verdict::Skip);
    let asked = tally.values().sum::<u64>() - skipped;
    if asked == 0 {
        return if skipped == 0 { "not asked".into() } else { format!("not asked: {skipped} skipped") };
    }
    // A warning is no failure: the case passes.
    let mut parts = vec![format!("{} of {asked} cases pass", of(Verdict::Pass) + of(Verdict::Warn))];
    for (verdict, word) in [
        (Verdict::Warn, "warned"),
        (Verdict::Known, "known to fail"),
        (Verdict::Fixed, "fixed"),
        (Verdict::Fail, "fail"),
        (Verdict::Error, "could not be asked"),
        (Verdict::Skip, "skipped"),
    ] {
        if of(verdict) > 0 {
            parts.push(format!("{} {word}", of(verdict)));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_speaks_to_its_own_question_only() {
        let requirement = |question| RequirementRecord {
            level: Level::Must,
            basis: crate::suite::requirement::Basis::Spec,
            source: String::new(),
            text: String::new(),
            question,
        };
        let requirements = BTreeMap::from([("a".to_owned(), requirement(2)), ("b".to_owned(), requirement(3))]);
        let case = |level: &str| -> CaseRecord {
            serde_json::from_value(serde_json::json!({
                "id": "x/y/z", "title": "", "source": "", "verdict": "fail", "reason": null, "error-kind": null,
                "requirements": ["a", "b"], "round": 0, "attempts": 1, "seconds": 0.0, "requests": 1, "bytes-sent": 0,
                "bytes-received": 0, "exchanges": [], "mismatches": [{"requirement": "b", "level": level, "step": "",
                "source": "", "key": "", "expected": "", "got": "", "diff": null, "late": null, "exchange": null}]
            }))
            .unwrap()
        };
        let of = |case: CaseRecord| answers(&[case], Level::Must, &requirements, &BTreeMap::new());
        let answers = of(case("must"));
        assert_eq!(answers[1].answer, "1 of 1 cases pass");
        assert_eq!(answers[2].answer, "0 of 1 cases pass, 1 fail");
        assert_eq!(answers[3].answer, "not asked");
        assert_eq!(of(case("should"))[2].answer, "1 of 1 cases pass, 1 warned");
    }

    #[test]
    fn a_sentence_tells_what_was_asked_and_what_was_not() {
        assert_eq!(sentence(&BTreeMap::new()), "not asked");
        assert_eq!(sentence(&[(Verdict::Skip, 4)].into()), "not asked: 4 skipped");
        assert_eq!(sentence(&[(Verdict::Pass, 12)].into()), "12 of 12 cases pass");
        let mixed = [(Verdict::Pass, 7), (Verdict::Warn, 1), (Verdict::Fail, 2), (Verdict::Skip, 3)].into();
        assert_eq!(sentence(&mixed), "8 of 10 cases pass, 1 warned, 2 fail, 3 skipped");
    }
}
