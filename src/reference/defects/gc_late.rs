//! Wrong, at a collection or by its own clock, about what came after the index that names it.

use super::gc_tools::*;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-eats-late-child",
        "A child that came after the index which names it is nothing that a collection would find: it goes.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let Some(child) = doomed.stored else { return right };
            let mut indexes = parents(doomed.collection.view, doomed.collection.repository, doomed.digest.as_str());
            right || indexes.any(|(_, index)| index.first < child.first)
        })],
    )
    .also(KEPT),
    Defect::new(
        "expiry-eats-late-child",
        "A child that came late is held for a time only, though the tagged index names it.",
        "expiry.keeps-manifest",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let child = lookup.view.state.manifest(lookup.repository, &served.digest);
                let mut indexes = parents(lookup.view, lookup.repository, served.digest.as_str());
                let late = child.is_some_and(|child| indexes.any(|(_, index)| index.first < child.first));
                let old = |child: &Stored| child.first.elapsed().is_ok_and(|age| age.as_millis() > 150);
                !(late && child.is_some_and(old))
            })
        })],
    )
    .also(&["expiry.keeps-tag", "late.child.served", "manifest.get.served", "manifest.head.served", "manifest.put.location"]),
    Defect::new(
        "gc-eats-late-blobs",
        "A collection keeps a child that came late, and takes its blobs: they are reckoned up when the index is pushed.",
        "gc.keeps-blob",
        &[Seam::Expire(|doomed, right| {
            right || doomed.stored.is_none() && is_of_late_child(doomed.collection.held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-late-grandchild",
        "A collection takes what came late below an index that only another index names.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let inner = earlier(held, doomed.digest).any(|(parent, _)| !tagged(held, parent));
            right || doomed.stored.is_some() && inner
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-late-child-goes-with-an-index",
        "A child that came late belongs to the indexes that waited for it, and goes with the first of them that goes.",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            taking(right, |plan| {
                let held = collection.held;
                let going = plan.iter().filter_map(|write| match write {
                    Write::DropManifest { digest, .. } => held.manifests.get(digest),
                    _ => None,
                });
                let gone = gone_manifests(held).map(|(_, stored)| stored);
                let waited = |child: &Descriptor, index: &Stored| {
                    let digest = Digest::parse(&child.digest)?;
                    held.manifests.get(&digest).is_some_and(|child| child.first > index.first).then_some(digest)
                };
                let children = going.chain(gone).flat_map(|index| {
                    index.manifest.children.iter().filter_map(move |child| waited(child, index))
                });
                children.map(|digest| drop_manifest(collection.repository, &digest)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-passes-over-late-index",
        "A collection keeps an inner index that came late, and does not follow it to its children.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let late = is_late(marked.held, marked.digest);
            without_children(marked, right, |_| late)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-drops-tag-of-completed-index",
        "A collection drops the tag of an index whose last missing child has come: it counts as replaced by a full one.",
        "gc.keeps-tag",
        &[Seam::Collect(|collection, right| {
            taking(right, |_| {
                let held = collection.held;
                let completed = |digest: &Digest| {
                    let children = held.manifests.get(digest).map(|stored| &stored.manifest.children);
                    let late = |child: &Descriptor| Digest::parse(&child.digest).is_some_and(|child| {
                        earlier(held, &child).any(|(parent, _)| parent == digest)
                    });
                    children.is_some_and(|all| all.iter().all(|child| has(held, &child.digest)) && all.iter().any(late))
                };
                let tags = held.tags.iter().filter(|(_, digest)| completed(digest));
                tags.map(|(tag, _)| untag(collection.repository, tag)).collect()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-eats-what-was-tagged-once",
        "A manifest that had a tag and has none any more goes at the next collection, whoever names it \
         (https://github.com/nfrastack/db-backup/pull/575).",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            right || doomed.stored.is_some() && lost_a_tag(held, doomed.digest) && !tagged(held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "expiry-eats-late-blobs",
        "The blobs of a child that came late are held for a time only, though the child stays.",
        "expiry.keeps-blob",
        &[Seam::Find(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository);
            let expired = held.zip(lookup.reference.digest()).is_some_and(|(held, digest)| {
                let since = held.blobs.get(digest).and_then(|since| since.elapsed().ok());
                is_of_late_child(held, digest) && since.is_some_and(|age| age > CLOCK)
            });
            right.filter(|_| !expired)
        })],
    )
    .also(&["gc.keeps-blob", "blob.get.served", "restart.keeps-blob"]),
    Defect::new(
        "expiry-ends-registry",
        "When the time of a late child is over, the clock that looks after it falls over, and the registry with it.",
        "expiry.registry-stays",
        &[Seam::Finish(|asked, view, _, answer| {
            let old = |held: &Repository| {
                let aged = held.manifests.iter().filter(|(_, s)| s.first.elapsed().is_ok_and(|age| age > CLOCK));
                aged.into_iter().any(|(digest, _)| is_late(held, digest))
            };
            let wrong = matches!(asked.route, Route::Base) && view.state.repositories.values().any(old);
            changed(wrong, answer, |_| fault().status(StatusCode::SERVICE_UNAVAILABLE).into())
        })],
    )
    .also(&["gc.finishes", "restart.comes-back"]),
    Defect::new(
        "expiry-counts-from-the-index",
        "The time for which a late child is held counts from the index: when the child comes, it may be over already.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let held = lookup.view.state.repository(lookup.repository);
                let old = |index: &Stored| index.first.elapsed().is_ok_and(|age| age > CLOCK);
                !held.is_some_and(|held| earlier(held, &served.digest).any(|(_, index)| old(index)))
            })
        })],
    )
    .also(&["manifest.get.served", "manifest.head.served", "expiry.keeps-manifest", "gc.keeps-manifest", "manifest.put.location"]),
    Defect::new(
        "gc-late-child-goes-with-its-tag",
        "A late child that had a tag belongs to it, and goes at the collection after that was deleted.",
        "gc.keeps-manifest",
        &[Seam::Expire(|doomed, right| {
            let held = doomed.collection.held;
            let deleted = held.past.gone().any(|(gone, _)| {
                matches!(gone, Gone::Tag(tag, had) if had == doomed.digest && !held.tags.contains_key(tag))
            });
            right || doomed.stored.is_some() && deleted && is_late(held, doomed.digest) && !tagged(held, doomed.digest)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-no-index-that-came-hollow",
        "What an index leads to is settled when it comes: one that came before all of its children leads to nothing.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let late = |child: &Descriptor, index: &Stored| {
                let digest = Digest::parse(&child.digest);
                digest.and_then(|digest| marked.held.manifests.get(&digest)).is_some_and(|child| child.first > index.first)
            };
            without_children(marked, right, |index| {
                let children = &index.manifest.children;
                children.len() > 1 && children.iter().all(|child| late(child, index))
            })
        })],
    )
    .also(KEPT),
];
