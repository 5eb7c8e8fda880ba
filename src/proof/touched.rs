//! Which cases get which kinds of answers of a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Proof;
use super::coverage::{case_name, is_for};
use crate::engine::names::{mark, marked};
use crate::reference::Config;
use crate::reference::mutants::{Kind, Shape, Witness};
use crate::run::NotRun;
use crate::suite::model::{Action, Step};

/// Of each name so many cases are asked: those that differ in their parameters alone ask much the same.
const OF_A_NAME: usize = 2;

/// A registry that was asked everything.
pub(super) struct Touched {
    /// What kind of registry it is.
    pub config: Config,
    /// The kinds of answers that it gave.
    pub shapes: BTreeMap<Kind, Shape>,
    /// The cases in whose repositories it gave them, those first that are asked soonest, by their places.
    pub cases: BTreeMap<Kind, Vec<usize>>,
}

impl Proof {
    /// Asks a registry every case that is for it.
    ///
    /// # Errors
    /// Why nothing was asked.
    pub(super) async fn touched(&self, config: Config) -> Result<Touched, NotRun> {
        let every: Vec<usize> =
            (0..self.instances.len()).filter(|&case| is_for(&config, &self.instances[case])).collect();
        let witness = Arc::new(Witness::default());
        self.ask(Config { witness: Some(witness.clone()), ..config.clone() }, &every).await?;
        let shapes = witness.shapes();
        let marks = every.iter().map(|&case| (mark(&self.instances[case].id), case)).collect();
        let cases = shapes.iter().map(|(kind, shape)| (kind.clone(), self.owners(shape, &marks)));
        let cases = cases.filter(|(_, cases)| !cases.is_empty()).collect();
        Ok(Touched { config, cases, shapes })
    }

    /// The cases that may be answered so by this registry where nobody knows whose a request was: it names no repository.
    pub(super) fn askers(&self, kind: &Kind, config: &Config) -> Vec<usize> {
        let asks = |action: &Action| match action {
            Action::Raw(raw) => raw.method == kind.method && !raw.path.starts_with("/v2/{repo}"),
            Action::Catalog(_) => kind.what.starts_with("catalog"),
            Action::Token(_) => kind.what == "token",
            _ => false,
        };
        let asks = |case: &usize| self.instances[*case].every_step().any(|step| asks(&step.action));
        self.in_order((0..self.instances.len()).filter(|&case| is_for(config, &self.instances[case])).filter(asks))
    }

    /// The cases whose repositories these are.
    fn owners(&self, shape: &Shape, marks: &BTreeMap<String, usize>) -> Vec<usize> {
        let owner = |repository: &String| marks.get(marked(repository)?).copied();
        self.in_order(shape.repositories.iter().filter_map(owner).collect::<BTreeSet<usize>>())
    }

    /// Some cases of each name: the first of each before a second one, and what waits, for a barrier or others, last. None has a
    /// client: before a wrong answer those try again for as long as a minute.
    fn in_order(&self, cases: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let is_client = |step: &Arc<Step>| matches!(step.action, Action::Client(_));
        let cases = cases.into_iter().filter(|&case| !self.instances[case].every_step().any(is_client));
        let cost = |case: usize| {
            let waits = |action: &Action| matches!(action, Action::Barrier(_) | Action::Wait(_));
            self.instances[case].every_step().map(|step| if waits(&step.action) { 100 } else { 1 }).sum::<usize>()
        };
        let mut seen = BTreeMap::<String, usize>::new();
        let mut cases: Vec<(usize, usize, usize)> = cases
            .map(|case| {
                let nth = seen.entry(case_name(&self.instances[case].id)).or_default();
                *nth += 1;
                (*nth, cost(case), case)
            })
            .filter(|(nth, ..)| *nth <= OF_A_NAME)
            .collect();
        cases.sort_unstable();
        cases.into_iter().map(|(.., case)| case).collect()
    }
}
