//! Changes of cases, grouped: a hundred cases to which the same happened are one thing to read.

use super::text::clip;
use super::{AnswerChange, CaseChange, Diff, Kind};
use crate::report::{clean, console, groups, text};
use crate::verdict::Verdict;

/// Distinct reasons of one group that are told.
const REASONS: usize = 3;

/// Cases of one topic to which the same happened.
pub(super) struct Group<'a> {
    /// Area and topic.
    pub topic: &'a str,
    /// The first of its cases.
    pub first: &'a CaseChange,
    /// All of them.
    pub cases: Vec<&'a CaseChange>,
}

/// Groups of one kind, by topic and by what happened; of what is asked or not, by topic alone.
pub(super) fn grouped(diff: &Diff, kind: Kind) -> Vec<Group<'_>> {
    let cases = diff.cases.iter().filter(|change| change.kind == kind);
    let keyed = cases.map(|change| ((topic(&change.id), change.was, change.now, change.place, like(change)), change));
    groups::group(keyed)
        .into_iter()
        .filter_map(|((topic, ..), cases)| Some(Group { topic, first: cases.first().copied()?, cases }))
        .collect()
}

/// Whether what happened to a case is told with its ids; a line for each topic is enough for what was asked on one side only.
pub(super) fn told(kind: Kind) -> bool {
    matches!(kind, Kind::Regression | Kind::Weaker | Kind::Changed | Kind::Stronger | Kind::Fix)
}

/// What cases of one group have in common. For what got better that is the requirement; what did not is told answer by
/// answer, though not by what was expected, which may be each case's own.
fn like(change: &CaseChange) -> Vec<String> {
    match (told(change.kind), change.answers.first()) {
        (false, _) => Vec::new(),
        (true, Some(answer)) if matches!(change.kind, Kind::Stronger | Kind::Fix) => vec![answer.requirement.clone()],
        (true, Some(answer)) => {
            let came = [&answer.was, &answer.now].map(|came| came.clone().unwrap_or_default());
            [&answer.requirement, &answer.key].into_iter().cloned().chain(came).collect()
        }
        (true, None) => what(change),
    }
}

/// Area and topic of an id.
fn topic(id: &str) -> &str {
    let end = id.match_indices('/').nth(1).map_or(id.len(), |(end, _)| end);
    &id[..end]
}

/// What came, in lines: the first expectation that came out differently, or the reasons.
pub(super) fn what(change: &CaseChange) -> Vec<String> {
    if let Some(answer) = change.answers.first() {
        let more = match change.answers.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let AnswerChange { requirement, level, source, expected, .. } = answer;
        let law = if source.is_empty() { String::new() } else { format!(", {}", clip(source)) };
        let held = |came: &Option<String>, verdict: Option<Verdict>| match (came, verdict) {
            (Some(came), _) => clip(came),
            (None, Some(Verdict::Skip)) => "not asked".into(),
            (None, Some(Verdict::Error)) => "as expected, or not reached".into(),
            (None, _) => "as expected".into(),
        };
        return vec![
            format!("{} ({}{law}): expected {}", clean::line(requirement), text::level(*level), clip(expected)),
            format!("was {}; now {}{more}", held(&answer.was, change.was), held(&answer.now, change.now)),
        ];
    }
    let reasons = [("was", change.was, &change.was_reason), ("now", change.now, &change.now_reason)];
    // A skip's evidence tells nothing of what came after it.
    let reason = |verdict, reason: &str| {
        if verdict == Some(Verdict::Skip) { clip(console::short(reason)) } else { clip(reason) }
    };
    let told = reasons.into_iter().filter_map(|(word, verdict, text)| Some((word, reason(verdict, text.as_deref()?))));
    told.map(|(word, text)| format!("{word}: {text}")).collect()
}

/// The distinct reasons of a group's skips, without their evidence.
pub(super) fn reasons(group: &Group<'_>) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for case in &group.cases {
        let skipped = match (case.was, case.now) {
            (_, Some(Verdict::Skip)) => case.now_reason.as_deref(),
            (Some(Verdict::Skip), _) => case.was_reason.as_deref(),
            _ => None,
        };
        if let Some(reason) = skipped.map(console::short).filter(|reason| !distinct.contains(reason)) {
            distinct.push(reason);
        }
    }
    let mut texts: Vec<String> = distinct.iter().take(REASONS).map(|reason| clip(reason)).collect();
    if distinct.len() > REASONS {
        texts.push(format!("{} more reasons", distinct.len() - REASONS));
    }
    texts.join("; ")
}
