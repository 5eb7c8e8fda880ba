//! Wrong after a start about whose something is: what one repository holds is taken for another's.

use std::collections::{BTreeMap, BTreeSet};

use super::boot_tools::*;

/// Repositories that have a manifest, by its digest.
fn holders(found: &[Found]) -> BTreeMap<Digest, Vec<Found>> {
    let mut holders: BTreeMap<Digest, Vec<Found>> = BTreeMap::new();
    for one in found {
        if let Write::Manifest { digest, .. } = &one.write {
            holders.entry(digest.clone()).or_default().push(one.clone());
        }
    }
    holders
}

/// The children that a found index names, its repository has not, and another one has, as that one has them.
fn children_elsewhere(found: &[Found]) -> Vec<(String, Found)> {
    let holders = holders(found);
    let named = found.iter().filter_map(|one| Some((one.write.repository(), manifest(one)?)));
    let children = named.flat_map(|(repository, index)| index.children.iter().map(move |child| (repository, child)));
    children
        .filter_map(|(repository, child)| {
            let theirs = holders.get(&Digest::parse(&child.digest)?)?;
            let here = theirs.iter().any(|one| one.write.repository() == repository);
            (!here).then(|| theirs.first().map(|one| (repository.to_owned(), one.clone()))).flatten()
        })
        .collect()
}

/// With the manifests of such children in the repository of the index.
fn sharing_manifests(mut found: Vec<Found>) -> Vec<Found> {
    for (here, one) in children_elsewhere(&found) {
        if let Write::Manifest { digest, manifest, bytes, .. } = one.write {
            found
                .push(Found { write: Write::Manifest { repository: here, digest, manifest, bytes }, since: one.since });
        }
    }
    found
}

/// Each tag leads to what the first repository that has it led to.
fn keyed_by_name(found: Vec<Found>) -> Vec<Found> {
    let mut first: BTreeMap<String, Digest> = BTreeMap::new();
    for one in &found {
        if let Write::Tag { tag, digest, .. } = &one.write {
            first.entry(tag.clone()).or_insert_with(|| digest.clone());
        }
    }
    altered(found, |_, one| match &one.write {
        Write::Tag { repository, tag, .. } => first.get(tag).map(|digest| set_tag(repository, tag, digest)),
        _ => None,
    })
}

/// Without the links to a blob but the oldest.
fn without_mounts(found: Vec<Found>) -> Vec<Found> {
    let mut oldest = BTreeMap::new();
    for one in &found {
        if let Write::Link { digest, .. } = &one.write {
            let since = oldest.entry(digest.clone()).or_insert(one.since);
            *since = one.since.min(*since);
        }
    }
    without(found, |_, one| match &one.write {
        Write::Link { digest, .. } => oldest.get(digest).is_some_and(|oldest| one.since > *oldest),
        _ => false,
    })
}

/// Without what another repository lost, of one kind.
fn without_gone_anywhere(
    rebuild: &Rebuild,
    found: Vec<Found>,
    digest: impl Fn(&Write) -> Option<&Digest>,
) -> Vec<Found> {
    let gone: BTreeSet<&Digest> = rebuild.gone.iter().filter_map(|gone| digest(&gone.write)).collect();
    without(found, |_, one| digest(&one.write).is_some_and(|digest| gone.contains(digest)))
}

fn manifest_digest(write: &Write) -> Option<&Digest> {
    if let Write::Manifest { digest, .. } = write { Some(digest) } else { None }
}

fn blob_digest(write: &Write) -> Option<&Digest> {
    if let Write::Link { digest, .. } = write { Some(digest) } else { None }
}

const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-blob", "restart.keeps-tag", "restart.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-shares-manifests",
        "A start looks for the children of an index in the whole storage: one that is missing here is served as another's.",
        "restart.missing",
        &[Seam::Boot(|_, found| sharing_manifests(found))],
    ),
    Defect::new(
        "restart-shares-blobs",
        "A start links to an index's repository the blobs of its children wherever these are.",
        "restart.missing",
        &[Seam::Boot(|_, mut found| {
            for (here, one) in children_elsewhere(&found) {
                let blobs = manifest(&one).map_or(&[][..], |manifest| &manifest.blobs);
                let digests = blobs.iter().filter_map(|blob| Digest::parse(&blob.digest));
                let links = digests.map(|digest| Write::Link { repository: here.clone(), digest });
                found.extend(links.map(|write| Found { write, since: one.since }).collect::<Vec<_>>());
            }
            found
        })],
    ),
    Defect::new(
        "restart-drops-index-of-others-children",
        "A start holds each index against its own repository: one whose child only another one has is gone.",
        "restart.keeps-manifest",
        &[Seam::Boot(|_, found| {
            let holders = holders(&found);
            let elsewhere = |repository: &str, digest: &str| {
                let theirs = Digest::parse(digest).and_then(|digest| holders.get(&digest));
                theirs.is_some_and(|theirs| theirs.iter().all(|one| one.write.repository() != repository))
            };
            without(found, |_, one| {
                let children = manifest(one).map_or(&[][..], |manifest| &manifest.children);
                children.iter().any(|child| elsewhere(one.write.repository(), &child.digest))
            })
        })],
    )
    .also(&["restart.keeps-tag"]),
    Defect::new(
        "restart-keys-tags-by-name",
        "A start reads the tags into one map for all repositories: a tag leads everywhere to what it leads to in the first.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| keyed_by_name(found))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-forgets-mounts",
        "A start counts each blob to the repository that had it first: where it was mounted it is gone.",
        "restart.keeps-blob",
        &[Seam::Boot(|_, found| without_mounts(found))],
    ),
    Defect::new(
        "kill-forgets-mounts",
        "A mount is in memory until the registry ends: after a kill it is gone, though it was acknowledged.",
        "restart.keeps-blob",
        &[Seam::Boot(|rebuild, found| match rebuild.ended == Ended::Killed {
            true => without_mounts(found),
            false => found,
        })],
    ),
    Defect::new(
        "restart-deletes-blobs-everywhere",
        "A start takes a blob that one repository deleted from all of them.",
        "restart.keeps-blob",
        &[Seam::Boot(|rebuild, found| without_gone_anywhere(rebuild, found, blob_digest))],
    ),
    Defect::new(
        "restart-deletes-manifests-everywhere",
        "A start takes a manifest that one repository deleted from all of them.",
        "restart.keeps-manifest",
        &[Seam::Boot(|rebuild, found| without_gone_anywhere(rebuild, found, manifest_digest))],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-shares-manifests",
        "An upgrade looks for the children of an index in the whole storage: one that is missing here is served as another's.",
        "upgrade.missing",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, sharing_manifests))],
    ),
    Defect::new(
        "upgrade-keys-tags-by-name",
        "An upgrade reads the tags into one table without their repositories: each leads everywhere to the same.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, keyed_by_name))],
    ),
    Defect::new(
        "upgrade-forgets-mounts",
        "An upgrade gives each blob to the repository that had it first: where it was mounted it is gone.",
        "upgrade.keeps-blob",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, without_mounts))],
    ),
];
