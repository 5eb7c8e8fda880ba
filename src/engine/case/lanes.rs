//! `parallel`: a case goes on in several lanes at once, each with what it knew before, and is one again at their end.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::{Case, Halt};
use crate::engine::interleaving::Interleaving;
use crate::engine::names::Lease;
use crate::engine::outcome::{InLane, Mismatch, StepExchange};
use crate::engine::steps;
use crate::suite::model::Step;
use crate::suite::parallel::{Lane, Parallel};

/// A lane while it runs.
struct Running<'p> {
    lane: &'p Lane,
    case: Case,
    halt: Option<Halt>,
}

impl Case {
    /// Runs lanes, all of them beginning together as often as the step says, and takes what came of them.
    pub(in crate::engine) async fn race(&mut self, what: &Parallel) -> Result<(), Halt> {
        let begun = Instant::now();
        let mut lanes: Vec<Running<'_>> =
            what.lanes.iter().map(|lane| Running { lane, case: self.lane(), halt: None }).collect();
        for _ in 0..what.times {
            join_all(lanes.iter_mut().map(Running::lap)).await;
            // One that could not be asked leaves nothing to be raced with.
            if lanes.iter().any(|lane| lane.halt.is_some()) {
                break;
            }
        }
        let halts: Vec<Halt> = lanes.iter_mut().filter_map(|lane| lane.halt.take()).collect();
        self.join(begun, lanes);
        let not_asked = halts.iter().position(|halt| matches!(halt, Halt::NotAsked(_))).unwrap_or(0);
        halts.into_iter().nth(not_asked).map_or(Ok(()), Err)
    }

    /// The case as a lane begins: it knows the same, and has seen nothing.
    fn lane(&self) -> Case {
        Case {
            step: self.step,
            passed: self.passed,
            round: self.round,
            facts: self.facts.lane(),
            named: self.named.clone(),
            ..Case::new(
                self.run.clone(),
                self.instance.clone(),
                self.content.clone(),
                self.repositories.clone(),
                Lease::kept(Vec::new()),
            )
        }
    }

    fn join(&mut self, begun: Instant, lanes: Vec<Running<'_>>) {
        let mut exchanges: Vec<(usize, usize, StepExchange)> = Vec::new();
        let mut mismatches: Vec<(usize, Mismatch)> = Vec::new();
        let mut facts = Vec::new();
        for (place, Running { lane, case, .. }) in lanes.into_iter().enumerate() {
            let name: Arc<str> = lane.name.as_str().into();
            let since = |at: Instant| at.saturating_duration_since(begun).as_secs_f64();
            for (own, mut at) in case.exchanges.into_iter().enumerate() {
                at.label = format!("{name}: {}", at.label);
                let (begin, end) = (since(at.exchange.begun), since(at.exchange.ended));
                at.lane = Some(InLane { name: name.clone(), begin, end });
                exchanges.push((place, own, at));
            }
            for mismatch in case.mismatches {
                mismatches.push((place, Mismatch { label: format!("{name}: {}", mismatch.label), ..mismatch }));
            }
            self.observed.extend(case.observed);
            for thing in case.created {
                if !self.created.contains(&thing) {
                    self.created.push(thing);
                }
            }
            facts.push(case.facts);
        }
        self.facts.join(begun, facts);
        exchanges.sort_by_key(|(_, _, at)| at.exchange.begun);
        for (place, mut mismatch) in mismatches {
            let now = |own: usize| exchanges.iter().position(|(p, o, _)| (*p, *o) == (place, own));
            mismatch.exchange = mismatch.exchange.and_then(now).map(|index| index + self.exchanges.len());
            // The same of many reads is said once.
            let is_same = |other: &Mismatch| {
                let parts =
                    |m: &Mismatch| (m.requirement.clone(), m.step, m.label.clone(), m.expected.clone(), m.got.clone());
                parts(other) == parts(&mismatch)
            };
            if !self.mismatches.iter().any(is_same) {
                self.mismatches.push(mismatch);
            }
        }
        let first = self.exchanges.len();
        self.exchanges.extend(exchanges.into_iter().map(|(_, _, at)| at));
        self.interleaving =
            Some(Interleaving::of(first, self.exchanges.get(first..).unwrap_or_default(), &self.repositories));
    }
}

impl Running<'_> {
    /// The lane's steps, once.
    async fn lap(&mut self) {
        for step in &self.lane.steps {
            if self.halt.is_some() {
                return;
            }
            self.halt = self.one(step).await.err();
        }
    }

    async fn one(&mut self, step: &Step) -> Result<(), Halt> {
        self.case.facts.sends();
        steps::run(&mut self.case, step).await
    }
}
