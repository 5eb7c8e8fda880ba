//! Wrong after whatever makes a registry read anew what it holds, about lists: of tags, and of referrers.

use super::super::state::Manifests;
use super::after::after;
use super::boot_tools::with_gone;
use super::pages::page_from;
use super::referrers::{listed, relisted, with_what_a_filter_drops};
use super::tools::*;

/// Since when the registry has what it read anew.
fn since(view: &View) -> Option<std::time::SystemTime> {
    let life = view.state.life;
    life.started.filter(|_| life.starts > 1).max(life.collected)
}

fn is_referrer(write: &Write) -> bool {
    matches!(write, Write::Manifest { manifest, .. } if manifest.subject.is_some())
}

/// With those that were there once, where the registry has read anew what it holds.
fn with_gone_referrers(lookup: &Lookup, right: Manifests) -> Manifests {
    let held = lookup.view.state.repository(lookup.repository).filter(|_| after(&lookup.view));
    let gone = held.into_iter().flat_map(|held| held.past.gone()).filter_map(|(gone, _)| match gone {
        Gone::Manifest(digest, stored) => Some((digest.clone(), stored.clone())),
        _ => None,
    });
    let subject = Some(lookup.reference.as_str());
    let theirs = gone.filter(|(_, stored)| stored.manifest.subject.as_deref() == subject);
    let there = |digest: &Digest| right.iter().any(|(other, _)| other == digest);
    let back: Vec<_> = theirs.filter(|(digest, _)| !there(digest)).collect();
    right.into_iter().chain(back).collect()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "after-lists-by-digest",
        "Once tags were read anew, they are listed by what they lead to.",
        "tags.ordered",
        &[Seam::List(|listing, mut right| {
            let held = listing.view.state.repository(listing.repository).filter(|_| after(&listing.view));
            if let Some(held) = held {
                right.sort_by_key(|tag| held.tags.get(tag));
            }
            right
        })],
    )
    .also(&["tags.last", "tags.complete", "tags.link-end"]),
    Defect::new(
        "after-pages-without-rel",
        "Once tags were read anew, a page of them has a Link without a relation.",
        "tags.link",
        &[Seam::Finish(|asked, view, _, answer| {
            let bare = answer.header("link").and_then(|link| Some(link.split_once(';')?.0.to_owned()));
            match bare.filter(|_| after(view) && lists_tags(asked)) {
                Some(bare) => answer.with("link", &bare),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "after-pages-from-start",
        "Once tags were read anew, every page of them begins with the first.",
        "tags.last",
        &[Seam::Page(|listing, all, page| match after(&listing.view) && listing.last.is_some() {
            true => page_from(all, 0, listing.n),
            false => page,
        })],
    )
    .also(&["tags.link-end", "tags.complete", "restart.tags", "upgrade.tags", "gc.tags"]),
    Defect::new(
        "after-empty-list-500",
        "Once the registry has read anew what it holds, it falls over at the list of a repository without tags.",
        "tags.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let name = asked.route.repository().unwrap_or_default();
            let empty = view.state.repository(name).is_none_or(|held| held.tags.is_empty());
            changed(after(view) && lists_tags(asked) && empty, answer, |_| fault().into())
        })],
    )
    .also(&["gc.tags", "restart.tags", "upgrade.tags"]),
    Defect::new(
        "after-referrers-type-json",
        "Once referrers were read anew, the list of them is served as application/json.",
        "referrers.type",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && listed(asked, &answer);
            changed(wrong, answer, |answer| answer.with("content-type", "application/json"))
        })],
    ),
    Defect::new(
        "after-empty-referrers-404",
        "Once referrers were read anew, the list of what has none is answered with 404.",
        "referrers.empty",
        &[Seam::Finish(|asked, view, _, answer| {
            let empty = || answer.value().is_some_and(|mut list| entries(&mut list).is_none_or(|all| all.is_empty()));
            let wrong = after(view) && listed(asked, &answer) && empty();
            changed(wrong, answer, |_| Problem::manifest_unknown("").into())
        })],
    )
    .also(&["gc.keeps-referrer", "restart.keeps-referrer", "upgrade.keeps-referrer"]),
    Defect::new(
        "after-referrers-repeat",
        "Once referrers were read anew, each is listed twice.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| match after(&lookup.view) {
            true => right.iter().chain(&right).cloned().collect(),
            false => right,
        })],
    )
    .also(&["referrers.gone", "gc.keeps-referrer", "restart.keeps-referrer", "upgrade.keeps-referrer"]),
    Defect::new(
        "after-filter-drops-all",
        "Once referrers were read anew, a filter by artifactType leaves nothing.",
        "referrers.filter-kept",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = after(view) && listed(asked, &answer) && asked.query.get("artifactType").is_some();
            changed(wrong, answer, |answer| relisted(answer, Vec::clear))
        })],
    ),
    Defect::new(
        "after-filter-named-only",
        "Once referrers were read anew, a filter by artifactType drops nothing, and is said to be applied.",
        "referrers.filter-honest",
        &[Seam::Finish(|asked, view, _, answer| match after(view) {
            true => with_what_a_filter_drops(asked, view, answer),
            false => answer,
        })],
    ),
    Defect::new(
        "after-subjects-unsaid",
        "Once the registry has read anew what it holds, it does not say of a push whom it is about.",
        "referrers.subject-header",
        &[Seam::Finish(|_, view, _, answer| changed(after(view), answer, |answer| answer.without("oci-subject")))],
    ),
    Defect::new(
        "after-referrers-frozen",
        "Once referrers were read anew, those that come later are not listed.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let since = since(&lookup.view);
            right.into_iter().filter(|(_, stored)| since.is_none_or(|since| stored.first < since)).collect()
        })],
    )
    .also(&["gc.keeps-referrer", "restart.keeps-referrer", "upgrade.keeps-referrer", "gc.keeps-dangling-referrer"]),
    Defect::new(
        "after-lists-deleted-referrers",
        "Once referrers were read anew, one that was deleted is listed.",
        "referrers.gone",
        &[Seam::Refer(with_gone_referrers), Seam::Boot(|rebuild, found| with_gone(rebuild, found, is_referrer))],
    )
    .also(&["restart.keeps-delete", "upgrade.keeps-delete"]),
    Defect::new(
        "after-lists-under-another-name",
        "Once tags were read anew, the list of them has the last part of the repository's name only.",
        "tags.form",
        &[Seam::Finish(|asked, view, _, answer| {
            let mut value = answer.value().filter(|_| after(view) && lists_tags(asked));
            let name = value.as_mut().and_then(|value| value.get_mut("name"));
            let Some(name) = name else { return answer };
            *name = name.as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default().into();
            let body = value.unwrap_or_default().to_string();
            answer.without("content-length").body(body)
        })],
    ),
    Defect::new(
        "after-unlists-returned-referrers",
        "Once referrers were read anew, one that was deleted and pushed again is not listed.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository).filter(|_| after(&lookup.view));
            let Some(held) = held else { return right };
            right.into_iter().filter(|(digest, _)| !was_there(held, digest)).collect()
        })],
    )
    .also(&["gc.keeps-referrer", "restart.keeps-referrer", "upgrade.keeps-referrer"]),
    Defect::new(
        "referrers-of-returned-subject-empty",
        "The list of referrers goes with its subject: pushed again, the subject has none.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository);
            let returned = held
                .zip(lookup.reference.digest())
                .is_some_and(|(held, digest)| held.manifests.contains_key(digest) && was_there(held, digest));
            if returned { Vec::new() } else { right }
        })],
    ),
    Defect::new(
        "after-referrers-of-everybody",
        "Once referrers were read anew, those of a digest are listed in every repository.",
        "referrers.empty",
        &[Seam::Refer(|lookup, right| {
            let others = lookup.view.state.repositories.iter().filter(|(name, _)| *name != lookup.repository);
            let others = others.filter(|_| after(&lookup.view));
            let theirs = others.flat_map(|(_, held)| {
                let all = held.referrers.get(lookup.reference.as_str()).into_iter().flatten();
                all.filter_map(|digest| Some((digest.clone(), held.manifests.get(digest)?.clone())))
            });
            right.into_iter().chain(theirs.collect::<Vec<_>>()).collect()
        })],
    )
    .also(&["referrers.complete", "gc.keeps-referrer", "restart.keeps-referrer", "upgrade.keeps-referrer"]),
];
