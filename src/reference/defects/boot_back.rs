//! Wrong on the way back, and about what an upgrade finds of moves and deletions.

use super::boot_tools::*;

/// Whether a repository has an index with gaps, in an older version that came back.
fn meets_gaps(collection: &Collection) -> bool {
    collection.view.state.life.downgraded && holds_gaps(&collection.view, collection.repository)
}

fn is_sparse(view: &View, repository: &str, stored: &Stored) -> bool {
    let children = &stored.manifest.children;
    stored.manifest.kind == Kind::Index && present(*view, repository, children).count() < children.len()
}

const SHOWN: &[&str] = &["upgrade.keeps-manifest", "upgrade.keeps-tag", "upgrade.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "upgrade-drops-late-child",
        "An upgrade reads each index once: a child that came after it is not taken over.",
        "upgrade.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| without(found, |finds, one| finds.came_late(one)))
        })],
    ),
    Defect::new(
        "upgrade-moves-tags-back",
        "After an upgrade a tag that was moved leads to what it led to first.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, |found| with_moves_undone(rebuild, found)))],
    ),
    Defect::new(
        "upgrade-drops-blobs-that-nothing-names",
        "An upgrade takes over the blobs that manifests name.",
        "upgrade.keeps-blob",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                let named: std::collections::BTreeSet<String> = found
                    .iter()
                    .filter_map(manifest)
                    .flat_map(|manifest| manifest.blobs.iter().map(|blob| blob.digest.clone()))
                    .collect();
                without(
                    found,
                    |_, one| matches!(&one.write, Write::Link { digest, .. } if !named.contains(digest.as_str())),
                )
            })
        })],
    ),
    Defect::new(
        "downgrade-trims-index",
        "The older version serves an index with gaps, which the newer one took, without the children that are missing.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| downgraded(rebuild, found, trimmed))],
    )
    .also(SHOWN),
    Defect::new(
        "downgrade-missing-child-500",
        "The older version answers 500 for a missing child of an index that the newer one took.",
        "upgrade.missing",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(view.state.life.downgraded && is_about_a_gap(asked, view, &answer), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "downgrade-drops-late-child",
        "The older version does not find a child that came after the index which names it.",
        "upgrade.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            downgraded(rebuild, found, |found| without(found, |finds, one| finds.came_late(one)))
        })],
    ),
    Defect::new(
        "downgrade-moves-tags-back",
        "In the older version a tag that the newer one moved leads to where it led.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| downgraded(rebuild, found, |found| with_moves_undone(rebuild, found)))],
    ),
    Defect::new(
        "downgrade-revives-deleted",
        "What the newer version deleted is back in the older one.",
        "manifest.get.absent",
        &[Seam::Boot(|rebuild, found| downgraded(rebuild, found, |found| with_gone(rebuild, found, |_| true)))],
    )
    .also(&["manifest.head.absent", "upgrade.tags"]),
    Defect::new(
        "downgrade-collector-stops-at-gap",
        "The older version's collector ends with an error at an index with gaps.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| if meets_gaps(collection) { Err(fault()) } else { right })],
    ),
    Defect::new(
        "downgrade-collector-takes-sparse-indexes",
        "The older version's collector takes indexes with gaps for damaged: they go, with their tags.",
        "gc.keeps-manifest",
        &[Seam::Collect(|collection, right| {
            if !meets_gaps(collection) {
                return right;
            }
            let sparse = |stored: &Stored| is_sparse(&collection.view, collection.repository, stored);
            let held = collection.held;
            let goes: Vec<&Digest> =
                held.manifests.iter().filter(|(_, s)| sparse(s)).map(|(digest, _)| digest).collect();
            let tags = goes.iter().flat_map(|digest| held.tags_of(digest)).map(|tag| untag(collection.repository, tag));
            let manifests = goes.iter().map(|digest| drop_manifest(collection.repository, digest));
            Ok(plus(right?, tags.chain(manifests)))
        })],
    )
    .also(&["gc.keeps-tag"]),
    Defect::new(
        "downgrade-collector-loses-what-is-pushed-again",
        "What is pushed again after a collection by the older version is acknowledged, and not found.",
        "gc.push-after",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let life = &lookup.view.state.life;
                let stored = lookup.view.state.manifest(lookup.repository, &served.digest);
                let again = life
                    .collected
                    .zip(stored)
                    .is_some_and(|(collected, stored)| stored.since > collected && stored.first < collected);
                !(life.downgraded && again)
            })
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "upgrade-collector-stops-at-gap",
        "The newer version's collector ends with an error at an index with gaps that the older one took.",
        "gc.finishes",
        &[Seam::Collect(|collection, right| {
            let gaps = collection.view.state.life.upgraded && holds_gaps(&collection.view, collection.repository);
            if gaps { Err(fault()) } else { right }
        })],
    ),
    Defect::new(
        "upgrade-collector-follows-tags-only",
        "The newer version's collector takes the children of indexes that the older one was given.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked.view.state.life.upgraded, marked, right))],
    )
    .also(&["gc.keeps-blob"]),
];
