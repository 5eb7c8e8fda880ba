//! The proof that the cases can fail, and that they accuse nobody: every defect of the reference registry turns red, by
//! the requirement that it breaks, each case that names it; without a defect, and under every legal variation, nothing is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lacuna::engine::Stop;
use lacuna::plan::Filter;
use lacuna::record::RunRecord;
use lacuna::reference::{self, Config, Defect, Stance};
use lacuna::report::progress::Progress;
use lacuna::run::{self, Request};
use lacuna::suite::model::StanceWord;
use lacuna::suite::requirement::{Level, Spec};
use lacuna::suite::{Library, SuiteSource};
use lacuna::target::argument::TargetSpec;
use lacuna::verdict::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Handle;

/// The proof's content is the same every time.
const SEED: u64 = 0x1acu64;

/// A defect that turns more of the cases red than one in so many proves none of them.
const BROAD: usize = 5;

/// One case in so many is run beside those that name a defect, to see how broad it is.
const SAMPLE: usize = 12;

fn main() {
    let arguments = Arguments::from_args();
    let library = match lacuna::suite::load(&SuiteSource::Shipped) {
        Ok(library) => Arc::new(library),
        Err(diagnostics) => panic!("the shipped suites do not load:\n{diagnostics}"),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let proof = Proof { library, handle: runtime.handle().clone() };
    let mut trials = Vec::new();
    for defect in reference::defects() {
        let proof = proof.clone();
        trials.push(Trial::test(format!("caught::{}", defect.name), move || proof.caught(defect)));
    }
    for stance in stances() {
        let proof = proof.clone();
        let name = format!("innocent::{}", stance.word());
        trials.push(Trial::test(name, move || proof.innocent(config(&stance), &[])));
    }
    let names: Vec<&'static str> = reference::variations().iter().map(|variation| variation.name).collect();
    for name in &names {
        let (proof, name) = (proof.clone(), *name);
        trials.push(Trial::test(format!("legal::{name}"), move || proof.legal(&[name])));
    }
    {
        let proof = proof.clone();
        trials.push(Trial::test("legal::in-company", move || proof.company(&names)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The stances that are proved.
fn stances() -> [Stance; 3] {
    let required = ["linux/amd64", "linux/arm64"].map(str::to_owned).to_vec();
    [Stance::Accept, Stance::Refuse, Stance::Require(required)]
}

fn config(stance: &Stance) -> Config {
    Config { stance: stance.clone(), ..Config::default() }
}

/// A case's name without its parameters: `area/topic/name`.
fn case_name(id: &str) -> String {
    id.split('/').take(3).collect::<Vec<_>>().join("/")
}

#[derive(Clone)]
struct Proof {
    library: Arc<Library>,
    handle: Handle,
}

impl Proof {
    /// Each case that names the defect has an instance that fails by the requirement which the defect breaks.
    fn caught(&self, defect: &Defect) -> Result<(), Failed> {
        let named: BTreeSet<String> = self
            .library
            .instances
            .iter()
            .filter(|case| case.caught_by.iter().any(|name| name == defect.name))
            .map(|case| case_name(&case.id))
            .collect();
        if named.is_empty() {
            return Err("no case names it in `caught-by`".into());
        }
        let names: BTreeSet<String> = self.library.instances.iter().map(|case| case_name(&case.id)).collect();
        let sampled = names.iter().step_by(SAMPLE).cloned();
        let sample: BTreeSet<String> = sampled.collect();
        let mut missed = named.clone();
        let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
        for stance in stances().iter().filter(|stance| shows(defect, stance)) {
            if missed.is_empty() {
                break;
            }
            // What is caught already is not asked again, and one stance is enough to see how broad it is.
            let sample = if missed.len() == named.len() { &sample } else { &BTreeSet::new() };
            let filters: Vec<&str> = missed.union(sample).map(String::as_str).collect();
            let defects = [defect.name].into();
            let record = self.run(Config { defects, ..config(stance) }, filters)?;
            let (mut red, mut asked) = (0, 0);
            for case in record.cases.iter().filter(|case| case.verdict != Verdict::Skip) {
                let name = case_name(&case.id);
                let broken: BTreeSet<String> = case.mismatches.iter().map(|m| m.requirement.clone()).collect();
                if !named.contains(&name) {
                    asked += 1;
                    red += usize::from(matches!(case.verdict, Verdict::Fail | Verdict::Error));
                } else if breaks(defect).any(|requirement| broken.contains(requirement)) {
                    missed.remove(&name);
                } else {
                    seen.entry(name).or_default().extend(broken);
                }
            }
            if asked > 0 && red * BROAD > asked {
                return Err(format!("{}: {red} of {asked} cases that do not name it are red", stance.word()).into());
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        let lines = missed.iter().map(|name| match seen.get(name) {
            Some(other) if !other.is_empty() => format!("{name}: not by {}, but by {other:?}", defect.requirement),
            _ => format!("{name}: not by {}", defect.requirement),
        });
        Err(lines.collect::<Vec<_>>().join("\n").into())
    }

    /// A legal difference turns nothing red, whatever the stance.
    fn legal(&self, names: &[&'static str]) -> Result<(), Failed> {
        [Stance::Accept, Stance::Refuse].iter().try_for_each(|stance| self.innocent(config(stance), names))
    }

    /// Legal differences in seeded company: several at once.
    fn company(&self, names: &[&'static str]) -> Result<(), Failed> {
        for start in 0..4 {
            let some: Vec<&'static str> = names.iter().copied().skip(start).step_by(4).collect();
            self.legal(&some)?;
        }
        Ok(())
    }

    /// Nothing is red.
    fn innocent(&self, config: Config, variations: &[&'static str]) -> Result<(), Failed> {
        let config = Config { variations: variations.iter().copied().collect(), ..config };
        let record = self.run(config, [])?;
        let red: Vec<String> = record
            .cases
            .iter()
            .filter(|case| matches!(case.verdict, Verdict::Fail | Verdict::Error))
            .map(|case| {
                let reason = case.reason.clone().unwrap_or_default();
                let first = case.mismatches.first();
                let first =
                    first.map(|m| format!("{} {}: expected {}, got {}", m.requirement, m.key, m.expected, m.got));
                format!("{}: {}", case.id, first.unwrap_or(reason))
            })
            .collect();
        let passed = record.totals.get(&Verdict::Pass).copied().unwrap_or(0);
        if !red.is_empty() {
            let shown: Vec<&str> = red.iter().take(40).map(String::as_str).collect();
            return Err(format!("{variations:?}: {} red\n{}", red.len(), shown.join("\n")).into());
        }
        if passed < 100 {
            return Err(format!("{variations:?}: only {passed} cases passed").into());
        }
        Ok(())
    }

    fn run<'a>(&self, config: Config, filters: impl IntoIterator<Item = &'a str>) -> Result<RunRecord, Failed> {
        let out = tempfile::tempdir()?;
        let filters = filters.into_iter().map(Filter::parse).collect::<Result<Vec<Filter>, String>>()?;
        let request = Request {
            library: (*self.library).clone(),
            target: TargetSpec::reference(config),
            filters,
            out: out.path().to_owned(),
            jobs: Some(16),
            seed: SEED,
            spec: Spec::V1_1,
            level: Level::Must,
            known: Vec::new(),
            shard: None,
            repeat: 1,
            keep: true,
            fail_fast: false,
        };
        let recorded =
            self.handle.block_on(run::run(&request, &Stop::never(), |cases| Progress::new(cases, false, false)));
        Ok(recorded.map_err(|why| why.to_string())?.record)
    }
}

/// Whether the defect shows in a stance.
fn shows(defect: &Defect, stance: &Stance) -> bool {
    let word = match stance {
        Stance::Accept => StanceWord::Accept,
        Stance::Refuse => StanceWord::Refuse,
        Stance::Require(_) => StanceWord::Require,
    };
    defect.stances.is_empty() || defect.stances.contains(&word)
}

/// The requirements by which it must be caught: any other red is collateral.
fn breaks(defect: &Defect) -> impl Iterator<Item = &str> {
    std::iter::once(defect.requirement).chain(defect.also.iter().copied())
}
