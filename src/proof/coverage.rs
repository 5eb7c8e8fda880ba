//! Which cases observe which requirement, and which defects break it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Proof;
use crate::reference::{AuthConfig, Config, Scheme, Stance, defects};
use crate::run::NotRun;
use crate::suite::model::CaseInstance;
use crate::suite::requirement::Requirement;

/// How long tokens live that are to be over within a case.
const BRIEF: Duration = Duration::from_secs(2);

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
        let mut cases = BTreeMap::<String, BTreeSet<String>>::new();
        // Most of a run is waiting: for a barrier, for others.
        let runs = registries().into_iter().map(|config| {
            let is_asked = |place: &usize| is_for(&config, &self.instances[*place]);
            let of_it: Vec<usize> = (0..self.instances.len()).filter(is_asked).collect();
            async move { self.ask(config, &of_it).await }
        });
        for record in futures_util::future::try_join_all(runs.map(Box::pin)).await? {
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

/// The registries that the cases are proved by: one of each stance, and those that want to know who asks - by a password, by
/// tokens, by tokens where anybody may pull, by tokens that are soon over.
pub fn registries() -> Vec<Config> {
    let config = |auth| Config { auth, ..Config::default() };
    let by = |scheme| AuthConfig::of(scheme, "lacuna", "lacuna-right-password");
    let open = AuthConfig { anonymous_pull: true, ..by(Scheme::Bearer) };
    let brief = AuthConfig { token_lifetime: BRIEF, ..by(Scheme::Bearer) };
    let asking = [by(Scheme::Basic), by(Scheme::Bearer), open, brief].map(|auth| config(Some(auth)));
    let stances = stances().map(|stance| Config { stance, ..Config::default() });
    stances.into_iter().chain(asking).collect()
}

/// Whether a registry is one that a case is for: who asks is the affair of those that want to know it, and of short lives that of
/// the one whose tokens have them.
pub fn is_for(config: &Config, case: &CaseInstance) -> bool {
    let mut needs = case.needs.capabilities.keys();
    let about_who = needs.any(|name| name == "auth" || name.starts_with("auth."));
    let about_lives = case.needs.capabilities.contains_key("auth.short-tokens");
    match &config.auth {
        None => !about_who,
        Some(auth) => about_who && about_lives == (auth.token_lifetime == BRIEF),
    }
}

/// A case's name without its parameters: `area/topic/name`.
pub fn case_name(id: &str) -> String {
    id.split('/').take(3).collect::<Vec<_>>().join("/")
}
