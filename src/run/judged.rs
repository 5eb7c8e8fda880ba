//! Outcomes and claims, judged, as the record takes them.

use std::collections::BTreeSet;

use crate::engine::Outcome;
use crate::engine::pause::Saved;
use crate::plan::Planned;
use crate::record::build::JudgedCase;
use crate::record::counted;
use crate::suite::Library;
use crate::target::claims;
use crate::target::findings::Findings;
use crate::target::open::Live;
use crate::target::profile::Claims;
use crate::verdict::{self, Judged, Law, Verdict};
use crate::wire::FailureKind;

/// Judges every planned case; of several attempts the worst counts. Of those that wait only what failed already is said.
pub(super) fn judge<'a>(
    library: &'a Library,
    planned: &[Planned],
    attempts: &'a [Vec<Outcome>],
    law: &Law<'_>,
    waiting: &[Saved],
) -> Vec<JudgedCase<'a>> {
    let mut asked = 0;
    let mut cases = Vec::new();
    for plan in planned {
        let Some(instance) = library.instances.get(plan.case) else { continue };
        let mut record = JudgedCase::of(instance, Verdict::Skip);
        if let Some(skip) = &plan.skip {
            let evidence = if skip.evidence.is_empty() { String::new() } else { format!(": {}", skip.evidence) };
            record.reason = Some(format!("{}{evidence}", skip.reason));
            cases.push(record);
            continue;
        }
        let outcomes: Vec<&Outcome> = attempts.iter().filter_map(|attempt| attempt.get(asked)).collect();
        asked += 1;
        let judged: Vec<Judged> = outcomes.iter().map(|outcome| verdict::judge(outcome, law)).collect();
        let Some(worst) = verdict::worst(&judged) else { continue };
        let (Some(one), Some(outcome)) = (judged.into_iter().nth(worst), outcomes.get(worst)) else { continue };
        let repeated = outcomes.len() > 1 && one.verdict > Verdict::Pass;
        record.reason = match one.reason {
            Some(reason) if repeated => Some(format!("attempt {} of {}: {reason}", worst + 1, outcomes.len())),
            reason => reason,
        };
        record.verdict = one.verdict;
        record.error_kind = one.error_kind;
        record.sources = one.sources;
        record.sometimes = law.known.covering(&instance.id).any(|known| known.sometimes);
        record.attempts = u32::try_from(outcomes.iter().filter(|o| !not_started(o)).count()).unwrap_or(u32::MAX);
        record.round = outcome.round;
        record.outcome = Some(outcome);
        let waits = waiting.iter().find(|saved| saved.case == instance.id);
        if let Some(waits) = waits.filter(|_| !matches!(record.verdict, Verdict::Fail | Verdict::Error)) {
            // The rest is said when it has gone on.
            (record.verdict, record.outcome) = (Verdict::Skip, None);
            record.reason = Some(format!("waits at {}", waits.barrier));
        }
        cases.push(record);
    }
    cases
}

/// The profile's claims as cases that nobody wrote: one that is contradicted fails.
pub(super) fn claims(claims: &Claims, findings: Option<&Findings>) -> Vec<JudgedCase<'static>> {
    let checks = findings.map(|findings| claims::compare(claims, findings)).unwrap_or_default();
    checks
        .into_iter()
        .map(|check| JudgedCase {
            reason: Some(check.text()),
            id: check.id.into(),
            title: "What the profile claims is what the probe finds".into(),
            source: "profile".into(),
            requirements: BTreeSet::new(),
            verdict: match (check.holds, check.unasked) {
                (true, _) => Verdict::Pass,
                (false, true) => Verdict::Error,
                (false, false) => Verdict::Fail,
            },
            error_kind: check.unasked.then(|| FailureKind::Unavailable.word().to_owned()),
            sources: Vec::new(),
            sometimes: false,
            round: 0,
            attempts: 1,
            outcome: None,
        })
        .collect()
}

/// Whether a case was never begun: the run was over before.
pub(super) fn not_started(outcome: &Outcome) -> bool {
    outcome.error.is_some() && outcome.exchanges.is_empty() && outcome.requests == 0
}

/// What must be said of the run as a whole.
pub(super) fn notes(attempts: &[Vec<Outcome>], findings: Option<&Findings>, live: &Live) -> Vec<String> {
    let mut notes = Vec::new();
    if findings.is_none() {
        notes.push("the probe was interrupted: nobody knows which cases would have been skipped".to_owned());
    }
    let idle: Vec<&Outcome> = attempts.iter().flatten().filter(|outcome| not_started(outcome)).collect();
    if let Some(reason) = idle.first().and_then(|outcome| outcome.error.as_ref()) {
        let count = counted::cases(idle.len());
        notes.push(format!("{count} {}", reason.text));
    }
    let cut = |outcome: &&Outcome| {
        !not_started(outcome) && outcome.error.as_ref().is_some_and(|e| e.kind == Some(FailureKind::Interrupted))
    };
    let cut = attempts.iter().flatten().filter(cut).count();
    if cut > 0 {
        notes.push(format!("{} cut off by the interruption", counted::cases(cut)));
    }
    if let Some(output) = live.output().filter(|output| !idle.is_empty() && !output.trim().is_empty()) {
        notes.push(format!("the target's last words: {}", output.trim()));
    }
    notes
}
