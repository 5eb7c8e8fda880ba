//! Wrong about what a collection keeps.

use super::gc_tools::*;

/// Whether an index of this repository names what is not there.
fn gaps(held: &Repository, stored: &Stored) -> bool {
    is_stored_index(stored) && stored.manifest.children.iter().any(|child| !has(held, &child.digest))
}

/// The children that are there of every index that a plan drops.
fn children_of_garbage(collection: &Collection, plan: &[Write]) -> Vec<Digest> {
    let dropped = plan.iter().filter_map(|write| match write {
        Write::DropManifest { digest, .. } => collection.held.manifests.get(digest),
        _ => None,
    });
    let children =
        dropped.flat_map(|stored| &stored.manifest.children).filter_map(|child| Digest::parse(&child.digest));
    children.filter(|digest| collection.held.manifests.contains_key(digest)).collect()
}

/// The blobs of manifests that were deleted since the start.
fn blobs_of_deleted(held: &Repository) -> impl Iterator<Item = &str> {
    gone_manifests(held).flat_map(|(_, stored)| stored.manifest.blobs.iter().map(|blob| blob.digest.as_str()))
}

/// What a tag led to before it was set anew.
fn was_elsewhere(held: &Repository, tag: &str, now: &Digest) -> bool {
    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Tag(name, digest) if name == tag && digest != now))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-follows-tags-only",
        "A collection keeps what a tag leads to directly, and takes the children of indexes \
         (https://github.com/distribution/distribution/issues/3178).",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked, right, |_| true))],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-oci-only",
        "A collection knows OCI indexes, and takes the children of Docker's manifest lists \
         (https://github.com/project-zot/zot/pull/3349).",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without_children(marked, right, |stored| is_docker_type(&stored.manifest.media_type))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-docker-only",
        "A collection knows Docker's manifest lists, and takes the children of OCI indexes \
         (https://github.com/Azure/acr-cli/issues/131).",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without_children(marked, right, |stored| !is_docker_type(&stored.manifest.media_type))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-one-level",
        "A collection follows a tagged index to its children, and no index among these any further.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked, right, |_| marked.depth > 0))],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-children-of-sparse",
        "An index with gaps counts as broken: a collection does not follow it.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked, right, |stored| gaps(marked.held, stored)))],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-sparse-index",
        "An index with gaps counts as broken: a collection takes it.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_some_and(|stored| gaps(doomed.collection.held, stored))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-drops-tag-of-hollow-index",
        "A collection drops the tag of an index of which no child is there.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let held = collection.held;
                let hollow = |digest: &Digest| {
                    let stored = held.manifests.get(digest).filter(|stored| is_stored_index(stored));
                    stored.is_some_and(|stored| !stored.manifest.children.iter().any(|c| has(held, &c.digest)))
                };
                let tags = held.tags.iter().filter(|(_, digest)| hollow(digest));
                tags.map(|(tag, _)| untag(collection.repository, tag)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-revives-deleted-child",
        "A collection derives the children again from the indexes: a deleted one whose bytes are there still is back.",
        "delete.manifest-gone",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let named = gone_manifests(collection.held).filter(|(digest, _)| collection.live.contains(*digest));
                let write = |(digest, stored): (&Digest, &Stored)| {
                    Some(Write::Manifest {
                        repository: collection.repository.to_owned(),
                        digest: digest.clone(),
                        manifest: stored.manifest.clone(),
                        bytes: collection.view.content.body(digest)?.to_bytes(),
                    })
                };
                named.filter_map(write).collect()
            })
        })],
    )
    .also(&["manifest.get.absent", "manifest.head.absent"]),
    Defect::new(
        "gc-cascades-into-shared-children",
        "Where a collection takes an index, its children go too, whoever else names them.",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            taking(right, |plan| {
                let children = children_of_garbage(collection, plan).into_iter();
                let untagged = children.filter(|digest| !tagged(collection.held, digest));
                untagged.map(|digest| drop_manifest(collection.repository, &digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-cascades-into-tagged-children",
        "Where a collection takes an index, its children go too, with their tags.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |plan| {
                let children = children_of_garbage(collection, plan).into_iter();
                let tagged = children.filter(|digest| tagged(collection.held, digest));
                tagged.map(|digest| drop_manifest(collection.repository, &digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-children-of-deleted-index",
        "The children of an index that was deleted go at the next collection, whoever else names them \
         (https://github.com/quay/quay/pull/1336).",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let gone = gone_manifests(collection.held);
                let children = gone.flat_map(|(_, stored)| &stored.manifest.children);
                let there = children.filter(|child| has(collection.held, &child.digest));
                let digests = there.filter_map(|child| Digest::parse(&child.digest));
                digests.map(|digest| drop_manifest(collection.repository, &digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-first-tag-value",
        "A collection goes by what a tag led to first, and takes what it was moved to.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            right || held.tags.iter().any(|(tag, now)| now == doomed.digest && was_elsewhere(held, tag, now))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-loses-a-tag",
        "Where a collection takes an index, the tag that was set last in the repository goes with it.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |plan| {
                let takes = plan.iter().any(|write| matches!(write, Write::DropManifest { .. }));
                let last = collection.held.tagged.iter().filter(|_| takes).max_by_key(|(_, since)| **since);
                last.map(|(tag, _)| untag(collection.repository, tag)).into_iter().collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-layers-of-deleted-image",
        "The layers of a deleted image go at the next collection, whoever else in the repository has them.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| blobs_of_deleted(collection.held).filter_map(|d| unlink(collection.repository, d)).collect())
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-layers-elsewhere",
        "The layers of a deleted image go at the next collection from every other repository that has them.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let others = collection.view.state.repositories.iter();
                let others = others.filter(|(name, _)| name.as_str() != collection.repository);
                let blobs = others.flat_map(|(_, held)| blobs_of_deleted(held));
                let here = blobs.filter(|d| Digest::parse(d).is_some_and(|d| collection.held.blobs.contains_key(&d)));
                here.filter_map(|digest| unlink(collection.repository, digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-remembers-gap-of-other-repository",
        "What a collection missed in one repository counts as visited in the next, where it is there: its blobs go.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| {
            let earlier = marked.view.state.repositories.iter().take_while(|(name, _)| *name != marked.repository);
            let missed = |held: &Repository| {
                let named = held.manifests.values().flat_map(|stored| &stored.manifest.children);
                named.into_iter().any(|child| child.digest == marked.digest.as_str()) && !has(held, marked.digest.as_str())
            };
            let mut earlier = earlier;
            if marked.depth > 0 && earlier.any(|(_, held)| missed(held)) { Vec::new() } else { right }
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-knows-sha256-only",
        "Content by sha512 is nothing that a collection would find: it goes.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| right || doomed.digest.as_str().starts_with("sha512:"))],
    )
    .also(KEPT),
    Defect::new(
        "gc-rewrites-index",
        "A collection writes every index that it keeps anew, indented.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let indexes = collection.held.manifests.iter().filter(|(_, stored)| is_stored_index(stored));
                let kept = indexes.filter(|(digest, _)| collection.live.contains(*digest));
                kept.filter_map(|(digest, stored)| {
                    let bytes = collection.view.content.body(digest)?.to_bytes();
                    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
                    Some(Write::Manifest {
                        repository: collection.repository.to_owned(),
                        digest: digest.clone(),
                        manifest: stored.manifest.clone(),
                        bytes: serde_json::to_vec_pretty(&value).ok()?.into(),
                    })
                })
                .collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-second-takes-children",
        "A second collection takes what no tag leads to directly.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let second = doomed.collection.view.state.life.collections > 0;
            right || second && doomed.stored.is_some() && !tagged(doomed.collection.held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-signature-tags",
        "Tags that look like those of signatures count as attachments of what was never there: a collection takes them.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let tags = collection.held.tags.keys().filter(|tag| tag.starts_with("sha256-"));
                tags.map(|tag| untag(collection.repository, tag)).collect()
            })
        })],
    )
    .also(KEPT),
];
