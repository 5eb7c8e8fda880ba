//! Wrong after a start about lists: of tags, and of what refers to a manifest.

use super::super::question::{Listing, Page};
use super::super::state::Manifests;
use super::boot_tools::*;

/// Tags as an early tool would have kept them: the first hundred.
const SOME: usize = 100;

/// Whether the registry was started as another version.
fn is_upgraded(view: &View) -> bool {
    view.state.life.upgraded
}

fn first_hundred(wrong: bool, right: Vec<String>) -> Vec<String> {
    let most = if wrong { SOME } else { usize::MAX };
    right.into_iter().take(most).collect()
}

/// In the order in which they were set.
fn by_age(wrong: bool, listing: &Listing, mut right: Vec<String>) -> Vec<String> {
    if let Some(held) = listing.view.state.repository(listing.repository).filter(|_| wrong) {
        right.sort_by_key(|tag| held.tagged.get(tag).copied());
    }
    right
}

/// A page after another begins one too late.
fn skipping(wrong: bool, listing: &Listing, all: &[String], right: Page) -> Page {
    let Some(last) = listing.last.filter(|_| wrong) else { return right };
    let mut rest = all.iter().filter(|tag| tag.as_str() > last).skip(1).cloned();
    let items: Vec<String> = rest.by_ref().take(listing.n.unwrap_or(usize::MAX)).collect();
    let next = rest.next().and_then(|_| items.last().cloned());
    Page { items, next }
}

/// What is told of a referrer, changed.
fn told_as(found: Vec<Found>, change: impl Fn(&mut super::super::manifest::Manifest)) -> Vec<Found> {
    altered(found, |_, one| {
        let refers = manifest(one)?.subject.is_some();
        refers.then(|| known_as(one, &change)).flatten()
    })
}

/// One referrer of each subject, the first by its digest.
fn one_each(found: Vec<Found>) -> Vec<Found> {
    let mut seen = std::collections::BTreeSet::new();
    let found: Vec<(bool, Found)> = found
        .into_iter()
        .map(|one| {
            let subject = manifest(&one).and_then(|manifest| manifest.subject.clone());
            (subject.is_some_and(|subject| !seen.insert((one.write.repository().to_owned(), subject))), one)
        })
        .collect();
    found
        .into_iter()
        .map(|(more, one)| {
            let forgotten = more.then(|| known_as(&one, |manifest| manifest.subject = None)).flatten();
            Found { write: forgotten.unwrap_or(one.write), since: one.since }
        })
        .collect()
}

/// Where something new refers to a subject, only what is new.
fn only_news(wrong: bool, view: &View, right: Manifests) -> Manifests {
    let news = right.iter().any(|(_, stored)| !before_start(view, stored));
    right.into_iter().filter(|(_, stored)| !(wrong && news && before_start(view, stored))).collect()
}

/// Without the tags that the referrers tag scheme and signing tools make of a digest.
fn without_signature_tags(found: Vec<Found>) -> Vec<Found> {
    without(found, |_, one| matches!(&one.write, Write::Tag { tag, .. } if tag.starts_with("sha256-")))
}

