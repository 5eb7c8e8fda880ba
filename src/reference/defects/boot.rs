//! Wrong after every start: what was there is rebuilt wrong, whether the registry ended in order or was killed.

use super::super::manifest::{DOCKER_LIST, OCI_IMAGE, OCI_INDEX};
use super::super::question::Page;
use super::boot_tools::*;

const INDEX: &[&str] = &["restart.keeps-manifest", "restart.keeps-tag", "restart.tags"];
const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-tag"];
const LATE: &[&str] = &["late.child.served", "manifest.put.location", "manifest.get.served"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-drops-sparse-index",
        "A start checks what it finds: an index with gaps counts as damaged, and goes with its tags.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| without(found, |finds, one| finds.is_about_gaps(one)))],
    )
    .also(INDEX),
    Defect::new(
        "restart-untags-sparse-index",
        "A start drops the tags that lead to an index with gaps; by its digest it is there.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            without(found, |finds, one| matches!(one.write, Write::Tag { .. }) && finds.is_about_gaps(one))
        })],
    )
    .also(INDEX),
    Defect::new(
        "restart-drops-untagged",
        "A start finds manifests by their tags: children that only an index names are gone \
         (https://github.com/distribution/distribution/issues/861).",
        "restart.keeps-manifest",
        &[Seam::Boot(|_, found| without_untagged(found))],
    )
    .also(&["restart.keeps-referrer"]),
    Defect::new(
        "restart-one-tag-a-manifest",
        "A start reads the tags into a map from manifests: of several tags of one the last stays.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            let tags: Vec<(String, Digest, String)> = found
                .iter()
                .filter_map(|one| match &one.write {
                    Write::Tag { repository, tag, digest } => Some((repository.clone(), digest.clone(), tag.clone())),
                    _ => None,
                })
                .collect();
            without(found, |_, one| match &one.write {
                Write::Tag { repository, tag, digest } => {
                    tags.iter().any(|(r, d, later)| r == repository && d == digest && later > tag)
                }
                _ => false,
            })
        })],
    )
    .also(INDEX),
    Defect::new(
        "restart-moves-tags-back",
        "After a start a tag that was moved leads to what it led to first.",
        "restart.keeps-tag",
        &[Seam::Boot(with_moves_undone)],
    ),
    Defect::new(
        "restart-revives-deleted-tag",
        "A deleted tag is back after a start.",
        "restart.keeps-delete",
        &[Seam::Boot(|rebuild, found| with_gone(rebuild, found, |gone| matches!(gone, Write::Tag { .. })))],
    )
    .also(&["restart.tags", "tags.gone", "delete.tag-gone", "tags.complete"]),
    Defect::new(
        "restart-revives-deleted-manifest",
        "A deleted manifest is back after a start, by its digest.",
        "restart.keeps-delete",
        &[Seam::Boot(|rebuild, found| with_gone(rebuild, found, |gone| matches!(gone, Write::Manifest { .. })))],
    )
    .also(&["delete.manifest-gone", "manifest.get.absent", "manifest.head.absent"]),
    Defect::new(
        "restart-revives-deleted-blob",
        "A deleted blob is back after a start.",
        "restart.keeps-delete",
        &[Seam::Boot(|rebuild, found| with_gone(rebuild, found, |gone| matches!(gone, Write::Link { .. })))],
    )
    .also(&["delete.blob-gone"]),
    Defect::new(
        "restart-serves-lists-as-indexes",
        "After a start a Docker manifest list is served with the type of an OCI index.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            altered(found, |_, one| {
                let list = manifest(one)?.media_type == DOCKER_LIST;
                list.then(|| known_as(one, |manifest| manifest.media_type = OCI_INDEX.to_owned())).flatten()
            })
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-guesses-type",
        "A start reads the type from the manifest itself: an index that does not say it is served as an image.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            altered(found, |_, one| {
                let Write::Manifest { manifest, bytes, .. } = &one.write else { return None };
                let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
                let silent = manifest.kind == Kind::Index && value.get("mediaType").is_none();
                silent.then(|| known_as(one, |manifest| manifest.media_type = OCI_IMAGE.to_owned())).flatten()
            })
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-forgets-referrers",
        "Lists of referrers are not rebuilt by a start.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| without_subjects(found, |_, _, _| true))],
    ),
    Defect::new(
        "restart-forgets-referrers-of-missing",
        "A start rebuilds the lists of referrers of what is there, and none of a missing child.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| {
            without_subjects(found, |finds, name, subject| finds.manifest(name, subject).is_none())
        })],
    ),
    Defect::new(
        "restart-knows-sha256-only",
        "A start finds what is named by sha256; what is named by sha512 is gone.",
        "restart.keeps-manifest",
        &[Seam::Boot(|_, found| {
            without(found, |_, one| match &one.write {
                Write::Manifest { digest, .. } | Write::Link { digest, .. } => digest.as_str().starts_with("sha512:"),
                _ => false,
            })
        })],
    )
    .also(&["restart.keeps-blob", "restart.keeps-tag"]),
    Defect::new(
        "restart-drops-layers-of-children",
        "A start finds the blobs of tagged manifests: those of children that only an index names are gone.",
        "restart.keeps-blob",
        &[Seam::Boot(|_, found| without(found, |finds, one| finds.is_of_children_only(one)))],
    ),
    Defect::new(
        "restart-drops-late-child",
        "A start reads each index once: a child that came after it is not found.",
        "restart.keeps-manifest",
        &[Seam::Boot(|_, found| without(found, |finds, one| finds.came_late(one)))],
    ),
    Defect::new(
        "restart-lists-tags-by-age",
        "After a start the tags are listed as they were set.",
        "tags.ordered",
        &[Seam::List(|listing, right| {
            let held = listing.view.state.repository(listing.repository).filter(|_| again(&listing.view));
            let Some(held) = held else { return right };
            let mut by_age = right;
            by_age.sort_by_key(|tag| held.tagged.get(tag).copied());
            by_age
        })],
    ),
    Defect::new(
        "restart-page-repeats-last",
        "After a start each page of tags begins with the last of the one before.",
        "restart.tags",
        &[Seam::Page(|listing, all, right| {
            let last = listing.last.filter(|last| again(&listing.view) && all.iter().any(|tag| tag == last));
            let Some(last) = last else { return right };
            let mut items = right.items;
            items.insert(0, last.to_owned());
            Page { items, next: right.next }
        })],
    ),
    Defect::new(
        "restart-unlists-sparse-tags",
        "After a start the tags of indexes with gaps are not listed; they are served.",
        "restart.tags",
        &[Seam::List(|listing, right| {
            let gaps = |tag: &String| {
                let view = listing.view;
                let stored = view.state.tag(listing.repository, tag);
                let stored = stored.and_then(|digest| view.state.manifest(listing.repository, digest));
                stored.is_some_and(|stored| {
                    let children = &stored.manifest.children;
                    present(view, listing.repository, children).count() < children.len()
                })
            };
            let wrong = again(&listing.view);
            right.into_iter().filter(|tag| !(wrong && gaps(tag))).collect()
        })],
    ),
    Defect::new(
        "restart-missing-child-500",
        "After a start a missing child that a stored index names is answered with 500.",
        "restart.missing",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(again(view) && is_about_a_gap(asked, view, &answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "restart-missing-child-answered-with-sibling",
        "After a start a missing child is answered with one that is there.",
        "restart.missing",
        &[Seam::Resolve(|lookup, right| {
            let digest = lookup.reference.digest().filter(|_| right.is_none() && again(&lookup.view));
            let Some(digest) = digest else { return right };
            let mut named = parents(lookup.view, lookup.repository, digest.as_str());
            let sibling = named.find_map(|(_, index)| {
                present(lookup.view, lookup.repository, &index.manifest.children).next().map(|(digest, ..)| digest)
            });
            served(lookup.view, lookup.repository, &sibling?)
        })],
    ),
    Defect::new(
        "restart-stops-at-gap",
        "A registry that finds an index with gaps at its start does not get ready.",
        "restart.comes-back",
        &[Seam::Finish(|_, view, _, answer| not_ready(again(view), view, answer))],
    )
    .also(&["kill.comes-back", "upgrade.comes-back", "downgrade.comes-back"]),
    Defect::new(
        "restart-remembers-gaps",
        "What was missing at a start is not found when it comes.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let view = &lookup.view;
                let new = view.state.manifest(lookup.repository, &served.digest);
                let new = again(view) && new.is_some_and(|stored| !before_start(view, stored));
                let mut named = parents(*view, lookup.repository, served.digest.as_str());
                !(new && named.any(|(_, index)| before_start(view, index)))
            })
        })],
    )
    .also(LATE),
];
