//! Wrong about pages of the list of tags: `n`, `last`, `Link`.

use super::super::question::{Listing, Page};
use super::tools::*;

fn n_of(asked: &Asked) -> &str {
    asked.query.get("n").filter(|_| lists_tags(asked)).unwrap_or_default()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The page that begins at this place of the list.
pub(super) fn page_from(all: &[String], start: usize, n: Option<usize>) -> Page {
    let rest = all.get(start..).unwrap_or_default();
    let n = n.unwrap_or(usize::MAX);
    let items: Vec<String> = rest.iter().take(n).cloned().collect();
    let next = items.last().filter(|_| rest.len() > n).cloned();
    Page { items, next }
}

/// The place in the list after `last`.
pub(super) fn after_last(listing: &Listing, all: &[String]) -> usize {
    listing.last.map_or(0, |last| all.iter().take_while(|tag| tag.as_str() <= last).count())
}

fn with_link(answer: Answer, change: impl FnOnce(&str) -> String) -> Answer {
    match answer.header("link").map(change) {
        Some(link) => answer.with("link", &link),
        None => answer,
    }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "tags-list-capped",
        "The list ends after a hundred tags, without a Link.",
        "tags.complete",
        &[Seam::Page(|listing, _, mut page| {
            if page.items.len() > 100 && listing.n.is_none_or(|n| n > 100) {
                page.items.truncate(100);
                page.next = None;
            }
            page
        })],
    ),
    Defect::new(
        "tags-n-ignored",
        "`n` is ignored: every page has all tags.",
        "tags.n-bound",
        &[Seam::Page(|listing, all, _| page_from(all, after_last(listing, all), None))],
    )
    .also(&["tags.n", "tags.n-zero"]),
    Defect::new(
        "tags-n-plus-one",
        "A page has one tag more than `n`.",
        "tags.n-bound",
        &[Seam::Page(|listing, all, page| match listing.n {
            Some(n) if n > 0 => page_from(all, after_last(listing, all), Some(n + 1)),
            _ => page,
        })],
    )
    .also(&["tags.n"]),
    Defect::new(
        "tags-n-short-without-link",
        "A page has one tag less than `n`, and no Link.",
        "tags.n",
        &[Seam::Page(|listing, _, mut page| {
            if listing.n.is_some() && page.next.is_some() {
                page.items.pop();
                page.next = None;
            }
            page
        })],
    ),
    Defect::new(
        "tags-n-large-400",
        "An `n` above a thousand is refused.",
        "tags.n-large",
        &[Seam::Finish(|asked, _, _, answer| {
            let large = is_number(n_of(asked)) && n_of(asked).parse::<u64>().is_ok_and(|n| n > 1000);
            changed(large, answer, |_| Problem::bad_request("n is at most 1000").into())
        })],
    ),
    Defect::new(
        "tags-n-zero-all",
        "With n=0 all tags come.",
        "tags.n-zero",
        &[Seam::Page(|listing, all, page| match listing.n {
            Some(0) => page_from(all, after_last(listing, all), None),
            _ => page,
        })],
    ),
    Defect::new(
        "tags-n-zero-500",
        "n=0 makes the registry fall over.",
        "tags.n-zero",
        &[Seam::Finish(|asked, _, _, answer| changed(n_of(asked) == "0", answer, |_| fault().into()))],
    ),
    Defect::new(
        "tags-n-zero-link",
        "With n=0 the list is empty, and has a Link.",
        "tags.n-zero",
        &[Seam::Page(|listing, all, mut page| {
            if listing.n == Some(0) {
                page.next = all.first().cloned();
            }
            page
        })],
    ),
    Defect::new(
        "tags-n-negative-500",
        "A negative `n` makes the registry fall over.",
        "tags.n-odd",
        &[Seam::Finish(|asked, _, _, answer| changed(n_of(asked).starts_with('-'), answer, |_| fault().into()))],
    ),
    Defect::new(
        "tags-n-text-500",
        "An `n` that is not a whole number makes the registry fall over.",
        "tags.n-odd",
        &[Seam::Finish(|asked, _, _, answer| {
            let n = n_of(asked);
            let wrong = !n.is_empty() && !n.starts_with('-') && (!is_number(n) || n.parse::<u64>().is_err());
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "link-repeats-last",
        "The page that a Link leads to begins with the last tag of the page before.",
        "tags.link-end",
        &[Seam::Page(|listing, all, mut page| {
            let place = page.next.as_ref().and_then(|next| all.iter().position(|tag| tag == next));
            if let (Some(place), Some(n)) = (place.filter(|place| *place > 0), listing.n)
                && n > 1
            {
                page.next = all.get(place - 1).cloned();
            } else if page.next.is_some() && listing.last.is_none() {
                page.next = Some(String::new());
            }
            page
        })],
    )
    .also(&["tags.ordered"]),
    Defect::new(
        "link-for-ever",
        "The last page has a Link to the first.",
        "tags.link-end",
        &[Seam::Page(|listing, _, mut page| {
            if listing.n.is_some_and(|n| n > 0) {
                page.next.get_or_insert_default();
            }
            page
        })],
    ),
    Defect::new(
        "link-at-exact-end-restarts",
        "A last page that is full has a Link to the first.",
        "tags.link-end",
        &[Seam::Page(|listing, _, mut page| {
            if listing.n == Some(page.items.len()) && !page.items.is_empty() {
                page.next.get_or_insert_default();
            }
            page
        })],
    ),
    Defect::new(
        "link-unbracketed",
        "The URL of a Link is not in angle brackets.",
        "tags.link",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(lists_tags(asked), answer, |a| with_link(a, |link| link.replace(['<', '>'], "")))
        })],
    ),
    Defect::new(
        "link-without-rel",
        "A Link does not say its relation.",
        "tags.link",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(lists_tags(asked), answer, |a| with_link(a, |link| link.replace("; rel=\"next\"", "")))
        })],
    ),
    Defect::new(
        "link-skips-one",
        "The page that a Link leads to misses a tag.",
        "tags.complete",
        &[Seam::Page(|_, all, mut page| {
            let place = page.next.as_ref().and_then(|next| all.iter().position(|tag| tag == next));
            page.next = page.next.and_then(|next| all.get(place? + 1).cloned().or(Some(next)));
            page
        })],
    ),
];
