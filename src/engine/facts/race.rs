//! What follows from answers to requests that were under way at once. A write is undone for certain only by another one that
//! was sent after its answer; of two that overlapped either may be the last. So what must be there is what every order
//! leaves there in which each answer is true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::{Facts, Repository, State, is_no, is_yes};
use crate::content::Node;
use crate::content::digest::Digest;

/// What a tag may name.
#[derive(Debug, Clone, Default)]
pub struct May {
    /// One of these, each once.
    pub name: Vec<Arc<Node>>,
    /// It may not be there at all.
    pub be_gone: bool,
}

impl May {
    /// This manifest was deleted, and its tags with it.
    pub(super) fn lose(&mut self, digest: &Digest) {
        let before = self.name.len();
        self.name.retain(|node| node.digest != *digest);
        self.be_gone |= self.name.len() < before;
    }
}

/// What a lane asked for.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Put(Arc<Node>, Option<String>),
    Blob(Digest),
    DeleteTag(String),
    DeleteManifest(Digest),
    DeleteBlob(Digest),
}

/// What a lane asked for, and was not refused.
#[derive(Debug, Clone)]
pub(super) struct Event {
    change: Change,
    /// Whether it was acknowledged; else nobody knows.
    sure: bool,
    sent: Instant,
    answered: Instant,
}

/// One value that something was given.
#[derive(Debug)]
struct Write<V> {
    value: V,
    sure: bool,
    /// `None`: before the race.
    sent: Option<Instant>,
    /// `None`: nobody knows when it happens, if it does.
    answered: Option<Instant>,
}

impl<V> Write<V> {
    fn of(value: V, event: &Event) -> Write<V> {
        let answered = event.sure.then_some(event.answered);
        Write { value, sure: event.sure, sent: Some(event.sent), answered }
    }

    fn before(value: V, begun: Instant) -> Write<V> {
        Write { value, sure: true, sent: None, answered: Some(begun) }
    }

    /// Whether the other one came after it, for certain.
    fn is_undone_by(&self, other: &Write<V>) -> bool {
        other.sure && matches!((self.answered, other.sent), (Some(answered), Some(sent)) if sent > answered)
    }
}

/// The values that some order leaves.
fn left<V>(writes: &[Write<V>]) -> impl Iterator<Item = &V> {
    writes.iter().filter(|write| !writes.iter().any(|other| write.is_undone_by(other))).map(|write| &write.value)
}

impl Repository {
    /// Writes down what a lane asked for.
    pub(super) fn note(&mut self, status: Option<u16>, change: impl FnOnce() -> Change) {
        if let Some(sent) = self.sent.filter(|_| !is_no(status)) {
            self.log.push(Event { change: change(), sure: is_yes(status), sent, answered: Instant::now() });
        }
    }

    /// What a tag may name, where it was ever written.
    pub fn may_name(&self) -> BTreeMap<&str, May> {
        let sure = self.tags.iter().map(|(tag, node)| {
            let may = May { name: vec![node.clone()], be_gone: false };
            (tag.as_str(), may)
        });
        sure.chain(self.raced.iter().map(|(tag, may)| (tag.as_str(), may.clone()))).collect()
    }

    /// Whether a manifest or blob is there: `None` where it may be either.
    pub fn is_there(&self, node: &Node) -> Option<Option<bool>> {
        self.state(node).map(|state| match state {
            State::Present => Some(true),
            State::Deleted => Some(false),
            State::Unclear => None,
        })
    }

    fn settle(&mut self, log: &[Event], begun: Instant) {
        let state = |deleted: bool| if deleted { State::Deleted } else { State::Present };
        let mut manifests: BTreeMap<&Digest, Vec<Write<State>>> = BTreeMap::new();
        let mut blobs: BTreeMap<&Digest, Vec<Write<State>>> = BTreeMap::new();
        for event in log {
            let (of, digest, deleted) = match &event.change {
                Change::Put(node, _) => (&mut manifests, &node.digest, false),
                Change::DeleteManifest(digest) => (&mut manifests, digest, true),
                Change::Blob(digest) => (&mut blobs, digest, false),
                Change::DeleteBlob(digest) => (&mut blobs, digest, true),
                Change::DeleteTag(_) => continue,
            };
            of.entry(digest).or_default().push(Write::of(state(deleted), event));
        }
        for (of, states) in [(manifests, &mut self.manifests), (blobs, &mut self.blobs)] {
            for (digest, mut writes) in of {
                let before = states.get(digest).copied().unwrap_or(State::Deleted);
                writes.push(Write::before(before, begun));
                let all: Vec<State> = left(&writes).copied().collect();
                let first = all.first().copied().unwrap_or(State::Unclear);
                states.insert(digest.clone(), if all.iter().all(|s| *s == first) { first } else { State::Unclear });
            }
        }
        self.settle_tags(log, begun);
        self.older.retain(|digest| !log.iter().any(|event| event.writes(digest)));
        self.written = log.iter().filter(|e| e.sure && !e.deletes()).map(|e| e.answered).max().max(self.written);
        self.deleted = log.iter().filter(|e| e.sure && e.deletes()).map(|e| e.answered).max().max(self.deleted);
    }

