//! Wrong about what a collection takes, about what is young, and about what comes back after it.

use super::gc_tools::*;

fn is_gap(held: &Repository, stored: &Stored) -> bool {
    stored.manifest.children.iter().any(|child| !has(held, &child.digest))
}

const REFERRERS: &[&str] = &["gc.keeps-blob"];

/// What is kept alive without the referrers of what is marked, where `wrong` holds.
fn without_referrers(marked: &Marked, right: Vec<Digest>, wrong: bool) -> Vec<Digest> {
    let referrers = marked.held.referrers.get(marked.digest.as_str());
    right.into_iter().filter(|digest| !wrong || !referrers.is_some_and(|all| all.contains(digest))).collect()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-never-takes-manifests",
        "A collection takes blobs only: manifests that nothing leads to stay for ever.",
        "gc.drops-manifest",
        &[Seam::Collect(|_, right| sparing(right, |write| matches!(write, Write::DropManifest { .. })))],
    ),
    Defect::new(
        "gc-takes-only-the-index",
        "Of an index that nothing leads to the collection leaves the children (https://github.com/go-gitea/gitea/issues/32053).",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing(right, |write| match write {
                Write::DropManifest { digest, .. } => {
                    parents(collection.view, collection.repository, digest.as_str()).next().is_some()
                }
                _ => false,
            })
        })],
    ),
    Defect::new(
        "gc-spares-sparse-garbage",
        "An index with gaps that nothing leads to stays for ever, with its children.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            let gap = |stored: &Stored| stored.manifest.kind == Kind::Index && is_gap(collection.held, stored);
            sparing(right, |write| match write {
                Write::DropManifest { digest, .. } => {
                    let named = parents(collection.view, collection.repository, digest.as_str());
                    collection.held.manifests.get(digest).is_some_and(gap) || named.into_iter().any(|(_, s)| gap(s))
                }
                _ => false,
            })
        })],
    ),
    Defect::new(
        "gc-never-takes-blobs",
        "A collection takes manifests only: blobs that nothing names stay for ever.",
        "gc.drops-blob",
        &[Seam::Collect(|_, right| sparing(right, |write| matches!(write, Write::Unlink { .. })))],
    ),
    Defect::new(
        "gc-cached-blob-head",
        "What was known of a blob before a collection is answered to HEAD after it \
         (https://github.com/distribution/distribution/issues/3254).",
        "gc.drops-blob",
        &[Seam::Finish(|asked, view, _, answer| {
            let Route::Blob { repository, digest } = &asked.route else { return answer };
            let digest = Digest::parse(digest);
            let size = digest.as_ref().and_then(|digest| collected(*view, repository, digest));
            match (size, digest) {
                (Some(size), Some(digest)) if heads_blob(asked) && answer.status.as_u16() == 404 => {
                    Answer::new(StatusCode::OK)
                        .with("content-length", &size.to_string())
                        .with("docker-content-digest", digest.as_str())
                }
                _ => answer,
            }
        })],
    ),
    Defect::new(
        "gc-ignores-grace",
        "A collection takes what nothing leads to however young it is.",
        "gc.grace",
        &[Seam::Expire(|doomed, _| !doomed.reached)],
    )
    .also(&["gc.during", "gc.keeps-manifest", "manifest.put.created"]),
    Defect::new(
        "gc-repush-lost",
        "A manifest that a collection took is not stored when it is pushed again, and answered 201 \
         (https://github.com/distribution/distribution/issues/3800).",
        "gc.push-after",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if collected(push.view, push.repository, push.digest).is_some() => Vec::new(),
            _ => right,
        })],
    ),
    Defect::new(
        "gc-repush-refused",
        "A manifest that a collection took is refused when it is pushed again.",
        "gc.push-after",
        &[Seam::Accept(|push, right| match collected(push.view, push.repository, push.digest) {
            Some(_) => Err(Problem::manifest_invalid("the manifest was collected")),
            None => right,
        })],
    )
    .also(&["manifest.put.created"]),
    Defect::new(
        "gc-repush-blob-lost",
        "A blob that a collection took counts as there when it is pushed again, and is not stored \
         (https://github.com/distribution/distribution/issues/2270).",
        "gc.push-after",
        &[Seam::Find(|lookup, right| {
            let digest = lookup.reference.digest();
            let again = digest.is_some_and(|digest| {
                lookup.view.state.repository(lookup.repository).is_some_and(|held| {
                    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Blob(blob) if blob == digest))
                })
            });
            right.filter(|_| !(again && lookup.view.state.life.collections > 0))
        })],
    )
    .also(&["upload.location", "blob.get.served"]),
    Defect::new(
        "gc-eats-referrers",
        "A collection takes the signatures of tagged manifests, since they have no tag.",
        "gc.keeps-referrer",
        &[Seam::Reach(|marked, right| without_referrers(marked, right, marked.depth == 0))],
    )
    .also(REFERRERS),
    Defect::new(
        "gc-eats-referrers-of-children",
        "A collection takes the signatures of manifests that only an index names.",
        "gc.keeps-referrer",
        &[Seam::Reach(|marked, right| without_referrers(marked, right, marked.depth > 0 && marked.stored.is_some()))],
    )
    .also(REFERRERS),
    Defect::new(
        "gc-eats-referrers-of-missing",
        "A collection takes the signatures of a child that is missing, though the tagged index names it.",
        "gc.keeps-referrer",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let subject = doomed.stored.and_then(|stored| stored.manifest.subject.as_deref());
            let missing = subject.filter(|subject| {
                let there = Digest::parse(subject).is_some_and(|subject| held.manifests.contains_key(&subject));
                let named = parents(doomed.collection.view, doomed.collection.repository, subject).next().is_some();
                named && !there
            });
            right || missing.is_some() && held.tags_of(doomed.digest).next().is_none()
        })],
    )
    .also(REFERRERS),
    Defect::new(
        "gc-unlists-referrers",
        "After a collection the lists of referrers are empty.",
        "gc.keeps-referrer",
        &[Seam::Refer(|lookup, right| if lookup.view.state.life.collections > 0 { Vec::new() } else { right })],
    ),
    Defect::new(
        "gc-spares-blobs-that-nothing-named",
        "A collection looks at the blobs of manifests that go: one that no manifest ever named stays for ever.",
        "gc.drops-blob",
        &[Seam::Collect(|collection, right| {
            let held = collection.held;
            let ever = |blob: &str| {
                held.manifests.iter().chain(gone_manifests(held)).any(|(_, stored)| has_blob(stored, blob))
            };
            sparing(right, |write| matches!(write, Write::Unlink { digest, .. } if !ever(digest.as_str())))
        })],
    ),
    Defect::new(
        "gc-spares-blobs-of-deleted-images",
        "A collection takes the blobs of the manifests that it takes: those of one that was deleted before stay for ever.",
        "gc.drops-blob",
        &[Seam::Collect(|collection, right| {
            let deleted = |blob: &str| gone_manifests(collection.held).any(|(_, stored)| has_blob(stored, blob));
            sparing(right, |write| matches!(write, Write::Unlink { digest, .. } if deleted(digest.as_str())))
        })],
    ),
];
