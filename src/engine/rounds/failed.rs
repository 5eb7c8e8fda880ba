//! An action that failed: those who make it fail are told so, and the others go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Rounds;
use crate::engine::blame::{self, Culprit};
use crate::engine::case::Case;
use crate::engine::ground::{Acted, Ground};
use crate::engine::outcome::{Mismatch, Outcome};
use crate::engine::schedule::{Waiting, finish, none};
use crate::record::Round;
use crate::record::counted;
use crate::suite::barrier::Barrier;
use crate::suite::model::{Action, CaseInstance};

impl<G: Ground, P: Fn(&mut Outcome) + Sync> Rounds<'_, G, P> {
    /// The action failed: whose fault is it? They are blamed, and the others go on where it does not.
    pub(super) async fn failed(&mut self, barrier: Barrier, here: Vec<Waiting>, acted: &Acted, record: &mut Round) {
        let round = here.first().map_or(0, |waiting| waiting.case.round);
        // Rare, and large: on the heap, or every run would carry it on its stack.
        let found = Box::pin(blame::find(&self.plan, self.ground, &self.schedule, barrier, round, &here)).await;
        let what = acted.failed.as_deref().unwrap_or_default();
        let mut here: BTreeMap<usize, Box<Case>> =
            here.into_iter().map(|waiting| (waiting.place, waiting.case)).collect();
        let mut given_up = format!("the {barrier} action of the target failed ({what})");
        if let Some(found) = found {
            record.tried = found.tried;
            given_up.push_str(if found.always {
                ", and does on a fresh one with one ordinary image in it, too: nobody can be blamed"
            } else {
                ", and did not again on a fresh one with the same cases: nobody can be blamed"
            });
            let nobody = found.culprits.is_empty();
            let mut smallest: Option<(usize, u64, Vec<String>)> = None;
            for culprit in found.culprits {
                let Ended { ids, requests } = self.accuse(&culprit, barrier, &mut here).await;
                if let Some(why) = &culprit.undivided {
                    let which = format!("{} of which some make it fail, undivided", counted::cases(ids.len()));
                    record.tried.push(format!("{which} ({why}): {}", ids.join(", ")));
                    continue;
                }
                record.blamed.extend(ids.iter().cloned());
                let size = (ids.len(), requests, ids);
                smallest = Some(smallest.take().map_or_else(|| size.clone(), |least| least.min(size.clone())));
            }
            record.smallest = smallest.map(|(_, _, ids)| ids);
            if !nobody {
                // They go on as their equals on the fresh one.
                here.clear();
            }
            match found.ground {
                Ok((ground, schedule)) => {
                    *self.ground = ground;
                    self.schedule.adopt(schedule, self.plan.progress);
                }
                Err(why) => self.schedule.over = Some(none(format!("not started: {why}"))),
            }
        }
        if let Some(last) = acted.output.lines().last() {
            given_up.push_str(&format!("; its last line: {last}"));
        }
        for (place, mut case) in here {
            case.give_up(none(given_up.clone()));
            let outcome = finish(case).await;
            self.schedule.end(place, outcome, self.plan.progress);
        }
    }

    /// Ends the cases that make an action fail. Proven ones have failed; of others nobody knows.
    async fn accuse(&mut self, culprit: &Culprit, barrier: Barrier, here: &mut BTreeMap<usize, Box<Case>>) -> Ended {
        let cases = culprit.places.iter().filter_map(|place| Some((*place, self.plan.cases.get(*place)?.clone())));
        let cases: Vec<(usize, Arc<CaseInstance>)> = cases.collect();
        let ids: Vec<String> = cases.iter().map(|(_, case)| case.id.clone()).collect();
        let mut requests = 0;
        for (place, case) in cases {
            let before = self.schedule.outcomes.remove(&place);
            let mut outcome = match (here.remove(&place), before) {
                (Some(case), _) => finish(case).await,
                (None, Some(outcome)) => outcome,
                (None, None) => continue,
            };
            requests += outcome.requests;
            match &culprit.undivided {
                None => {
                    let mismatch = mismatch(&case, barrier, culprit, &ids);
                    outcome.observed.push(mismatch.requirement.clone());
                    outcome.mismatches.push(mismatch);
                }
                Some(why) => {
                    outcome.error.get_or_insert(none(undivided(barrier, culprit, &ids, why)));
                }
            }
            self.schedule.end(place, outcome, self.plan.progress);
        }
        Ended { ids, requests }
    }
}

/// What was ended at once.
struct Ended {
    /// Their ids.
    ids: Vec<String>,
    /// What they had sent by then.
    requests: u64,
}

/// Why nobody knows of a case whether it makes an action fail.
fn undivided(barrier: Barrier, culprit: &Culprit, together: &[String], why: &str) -> String {
    let how = culprit.acted.failed.as_deref().unwrap_or_default();
    let with = match together {
        [_] => "with this case alone".to_owned(),
        all => format!("with these {} together", counted::cases(all.len())),
    };
    let mut text = format!(
        "the {barrier} action of the target failed on a fresh one {with} ({how}), and which of them it is was not found out ({why})"
    );
    if together.len() > 1 {
        text.push_str(&format!(": {}", together.join(", ")));
    }
    text
}

/// What did not hold of a case that makes an action fail.
fn mismatch(case: &CaseInstance, barrier: Barrier, culprit: &Culprit, together: &[String]) -> Mismatch {
    let at = case.steps.iter().position(|step| step.action == Action::Barrier(barrier));
    let source = at.and_then(|at| case.steps.get(at)).map_or(&case.source, |step| &step.source);
    let mut shown = culprit.acted.output.clone();
    if together.len() > 1 {
        shown = format!("only together: {}\n{shown}", together.join(", "));
    }
    Mismatch {
        requirement: barrier.requirement().into(),
        step: at.unwrap_or(case.steps.len().saturating_sub(1)),
        label: format!("barrier {barrier}"),
        key: "action".into(),
        expected: "the action ends well".into(),
        got: culprit.acted.failed.clone().unwrap_or_default(),
        diff: (!shown.is_empty()).then_some(shown),
        source: source.clone(),
        exchange: None,
        late: None,
    }
}