    fn settle_tags(&mut self, log: &[Event], begun: Instant) {
        let mut touched: BTreeSet<String> = log
            .iter()
            .filter_map(|event| match &event.change {
                Change::Put(_, tag) => tag.clone(),
                Change::DeleteTag(tag) => Some(tag.clone()),
                _ => None,
            })
            .collect();
        let gone: Vec<(&Digest, &Event)> = log
            .iter()
            .filter_map(|event| match &event.change {
                Change::DeleteManifest(digest) => Some((digest, event)),
                _ => None,
            })
            .collect();
        let known = self.may_name();
        let loses = |may: &May| may.name.iter().any(|node| gone.iter().any(|(digest, _)| **digest == node.digest));
        touched.extend(known.iter().filter(|(_, may)| loses(may)).map(|(tag, _)| (*tag).to_owned()));
        let mut settled = Vec::new();
        for tag in touched {
            let mut writes: Vec<Write<Option<Arc<Node>>>> = match known.get(tag.as_str()) {
                Some(may) => {
                    let none = may.be_gone.then_some(None);
                    let all = may.name.iter().cloned().map(Some).chain(none);
                    all.map(|value| Write::before(value, begun)).collect()
                }
                None => vec![Write::before(None, begun)],
            };
            writes.extend(log.iter().filter_map(|event| match &event.change {
                Change::Put(node, Some(name)) if *name == tag => Some(Write::of(Some(node.clone()), event)),
                Change::DeleteTag(name) if *name == tag => Some(Write::of(None, event)),
                _ => None,
            }));
            // A manifest that is deleted takes the tag with it where that names it then, and leaves it where it does not.
            let taken: Vec<Write<Option<Arc<Node>>>> = gone
                .iter()
                .filter(|(digest, _)| writes.iter().flat_map(|w| &w.value).any(|node| node.digest == **digest))
                .map(|(_, event)| Write { sure: false, ..Write::of(None, event) })
                .collect();
            let lost = |write: &Write<Option<Arc<Node>>>| {
                gone.iter().any(|(digest, event)| {
                    write.value.as_ref().is_some_and(|node| node.digest == **digest)
                        && write.is_undone_by(&Write::of(None, event))
                })
            };
            let none_before = writes.iter().all(lost);
            writes.extend(taken);
            let mut may = May::default();
            let all: Vec<&Write<Option<Arc<Node>>>> = writes
                .iter()
                .filter(|write| !lost(write) && !writes.iter().any(|other| write.is_undone_by(other)))
                .collect();
            for write in all {
                match &write.value {
                    None => may.be_gone = true,
                    Some(node) if may.name.iter().any(|known| known.digest == node.digest) => {}
                    Some(node) => may.name.push(node.clone()),
                }
            }
            may.be_gone |= none_before;
            settled.push((tag, may));
        }
        for (tag, may) in settled {
            match &may.name[..] {
                [node] if !may.be_gone => drop(self.tags.insert(tag.clone(), node.clone())),
                _ => drop(self.tags.remove(&tag)),
            }
            self.raced.insert(tag, may);
        }
    }
}

impl Event {
    fn deletes(&self) -> bool {
        matches!(self.change, Change::DeleteTag(_) | Change::DeleteManifest(_) | Change::DeleteBlob(_))
    }

    fn writes(&self, digest: &Digest) -> bool {
        match &self.change {
            Change::Put(node, _) => node.digest == *digest,
            Change::Blob(blob) => blob == digest,
            _ => false,
        }
    }
}

impl Facts {
    /// What a lane begins with. It writes down when things happen.
    pub fn lane(&self) -> Facts {
        let mut facts = Facts { of: self.of.clone(), sent: Some(Instant::now()) };
        facts.of.values_mut().for_each(|known| known.log.clear());
        facts
    }