const TAGGED: &[&str] = &["restart.keeps-tag", "restart.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-lists-hundred-tags",
        "A start reads the first hundred tags of a repository into its list.",
        "restart.tags",
        &[Seam::List(|listing, right| first_hundred(again(&listing.view), right))],
    ),
    Defect::new(
        "restart-page-skips-one",
        "After a start each page of tags but the first begins one too late.",
        "restart.tags",
        &[Seam::Page(|listing, all, right| skipping(again(&listing.view), listing, all, right))],
    ),
    Defect::new(
        "restart-folds-tags",
        "A start reads tags from a storage that does not know case.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| {
            altered(found, |_, one| match &one.write {
                Write::Tag { repository, tag, digest } => Some(set_tag(repository, &tag.to_ascii_lowercase(), digest)),
                _ => None,
            })
        })],
    )
    .also(TAGGED),
    Defect::new(
        "restart-drops-signature-tags",
        "A start takes tags that are made of a digest for what an unfinished push left: they are gone.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| without_signature_tags(found))],
    )
    .also(TAGGED),
    Defect::new(
        "restart-one-referrer-a-subject",
        "A start reads who refers to what into a map: of several one stays.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| one_each(found))],
    ),
    Defect::new(
        "restart-forgets-index-referrers",
        "A start looks for subjects in images: an index that refers to something is not listed any more.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| {
            altered(found, |_, one| {
                let refers =
                    manifest(one).is_some_and(|manifest| manifest.kind == Kind::Index && manifest.subject.is_some());
                refers.then(|| known_as(one, |manifest| manifest.subject = None)).flatten()
            })
        })],
    ),
    Defect::new(
        "restart-referrers-without-annotations",
        "Lists of referrers are rebuilt by a start without annotations.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| told_as(found, |manifest| manifest.annotations = None))],
    ),
    Defect::new(
        "restart-referrers-without-type",
        "Lists of referrers are rebuilt by a start without artifactType: a filter by it leaves nothing.",
        "restart.keeps-referrer",
        &[Seam::Boot(|_, found| told_as(found, |manifest| manifest.artifact_type = None))],
    ),
    Defect::new(
        "restart-new-referrers-replace",
        "The first referrer that comes after a start begins the list anew.",
        "restart.keeps-referrer",
        &[Seam::Refer(|lookup, right| only_news(again(&lookup.view), &lookup.view, right))],
    ),
    Defect::new(
        "restart-lists-deleted-referrers",
        "A start finds the lists of referrers as they were before anything was deleted from them.",
        "restart.keeps-delete",
        &[Seam::Refer(|lookup, mut right| {
            let held = lookup.view.state.repository(lookup.repository).filter(|_| again(&lookup.view));
            let gone = held.into_iter().flat_map(|held| held.past.gone());
            right.extend(gone.filter_map(|(gone, _)| match gone {
                Gone::Manifest(digest, stored)
                    if stored.manifest.subject.as_deref() == Some(lookup.reference.as_str()) =>
                {
                    Some((digest.clone(), stored.clone()))
                }
                _ => None,
            }));
            right
        })],
    )
    .also(&["restart.keeps-referrer"]),
    Defect::new(
        "upgrade-lists-hundred-tags",
        "An upgrade takes over the first hundred tags of a repository's list.",
        "upgrade.tags",
        &[Seam::List(|listing, right| first_hundred(is_upgraded(&listing.view), right))],
    ),
    Defect::new(
        "upgrade-page-skips-one",
        "In the newer version each page of tags but the first begins one too late.",
        "upgrade.tags",
        &[Seam::Page(|listing, all, right| skipping(is_upgraded(&listing.view), listing, all, right))],
    ),
    Defect::new(
        "downgrade-lists-tags-by-age",
        "The older version lists tags as they were set.",
        "tags.ordered",
        &[Seam::List(|listing, right| by_age(listing.view.state.life.downgraded, listing, right))],
    ),
    Defect::new(
        "upgrade-drops-signature-tags",
        "An upgrade takes tags that are made of a digest for its own, and drops them.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, without_signature_tags))],
    ),
    Defect::new(
        "upgrade-one-referrer-a-subject",
        "An upgrade reads who refers to what into a table with the subject as its key: of several one stays.",
        "upgrade.keeps-referrer",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, one_each))],
    ),
    Defect::new(
        "upgrade-referrers-without-annotations",
        "An upgrade takes over lists of referrers without annotations.",
        "upgrade.keeps-referrer",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| told_as(found, |manifest| manifest.annotations = None))
        })],
    ),
    Defect::new(
        "upgrade-new-referrers-replace",
        "The first referrer that the newer version is given begins the list anew.",
        "upgrade.keeps-referrer",
        &[Seam::Refer(|lookup, right| only_news(is_upgraded(&lookup.view), &lookup.view, right))],
    ),
];
