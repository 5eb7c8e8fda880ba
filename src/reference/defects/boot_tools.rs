//! What the defects of starts share: questions about what a start finds, and common changes of it.

use std::collections::{BTreeMap, BTreeSet};

pub use axum::http::StatusCode;

pub use super::super::boot::{Ended, Found, Rebuild};
use super::super::manifest::Manifest;
pub use super::tools::*;

/// What a start finds, by what it is.
pub struct Finds<'a> {
    manifests: BTreeMap<(&'a str, &'a str), &'a Found>,
    tagged: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Finds<'a> {
    fn of(found: &'a [Found]) -> Finds<'a> {
        let mut finds = Finds { manifests: BTreeMap::new(), tagged: BTreeSet::new() };
        for one in found {
            match &one.write {
                Write::Manifest { repository, digest, .. } => {
                    finds.manifests.insert((repository, digest.as_str()), one);
                }
                Write::Tag { repository, digest, .. } => {
                    finds.tagged.insert((repository, digest.as_str()));
                }
                _ => {}
            }
        }
        finds
    }

    /// A manifest that is found.
    pub fn manifest(&self, repository: &str, digest: &str) -> Option<&'a Manifest> {
        manifest(self.manifests.get(&(repository, digest))?)
    }

    /// Whether a tag leads to this digest.
    pub fn is_tagged(&self, repository: &str, digest: &str) -> bool {
        self.tagged.contains(&(repository, digest))
    }

    /// Whether this is an index that names what is not found.
    pub fn has_gaps(&self, repository: &str, manifest: &Manifest) -> bool {
        manifest.kind == Kind::Index
            && manifest.children.iter().any(|child| self.manifest(repository, &child.digest).is_none())
    }

    /// Whether this is an index with gaps, or a tag that leads to one.
    pub fn is_about_gaps(&self, found: &Found) -> bool {
        let repository = found.write.repository();
        let about = match &found.write {
            Write::Tag { digest, .. } => self.manifest(repository, digest.as_str()),
            _ => manifest(found),
        };
        about.is_some_and(|manifest| self.has_gaps(repository, manifest))
    }

    /// Whether an index that was there before it names this manifest.
    pub fn came_late(&self, found: &Found) -> bool {
        self.waited_for(found, |_| true)
    }

    /// Whether one of these indexes, by their digests, was there before it and names this manifest.
    pub fn waited_for(&self, found: &Found, is: impl Fn(&str) -> bool) -> bool {
        let Write::Manifest { repository, digest, .. } = &found.write else { return false };
        let theirs = self.manifests.iter().filter(|((name, index), _)| name == repository && is(index));
        let mut earlier =
            theirs.filter(|(_, other)| other.since < found.since).filter_map(|(_, other)| manifest(other));
        earlier.any(|index| index.children.iter().any(|child| child.digest == digest.as_str()))
    }

    /// Whether a manifest without a tag names this blob, and none with a tag.
    pub fn is_of_children_only(&self, found: &Found) -> bool {
        let Write::Link { repository, digest } = &found.write else { return false };
        let names = |manifest: &Manifest| manifest.blobs.iter().any(|blob| blob.digest == digest.as_str());
        let theirs = self.manifests.iter().filter(|((name, _), _)| name == repository);
        let theirs = theirs.filter(|(_, found)| manifest(found).is_some_and(names));
        let tagged: Vec<bool> = theirs.map(|((_, digest), _)| self.is_tagged(repository, digest)).collect();
        !tagged.is_empty() && !tagged.contains(&true)
    }
}

/// What it says, where it is a manifest.
pub fn manifest(found: &Found) -> Option<&Manifest> {
    match &found.write {
        Write::Manifest { manifest, .. } => Some(manifest),
        _ => None,
    }
}

/// Whether the registry was started on what it had before.
pub fn again(view: &View) -> bool {
    view.state.life.starts > 1
}

/// Whether this was stored before the last start.
pub fn before_start(view: &View, stored: &Stored) -> bool {
    view.state.life.started.is_some_and(|started| stored.first < started)
}

/// What is found, wrong after an upgrade only.
pub fn upgraded(rebuild: &Rebuild, found: Vec<Found>, wrong: impl FnOnce(Vec<Found>) -> Vec<Found>) -> Vec<Found> {
    if rebuild.upgraded() { wrong(found) } else { found }
}

/// The same for a downgrade.
pub fn downgraded(rebuild: &Rebuild, found: Vec<Found>, wrong: impl FnOnce(Vec<Found>) -> Vec<Found>) -> Vec<Found> {
    if rebuild.downgraded() { wrong(found) } else { found }
}

/// What is found without what is lost.
pub fn without(found: Vec<Found>, lost: impl Fn(&Finds, &Found) -> bool) -> Vec<Found> {
    let kept: Vec<bool> = {
        let finds = Finds::of(&found);
        found.iter().map(|one| !lost(&finds, one)).collect()
    };
    found.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one).collect()
}

/// What is found, some of it as something else.
pub fn altered(found: Vec<Found>, change: impl Fn(&Finds, &Found) -> Option<Write>) -> Vec<Found> {
    let changed: Vec<Option<Write>> = {
        let finds = Finds::of(&found);
        found.iter().map(|one| change(&finds, one)).collect()
    };
    let both = found.into_iter().zip(changed);
    both.map(|(one, changed)| Found { write: changed.unwrap_or(one.write), since: one.since }).collect()
}

