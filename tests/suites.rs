//! Every case instance as a trial, against the reference registry or the target in `LACUNA_TARGET` (a URL, a profile's
//! name or file): `cargo test --test suites -- sparse/refuse`, `--list`, `--exact`, and nextest with its partitions work.
//!
//! What the arguments select is run once, in one run of the engine; each trial waits for it and tells its own verdict.
//! Under nextest each process runs one case, on a target that it starts itself; on a target that it does not start, the
//! processes are neighbours, so cases that must be alone are left out there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use lacuna::engine::Stop;
use lacuna::plan::Filter;
use lacuna::record::CaseRecord;
use lacuna::reference::Config;
use lacuna::report::progress::Progress;
use lacuna::run::{self, Request};
use lacuna::suite::requirement::{Level, Spec};
use lacuna::suite::{Library, SuiteSource};
use lacuna::target::argument::TargetSpec;
use lacuna::verdict::Verdict;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let library = match lacuna::suite::load(&SuiteSource::Shipped) {
        Ok(library) => library,
        Err(diagnostics) => panic!("the shipped suites do not load:\n{diagnostics}"),
    };
    let target = match std::env::var("LACUNA_TARGET") {
        Ok(name) => TargetSpec::parse(Some(&name)).unwrap_or_else(|why| panic!("LACUNA_TARGET: {why}")),
        Err(_) => TargetSpec::reference(Config::default()),
    };
    let crowded =
        std::env::var_os("NEXTEST").is_some() && target.reference.is_none() && target.profile.launch.is_none();
    let ids: Vec<(String, bool)> = library.instances.iter().map(|case| (case.id.clone(), case.alone)).collect();
    assert!(!ids.is_empty(), "the library has no case");

    let shared = Arc::new(Shared { library, target, records: OnceLock::new(), selected: OnceLock::new() });
    let trials: Vec<Trial> = ids
        .into_iter()
        .map(|(id, alone)| {
            let (shared, name) = (Arc::clone(&shared), id.clone());
            Trial::ignorable_test(name, move || match alone && crowded {
                true => Ok(Completion::ignored_with("must run alone, and this target has neighbours")),
                false => shared.tell(&id),
            })
        })
        .collect();
    let selected =
        trials.iter().filter(|trial| !arguments.is_filtered_out(trial)).map(|t| t.name().to_owned()).collect();
    let _ = shared.selected.set(selected);
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Nothing selected is no success: a filter that is misspelt must not be green. (nextest lists with a filter of its own.)
    if !arguments.list && conclusion.num_passed + conclusion.num_failed + conclusion.num_ignored == 0 {
        eprintln!("error: the filter selects no case");
        std::process::exit(4);
    }
    conclusion.exit();
}

struct Shared {
    library: Library,
    target: TargetSpec,
    selected: OnceLock<Vec<String>>,
    records: OnceLock<Result<BTreeMap<String, CaseRecord>, String>>,
}

impl Shared {
    /// The verdict of one case; the first that asks runs all that were selected.
    fn tell(&self, id: &str) -> Result<Completion, Failed> {
        let records = self.records.get_or_init(|| self.run()).as_ref()?;
        let case = records.get(id).ok_or("the run's record has no such case")?;
        let reason = case.reason.clone().unwrap_or_default();
        match case.verdict {
            Verdict::Pass | Verdict::Warn | Verdict::Known => Ok(Completion::Completed),
            Verdict::Skip => Ok(Completion::ignored_with(reason)),
            Verdict::Fail | Verdict::Fixed | Verdict::Error => Err(told(case, &reason).into()),
        }
    }

    fn run(&self) -> Result<BTreeMap<String, CaseRecord>, String> {
        let out = tempfile::tempdir().map_err(|e| e.to_string())?;
        let selected = self.selected.get().map(Vec::as_slice).unwrap_or_default();
        let everything = selected.len() == self.library.instances.len();
        let filters = if everything { &[] } else { selected };
        let request = Request {
            library: self.library.clone(),
            elsewhere: Vec::new(),
            target: self.target.clone(),
            filters: filters.iter().map(|id| Filter::parse(id)).collect::<Result<_, _>>()?,
            out: out.path().to_owned(),
            jobs: None,
            seed: run::fresh(),
            spec: Spec::V1_1,
            level: Level::Must,
            known: Vec::new(),
            shard: None,
            repeat: 1,
            keep: false,
            fail_fast: false,
            pause: run::Pause::default(),
        };
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        let progress = |cases| Progress::new(cases, false, false);
        let recorded =
            runtime.block_on(run::run(&request, &Stop::never(), &progress)).map_err(|why| why.to_string())?;
        eprintln!("seed {}", recorded.record.seed);
        Ok(recorded.record.cases.into_iter().map(|case| (case.id.clone(), case)).collect())
    }
}

/// What did not hold.
fn told(case: &CaseRecord, reason: &str) -> String {
    let mut text = format!("{}\n{reason}", case.source);
    for m in &case.mismatches {
        text += &format!("\n{} ({}): {} expected {}, got {}", m.requirement, m.source, m.key, m.expected, m.got);
    }
    text
}
