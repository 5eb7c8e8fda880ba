//! Which mutants the cases notice.
//!
//! A run of all cases asks as many mutants as there are cases: each case has repositories of its own, and in these a mutant of its
//! own. Who is not noticed by one is put before twice as many in the next run, until it has met all that get its kind of answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;

use super::coverage::registries;
use super::touched::Touched;
use super::{Proof, allowed, asks_all};
use crate::engine::names::{mark, marked};
use crate::record::CaseRecord;
use crate::reference::Config;
use crate::reference::mutants::{Mutant, Spread, mutants};
use crate::run::NotRun;
use crate::verdict::Verdict;

/// Mutants at once, of those that are spoilt for all cases.
const TOGETHER: usize = 4;

/// So many cases are asked of a mutant that a text leaves open: nobody need notice it, and none of them may fail. Those of
/// different names come first. All are asked with `PROOF=all` in the environment.
const OF_A_LISTED_ONE: usize = 24;

/// How a mutant fared.
#[derive(Debug, Clone)]
pub struct Fate {
    /// The mutant.
    pub mutant: Mutant,
    /// Who noticed it.
    pub end: End,
    /// Cases that saw it.
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

impl End {
    /// A failure says most.
    fn strength(&self) -> u8 {
        match self {
            End::Survived | End::Allowed(_) => 0,
            End::Warned(..) => 1,
            End::Errored(..) => 2,
            End::Untestable(_) => 3,
            End::Failed(..) | End::Accused(..) => 4,
        }
    }
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

/// A mutant that nobody has noticed yet.
struct Alive {
    mutant: Mutant,
    /// Who has not been asked: the place of a registry, and of a case.
    left: VecDeque<(usize, usize)>,
    asked: usize,
    end: End,
}

/// What a case says of the mutant before which it was put.
enum Said {
    /// It saw what is wrong, and ended so.
    End(End),
    /// What was wrong was nothing that it was answered.
    Nothing,
    /// It was not started, and is there to be asked.
    NotAsked((usize, usize)),
}

impl Alive {
    /// Takes as many as `most` of the cases that are left and free, each of which is taken once.
    fn take(&mut self, most: usize, mut claim: impl FnMut((usize, usize)) -> bool) {
        let mut taken = 0;
        self.left.retain(|&case| {
            let takes = taken < most && claim(case);
            taken += usize::from(takes);
            !takes
        });
    }

    fn hear(&mut self, said: Said) {
        match said {
            Said::End(end) => {
                self.asked += 1;
                self.see(end);
            }
            Said::Nothing => {}
            Said::NotAsked(case) => self.left.push_back(case),
        }
    }

    /// Keeps the strongest end.
    fn see(&mut self, end: End) {
        if end.strength() > self.end.strength() {
            self.end = end;
        }
    }

    fn is_noticed(&self) -> bool {
        matches!(self.end, End::Failed(..) | End::Errored(..) | End::Untestable(_))
    }

    fn is_over(&self) -> bool {
        self.left.is_empty() || self.is_noticed()
    }

    fn fate(self) -> Fate {
        Fate { mutant: self.mutant, end: self.end, asked: self.asked }.read()
    }
}

impl Proof {
    /// The fate of every mutant that made something wrong, in the order of their names; each is told as soon as it is known.
    ///
    /// # Errors
    /// Why nothing was asked.
    pub async fn mutants(
        &self,
        wanted: impl Fn(&str) -> bool,
        mut tell: impl FnMut(&Fate),
    ) -> Result<Vec<Fate>, NotRun> {
        let touched = registries().into_iter().map(|config| Box::pin(self.touched(config)));
        let touched = futures_util::future::try_join_all(touched).await?;
        let mut all: BTreeSet<Mutant> = touched.iter().flat_map(|touched| mutants(&touched.shapes)).collect();
        all.retain(|mutant| wanted(&mutant.name()));
        let alive = |mutant| Alive { left: self.left(&mutant, &touched), mutant, asked: 0, end: End::Survived };
        let (mut alive, nobodys): (Vec<Alive>, Vec<Alive>) =
            all.into_iter().map(alive).partition(|alive| !alive.left.is_empty());
        let mut fates = Vec::new();
        let mut known = |alive: Alive| {
            if alive.asked > 0 {
                let fate = alive.fate();
                tell(&fate);
                fates.push(fate);
            }
        };
        let nobodys = futures_util::stream::iter(nobodys).map(|alive| self.everywhere(alive, &touched));
        let mut nobodys = nobodys.buffered(TOGETHER);
        while let Some(alive) = nobodys.next().await {
            known(alive);
        }
        let mut most = 1;
        while !alive.is_empty() {
            self.round(&mut alive, most, &touched).await?;
            most *= 2;
            let (over, still) = alive.into_iter().partition(Alive::is_over);
            alive = still;
            Vec::into_iter(over).for_each(&mut known);
        }
        fates.sort_by(|one, other| one.mutant.cmp(&other.mutant));
        Ok(fates)
    }

