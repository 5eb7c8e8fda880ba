//! The proof that the cases can fail, and that they accuse nobody: runs against registries that are wrong on purpose.

pub mod allowed;
pub mod coverage;
pub mod mutants;
mod touched;

use std::time::Duration;

use crate::engine::Stop;
use crate::record::RunRecord;
use crate::reference::Config;
use crate::report::progress::Progress;
use crate::run::{self, NotRun, Pause, Request};
use crate::suite::Library;
use crate::suite::model::CaseInstance;
use crate::suite::requirement::{Level, Spec};
use crate::target::argument::TargetSpec;
use crate::target::units::Time;

/// The proof's content is the same every time.
const SEED: u64 = 0x1acu64;

/// Cases at once in one run: the registry answers from memory, and other runs are beside it.
const JOBS: usize = 16;

/// How long an answer of a mutant may be silent: some announce bytes that never come.
const IDLE: Duration = Duration::from_secs(1);

/// Whether everything is to be asked everywhere, no samples: `PROOF=all` in the environment.
pub fn asks_all() -> bool {
    std::env::var("PROOF").is_ok_and(|what| what == "all")
}

/// All cases, of which each run takes some.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Without cases.
    bare: Library,
    /// The cases, by their place in the library.
    instances: Vec<CaseInstance>,
}

impl Proof {
    /// Of these cases.
    pub fn new(library: Library) -> Proof {
        let instances = library.instances.clone();
        Proof { bare: Library { instances: Vec::new(), ..library }, instances }
    }

    /// Every case, by its place.
    pub fn instances(&self) -> &[CaseInstance] {
        &self.instances
    }

    /// Asks a registry of this configuration some cases, which are named by their places.
    ///
    /// # Errors
    /// Why nothing was asked.
    pub async fn ask(&self, config: Config, cases: &[usize]) -> Result<RunRecord, NotRun> {
        let out = tempfile::tempdir().map_err(|error| NotRun::Unwritable(error.to_string()))?;
        let instances = cases.iter().filter_map(|place| self.instances.get(*place).cloned()).collect();
        let spoils = config.mutants.is_some();
        let mut target = TargetSpec::reference(config);
        if spoils {
            target.profile.limits.idle = Time(IDLE);
        }
        let request = Request {
            library: Library { instances, ..self.bare.clone() },
            elsewhere: Vec::new(),
            target,
            filters: Vec::new(),
            out: out.path().to_owned(),
            jobs: Some(JOBS),
            seed: SEED,
            spec: Spec::V1_1,
            level: Level::Must,
            known: Vec::new(),
            shard: None,
            repeat: 1,
            keep: true,
            fail_fast: false,
            pause: Pause::default(),
        };
        let recorded = run::run(&request, &Stop::never(), &|cases| Progress::new(cases, false, false)).await?;
        Ok(recorded.record)
    }
}
