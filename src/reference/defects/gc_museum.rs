//! Wrong about what collections of real registries were wrong about: gaps that end them, tags that moved, what is signed.

use std::collections::{BTreeMap, BTreeSet};

use super::gc_tools::*;

/// So many ways a careless walk goes before it is given up.
const WAYS: u64 = 100_000;

fn is_of_signature(tag: &str) -> bool {
    tag.starts_with("sha256-")
}

/// In how many ways a manifest leads down to what it names.
fn ways(held: &Repository, digest: &Digest, known: &mut BTreeMap<Digest, u64>) -> u64 {
    if let Some(known) = known.get(digest) {
        return *known;
    }
    let children = held.manifests.get(digest).map(|stored| stored.manifest.children.clone()).unwrap_or_default();
    let below = children.iter().filter_map(|child| Digest::parse(&child.digest));
    let all = below.map(|child| ways(held, &child, known)).fold(1, u64::saturating_add);
    known.insert(digest.clone(), all);
    all
}

/// Whether a child of one of the repository's indexes was there and is not any more.
fn has_made_gap(held: &Repository) -> bool {
    let children = held.manifests.values().flat_map(|stored| &stored.manifest.children);
    let mut absent = children.filter_map(|child| Digest::parse(&child.digest));
    absent.any(|child| !held.manifests.contains_key(&child) && was_there(held, &child))
}

/// The manifest whose digest is deleted as a blob's, and its repository.
fn of_manifest<'a>(removal: &Removal<'a>) -> Option<(&'a str, &'a Digest)> {
    let Target::Blob(digest) = removal.target else { return None };
    removal.view.state.manifest(removal.repository, digest).map(|_| (removal.repository, digest))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-eats-sbom-tags",
        "Tags that end in .sbom are not known for attachments of what is there: a collection takes them \
         (https://github.com/project-zot/zot/pull/4203).",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let tags = collection.held.tags.keys().filter(|tag| is_of_signature(tag) && tag.ends_with(".sbom"));
                tags.map(|tag| untag(collection.repository, tag)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-layers-that-a-tag-passed",
        "Where a tag has moved the blobs of what it led to go at the next collection, though what it leads to now names them.",
        "gc.keeps-blob",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let moved = collection.held.past.gone().filter_map(|(gone, _)| match gone {
                    Gone::Tag(tag, before) => {
                        let now = collection.held.tags.get(tag).filter(|now| *now != before)?;
                        collection.held.manifests.get(before).filter(|_| now != before)
                    }
                    _ => None,
                });
                let blobs: BTreeSet<&str> =
                    moved.flat_map(|stored| stored.manifest.blobs.iter().map(|blob| blob.digest.as_str())).collect();
                blobs.into_iter().filter_map(|blob| unlink(collection.repository, blob)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-spares-what-is-signed",
        "What something refers to counts as used, whatever became of its tag (https://github.com/goharbor/harbor/issues/18014).",
        "gc.drops-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let signed = |digest: &str| held.referrers.get(digest).is_some_and(|all| !all.is_empty());
            let above = held.manifests.iter().filter(|(_, stored)| names(stored, doomed.digest));
            right && !signed(doomed.digest.as_str()) && !above.into_iter().any(|(parent, _)| signed(parent.as_str()))
        })],
    )
    .also(&["gc.drops-blob"]),
    Defect::new(
        "gc-spares-children-of-moved-index",
        "Where the tag of an index moves a collection takes the index and never its children \
         (https://github.com/go-gitea/gitea/issues/32053).",
        "gc.drops-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let mut above = held.manifests.iter().filter(|(_, stored)| names(stored, doomed.digest));
            right && !above.any(|(parent, _)| lost_a_tag(held, parent))
        })],
    )
    .also(&["gc.drops-blob"]),
    Defect::new(
        "gc-ends-quietly-at-gap",
        "A collection ends without an error at the first gap that a deletion made: what comes after it stays \
         (https://github.com/project-zot/zot/pull/3503).",
        "gc.drops-manifest",
        &[Seam::Collect(|collection, right| match has_made_gap(collection.held) {
            true => right.map(|_| Vec::new()),
            false => right,
        })],
    )
    .also(&["gc.drops-blob"]),
    Defect::new(
        "gc-stops-at-foreign-algorithm",
        "The collector stops at a blob of an algorithm that it does not know (https://github.com/distribution/distribution/pull/4331).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            stops(collection.held.blobs.keys().any(|blob| blob.as_str().starts_with("sha512:")), right)
        })],
    ),
    Defect::new(
        "gc-stops-at-lost-manifest",
        "What is deleted as a blob is taken from under a manifest of that digest, and each later collection stops there \
         (https://github.com/project-zot/zot/pull/4180).",
        "gc.finishes",
        &[
            Seam::Delete(|removal, right| if of_manifest(removal).is_some() { Ok(()) } else { right }),
            // A blob that comes and goes leaves a trace.
            Seam::Store(|change, right| match deleted(change).and_then(of_manifest) {
                Some((repository, digest)) => {
                    let link = Write::Link { repository: repository.to_owned(), digest: digest.clone() };
                    vec![link, Write::Unlink { repository: repository.to_owned(), digest: digest.clone() }]
                }
                None => right,
            }),
            Seam::Collect(|collection, right| {
                let lost = |gone: &Gone| match gone {
                    Gone::Blob(digest) => collection.held.manifests.contains_key(digest),
                    _ => false,
                };
                stops(collection.held.past.gone().any(|(gone, _)| lost(gone)), right)
            }),
        ],
    ),
    Defect::new(
        "gc-walks-every-way",
        "A collection follows an index once for each way that leads to it, and is given up after a hundred thousand \
         (https://github.com/project-zot/zot/pull/4318).",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let mut known = BTreeMap::new();
            let most = collection.held.tags.values().map(|digest| ways(collection.held, digest, &mut known)).max();
            stops(most.is_some_and(|most| most > WAYS), right)
        })],
    ),
    Defect::new(
        "expiry-by-first-parent",
        "A late child of several indexes is held for as long as the one that was there first.",
        "expiry.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let Some(held) = lookup.view.state.repository(lookup.repository) else { return true };
                let Some(child) = held.manifests.get(&served.digest) else { return true };
                let first = held.past.gone().filter_map(|(gone, _)| match gone {
                    Gone::Manifest(_, stored) => Some(stored),
                    _ => None,
                });
                let gone = first.filter(|stored| names(stored, &served.digest)).map(|stored| stored.first).min();
                let here = parents(lookup.view, lookup.repository, served.digest.as_str()).map(|(_, s)| s.first).min();
                let old = child.first.elapsed().is_ok_and(|age| age > CLOCK);
                let lost = gone.zip(here).is_some_and(|(gone, here)| gone < here && gone < child.first);
                !(lost && old)
            })
        })],
    ),
];
