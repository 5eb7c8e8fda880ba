//! Wrong about how a late child came, how often and where, and about what was asked of it before it came.

use super::boot_tools::again;
use super::gc_tools::*;

/// The children that were there before and were pushed again, for an index and under no tag.
fn came_again(held: &Repository, digest: &Digest, stored: &Stored) -> bool {
    let named = || held.manifests.values().any(|index| names(index, digest));
    stored.since > stored.first && !tagged(held, digest) && named()
}

/// Whether a request names a blob of a late child in this repository.
fn is_late_blob(view: &View, repository: &str, digest: &str) -> bool {
    let digest = Digest::parse(digest);
    view.state.repository(repository).zip(digest).is_some_and(|(held, digest)| is_of_late_child(held, &digest))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-takes-blobs-older-than-their-index",
        "A collection takes the blobs of a late child that were there before the index.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let older = owners(held, doomed.digest.as_str())
                .any(|(owner, _)| earlier(held, owner).any(|(_, index)| doomed.since < index.first));
            right || doomed.stored.is_none() && older
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-late-child-in-one-repository",
        "A collection keeps a child that came late in the first repository that waits for it, and in no other.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let collection = doomed.collection;
            let late = is_late(collection.held, doomed.digest);
            let mut before = collection.view.state.repositories.range(..collection.repository.to_owned());
            right || late && before.any(|(_, held)| is_late(held, doomed.digest))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-what-came-again",
        "A child that is pushed again, and has no tag, counts from then on as one that nothing names.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_some_and(|stored| came_again(doomed.collection.held, doomed.digest, stored))
        })],
    )
    .also(KEPT),
    Defect::new(
        "expiry-eats-what-came-again",
        "A child that is pushed again, and has no tag, is held for a time only from then on.",
        "expiry.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let held = lookup.view.state.repository(lookup.repository);
                let stored = held.and_then(|held| Some((held, held.manifests.get(&served.digest)?)));
                !stored.is_some_and(|(held, stored)| {
                    let expired = stored.since.elapsed().is_ok_and(|age| age > CLOCK);
                    expired && came_again(held, &served.digest, stored)
                })
            })
        })],
    )
    .also(&["manifest.get.served", "manifest.head.served", "gc.keeps-manifest", "restart.keeps-manifest"]),
    Defect::new(
        "gc-passes-over-index-that-moved-back",
        "A collection does not follow an index that lost a tag, though it has the tag again.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let held = marked.held;
            let back = held.past.gone().any(|(gone, _)| match gone {
                Gone::Tag(tag, had) => had == marked.digest && held.tags.get(tag) == Some(marked.digest),
                _ => false,
            });
            without_children(marked, right, |_| back)
        })],
    )
    .also(KEPT),
    Defect::new(
        "late-child-by-tag-lost-by-digest",
        "After a collection or a start a late child that has a tag is found by it, and no more by its digest.",
        "gc.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            let wrong = was_collected(lookup.view) || again(&lookup.view);
            let held = lookup.view.state.repository(lookup.repository).zip(lookup.reference.digest());
            let lost = held.is_some_and(|(held, digest)| is_late(held, digest) && tagged(held, digest));
            right.filter(|_| !(wrong && lost))
        })],
    )
    .also(&["restart.keeps-manifest", "upgrade.keeps-manifest"]),
    Defect::new(
        "late-child-again-500",
        "The registry falls over where a child that came late is pushed again by its digest.",
        "manifest.put.again",
        &[Seam::Accept(|push, right| {
            let held = push.view.state.repository(push.repository);
            falls_over(by_digest(push) && held.is_some_and(|held| is_late(held, push.digest)), right)
        })],
    ),
    Defect::new(
        "late-blob-slices-416",
        "A slice of a blob of a late child cannot be had.",
        "blob.range.answered",
        &[Seam::Finish(|asked, view, _, answer| {
            let Route::Blob { repository, digest } = &asked.route else { return answer };
            let sliced = gets_blob(asked) && asked.header("range").is_some();
            changed(sliced && is_late_blob(view, repository, digest), answer, |_| {
                Answer::new(StatusCode::RANGE_NOT_SATISFIABLE)
            })
        })],
    ),
    Defect::new(
        "late-blob-mounts-500",
        "The registry falls over where a blob of a late child is mounted elsewhere.",
        "mount.fault",
        &[Seam::Finish(|asked, view, _, answer| {
            let source = asked.query.get("from").zip(asked.query.get("mount"));
            let wrong = source.is_some_and(|(from, digest)| is_late_blob(view, from, digest));
            changed(wrong, answer, |_| Answer::from(fault()))
        })],
    )
    .also(&["mount.answered"]),
    Defect::new(
        "late-tags-last",
        "The tags of late children stand at the end of the list.",
        "tags.ordered",
        &[Seam::List(|listing, right| {
            let held = listing.view.state.repository(listing.repository);
            let (late, others): (Vec<_>, Vec<_>) = right.into_iter().partition(|tag| {
                held.is_some_and(|held| held.tags.get(tag).is_some_and(|digest| is_late(held, digest)))
            });
            others.into_iter().chain(late).collect()
        })],
    ),
    Defect::new(
        "head-missing-tag-remembered",
        "A tag that HEAD did not find is missing for HEAD from then on.",
        "manifest.head.served",
        &[Seam::Finish(|asked, _, memory, answer| {
            let tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
            if !heads_manifest(asked) || !tag {
                return answer;
            }
            if answer.status == StatusCode::NOT_FOUND {
                memory.keep(asked.uri.path(), &answer);
            }
            memory.recall(asked.uri.path()).unwrap_or(answer)
        })],
    ),
    Defect::new(
        "missing-remembered-everywhere",
        "That a digest was not found in one repository is remembered for all the others.",
        "manifest.get.served",
        &[Seam::Finish(|asked, _, memory, answer| {
            let digest = asked.route.reference().filter(|reference| reference.contains(':'));
            let Some(digest) = digest.filter(|_| gets_manifest(asked) || heads_manifest(asked)) else { return answer };
            if answer.status == StatusCode::NOT_FOUND {
                memory.keep(asked.uri.path(), &answer);
                memory.keep(digest, &answer);
                return answer;
            }
            let here = memory.recall(asked.uri.path()).is_some();
            changed(!here && memory.recall(digest).is_some(), answer, |_| Problem::manifest_unknown(digest).into())
        })],
    )
    .also(&["manifest.head.served", "manifest.put.location"]),
];
