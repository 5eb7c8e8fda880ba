//! Lawful differences of what becomes of a manifest that no tag leads to any more: the specification does not say that it stays.

use super::super::policy::Seam;
use super::super::question::{Change, Target, View};
use super::super::state::Write;
use super::Variation;
use crate::content::digest::Digest;

/// The removal of a manifest, where `tag` alone led to it and no manifest names it.
fn gone(view: View, repository: &str, tag: &str) -> Option<Write> {
    let held = view.state.repository(repository)?;
    let digest = view.state.tag(repository, tag)?;
    let named = |digest: &Digest| {
        let children = held.manifests.values().flat_map(|stored| &stored.manifest.children);
        children.map(|child| child.digest.as_str()).any(|child| child == digest.as_str())
    };
    let alone = held.tags_of(digest).all(|other| other == tag) && !named(digest);
    alone.then(|| Write::DropManifest { repository: repository.to_owned(), digest: digest.clone() })
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "moved-tags-drop-manifests",
        "When its last tag moves away, a manifest that no index names is gone at once.",
        &[Seam::Store(|change, mut right| {
            if let Change::Put(push, Ok(())) = change
                && let Some(tag) = push.reference.tag()
                && push.view.state.tag(push.repository, tag).is_some_and(|older| older != push.digest)
            {
                let named = |write: &Write| matches!(write, Write::DropManifest { digest, .. } if push.manifest.children.iter().any(|child| child.digest == digest.as_str()));
                right.extend(gone(push.view, push.repository, tag).filter(|write| !named(write)));
            }
            right
        })],
    ),
    Variation::new(
        "deleted-tags-drop-manifests",
        "When its last tag is deleted, a manifest that no index names is gone at once.",
        &[Seam::Store(|change, mut right| {
            if let Change::Delete(removal) = change
                && let Target::Tag(tag) = removal.target
            {
                right.extend(gone(removal.view, removal.repository, tag));
            }
            right
        })],
    ),
];
