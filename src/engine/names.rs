//! Names of repositories: of a template, or of a pool that cases share in turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::suite::model::{Action, CaseInstance};
use crate::target::profile::Repositories;

/// The longest repository name that is used (v1.1.1 L159 names 255, the host included; most hosts are shorter than 64).
const LONGEST: usize = 190;

/// The longest `{case}`, its hash included.
const LONGEST_CASE: usize = 72;

/// Gives each case repositories of its own.
#[derive(Debug, Clone)]
pub struct Names {
    template: String,
    run: String,
    pool: Option<Pool>,
}

#[derive(Debug, Clone)]
struct Pool {
    size: usize,
    free: Arc<Mutex<Vec<String>>>,
    permits: Arc<Semaphore>,
}

/// Repositories that belong to one case until this is dropped.
#[derive(Debug)]
pub struct Lease {
    /// Full names, in the order in which the case first names them.
    pub names: Vec<String>,
    /// Whether they come back as they were lent: then they are lent again before others.
    pub is_clean: bool,
    back: Option<(Pool, OwnedSemaphorePermit)>,
}

impl Lease {
    /// Names that were lent by a run that is over.
    pub fn kept(names: Vec<String>) -> Lease {
        Lease { names, is_clean: true, back: None }
    }

    /// Whether others have had them before, and will after.
    pub fn is_of_pool(&self) -> bool {
        self.back.is_some()
    }
}

impl Names {
    /// From the profile; `run` is the run's id.
    pub fn new(repositories: &Repositories, run: &str) -> Names {
        let pool = (!repositories.pool.is_empty()).then(|| {
            let mut free = repositories.pool.clone();
            free.reverse();
            Pool { size: free.len(), permits: Arc::new(Semaphore::new(free.len())), free: Arc::new(Mutex::new(free)) }
        });
        Names { template: repositories.template.clone(), run: run.to_owned(), pool }
    }

    /// How many repositories one case can have; `None`: as many as it wants.
    pub fn most(&self) -> Option<usize> {
        self.pool.as_ref().map(|pool| pool.size)
    }

    /// Names for `count` repositories of the case `id`; with a pool, waits until so many are free.
    ///
    /// # Errors
    /// The pool has fewer than `count`.
    pub async fn lease(&self, id: &str, count: usize) -> Result<Lease, String> {
        let Some((pool, wanted)) = self.pooled(count)? else { return Ok(self.made(id, count)) };
        let permit = pool.permits.clone().acquire_many_owned(wanted).await.map_err(|_| pool.too_few(count))?;
        Ok(pool.lent(permit, count))
    }

    /// The same without waiting; `None`: so many of the pool are not free now.
    ///
    /// # Errors
    /// The pool has fewer than `count`.
    pub fn try_lease(&self, id: &str, count: usize) -> Result<Option<Lease>, String> {
        let Some((pool, wanted)) = self.pooled(count)? else { return Ok(Some(self.made(id, count))) };
        let permit = pool.permits.clone().try_acquire_many_owned(wanted).ok();
        Ok(permit.map(|permit| pool.lent(permit, count)))
    }

    fn pooled(&self, count: usize) -> Result<Option<(&Pool, u32)>, String> {
        let Some(pool) = &self.pool else { return Ok(None) };
        let wanted = u32::try_from(count).ok().filter(|_| count <= pool.size).ok_or_else(|| pool.too_few(count))?;
        Ok(Some((pool, wanted)))
    }

    fn made(&self, id: &str, count: usize) -> Lease {
        Lease { names: (0..count).map(|n| self.name(id, n)).collect(), is_clean: true, back: None }
    }

    fn name(&self, id: &str, n: usize) -> String {
        let n = n.to_string();
        let fill = |case: &str| self.template.replace("{run}", &self.run).replace("{case}", case).replace("{n}", &n);
        let room = LONGEST.saturating_sub(fill("").len()).clamp(HASH, LONGEST_CASE);
        fill(&slug(id, room))
    }
}

impl Pool {
    fn lent(&self, permit: OwnedSemaphorePermit, count: usize) -> Lease {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<String> = (0..count).filter_map(|_| free.pop()).collect();
        Lease { names, is_clean: true, back: Some((self.clone(), permit)) }
    }

    fn too_few(&self, count: usize) -> String {
        format!("the case needs {count} repositories, the profile's pool has {}", self.size)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((pool, permit)) = self.back.take() {
            let mut free = pool.free.lock().unwrap_or_else(PoisonError::into_inner);
            // The last ones are lent next; in the order in which they were lent.
            self.names.reverse();
            if self.is_clean {
                free.append(&mut self.names);
            } else {
                free.splice(0..0, self.names.drain(..));
            }
            drop(free);
            drop(permit);
        }
    }
}