    /// What is written down next is sent now.
    pub fn sends(&mut self) {
        self.sent = self.sent.map(|_| Instant::now());
    }

    /// Takes what the lanes wrote down that began at `begun` and have all ended.
    pub fn join(&mut self, begun: Instant, lanes: Vec<Facts>) {
        let mut logs: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for (nickname, known) in lanes.into_iter().flat_map(|lane| lane.of) {
            let ours = self.of.entry(nickname.clone()).or_default();
            // The answer to a lane's put stands where the lane wrote one.
            ours.puts.extend(known.puts.into_iter().filter(|(digest, _)| known.log.iter().any(|e| e.writes(digest))));
            logs.entry(nickname).or_default().extend(known.log);
        }
        for (nickname, log) in logs {
            self.of.entry(nickname).or_default().settle(&log, begun);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::expect::testing;

    /// A race from its events: milliseconds of sending and answer, the status, and what was asked for.
    fn race(before: &[(&str, &str)], events: &[(u64, u64, u16, Change)]) -> Repository {
        let content = testing::content();
        let begun = Instant::now();
        let mut known = Repository::default();
        for (tag, name) in before {
            known.put(content.nodes.get(*name).unwrap(), Some(tag), Some(201));
        }
        let at = |ms: &u64| begun + Duration::from_millis(*ms);
        let log =
            events.iter().filter(|(_, _, status, _)| !is_no(Some(*status))).map(|(sent, answered, status, change)| {
                Event { change: change.clone(), sure: is_yes(Some(*status)), sent: at(sent), answered: at(answered) }
            });
        known.settle(&log.collect::<Vec<_>>(), begun);
        known
    }

    fn node(name: &str) -> Arc<Node> {
        testing::content().nodes.get(name).unwrap().clone()
    }

    fn put(name: &str, tag: &str) -> Change {
        Change::Put(node(name), Some(tag.to_owned()))
    }

    fn may(known: &Repository, tag: &str) -> (Vec<String>, bool) {
        let may = known.may_name().get(tag).unwrap().clone();
        (may.name.iter().map(|node| node.name.clone()).collect(), may.be_gone)
    }

    #[test]
    fn of_two_puts_that_overlap_either_may_be_the_last() {
        let known = race(&[("v", "amd64")], &[(1, 5, 201, put("index", "v")), (2, 4, 201, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["index".into(), "arm64".into()], false));
        let known = race(&[], &[(1, 5, 201, put("index", "v")), (6, 7, 201, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["arm64".into()], false));
        let known = race(&[("v", "amd64")], &[(1, 5, 201, put("index", "v")), (2, 4, 409, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["index".into()], false));
        let known = race(&[("v", "amd64")], &[(1, 5, 409, put("index", "v")), (2, 4, 500, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["amd64".into(), "arm64".into()], false), "what is unclear undoes nothing");
    }

    #[test]
    fn what_is_deleted_meanwhile_may_be_gone_or_there() {
        let delete = || Change::DeleteManifest(node("index").digest.clone());
        let known = race(&[("v", "index")], &[(1, 5, 202, delete()), (2, 4, 201, put("index", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["index".into()], true));
        assert_eq!(known.is_there(&node("index")), Some(None));
        let known = race(&[("v", "index")], &[(1, 5, 202, delete()), (2, 4, 404, delete())]);
        assert_eq!(may(&known, "v"), (vec![], true));
        assert_eq!(known.is_there(&node("index")), Some(Some(false)));
        let known = race(&[("v", "index")], &[(1, 5, 202, delete()), (6, 9, 201, put("index", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["index".into()], false));
        assert_eq!(known.is_there(&node("index")), Some(Some(true)));
        let known = race(&[("v", "amd64"), ("w", "index")], &[(1, 5, 202, delete()), (2, 4, 201, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["arm64".into()], false), "another manifest's deletion takes no tag");
        assert_eq!(may(&known, "w"), (vec![], true));
    }

    #[test]
    fn a_tag_that_is_deleted_while_it_moves() {
        let delete = Change::DeleteTag("v".into());
        let known = race(&[("v", "amd64")], &[(1, 5, 202, delete.clone()), (2, 4, 201, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["arm64".into()], true));
        let known = race(&[("v", "amd64")], &[(1, 5, 404, delete), (2, 4, 201, put("arm64", "v"))]);
        assert_eq!(may(&known, "v"), (vec!["arm64".into()], false));
        assert_eq!(known.is_there(&node("amd64")), Some(Some(true)), "a tag's deletion leaves the manifest");
    }
}
