//! Wrong about where the list of tags begins: `last`.

use axum::http::StatusCode;

use super::super::question::Listing;
use super::pages::{after_last, page_from};
use super::tools::*;

/// Whether `last` is a tag of the list.
fn last_is_known(listing: &Listing, all: &[String]) -> bool {
    listing.last.is_none_or(|last| all.iter().any(|tag| tag == last))
}

fn unknown_last(asked: &Asked, view: &View) -> bool {
    let repository = asked.route.repository().and_then(|name| view.state.repository(name));
    let last = asked.query.get("last").filter(|_| lists_tags(asked));
    repository.zip(last).is_some_and(|(r, last)| !r.tags.contains_key(last))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "tags-last-ignores-case",
        "The list is bytewise, and `last` is compared without regard to case.",
        "tags.complete",
        &[Seam::Page(|listing, all, page| match listing.last {
            Some(last) => {
                let after = |tag: &&String| tag.to_ascii_lowercase() > last.to_ascii_lowercase();
                let rest: Vec<String> = all.iter().filter(after).cloned().collect();
                page_from(&rest, 0, listing.n)
            }
            None => page,
        })],
    )
    .also(&["tags.ordered", "tags.last"]),
    Defect::new(
        "last-inclusive",
        "The list begins with `last` itself.",
        "tags.last",
        &[Seam::Page(|listing, all, page| {
            let place = listing.last.and_then(|last| all.iter().position(|tag| tag == last));
            match place.filter(|_| listing.n != Some(1)) {
                Some(place) => page_from(all, place, listing.n),
                None => page,
            }
        })],
    ),
    Defect::new(
        "last-ignored",
        "`last` is ignored where there is an `n`.",
        "tags.last",
        &[Seam::Page(|listing, all, page| match listing.n {
            Some(n) => page_from(all, 0, Some(n)),
            None => page,
        })],
    ),
    Defect::new(
        "last-ignored-without-n",
        "`last` is ignored where there is no `n`.",
        "tags.last",
        &[Seam::Page(|listing, all, page| match listing.n {
            None => page_from(all, 0, None),
            Some(_) => page,
        })],
    ),
    Defect::new(
        "last-skips-one",
        "The list begins one tag too late after `last`.",
        "tags.last",
        &[Seam::Page(|listing, all, page| match listing.last {
            Some(_) => page_from(all, after_last(listing, all) + 1, listing.n),
            None => page,
        })],
    )
    .also(&["tags.complete"]),
    Defect::new(
        "last-past-end-restarts",
        "After the last tag the list begins again.",
        "tags.last-end",
        &[Seam::Page(|listing, all, page| {
            let end = listing.last.is_some_and(|last| all.last().is_some_and(|tag| tag.as_str() == last));
            if end { page_from(all, 0, listing.n) } else { page }
        })],
    ),
    Defect::new(
        "last-end-null",
        "An empty page has null for its list.",
        "tags.empty-list",
        &[Seam::Finish(|asked, _, _, answer| {
            let last = lists_tags(asked) && asked.query.get("last").is_some();
            changed(last && answer.status == StatusCode::OK, answer, |a| {
                let body = String::from_utf8_lossy(&a.body.to_bytes()).replace("\"tags\":[]", "\"tags\":null");
                a.without("content-length").body(body)
            })
        })],
    ),
    Defect::new(
        "last-unknown-500",
        "A `last` that is no tag of the repository makes the registry fall over.",
        "tags.last-unknown",
        &[Seam::Finish(|asked, view, _, answer| changed(unknown_last(asked, view), answer, |_| fault().into()))],
    ),
    Defect::new(
        "last-deleted-restarts",
        "A `last` that is no tag of the repository is ignored.",
        "tags.link-end",
        &[Seam::Page(|listing, all, page| match last_is_known(listing, all) {
            true => page,
            false => page_from(all, 0, listing.n),
        })],
    ),
    Defect::new(
        "last-deleted-404",
        "A `last` that is no tag of the repository is answered with 404: a walk ends where its tag was deleted.",
        "tags.walk",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(unknown_last(asked, view), answer, |_| {
                Problem::manifest_unknown(asked.query.get("last").unwrap_or_default()).into()
            })
        })],
    ),
];