    /// The cases that get a mutant's kind of answer, registry after registry; none asks twice.
    fn left(&self, mutant: &Mutant, touched: &[Touched]) -> VecDeque<(usize, usize)> {
        let mut seen = BTreeSet::new();
        let registries = touched.iter().enumerate();
        let cases = registries.flat_map(|(registry, touched)| {
            touched.cases.get(&mutant.kind).into_iter().flatten().map(move |case| (registry, *case))
        });
        let most = if asks_all() || allowed::of(&mutant.name()).is_none() { usize::MAX } else { OF_A_LISTED_ONE };
        cases.filter(|(_, case)| seen.insert(*case)).take(most).collect()
    }

    /// Puts each mutant before some cases, and each case before one mutant.
    async fn round(&self, alive: &mut [Alive], most: usize, touched: &[Touched]) -> Result<(), NotRun> {
        let mut asked: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); touched.len()];
        for (nth, alive) in alive.iter_mut().enumerate() {
            alive.take(most, |(registry, case)| {
                let cases = &mut asked[registry];
                let is_free = !cases.contains_key(&case);
                if is_free {
                    cases.insert(case, nth);
                }
                is_free
            });
        }
        let runs = touched.iter().zip(&asked).enumerate().filter(|(_, (_, cases))| !cases.is_empty());
        let runs = runs.map(|(registry, (touched, cases))| {
            let owner = |(case, nth): (&usize, &usize)| (mark(&self.instances[*case].id), alive[*nth].mutant.clone());
            let seen = Arc::new(Mutex::default());
            let mutants = cases.iter().map(owner).collect();
            let spread = Spread { owner: marked, mutants, of_nobody: None, seen: seen.clone() };
            let config = Config { mutants: Some(spread), ..touched.config.clone() };
            let places: Vec<usize> = cases.keys().copied().collect();
            async move {
                let record = self.ask(config, &places).await?;
                let of: BTreeMap<&str, (usize, usize)> =
                    cases.iter().map(|(case, nth)| (self.instances[*case].id.as_str(), (*case, *nth))).collect();
                let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let ends = record.cases.iter().filter_map(|record| {
                    let (case, nth) = *of.get(record.id.as_str())?;
                    let said = match seen.contains(&mark(&record.id)) {
                        true => Said::End(end(record)),
                        false if record.requests > 0 => Said::Nothing,
                        false => Said::NotAsked((registry, case)),
                    };
                    Some((nth, said))
                });
                Ok::<Vec<_>, NotRun>(ends.collect())
            }
        });
        for (nth, said) in futures_util::future::try_join_all(runs.map(Box::pin)).await?.into_iter().flatten() {
            alive[nth].hear(said);
        }
        Ok(())
    }

    /// A mutant of what is asked of no repository: one run for it alone.
    async fn everywhere(&self, mut alive: Alive, touched: &[Touched]) -> Alive {
        let kind = alive.mutant.kind.clone();
        for touched in touched.iter().filter(|touched| touched.shapes.contains_key(&kind)) {
            let seen = Arc::new(Mutex::<BTreeSet<String>>::default());
            let of_nobody = Some(alive.mutant.clone());
            let spread = Spread { owner: marked, mutants: BTreeMap::new(), of_nobody, seen: seen.clone() };
            let config = Config { mutants: Some(spread), ..touched.config.clone() };
            let cases = self.askers(&kind, &touched.config);
            let ends = match self.ask(config, &cases).await {
                Err(why) => vec![End::Untestable(why.to_string())],
                Ok(record) => record.cases.iter().map(end).collect(),
            };
            if !seen.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                ends.into_iter().for_each(|end| alive.hear(Said::End(end)));
            }
            if alive.is_noticed() {
                break;
            }
        }
        alive
    }
}

/// What a case says of the mutant before which it was put.
fn end(case: &CaseRecord) -> End {
    let strongest = || case.mismatches.iter().rev().max_by_key(|mismatch| mismatch.level);
    let requirement = || strongest().map(|mismatch| mismatch.requirement.clone()).unwrap_or_default();
    match case.verdict {
        Verdict::Fail => End::Failed(case.id.clone(), requirement()),
        Verdict::Error => End::Errored(case.id.clone(), case.reason.clone().unwrap_or_default()),
        Verdict::Warn => End::Warned(case.id.clone(), requirement()),
        _ => End::Survived,
    }
}
