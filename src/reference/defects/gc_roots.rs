//! Wrong about what a collection begins with: repositories, tags, what refers to what; and about whose a blob is.

use super::gc_tools::*;

/// Components of repositories' names that are also folders' in a registry's storage.
const FOLDERS: [&str; 5] = ["blobs", "manifests", "tags", "uploads", "referrers"];

fn is_odd_name(name: &str) -> bool {
    name.contains("__")
        || name.split('/').any(|part| part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.'))
}

/// Everything that a repository holds, as it would be removed.
fn everything(collection: &Collection) -> Vec<Write> {
    let manifests = collection.held.manifests.keys().map(|digest| drop_manifest(collection.repository, digest));
    let blobs = collection.held.blobs.keys().filter_map(|digest| unlink(collection.repository, digest.as_str()));
    manifests.chain(blobs).collect()
}

/// Whether a manifest of this repository names the blob.
fn names_blob(held: &Repository, blob: &Digest) -> bool {
    held.manifests.values().any(|stored| stored.manifest.blobs.iter().any(|named| named.digest == blob.as_str()))
}

/// Whether a repository had this blob before another one, and lost what named it.
fn lost_it_first(view: View, repository: &str, blob: &Digest) -> bool {
    let here = view.state.repository(repository).and_then(|held| held.blobs.get(blob));
    let others = view.state.repositories.iter().filter(|(name, _)| *name != repository);
    let lost = |held: &Repository| {
        let had = held.past.gone().any(|(gone, _)| match gone {
            Gone::Manifest(_, stored) => stored.manifest.blobs.iter().any(|named| named.digest == blob.as_str()),
            _ => false,
        });
        had && !names_blob(held, blob)
    };
    let first = |held: &Repository| held.blobs.get(blob).is_none_or(|there| here.is_some_and(|here| there < here));
    others.into_iter().any(|(_, held)| lost(held) && first(held))
}

/// The blobs that manifests which a plan drops name.
fn blobs_of_garbage(collection: &Collection, plan: &[Write]) -> Vec<Write> {
    let dropped = plan.iter().filter_map(|write| match write {
        Write::DropManifest { digest, .. } => collection.held.manifests.get(digest),
        _ => None,
    });
    let blobs = dropped.flat_map(|stored| &stored.manifest.blobs);
    blobs.filter_map(|blob| unlink(collection.repository, &blob.digest)).collect()
}

/// Whether this manifest refers to one that refers itself.
fn is_second_referrer(held: &Repository, stored: &Stored) -> bool {
    let subject = stored.manifest.subject.as_deref().and_then(Digest::parse);
    let subject = subject.and_then(|subject| held.manifests.get(&subject));
    subject.is_some_and(|subject| subject.manifest.subject.is_some())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-leaves-one-tag",
        "A collection leaves each manifest one of its tags.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let held = collection.held;
                let more = held.tags.iter().filter(|(tag, digest)| held.tags_of(digest).next() != Some(*tag));
                more.map(|(tag, _)| untag(collection.repository, tag)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-what-lost-a-tag",
        "A manifest of which a tag was deleted goes at the next collection, whatever tags it has still \
         (https://github.com/project-zot/zot/pull/2626).",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            right || lost_a_tag(doomed.collection.held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-keeps-newest-tag-only",
        "A collection keeps what the tag leads to that was set last in a repository, and takes the older releases.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let newest = held.tagged.iter().max_by_key(|(_, since)| **since).and_then(|(tag, _)| held.tags.get(tag));
            right || tagged(held, doomed.digest) && newest != Some(doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-skips-hidden-tags",
        "A collection does not see a tag that begins with an underscore.",
        "gc.keeps-tag",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let mut tags = held.tags_of(doomed.digest).peekable();
            right || tags.peek().is_some() && tags.all(|tag| tag.starts_with('_'))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-reads-names-as-paths",
        "A collection finds repositories by their folders, and takes what is in one named as a folder of the storage is.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            let last = collection.repository.rsplit('/').next().unwrap_or_default();
            if FOLDERS.contains(&last) { Ok(everything(collection)) } else { right }
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-stops-at-odd-repository",
        "The collector stops at a repository whose name has what the spec allows and few use.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| stops(is_odd_name(collection.repository), right))],
    ),
    Defect::new(
        "gc-sweeps-repositories-below",
        "What is in a repository below another one counts as the other's, which does not name it: a collection takes it.",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            let above = |name: &String| collection.repository.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'));
            let below = collection.view.state.repositories.keys().any(above);
            if below { Ok(everything(collection)) } else { right }
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-forgets-long-names",
        "A collection reads at most 128 bytes of a repository's name, finds nothing under them, and takes what is there.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| match collection.repository.len() > 128 {
            true => Ok(everything(collection)),
            false => right,
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-one-referrer",
        "A collection keeps the signature of what it keeps, and takes the signature of a signature.",
        "gc.keeps-referrer",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            right || doomed.stored.is_some_and(|stored| is_second_referrer(held, stored))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-keeps-one-referrer",
        "A collection keeps one of those that refer to a manifest: the newest by its digest.",
        "gc.keeps-referrer",
        &[Seam::Reach(|marked, right| {
            let all = marked.held.referrers.get(marked.digest.as_str());
            let last = all.and_then(|all| all.last());
            right.into_iter().filter(|digest| last == Some(digest) || !refers_to(marked.held, marked.digest, digest)).collect()
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-passes-over-children-of-referrers",
        "A collection keeps an index that refers to what it keeps, and does not follow it to its children.",
        "gc.keeps-referrer",
        &[Seam::Reach(|marked, right| {
            let untagged = !tagged(marked.held, marked.digest);
            without_children(marked, right, |stored| stored.manifest.subject.is_some() && untagged)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-dangling-referrers",
        "A collection takes what refers to a manifest that is not there \
         (https://github.com/goharbor/harbor/pull/19375).",
        "gc.keeps-dangling-referrer",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let subject = doomed.stored.and_then(|stored| stored.manifest.subject.as_deref());
            let dangles = subject.is_some_and(|subject| !has(held, subject));
            right || dangles && !tagged(held, doomed.digest)
        })],
    )
    .also(&["gc.keeps-referrer"]),
    Defect::new(
        "gc-blobs-belong-to-first-owner",
        "A blob belongs to the repository that had it first: when a collection finds that nothing there names it, it goes from \
         wherever it was mounted or pushed to.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            let collection = doomed.collection;
            right || doomed.stored.is_none() && lost_it_first(collection.view, collection.repository, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-orphans-everywhere",
        "A blob that nothing names in one repository goes from all of them.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            let others = doomed.collection.view.state.repositories.values();
            let orphan = |held: &Repository| held.blobs.contains_key(doomed.digest) && !names_blob(held, doomed.digest);
            right || doomed.stored.is_none() && others.into_iter().any(orphan)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-all-blobs-of-untagged",
        "Where a collection takes an image its blobs go too, whoever else in the repository names them.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| taking(right, |plan| blobs_of_garbage(collection, plan)))],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-configs-of-deleted-images",
        "The config of a deleted image goes at the next collection, whoever else names it.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let gone = collection.held.past.gone().filter_map(|(gone, _)| match gone {
                    Gone::Manifest(_, stored) => stored.manifest.blobs.first(),
                    _ => None,
                });
                gone.filter_map(|config| unlink(collection.repository, &config.digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-spares-nested-garbage",
        "An index that another index names stays, though nothing leads to either.",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| {
            sparing(right, |write| match write {
                Write::DropManifest { digest, .. } => {
                    let index = collection.held.manifests.get(digest).is_some_and(is_stored_index);
                    index && parents(collection.view, collection.repository, digest.as_str()).next().is_some()
                }
                _ => false,
            })
        })],
    ),
];