/// Nicknames in the order in which the steps name them, `main` before `main/below`, which is a repository below it.
pub fn nicknames(case: &CaseInstance) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for step in case.every_step() {
        let from = match &step.action {
            Action::Mount(mount) => mount.from.as_deref(),
            Action::Client(client) => client.from.as_deref(),
            _ => None,
        };
        for name in std::iter::once(step.repository.as_str()).chain(from) {
            let above = name.split_once('/').map(|(above, _)| above);
            for name in above.into_iter().chain([name]) {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
    }
    names
}

/// Full names by nickname: leased ones in their order, and what lies below them.
pub fn full(nicknames: Vec<String>, leased: &[String]) -> BTreeMap<String, String> {
    let (below, own): (Vec<String>, Vec<String>) = nicknames.into_iter().partition(|name| name.contains('/'));
    let mut names: BTreeMap<String, String> = own.into_iter().zip(leased.iter().cloned()).collect();
    for nickname in below {
        let above = nickname.split_once('/').and_then(|(above, rest)| Some(format!("{}/{rest}", names.get(above)?)));
        names.extend(above.map(|name| (nickname, name)));
    }
    names
}

/// Hex digits of the id's hash in a slug.
const HASH: usize = 10;

/// A name component for a case's id, of at most `room` characters: lower-case words joined by single `-`, and a hash of the
/// whole id, so that two ids never share one.
pub fn slug(id: &str, room: usize) -> String {
    let hash = mark(id);
    let mut words = String::new();
    for c in id.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            words.push(c);
        } else if !words.is_empty() && !words.ends_with('-') {
            words.push('-');
        }
    }
    words.truncate(room.saturating_sub(HASH + 1));
    let words = words.trim_end_matches('-');
    if words.is_empty() { hash } else { format!("{words}-{hash}") }
}

/// The hash of a case's id by which its repositories are known.
pub fn mark(id: &str) -> String {
    Digest::of(Algorithm::Sha256, id.as_bytes()).hex().chars().take(HASH).collect()
}

/// The [`mark`] in the name of a repository that [`crate::target::profile::Repositories`] makes of itself, `lacuna/RUN/CASE-N`.
pub fn marked(repository: &str) -> Option<&str> {
    let case = repository.split('/').nth(2)?.rsplit_once('-')?.0;
    Some(case.rsplit_once('-').map_or(case, |(_, mark)| mark))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn valid(name: &str) -> bool {
        name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    }

    #[test]
    fn names_are_valid_bounded_and_apart() {
        let names = Names::new(&Repositories::default(), "k3x9");
        let long = format!("sparse/push/some/docker/tag/{}", "amd64+".repeat(60));
        let longer = format!("{long}x");
        let lease = |id: &str, count| names.try_lease(id, count).unwrap().unwrap();
        let a = lease("tags/case/RC+rc", 2);
        let b = lease(&long, 1);
        let c = lease(&longer, 1);
        for name in a.names.iter().chain(&b.names).chain(&c.names) {
            assert!(valid(name), "{name}");
            assert!(name.len() <= LONGEST, "{name}");
        }
        assert_ne!(b.names, c.names);
        assert_ne!(a.names.first(), a.names.get(1));
        assert!(a.names.first().unwrap().starts_with("lacuna/k3x9/tags-case-rc-rc-"), "{:?}", a.names);
    }

    #[test]
    fn what_lies_below_a_repository_has_its_name_in_front() {
        let nicknames = ["main", "main/a__b/c", "other"].map(str::to_owned).to_vec();
        let names = full(nicknames, &["x/1".to_owned(), "x/2".to_owned()]);
        let names: Vec<(&str, &str)> =
            names.iter().map(|(nickname, name)| (nickname.as_str(), name.as_str())).collect();
        assert_eq!(names, [("main", "x/1"), ("main/a__b/c", "x/1/a__b/c"), ("other", "x/2")]);
    }

    #[test]
    fn ids_that_differ_only_in_signs_stay_apart() {
        assert_ne!(slug("a/b/c", 40), slug("a/b+c", 40));
        assert_eq!(slug("///", 40).len(), HASH);
    }

    #[tokio::test]
    async fn a_pool_is_shared_in_turn() {
        let pool = Repositories { pool: vec!["a".into(), "b".into()], ..Repositories::default() };
        let names = Names::new(&pool, "r");
        let first = names.lease("x", 2).await.unwrap();
        assert_eq!(first.names, ["a", "b"]);
        assert!(names.lease("x", 3).await.unwrap_err().contains("pool has 2"));
        assert!(names.try_lease("y", 1).unwrap().is_none());
        let waiting = tokio::spawn({
            let names = names.clone();
            async move { names.lease("y", 1).await.map(|lease| lease.names.len()) }
        });
        drop(first);
        assert_eq!(waiting.await.unwrap().unwrap(), 1);
        assert_eq!(names.try_lease("z", 2).unwrap().unwrap().names.len(), 2);
    }

    #[tokio::test]
    async fn what_a_failed_case_had_is_lent_last() {
        let pool = Repositories { pool: vec!["a".into(), "b".into(), "c".into()], ..Repositories::default() };
        let names = Names::new(&pool, "r");
        let mut failed = names.lease("x", 1).await.unwrap();
        failed.is_clean = false;
        drop(failed);
        let passed = names.lease("y", 1).await.unwrap();
        assert_eq!(passed.names, ["b"]);
        drop(passed);
        assert_eq!(names.lease("z", 3).await.unwrap().names, ["b", "c", "a"]);
    }
}
