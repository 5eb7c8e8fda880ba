//! The proof that the cases can fail, and that they accuse nobody: every defect of the reference registry turns red, by
//! the requirement that it breaks, each case that names it; without a defect, and under every legal variation, nothing is.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lacuna::proof;
use lacuna::proof::coverage::{case_name, is_for, registries};
use lacuna::record::RunRecord;
use lacuna::reference::{self, Config, Defect, Scheme, Stance};
use lacuna::suite::model::{Action, CaseInstance, StanceWord, Step};
use lacuna::suite::{Library, SuiteSource};
use lacuna::verdict::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Handle;

/// A defect that turns more of the cases red than one in so many proves none of them. Cases that meet a barrier are not
/// counted: they read everything again to see that it was kept, so that whatever is wrong with every read is red in each.
const BROAD: usize = 5;

/// One instance in so many is run beside the cases that name a defect. Where more than one in `SUSPECT` of them are red, one
/// in `JUDGED` is run: the small sample suspects, the large one decides.
const SAMPLE: usize = 120;
const SUSPECT: usize = 8;
const JUDGED: usize = 16;

/// One instance in so many is run under a variation alone, others for each variation, and one in so many under several at
/// once, others for each company.
const ALONE: usize = 24;
const COMPANY: usize = 2;

/// Into so many companies the variations are put.
const COMPANIES: usize = 4;

/// With `PROOF=all` in the environment every instance is run everywhere: minutes instead of one.
fn one_in(nth: usize) -> usize {
    if proof::asks_all() { 1 } else { nth }
}

