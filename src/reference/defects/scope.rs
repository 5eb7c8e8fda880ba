//! Wrong about where content is: another repository's is taken for this one's.

use axum::http::Method;

use super::super::question::Blob;
use super::tools::*;

fn elsewhere(lookup: &Lookup) -> Option<Served> {
    let digest = lookup.reference.digest()?;
    let (repository, _) = lookup.view.state.manifest_anywhere(digest)?;
    served(lookup.view, repository, digest)
}

fn blob_elsewhere(lookup: &Lookup) -> Option<Served> {
    let digest = lookup.reference.digest()?;
    lookup.view.state.blob_anywhere(digest)?;
    let body = lookup.view.content.body(digest)?;
    Some(Served { media_type: "application/octet-stream".into(), digest: digest.clone(), body })
}

/// Manifests of the source that name the blob that is mounted.
fn named_with(blob: &Blob) -> Vec<Write> {
    let source = blob.from.and_then(|from| blob.view.state.repository(from));
    let manifests = source.into_iter().flat_map(|r| &r.manifests);
    let naming = manifests.filter(|(_, s)| s.manifest.blobs.iter().any(|b| b.digest == blob.digest.as_str()));
    let linked = naming.filter_map(|(digest, stored)| copied(blob.view, blob.repository, digest, stored));
    linked.collect()
}

fn copied(view: View, repository: &str, digest: &Digest, stored: &Stored) -> Option<Write> {
    Some(Write::Manifest {
        repository: repository.to_owned(),
        digest: digest.clone(),
        manifest: stored.manifest.clone(),
        bytes: view.content.body(digest)?.to_bytes(),
    })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "manifest-from-any-repository",
        "A manifest is found by its digest whatever repository it is in.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| right.or_else(|| elsewhere(lookup)))],
    )
    .also(&["manifest.get.no-repository", "index.refuse.nothing-stored"]),
    Defect::new(
        "head-from-any-repository",
        "HEAD finds a manifest by its digest whatever repository it is in; GET does not.",
        "manifest.head.absent",
        &[Seam::Resolve(|lookup, right| match lookup.asked.method == Method::HEAD {
            true => right.or_else(|| elsewhere(lookup)),
            false => right,
        })],
    ),
    Defect::new(
        "tag-from-any-repository",
        "A tag that the repository does not have is looked for in the others.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            right.or_else(|| {
                let tag = lookup.reference.tag()?;
                let mut repositories = lookup.view.state.repositories.iter();
                repositories.find_map(|(name, r)| served(lookup.view, name, r.tags.get(tag)?))
            })
        })],
    ),
    Defect::new(
        "blob-from-any-repository",
        "A blob is found whatever repository it is in.",
        "blob.get.absent",
        &[Seam::Find(|lookup, right| right.or_else(|| blob_elsewhere(lookup)))],
    )
    .also(&["blob.head.absent"]),
    Defect::new(
        "index-links-children-from-elsewhere",
        "When an index is pushed, its absent children are linked from whatever repository has them.",
        "manifest.get.absent",
        &[Seam::Store(|change, right| match change {
            Change::Put(push, _) if is_index(push) => {
                let linked = push.missing.iter().filter_map(|child| {
                    let digest = Digest::parse(&child.digest)?;
                    let (_, stored) = push.view.state.manifest_anywhere(&digest)?;
                    copied(push.view, push.repository, &digest, stored)
                });
                plus(right, linked)
            }
            _ => right,
        })],
    ),
    Defect::new(
        "index-child-elsewhere-500",
        "An index whose child another repository has makes the registry fall over.",
        "index.scope.answered",
        &[Seam::Accept(|push, right| {
            let elsewhere = |child: &Descriptor| {
                Digest::parse(&child.digest).is_some_and(|digest| push.view.state.manifest_anywhere(&digest).is_some())
            };
            falls_over(is_index(push) && push.missing.iter().any(elsewhere), right)
        })],
    ),
    Defect::new(
        "mount-conjures-manifest",
        "With a mounted blob come the manifests of the source that name it.",
        "mount.nothing-conjured",
        &[Seam::Store(|change, right| match change {
            Change::Mount(blob) => plus(right, named_with(blob)),
            _ => right,
        })],
    ),
];
