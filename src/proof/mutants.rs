//! Which mutants the cases notice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;

use super::{Proof, allowed};
use crate::engine::names::{mark, marked};
use crate::record::RunRecord;
use crate::reference::mutants::{Kind, Mutant, Shape, Witness, mutants};
use crate::reference::{Config, Stance};
use crate::run::NotRun;
use crate::suite::model::Action;
use crate::verdict::Verdict;

/// How many cases are asked of a mutant first, and how many then; at last all that its kind of answer touches.
const FIRST: usize = 12;
const THEN: usize = 80;

/// Mutants at once.
const TOGETHER: usize = 4;

/// How a mutant fared.
#[derive(Debug, Clone)]
pub struct Fate {
    /// The mutant.
    pub mutant: Mutant,
    /// Who noticed it.
    pub end: End,
    /// Cases that were asked.
    pub asked: usize,
}

/// Who noticed a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A case fails, by this requirement.
    Failed(String, String),
    /// A case could not be asked to its end.
    Errored(String, String),
    /// A case warns, by this requirement.
    Warned(String, String),
    /// The registry cannot be tested.
    Untestable(String),
    /// Nobody need: the text of this requirement leaves it open.
    Allowed(&'static str),
    /// A case fails, by this requirement, though a text leaves it open.
    Accused(String, String),
    /// Nobody.
    Survived,
}

impl Fate {
    /// Whether it shows a hole in the suites, or a case that accuses wrongly.
    pub fn is_bad(&self) -> bool {
        matches!(self.end, End::Survived | End::Accused(..))
    }

    /// As it is to be read where a text leaves the mutant open.
    fn read(mut self) -> Fate {
        if let Some(entry) = allowed::of(&self.mutant.name()) {
            self.end = match self.end {
                End::Survived | End::Warned(..) => End::Allowed(&entry.by),
                End::Failed(case, by) => End::Accused(case, by),
                end => end,
            };
        }
        self
    }
}

/// Which cases get which kinds of answers, of one stance.
struct Touched {
    stance: Stance,
    shapes: BTreeMap<Kind, Shape>,
    cases: BTreeMap<Kind, Vec<usize>>,
}

impl Proof {
    /// Every mutant's fate, in the order of their names; each is told as soon as it is known.
    ///
    /// # Errors
    /// Why nothing was asked.
    pub async fn mutants(
        &self,
        wanted: impl Fn(&str) -> bool,
        mut tell: impl FnMut(&Fate),
    ) -> Result<Vec<Fate>, NotRun> {
        let mut stances = Vec::new();
        for stance in [Stance::Accept, Stance::Refuse] {
            stances.push(self.touched(stance).await?);
        }
        let mut all: BTreeSet<Mutant> = stances.iter().flat_map(|touched| mutants(&touched.shapes)).collect();
        all.retain(|mutant| wanted(&mutant.name()));
        let fates = futures_util::stream::iter(all).map(|mutant| self.fate(mutant, &stances)).buffered(TOGETHER);
        Ok(fates.map(Fate::read).inspect(|fate| tell(fate)).collect().await)
    }

    /// Which cases get which kinds of answers.
    async fn touched(&self, stance: Stance) -> Result<Touched, NotRun> {
        let witness = Arc::new(Witness::default());
        let config = Config { stance: stance.clone(), witness: Some(witness.clone()), ..Config::default() };
        let every: Vec<usize> = (0..self.instances.len()).collect();
        self.ask(config, &every).await?;
        let marks = self.instances.iter().enumerate().map(|(place, case)| (mark(&case.id), place)).collect();
        let shapes = witness.shapes();
        let cases = shapes.iter().map(|(kind, shape)| (kind.clone(), self.in_order(shape, &marks))).collect();
        Ok(Touched { stance, shapes, cases })
    }

    /// The cases whose repositories these are, the ones that are asked soonest first. What names no repository, the cases
    /// ask that write their own requests; the probe asks it in any run.
    fn in_order(&self, shape: &Shape, marks: &BTreeMap<String, usize>) -> Vec<usize> {
        let of = |repository: &String| marks.get(marked(repository)?).copied();
        let mut places: BTreeSet<usize> = shape.repositories.iter().filter_map(of).collect();
        if shape.repositories.is_empty() {
            let is_raw =
                |place: &usize| self.instances[*place].every_step().any(|step| matches!(step.action, Action::Raw(_)));
            places = (0..self.instances.len()).filter(is_raw).collect();
        }
        let cost = |place: &usize| {
            let steps = self.instances[*place].every_step();
            let waits = |action: &Action| matches!(action, Action::Barrier(_) | Action::Wait(_) | Action::Client(_));
            steps.map(|step| if waits(&step.action) { 100 } else { 1 }).sum::<usize>()
        };
        let mut places: Vec<usize> = places.into_iter().collect();
        // Cases beside each other ask much the same: of each name one comes before a second.
        let mut seen = BTreeMap::<String, usize>::new();
        places.sort_by_cached_key(|place| {
            let id = &self.instances[*place].id;
            let name = id.split('/').take(3).collect::<Vec<_>>().join("/");
            let nth = seen.entry(name).or_default();
            *nth += 1;
            (*nth, cost(place), *place)
        });
        places
    }

    /// Asks a mutant until somebody notices.
    async fn fate(&self, mutant: Mutant, stances: &[Touched]) -> Fate {
        let mut asked = 0;
        let mut warned = None;
        for touched in stances {
            let Some(cases) = touched.cases.get(&mutant.kind) else { continue };
            let mut rest = cases.as_slice();
            for most in [FIRST, THEN, usize::MAX] {
                let (some, later) = rest.split_at(rest.len().min(most));
                rest = later;
                if some.is_empty() {
                    break;
                }
                asked += some.len();
                let config =
                    Config { stance: touched.stance.clone(), mutant: Some(mutant.clone()), ..Config::default() };
                let end = match self.ask(config, some).await {
                    Err(why) => End::Untestable(why.to_string()),
                    Ok(record) => end(&record),
                };
                match end {
                    End::Survived => {}
                    End::Warned(..) => warned = warned.or(Some(end)),
                    _ => return Fate { mutant, end, asked },
                }
            }
        }
        Fate { mutant, end: warned.unwrap_or(End::Survived), asked }
    }
}

/// Who noticed, the strongest first.
fn end(record: &RunRecord) -> End {
    let first = |verdict: Verdict| record.cases.iter().find(|case| case.verdict == verdict);
    let requirement = |case: &crate::record::CaseRecord| {
        case.mismatches.first().map(|mismatch| mismatch.requirement.clone()).unwrap_or_default()
    };
    if let Some(case) = first(Verdict::Fail) {
        return End::Failed(case.id.clone(), requirement(case));
    }
    if let Some(case) = first(Verdict::Error) {
        return End::Errored(case.id.clone(), case.reason.clone().unwrap_or_default());
    }
    first(Verdict::Warn).map_or(End::Survived, |case| End::Warned(case.id.clone(), requirement(case)))
}
