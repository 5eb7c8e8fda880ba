//! More than one version: a second server on the storage, and what the registry became.

use std::sync::Arc;

use super::{Placed, Rounds};
use crate::engine::Run;
use crate::engine::ground::Ground;
use crate::engine::names::Names;
use crate::engine::outcome::Outcome;
use crate::engine::schedule::{blank, none};
use crate::record::Round;
use crate::suite::barrier::Barrier;
use crate::wire::Client;

impl<G: Ground, P: Fn(&mut Outcome) + Sync> Rounds<'_, G, P> {
    /// Runs those that ask a second server, too, which serves the same storage meanwhile: on an empty one, where it can be
    /// had, and nothing else is done to it.
    pub(super) async fn side_by_side(&mut self, cases: Vec<Placed>, jobs: usize) {
        if cases.is_empty() || self.schedule.over.is_some() {
            return;
        }
        self.renew(true).await;
        // Its clean-up is that of the target.
        match Box::pin(self.ground.beside()).await {
            Ok(second) => {
                self.serve_beside(Some(second.client()));
                self.run(cases, jobs, false).await;
                self.serve_beside(None);
            }
            Err(why) => {
                for (place, case) in cases {
                    let why = none(format!("not started: no second server on the target's storage: {why}"));
                    self.schedule.end(place, blank(&case, why), self.plan.progress);
                }
            }
        }
    }

    fn serve_beside(&mut self, beside: Option<Client>) {
        let mut run = Run::clone(&self.schedule.run);
        run.sender.beside = beside;
        self.schedule.run = Arc::new(run);
    }

    /// Probes what has become of the registry by the rounds from this one on, once for each way of becoming another version:
    /// when nobody goes on with it any more, since what a probe leaves behind must not be what an action trips over.
    pub(super) async fn look(&mut self, from: usize) {
        let changes = |round: &Round| Barrier::ALL.iter().any(|b| b.changes_version() && b.word() == round.barrier);
        let Some(last) = self.passed.iter().skip(from).rposition(changes).map(|place| from + place) else { return };
        let barrier = |place: usize| self.passed.get(place).map(|round| &round.barrier);
        let is_known = self.found.iter().any(|(place, _)| barrier(*place) == barrier(last));
        let failed = self.passed.iter().skip(last).any(|round| round.failed.is_some());
        if is_known || failed || self.schedule.over.is_some() || !self.schedule.waiting.is_empty() {
            return;
        }
        let options = &self.plan.options;
        let names = Names::new(&options.repositories, &format!("{}-after-{last}", options.run));
        let seed = options.seed.wrapping_add(last as u64 + 1);
        let journal = &self.schedule.run.sender.journal;
        let found = tokio::select! {
            found = Box::pin(self.ground.probed(&names, journal, seed)) => found,
            () = self.plan.stop.wait() => None,
        };
        self.found.extend(found.map(|found| (last, found)));
    }
}