fn main() {
    let mut arguments = Arguments::from_args();
    // A trial waits for a registry's answers much of its time.
    arguments.test_threads.get_or_insert(12);
    let library = match lacuna::suite::load(&SuiteSource::Shipped) {
        Ok(library) => library,
        Err(diagnostics) => panic!("the shipped suites do not load:\n{diagnostics}"),
    };
    let absent = absent_clients();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let proof = Proof::new(without(library, &absent), runtime.handle().clone());
    let names: Vec<&'static str> = reference::variations().iter().map(|variation| variation.name).collect();
    let mut trials = Vec::new();
    // The longest first, so that no core waits for them at the end: many cases wait for a barrier.
    for start in 0..COMPANIES {
        let (proof, names) = (proof.clone(), names.clone());
        trials.push(Trial::test(format!("legal::company-{}", start + 1), move || proof.company(&names, start)));
    }
    for config in registries() {
        let proof = proof.clone();
        let name = format!("innocent::{}", word(&config));
        trials.push(Trial::test(name, move || {
            let cases = proof.some(1, 0, &config);
            proof.innocent(config.clone(), &cases)
        }));
    }
    for (offset, name) in names.iter().copied().enumerate() {
        let proof = proof.clone();
        trials.push(Trial::test(format!("legal::{name}"), move || proof.legal(&[name], one_in(ALONE), offset)));
    }
    // Who makes an action fail is found by doing it again and again.
    let mut defects: Vec<&'static Defect> = reference::defects().iter().collect();
    defects.sort_by_key(|defect| !defect.requirement.ends_with(".finishes"));
    for defect in defects {
        let proof = proof.clone();
        trials.push(Trial::test(format!("caught::{}", defect.name), move || proof.caught(defect)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Clients that are not installed: said, and where CI says that it is complete, a failure.
fn absent_clients() -> Vec<&'static str> {
    let absent: Vec<_> = lacuna::clients::absent().collect();
    for (name, client) in &absent {
        let text = format!("{name} is not installed, so its cases are not proved: {}", client.missing);
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{text}");
        eprintln!("{text}");
    }
    absent.into_iter().map(|(name, _)| name).collect()
}

/// The library without the cases of clients that are not there.
fn without(mut library: Library, absent: &[&str]) -> Library {
    let needs = |step: &Step| matches!(&step.action, Action::Client(client) if absent.contains(&client.name.as_str()));
    library.instances.retain(|case| !case.steps.iter().any(|step| needs(step)));
    library
}

/// A word for a registry that is proved.
fn word(config: &Config) -> &'static str {
    match &config.auth {
        None => config.stance.word(),
        Some(auth) if auth.token_lifetime.as_secs() < 60 => "brief-tokens",
        Some(auth) if auth.anonymous_pull => "public",
        Some(auth) if auth.scheme == Scheme::Basic => "basic",
        Some(_) => "bearer",
    }
}

#[derive(Clone)]
struct Proof {
    cases: Arc<proof::Proof>,
    /// The places of each case, and of all that have a name.
    places: Arc<BTreeMap<String, Vec<usize>>>,
    handle: Handle,
}

impl Proof {
    fn new(library: Library, handle: Handle) -> Proof {
        let mut places = BTreeMap::<String, Vec<usize>>::new();
        for (place, case) in library.instances.iter().enumerate() {
            for known_as in BTreeSet::from([case.id.clone(), case_name(&case.id)]) {
                places.entry(known_as).or_default().push(place);
            }
        }
        Proof { cases: Arc::new(proof::Proof::new(library)), places: Arc::new(places), handle }
    }

    /// Each case that names the defect has an instance that fails by the requirement which the defect breaks.
    fn caught(&self, defect: &Defect) -> Result<(), Failed> {
        let named: BTreeSet<String> = self
            .cases
            .instances()
            .iter()
            .filter(|case| case.caught_by.iter().any(|name| name == defect.name))
            .map(|case| case_name(&case.id))
            .collect();
        if named.is_empty() {
            return Err("no case names it in `caught-by`".into());
        }
        let mut missed = named.clone();
        let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
        let mut shown = registries();
        shown.retain(|config| shows(defect, &config.stance));
        // Mostly any instance of a case shows it: two of each are asked before the others.
        for (config, few) in shown.iter().map(|config| (config, true)).chain(shown.iter().map(|config| (config, false)))
        {
            let asked = self.of(&missed, config, few);
            if asked.is_empty() {
                continue;
            }
            let config = config.clone();
            // What is caught already is not asked again, and one registry is enough to see how broad it is; but not one that wants
            // to know who asks: each of its few cases looks at how it does that.
            let first = missed.len() == named.len() && config.auth.is_none();
            let sample = if first { self.brisk(SAMPLE, 0, &config) } else { Vec::new() };
            let config = Config { defects: [defect.name].into(), ..config };
            let record = self.run(config.clone(), asked.into_iter().chain(sample.iter().copied()))?;
            note(defect, &record, &named, &mut missed, &mut seen);
            let of_sample = |id: &str| sample.contains(&id) && !named.contains(&case_name(id));
            if more_than_one_in(SUSPECT, breadth(&record, of_sample)) {
                let judged = self.brisk(one_in(JUDGED), 1, &config);
                let (red, asked) = breadth(&self.run(config.clone(), judged)?, |_| true);
                if more_than_one_in(BROAD, (red, asked)) {
                    return Err(format!("{}: {red} of {asked} cases are red", word(&config)).into());
                }
            }
        }
        // A few of many are enough to know why a collector stops: who was not looked at then is looked at alone.
        for name in missed.clone() {
            for config in &shown {
                if self.of(&BTreeSet::from([name.clone()]), config, true).is_empty() {
                    continue;
                }
                let config = Config { defects: [defect.name].into(), ..config.clone() };
                note(defect, &self.run(config, [name.as_str()])?, &named, &mut missed, &mut seen);
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

    /// One instance in `nth` of those that are for this registry, from one that the offset chooses.
    fn some(&self, nth: usize, offset: usize, config: &Config) -> Vec<&str> {
        let of_it = self.cases.instances().iter().filter(|case| is_for(config, case));
        of_it.skip(offset % nth).step_by(nth).map(|case| case.id.as_str()).collect()
    }

    /// The instances of these cases that are for this registry: the first and the last of each, or all.
    fn of(&self, names: &BTreeSet<String>, config: &Config, few: bool) -> Vec<&str> {
        let instance = |place: &usize| &self.cases.instances()[*place];
        let of_one = |name: &String| {
            let mut ids: Vec<&str> = self.places[name]
                .iter()
                .map(instance)
                .filter(|case| is_for(config, case))
                .map(|case| &*case.id)
                .collect();
            if few && ids.len() > 2 {
                ids.drain(1..ids.len() - 1);
            }
            ids
        };
        names.iter().flat_map(of_one).collect()
    }

    /// The same of those that meet no barrier.
    fn brisk(&self, nth: usize, offset: usize, config: &Config) -> Vec<&str> {
        let meets_one = |case: &CaseInstance| case.every_step().any(|step| matches!(step.action, Action::Barrier(_)));
        let of_it = self.cases.instances().iter().filter(|case| is_for(config, case) && !meets_one(case));
        of_it.skip(offset % nth).step_by(nth).map(|case| case.id.as_str()).collect()
    }

    /// A legal difference turns none of these cases red, whatever the stance.
    fn legal(&self, names: &[&'static str], nth: usize, offset: usize) -> Result<(), Failed> {
        // One that is about who asks shows nowhere else, and wants all that is asked about it; any other does not show there.
        let who = names.iter().any(|name| name.starts_with("auth-"));
        let rest = names.iter().any(|name| !name.starts_with("auth-"));
        let concerned = |config: &Config| if config.auth.is_some() { who } else { rest };
        let registries = registries().into_iter().filter(|config| !matches!(config.stance, Stance::Require(_)));
        registries.filter(concerned).try_for_each(|config| {
            let nth = if config.auth.is_some() { 1 } else { nth };
            let cases = self.some(nth, offset, &config);
            self.innocent(Config { variations: names.iter().copied().collect(), ..config.clone() }, &cases)
        })
    }

    /// Legal differences in company: several at once.
    fn company(&self, names: &[&'static str], start: usize) -> Result<(), Failed> {
        let some: Vec<&'static str> = names.iter().copied().skip(start).step_by(COMPANIES).collect();
        self.legal(&some, one_in(COMPANY), start)
    }

    /// Nothing is red, and of the cases at least one in eight passes.
    fn innocent(&self, config: Config, cases: &[&str]) -> Result<(), Failed> {
        let variations = config.variations.clone();
        let record = self.run(config, cases.iter().copied())?;
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
        if record.cases.is_empty() {
            return Err(format!("{variations:?}: no case was asked").into());
        }
        let passed = record.totals.get(&Verdict::Pass).copied().unwrap_or(0);
        if !red.is_empty() {
            let shown: Vec<&str> = red.iter().take(40).map(String::as_str).collect();
            return Err(format!("{variations:?}: {} red\n{}", red.len(), shown.join("\n")).into());
        }
        if (passed as usize) * 8 < record.cases.len() {
            return Err(format!("{variations:?}: only {passed} of {} cases passed", record.cases.len()).into());
        }
        Ok(())
    }

    /// Asks cases by their ids and names.
    fn run<'a>(&self, config: Config, cases: impl IntoIterator<Item = &'a str>) -> Result<RunRecord, Failed> {
        let places: BTreeSet<usize> = cases.into_iter().flat_map(|case| &self.places[case]).copied().collect();
        let places: Vec<usize> = places.into_iter().collect();
        Ok(self.handle.block_on(self.cases.ask(config, &places)).map_err(|why| why.to_string())?)
    }
}

/// Takes the cases that a run turned red by the defect off those that are missed.
fn note(
    defect: &Defect,
    record: &RunRecord,
    named: &BTreeSet<String>,
    missed: &mut BTreeSet<String>,
    seen: &mut BTreeMap<String, BTreeSet<String>>,
) {
    for case in record.cases.iter().filter(|case| case.verdict != Verdict::Skip) {
        let name = case_name(&case.id);
        let broken: BTreeSet<String> = case.mismatches.iter().map(|m| m.requirement.clone()).collect();
        if breaks(defect).any(|requirement| broken.contains(requirement)) {
            missed.remove(&name);
        } else if named.contains(&name) {
            seen.entry(name).or_default().extend(broken);
        }
    }
}

/// How many of these cases are red, and how many were asked.
fn breadth(record: &RunRecord, of: impl Fn(&str) -> bool) -> (usize, usize) {
    let asked = record.cases.iter().filter(|case| of(&case.id) && case.verdict != Verdict::Skip);
    let red = |verdict| matches!(verdict, Verdict::Fail | Verdict::Error);
    asked.fold((0, 0), |(reds, count), case| (reds + usize::from(red(case.verdict)), count + 1))
}

fn more_than_one_in(limit: usize, (red, asked): (usize, usize)) -> bool {
    red * limit > asked
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
