//! Lawful differences of what becomes of a manifest that no tag leads to any more: the specification does not say that it stays.

use super::super::policy::Seam;
use super::super::question::{Change, Target, View};
use super::super::state::{Stored, Write};
use super::Variation;
use crate::content::digest::Digest;

/// The removal of the manifest that `tag` alone led to, and of what was there for its sake; nothing of what `stays`.
fn gone(view: View, repository: &str, tag: &str, stays: &[&str]) -> Vec<Write> {
    let Some(held) = view.state.repository(repository) else { return Vec::new() };
    let mut gone: Vec<&Digest> = Vec::new();
    let mut next: Vec<&Digest> = view.state.tag(repository, tag).into_iter().collect();
    while let Some(digest) = next.pop() {
        let names = |stored: &Stored| stored.manifest.children.iter().any(|child| child.digest == digest.as_str());
        let is_named = held.manifests.iter().any(|(parent, stored)| !gone.contains(&parent) && names(stored));
        let is_tagged = held.tags_of(digest).any(|other| other != tag);
        if is_named || is_tagged || stays.contains(&digest.as_str()) || gone.contains(&digest) {
            continue;
        }
        gone.push(digest);
        let children = held.manifests.get(digest).into_iter().flat_map(|stored| &stored.manifest.children);
        let children = children.filter_map(|child| held.manifests.get_key_value(&Digest::parse(&child.digest)?));
        next.extend(children.map(|(digest, _)| digest));
    }
    gone.into_iter()
        .map(|digest| Write::DropManifest { repository: repository.to_owned(), digest: digest.clone() })
        .collect()
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "moved-tags-drop-manifests",
        "When its last tag moves away, a manifest that no index names is gone at once, with the children that no other one names.",
        &[Seam::Store(|change, mut right| {
            if let Change::Put(push, Ok(())) = change
                && let Some(tag) = push.reference.tag()
                && push.view.state.tag(push.repository, tag).is_some_and(|older| older != push.digest)
            {
                let children = push.manifest.children.iter().map(|child| child.digest.as_str());
                let stays: Vec<&str> = children.chain([push.digest.as_str()]).collect();
                right.extend(gone(push.view, push.repository, tag, &stays));
            }
            right
        })],
    ),
    Variation::new(
        "deleted-tags-drop-manifests",
        "When its last tag is deleted, a manifest that no index names is gone at once, with the children that no other one names.",
        &[Seam::Store(|change, mut right| {
            if let Change::Delete(removal) = change
                && let Target::Tag(tag) = removal.target
            {
                right.extend(gone(removal.view, removal.repository, tag, &[]));
            }
            right
        })],
    ),
];