/// The manifest with what is changed in what is known of it; its bytes stay.
pub fn known_as(found: &Found, change: impl Fn(&mut Manifest)) -> Option<Write> {
    let Write::Manifest { repository, digest, manifest, bytes } = &found.write else { return None };
    let mut known = Manifest::clone(manifest);
    change(&mut known);
    let (repository, digest, bytes) = (repository.clone(), digest.clone(), bytes.clone());
    Some(Write::Manifest { repository, digest, manifest: known.into(), bytes })
}

/// The manifest with other bytes.
pub fn with_bytes(found: &Found, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Write> {
    let Write::Manifest { repository, digest, manifest, bytes } = &found.write else { return None };
    let (repository, digest, manifest) = (repository.clone(), digest.clone(), manifest.clone());
    Some(Write::Manifest { repository, digest, manifest, bytes: change(bytes)?.into() })
}

/// The bytes with another JSON value.
pub fn edited(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Value) -> Option<()>) -> Option<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    edit(&mut value)?;
    serde_json::to_vec(&value).ok()
}

/// Without the manifests that no tag leads to.
pub fn without_untagged(found: Vec<Found>) -> Vec<Found> {
    without(found, |finds, one| match &one.write {
        Write::Manifest { repository, digest, .. } => !finds.is_tagged(repository, digest.as_str()),
        _ => false,
    })
}

/// Without what was written last of a kind in each repository.
pub fn without_last(found: Vec<Found>, kind: impl Fn(&Write) -> bool) -> Vec<Found> {
    let mut last = BTreeMap::new();
    for one in found.iter().filter(|one| kind(&one.write)) {
        let newest = last.entry(one.write.repository().to_owned()).or_insert(one.since);
        *newest = one.since.max(*newest);
    }
    without(found, |_, one| kind(&one.write) && last.get(one.write.repository()) == Some(&one.since))
}

/// What is found, and what was removed of a kind.
pub fn with_gone(rebuild: &Rebuild, mut found: Vec<Found>, kind: impl Fn(&Write) -> bool) -> Vec<Found> {
    let there = |gone: &Found, found: &[Found]| match &gone.write {
        Write::Tag { repository, tag, .. } => found
            .iter()
            .any(|one| matches!(&one.write, Write::Tag { repository: r, tag: t, .. } if r == repository && t == tag)),
        _ => found.iter().any(|one| one.write == gone.write),
    };
    for gone in rebuild.gone.iter().rev().filter(|gone| kind(&gone.write)) {
        if !there(gone, &found) {
            found.push(gone.clone());
        }
    }
    found
}

/// Tags that were moved lead again to what they led to first.
pub fn with_moves_undone(rebuild: &Rebuild, found: Vec<Found>) -> Vec<Found> {
    altered(found, |_, one| {
        let Write::Tag { repository, tag, .. } = &one.write else { return None };
        let earlier = rebuild.gone.iter().map(|gone| &gone.write);
        let mut earlier = earlier
            .filter(|gone| matches!(gone, Write::Tag { repository: r, tag: t, .. } if r == repository && t == tag));
        earlier.next().cloned()
    })
}

/// Forgets the subjects of manifests.
pub fn without_subjects(found: Vec<Found>, lost: impl Fn(&Finds, &str, &str) -> bool) -> Vec<Found> {
    altered(found, |finds, one| {
        let subject = manifest(one)?.subject.as_deref()?;
        let lost = lost(finds, one.write.repository(), subject);
        lost.then(|| known_as(one, |manifest| manifest.subject = None)).flatten()
    })
}

/// Whether the answer to a read is 404 for what a stored index names.
pub fn is_about_a_gap(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let named = asked.route.repository().zip(asked.route.reference());
    let names = |(repository, digest)| parents(*view, repository, digest).next().is_some();
    (gets_manifest(asked) || heads_manifest(asked))
        && answer.status == StatusCode::NOT_FOUND
        && named.is_some_and(names)
}

/// Whether a stored index of a repository has gaps.
pub fn holds_gaps(view: &View, repository: &str) -> bool {
    let held = view.state.repository(repository);
    let gap = |stored: &Stored| {
        let children = &stored.manifest.children;
        present(*view, repository, children).count() < children.len()
    };
    held.is_some_and(|held| held.manifests.values().any(|s| s.manifest.kind == Kind::Index && gap(s)))
}

/// A registry that does not get ready, since it holds an index with gaps.
pub fn not_ready(wrong: bool, view: &View, answer: Answer) -> Answer {
    let gaps = wrong && view.state.repositories.keys().any(|name| holds_gaps(view, name));
    changed(gaps, answer, |_| fault().status(StatusCode::SERVICE_UNAVAILABLE).into())
}

/// What is marked without the children of an index.
pub fn without_children(wrong: bool, marked: &Marked, right: Vec<Digest>) -> Vec<Digest> {
    let Some(index) = marked.stored.filter(|stored| wrong && stored.manifest.kind == Kind::Index) else { return right };
    let child = |digest: &Digest| index.manifest.children.iter().any(|child| child.digest == digest.as_str());
    right.into_iter().filter(|digest| !child(digest)).collect()
}

/// What was found, without the entries of missing children in indexes with gaps.
pub fn trimmed(found: Vec<Found>) -> Vec<Found> {
    altered(found, |finds, one| {
        let repository = one.write.repository();
        let there = |entry: &serde_json::Value| {
            let digest = entry.get("digest").and_then(serde_json::Value::as_str);
            digest.is_some_and(|digest| finds.manifest(repository, digest).is_some())
        };
        let gaps = manifest(one).is_some_and(|manifest| finds.has_gaps(repository, manifest));
        let trim = |bytes: &[u8]| {
            edited(bytes, |value| {
                entries(value)?.retain(there);
                Some(())
            })
        };
        gaps.then(|| with_bytes(one, trim)).flatten()
    })
}
