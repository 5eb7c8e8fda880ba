//! Which cases observe which requirement, and which defects break it.

use std::collections::{BTreeMap, BTreeSet};

use super::Proof;
use crate::reference::{Config, Stance, defects};
use crate::run::NotRun;
use crate::suite::requirement::Requirement;

/// A requirement, and who looks after it.
#[derive(Debug, Clone)]
pub struct Covered {
    /// The requirement.
    pub requirement: Requirement,
    /// Cases that observed it on the reference registry, without their parameters.
    pub cases: BTreeSet<String>,
    /// Defects that break it.
    pub defects: BTreeSet<&'static str>,
}

impl Covered {
    /// A requirement that these cases observed, with the defects of the catalogue that break it.
    pub fn of(requirement: &Requirement, cases: BTreeSet<String>) -> Covered {
        let broken = defects().iter().filter(|defect| defect.breaks(&requirement.id)).map(|defect| defect.name);
        Covered { requirement: requirement.clone(), cases, defects: broken.collect() }
    }

    /// What is missing, in a word.
    pub fn hole(&self) -> Option<&'static str> {
        match self {
            Covered { requirement, .. } if requirement.unobservable.is_some() => None,
            Covered { cases, .. } if cases.is_empty() => Some("no case observes it"),
            Covered { defects, .. } if defects.is_empty() => Some("no defect breaks it"),
            Covered { .. } => None,
        }
    }
}

impl Proof {
    /// Every requirement in the order of the names, as runs of the reference registry in each stance observe it: what a
    /// case only seems to ask is not counted.
    ///
    /// # Errors
    /// Why nothing was asked.
    pub async fn coverage(&self) -> Result<Vec<Covered>, NotRun> {
        let every: Vec<usize> = (0..self.instances.len()).collect();
        let mut cases = BTreeMap::<String, BTreeSet<String>>::new();
        // Most of a run is waiting: for a barrier, for others.
        let runs = stances().map(|stance| Box::pin(self.ask(Config { stance, ..Config::default() }, &every)));
        for record in futures_util::future::try_join_all(runs).await? {
            for case in &record.cases {
                for requirement in &case.requirements {
                    cases.entry(requirement.clone()).or_default().insert(case_name(&case.id));
                }
            }
        }
        let covered = |(id, requirement)| Covered::of(requirement, cases.remove(id).unwrap_or_default());
        Ok(self.bare.requirements.iter().map(covered).collect())
    }
}

/// The stances that are proved.
pub fn stances() -> [Stance; 3] {
    let required = ["linux/amd64", "linux/arm64"].map(str::to_owned).to_vec();
    [Stance::Accept, Stance::Refuse, Stance::Require(required)]
}

/// A case's name without its parameters: `area/topic/name`.
pub fn case_name(id: &str) -> String {
    id.split('/').take(3).collect::<Vec<_>>().join("/")
}
