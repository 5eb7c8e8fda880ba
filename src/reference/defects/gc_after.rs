//! A registry that goes on with what it knew before a collection: caches, lists, types.

use super::super::question::Blob;
use super::gc_tools::*;

/// What a get or head of a manifest asks for, where it was asked by digest.
fn asked_digest(asked: &Asked) -> Option<Digest> {
    match &asked.route {
        Route::Manifest { reference, .. } => Digest::parse(reference),
        Route::Blob { digest, .. } => Digest::parse(digest),
        _ => None,
    }
}

/// Whether the answer is that a manifest by digest which the collector took is not there.
fn is_404_of_collected(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let there = asked.route.repository().zip(asked_digest(asked));
    let took = there.is_some_and(|(repository, digest)| collected(*view, repository, &digest).is_some());
    asked.reads() && answer.status == StatusCode::NOT_FOUND && took
}

/// A lookup of what is not there and an index names.
fn missing<'a>(lookup: &Lookup<'a>, right: Option<&Served>) -> Option<(&'a Digest, &'a Stored)> {
    let digest = lookup.reference.digest().filter(|_| right.is_none() && was_collected(lookup.view))?;
    parents(lookup.view, lookup.repository, digest.as_str()).next()
}

/// A mount of a blob that its source no longer has.
fn is_mount_of_collected(blob: &Blob) -> bool {
    blob.from.is_some_and(|from| collected(blob.view, from, blob.digest).is_some())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-serves-collected-from-cache",
        "A manifest that was got before a collection took it is served from a cache after it.",
        "gc.drops-manifest",
        &[Seam::Finish(|asked, view, memory, answer| {
            if !gets_manifest(asked) || asked_digest(asked).is_none() {
                return answer;
            }
            if answer.status == StatusCode::OK {
                memory.keep(asked.uri.path(), &answer);
                return answer;
            }
            match is_404_of_collected(asked, view, &answer) {
                true => memory.recall(asked.uri.path()).unwrap_or(answer),
                false => answer,
            }
        })],
    ),
    Defect::new(
        "gc-cached-manifest-head",
        "What was known of a manifest before a collection is answered to HEAD after it.",
        "gc.drops-manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = heads_manifest(asked) && is_404_of_collected(asked, view, &answer);
            let size = asked.route.repository().zip(asked_digest(asked));
            let size = size.and_then(|(repository, digest)| collected(*view, repository, &digest));
            match (wrong, size, asked_digest(asked)) {
                (true, Some(size), Some(digest)) => Answer::new(StatusCode::OK)
                    .with("content-type", "application/vnd.oci.image.manifest.v1+json")
                    .with("content-length", &size.to_string())
                    .with("docker-content-digest", digest.as_str()),
                _ => answer,
            }
        })],
    ),
    Defect::new(
        "gc-keeps-404-of-collected",
        "That a blob was asked for after a collection and not found is remembered, and answered when it is there again \
         (https://github.com/distribution/distribution/issues/2270).",
        "gc.push-after",
        &[Seam::Finish(|asked, view, memory, answer| {
            let Route::Blob { .. } = &asked.route else { return answer };
            if is_404_of_collected(asked, view, &answer) {
                memory.keep(asked.uri.path(), &answer);
            }
            let remembered = memory.recall(asked.uri.path()).filter(|_| asked.reads());
            remembered.unwrap_or(answer)
        })],
    )
    .also(&["manifest.put.created", "upload.location"]),
    Defect::new(
        "gc-repush-elsewhere-lost",
        "A blob that a collection took from one repository counts as there when it is pushed to another, and is not stored \
         (https://github.com/distribution/distribution/issues/3800).",
        "gc.push-after",
        &[Seam::Find(|lookup, right| {
            let digest = lookup.reference.digest();
            let lost = digest.is_some_and(|digest| {
                let others = lookup.view.state.repositories.iter().filter(|(name, _)| *name != lookup.repository);
                others.into_iter().any(|(_, held)| held.past.collected(digest).is_some())
            });
            right.filter(|_| !lost)
        })],
    )
    .also(&["upload.location", "blob.get.served"]),
    Defect::new(
        "gc-mounts-what-it-collected",
        "A blob that a collection took is mounted from where it was.",
        "mount.absent",
        &[
            Seam::Mount(|blob, right| right || is_mount_of_collected(blob)),
            Seam::Store(|change, right| match change {
                Change::Mount(blob) if is_mount_of_collected(blob) => Vec::new(),
                _ => right,
            }),
        ],
    ),
    Defect::new(
        "gc-remembers-children",
        "A child that a collection took counts as there when an index is pushed that names it.",
        "index.refuse.consistent",
        &[Seam::Present(|wanted, right| {
            let digest = Digest::parse(&wanted.descriptor.digest);
            right || digest.is_some_and(|digest| collected(wanted.view, wanted.repository, &digest).is_some())
        })],
    )
    .also(&["index.refuse.status", "index.refuse.code", "index.refuse.nothing-stored"])
    .when(stances::REFUSE),
    Defect::new(
        "gc-lists-deleted-tags",
        "After a collection the list of tags is rebuilt with those that were deleted.",
        "gc.tags",
        &[Seam::List(|listing, right| {
            let held = listing.view.state.repository(listing.repository).filter(|_| was_collected(listing.view));
            let gone = held.into_iter().flat_map(|held| held.past.gone()).filter_map(|(gone, _)| match gone {
                Gone::Tag(tag, _) => Some(tag.clone()),
                _ => None,
            });
            let mut tags: Vec<String> = right.into_iter().chain(gone).collect();
            tags.sort();
            tags.dedup();
            tags
        })],
    )
    .also(&["tags.complete", "tags.gone"]),
    Defect::new(
        "gc-missing-child-500",
        "After a collection a child that an index names and nobody pushed is answered with 500: it was marked, and is not there.",
        "gc.missing",
        &[Seam::Finish(|asked, view, _, answer| {
            let named = asked.route.repository().zip(asked_digest(asked)).is_some_and(|(repository, digest)| {
                parents(*view, repository, digest.as_str()).next().is_some()
            });
            let manifest = matches!(asked.route, Route::Manifest { .. });
            let missing = asked.reads() && answer.status == StatusCode::NOT_FOUND && manifest;
            if missing && named && was_collected(*view) { Answer::from(fault()) } else { answer }
        })],
    )
    .also(&["manifest.get.absent", "manifest.head.absent", "delete.manifest-gone", "gc.drops-manifest"]),
    Defect::new(
        "gc-missing-child-answered-with-sibling",
        "After a collection a child that is not there is answered with one that is: the index was mended for its readers.",
        "gc.missing",
        &[Seam::Resolve(|lookup, right| {
            let Some((_, index)) = missing(lookup, right.as_ref()) else { return right };
            let sibling = present(lookup.view, lookup.repository, &index.manifest.children).next();
            sibling.and_then(|(digest, ..)| served(lookup.view, lookup.repository, &digest))
        })],
    )
    .also(&["manifest.get.absent", "manifest.head.absent", "delete.manifest-gone", "gc.drops-manifest"]),
    Defect::new(
        "gc-loses-types",
        "A collection forgets the media types of manifests that no tag leads to directly.",
        "gc.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            let found = right?;
            let held = lookup.view.state.repository(lookup.repository).filter(|_| was_collected(lookup.view));
            let untagged = held.is_some_and(|held| !tagged(held, &found.digest));
            let media_type = if untagged { "application/octet-stream".to_owned() } else { found.media_type.clone() };
            Some(Served { media_type, ..found })
        })],
    )
    .also(&["manifest.get.type", "manifest.head.type", "gc.keeps-type"]),
    Defect::new(
        "gc-tag-answered-with-older",
        "After a collection a tag that was moved leads again to what it led to before, if that is there.",
        "gc.keeps-tag",
        &[Seam::Resolve(|lookup, right| {
            let (Some(tag), true) = (lookup.reference.tag(), was_collected(lookup.view)) else { return right };
            let held = lookup.view.state.repository(lookup.repository);
            let older = held.into_iter().flat_map(|held| held.past.gone()).filter_map(|(gone, _)| match gone {
                Gone::Tag(name, digest) if name == tag && Some(digest) != right.as_ref().map(|now| &now.digest) => Some(digest),
                _ => None,
            });
            let older = older.last().filter(|_| right.is_some());
            older.and_then(|digest| served(lookup.view, lookup.repository, digest)).or(right)
        })],
    )
    .also(&["manifest.put.tag-moved"]),
    Defect::new(
        "gc-repush-forgets-tag",
        "A manifest that a collection took is stored when it is pushed again, and its tag is not.",
        "gc.push-after",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if collected(push.view, push.repository, push.digest).is_some() => {
                right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect()
            }
            _ => right,
        })],
    ),
];
