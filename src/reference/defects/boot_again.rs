//! Wrong when a registry starts more than once, or is pushed to between two starts.

use super::super::manifest::Manifest;
use super::boot_tools::*;

/// What is found, wrong from the second restart on.
fn second(rebuild: &Rebuild, found: Vec<Found>, wrong: impl FnOnce(Vec<Found>) -> Vec<Found>) -> Vec<Found> {
    if rebuild.life.starts > 1 { wrong(found) } else { found }
}

/// Without what was written since the last start.
fn without_news(rebuild: &Rebuild, found: Vec<Found>) -> Vec<Found> {
    let since = rebuild.life.started;
    without(found, |_, one| since.is_some_and(|since| one.since >= since))
}

/// Whether this was removed once, and written again.
fn was_gone(rebuild: &Rebuild, one: &Found) -> bool {
    let same = |gone: &Write| match (gone, &one.write) {
        (Write::Manifest { repository, digest, .. }, Write::Manifest { repository: r, digest: d, .. })
        | (Write::Link { repository, digest }, Write::Link { repository: r, digest: d }) => {
            (repository, digest) == (r, d)
        }
        (gone, write) => gone == write,
    };
    rebuild.gone.iter().any(|gone| same(&gone.write))
}

/// Whether a repository lost this manifest once.
fn was_deleted(view: &View, repository: &str, digest: &Digest) -> bool {
    let held = view.state.repository(repository);
    let mut gone = held.into_iter().flat_map(|held| held.past.gone());
    gone.any(|(gone, _)| matches!(gone, Gone::Manifest(lost, _) if lost == digest))
}

const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-blob", "restart.keeps-tag", "restart.tags"];
const UPGRADED: &[&str] = &["upgrade.keeps-manifest", "upgrade.keeps-blob", "upgrade.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-loses-what-came-between",
        "The index of the storage is written at the first start and read at each: what came after that is gone.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| second(rebuild, found, |found| without_news(rebuild, found)))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-second-drops-untagged",
        "A second start compacts what it finds to what has a tag: children that only an index names are gone.",
        "restart.keeps-manifest",
        &[Seam::Boot(|rebuild, found| second(rebuild, found, without_untagged))],
    ),
    Defect::new(
        "restart-second-moves-tags-back",
        "A second start finds the tags of the first: one that was moved between them leads to where it led.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| second(rebuild, found, |found| with_moves_undone(rebuild, found)))],
    ),
    Defect::new(
        "restart-second-revives-deleted",
        "The list of what was deleted is read at one start and not kept: after the next one it is back.",
        "restart.keeps-delete",
        &[Seam::Boot(|rebuild, found| second(rebuild, found, |found| with_gone(rebuild, found, |_| true)))],
    )
    .also(&["restart.tags"]),
    Defect::new(
        "restart-moves-tags-one-back",
        "A tag's history ends one short: after a start a tag that was moved twice leads to where it led before.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            altered(found, |_, one| {
                let Write::Tag { repository, tag, .. } = &one.write else { return None };
                let of_tag = |gone: &&Write| {
                    matches!(gone, Write::Tag { repository: r, tag: t, .. } if r == repository && t == tag)
                };
                let earlier: Vec<&Write> = rebuild.gone.iter().map(|gone| &gone.write).filter(of_tag).collect();
                earlier.last().filter(|_| earlier.len() > 1).map(|&last| last.clone())
            })
        })],
    ),
    Defect::new(
        "restart-refuses-what-is-there",
        "A manifest that was there before a start is pushed again, and its file is in the way: 500.",
        "manifest.put.again",
        &[Seam::Accept(|push, right| {
            let stored = push.view.state.manifest(push.repository, push.digest);
            let older = again(&push.view) && stored.is_some_and(|stored| before_start(&push.view, stored));
            falls_over(older, right)
        })],
    )
    .also(&["manifest.put.created"]),
    Defect::new(
        "restart-deletes-again",
        "A start repeats every deletion after every push: what was deleted and pushed again is gone.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| without(found, |_, one| was_gone(rebuild, one)))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-remembers-deletes",
        "What was deleted before a start is not found when it is pushed after it.",
        "late.again.kept",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|served| {
                let view = &lookup.view;
                let new = view.state.manifest(lookup.repository, &served.digest);
                let new = again(view) && new.is_some_and(|stored| !before_start(view, stored));
                !(new && was_deleted(view, lookup.repository, &served.digest))
            })
        })],
    )
    .also(&["manifest.get.served", "manifest.head.served"]),
    Defect::new(
        "upgrade-again-misses-what-came-between",
        "That a storage was migrated is written into it: a second upgrade does not find what the older version was given since.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| match rebuild.upgraded() && rebuild.life.downgraded {
            true => without_news(rebuild, found),
            false => found,
        })],
    )
    .also(UPGRADED),
    Defect::new(
        "upgrade-keeps-new-writes-in-memory",
        "What is pushed after an upgrade goes to a storage that only the next migration would flush: a restart loses it.",
        "restart.keeps-tag",
        &[Seam::Boot(|rebuild, found| match rebuild.life.upgraded && !rebuild.changed() {
            true => without_news(rebuild, found),
            false => found,
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-late-child-goes-with-lost-index",
        "A start follows the tags to what an index had when it came, and finds no child that came late for one that has lost \
         its tag since.",
        "restart.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            let lost = |repository: &str, index: &str| {
                rebuild.gone.iter().any(|gone| {
                    matches!(&gone.write, Write::Tag { repository: r, digest, .. } if r == repository && digest.as_str() == index)
                })
            };
            without(found, |finds, one| {
                let repository = one.write.repository();
                finds.waited_for(one, |index| lost(repository, index) && !finds.is_tagged(repository, index))
            })
        })],
    )
    .also(&["upgrade.keeps-manifest"]),
    Defect::new(
        "restart-drops-wide-index",
        "A start reads sixty-four entries of an index, and one with more counts as damaged.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            without(found, |_, one| manifest(one).is_some_and(|manifest| manifest.children.len() > 64))
        })],
    )
    .also(SHOWN),
    Defect::new(
        "restart-drops-nested-gaps",
        "A start looks for the children of the indexes in an index: one with a gap at any depth counts as damaged.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            without(found, |finds, one| {
                let repository = one.write.repository();
                let gaps = |manifest: &Manifest| finds.has_gaps(repository, manifest);
                let Some(index) = manifest(one).filter(|manifest| manifest.children.iter().any(Descriptor::names_index)) else {
                    return false;
                };
                let children = index.children.iter().filter_map(|child| finds.manifest(repository, &child.digest));
                gaps(index) || children.into_iter().any(gaps)
            })
        })],
    )
    .also(SHOWN),
];
