//! Which requests are under way at once. Nothing right is decided from it: what is wrong where two of them meet, is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::question::Asked;
use super::route::Route;

/// Most requests of which it is remembered whom they met; then all is forgotten.
const LIMIT: usize = 10_000;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errand {
    /// Method.
    pub method: String,
    /// Repository.
    pub repository: String,
    /// `manifests/REFERENCE`, `blobs/DIGEST` (an upload that is closed, too), or the route's own word.
    pub what: String,
}

/// Requests that are under way, and whom the last one of each kind met.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    under_way: BTreeMap<u64, Errand>,
    met: BTreeMap<Errand, BTreeSet<Errand>>,
    twins: BTreeSet<Errand>,
    gave_way: BTreeSet<Errand>,
}

/// A request while it is under way.
#[derive(Debug)]
pub struct UnderWay<'t> {
    traffic: &'t Traffic,
    number: u64,
}

impl Errand {
    fn of(asked: &Asked) -> Option<Errand> {
        let what = match &asked.route {
            Route::Manifest { reference, .. } => format!("manifests/{reference}"),
            Route::Blob { digest, .. } => format!("blobs/{digest}"),
            Route::Uploads { .. } | Route::Upload { .. } => match asked.query.get("digest") {
                Some(digest) => format!("blobs/{digest}"),
                None => "uploads".into(),
            },
            Route::Tags { .. } => "tags".into(),
            Route::Referrers { .. } => "referrers".into(),
            _ => return None,
        };
        let repository = asked.route.repository()?.to_owned();
        Some(Errand { method: asked.method.to_string(), repository, what })
    }

    /// Whether it writes a manifest or tag.
    pub fn puts_manifest(&self) -> bool {
        self.method == "PUT" && self.what.starts_with("manifests/")
    }

    /// Whether it writes or deletes.
    pub fn writes(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

impl Traffic {
    /// A request begins; it ends where what this gives is dropped.
    pub fn enter(&self, asked: &Asked) -> Option<UnderWay<'_>> {
        let own = Errand::of(asked)?;
        let mut inner = self.inner();
        if inner.met.len() > LIMIT {
            inner.met.clear();
            inner.twins.clear();
        }
        let number = inner.next;
        inner.next += 1;
        let is_near = |other: &&Errand| other.repository == own.repository && other.writes();
        let near: Vec<Errand> = inner.under_way.values().filter(is_near).cloned().collect();
        if own.writes() {
            for other in &near {
                if *other == own {
                    inner.twins.insert(own.clone());
                } else {
                    inner.met.entry(other.clone()).or_default().insert(own.clone());
                }
            }
            inner.met.insert(own.clone(), near.into_iter().filter(|other| *other != own).collect());
        }
        inner.under_way.insert(number, own);
        Some(UnderWay { traffic: self, number })
    }

    /// How many are under way of which this holds.
    pub fn count(&self, of: impl Fn(&Errand) -> bool) -> usize {
        self.inner().under_way.values().filter(|errand| of(errand)).count()
    }

    /// Whether the last request of this kind was under way together with another write of the same repository, of another
    /// kind, of which this holds.
    pub fn met(&self, method: &str, repository: &str, what: &str, other: impl Fn(&Errand) -> bool) -> bool {
        let errand = Errand { method: method.into(), repository: repository.into(), what: what.into() };
        self.inner().met.get(&errand).is_some_and(|met| met.iter().any(other))
    }

    /// Whether two requests of this kind were ever under way at once.
    pub fn met_its_like(&self, method: &str, repository: &str, what: &str) -> bool {
        let errand = Errand { method: method.into(), repository: repository.into(), what: what.into() };
        self.inner().twins.contains(&errand)
    }

    /// Whether this request, of those of its kind that are under way at once, is the one that gives way: the first that asks.
    pub fn gives_way(&self, method: &str, repository: &str, what: &str) -> bool {
        let errand = Errand { method: method.into(), repository: repository.into(), what: what.into() };
        let mut inner = self.inner();
        let at_once = inner.under_way.values().filter(|other| **other == errand).count() > 1;
        at_once && inner.gave_way.insert(errand)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut inner = self.traffic.inner();
        let Some(own) = inner.under_way.remove(&self.number) else { return };
        if !inner.under_way.values().any(|other| *other == own) {
            inner.gave_way.remove(&own);
        }
    }
}
