//! Lawful differences in lists: of tags, referrers, repositories.

use axum::http::StatusCode;
use serde_json::json;

use super::super::answer::Answer;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::question::{Asked, Change, Page, Target};
use super::super::route::Route;
use super::super::state::Write;
use super::Variation;
use crate::content::digest::Digest;

fn lists_tags(asked: &Asked) -> bool {
    asked.reads() && matches!(asked.route, Route::Tags { .. })
}

/// A list of referrers that came.
fn lists_referrers(asked: &Asked, answer: &Answer) -> bool {
    matches!(asked.route, Route::Referrers { .. }) && answer.status == StatusCode::OK
}

fn empty(asked: &Asked) -> Answer {
    Answer::json(StatusCode::OK, &json!({ "name": asked.route.repository(), "tags": [] }))
}

/// Without regard to case; those that differ in case alone, bytewise.
fn folded(tag: &str) -> (String, &str) {
    (tag.to_ascii_lowercase(), tag)
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "tags-case-insensitive",
        "The order of tags does not regard case, nor does `last`.",
        &[
            Seam::List(|_, mut right| {
                right.sort_by(|a, b| folded(a).cmp(&folded(b)));
                right
            }),
            Seam::Page(|listing, all, _| {
                let after = |tag: &&String| listing.last.is_none_or(|last| folded(tag) > folded(last));
                let rest: Vec<String> = all.iter().filter(after).cloned().collect();
                let n = listing.n.unwrap_or(usize::MAX);
                let more = n > 0 && rest.len() > n;
                let items: Vec<String> = rest.into_iter().take(n).collect();
                let next = items.last().filter(|_| more).cloned();
                Page { items, next }
            }),
        ],
    ),
    Variation::new(
        "tags-in-small-pages",
        "A page has at most two tags, whatever `n` says, and a Link to the next.",
        &[Seam::Page(|_, _, mut page| {
            if page.items.len() > 2 {
                page.items.truncate(2);
                page.next = page.items.last().cloned();
            }
            page
        })],
    ),
    Variation::new(
        "tags-without-link",
        "A full page of tags has no Link: the next one begins after its last tag.",
        &[Seam::Page(|listing, _, page| {
            let full = listing.n.is_some_and(|n| n > 0 && page.items.len() == n);
            Page { next: page.next.filter(|_| !full), ..page }
        })],
    ),
    Variation::new(
        "tags-link-absolute",
        "The URL of a Link is absolute, and has parameters of its own.",
        &[Seam::Finish(|asked, _, _, answer| {
            let host = asked.header("host").unwrap_or_default();
            let link = answer.header("link").map(|link| link.replacen("</", &format!("<http://{host}/"), 1));
            match link {
                Some(link) => {
                    answer.with("link", &link.replacen('?', "?cursor=eyJ9&", 1).replace("rel=\"next\"", "rel=next"))
                }
                None => answer,
            }
        })],
    ),
    Variation::new(
        "tags-odd-n-ignored",
        "An `n` that is no natural number is ignored.",
        &[Seam::Finish(|asked, view, _, answer| {
            let odd = lists_tags(asked) && answer.status == StatusCode::BAD_REQUEST;
            let repository = asked.route.repository().and_then(|name| view.state.repository(name));
            match repository.filter(|_| odd) {
                Some(repository) => {
                    let tags: Vec<&String> = repository.tags.keys().collect();
                    Answer::json(StatusCode::OK, &json!({ "name": asked.route.repository(), "tags": tags }))
                }
                None => answer,
            }
        })],
    ),
    Variation::new(
        "tags-of-unknown-repository-empty",
        "The tags of a repository that does not exist are an empty list.",
        &[Seam::Finish(|asked, _, _, answer| match lists_tags(asked) && answer.status == StatusCode::NOT_FOUND {
            true => empty(asked),
            false => answer,
        })],
    ),
    Variation::new(
        "tags-of-emptied-repository-404",
        "A repository without tags does not exist, when its tags are asked for.",
        &[Seam::Finish(|asked, view, _, answer| {
            let repository = asked.route.repository().and_then(|name| view.state.repository(name));
            let none = lists_tags(asked) && repository.is_some_and(|r| r.tags.is_empty());
            match none {
                true => Problem::name_unknown(asked.route.repository().unwrap_or_default()).into(),
                false => answer,
            }
        })],
    ),
    Variation::new(
        "referrers-absent",
        "There is no referrers API, and no OCI-Subject.",
        &[Seam::Finish(|asked, _, _, answer| match asked.route {
            Route::Referrers { .. } => {
                Problem::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "not here", serde_json::Value::Null).into()
            }
            _ => answer.without("oci-subject"),
        })],
    ),
    Variation::configured(
        "referrers-in-small-pages",
        "A list of referrers has one on each page, and a Link to the next.",
        |config| config.referrers_page = 1,
    ),
    Variation::new(
        "referrers-index-bare",
        "A list of referrers has no mediaType, which an index need not have.",
        &[Seam::Finish(|asked, _, _, answer| match lists_referrers(asked, &answer) {
            true => {
                let mut value = answer.value().unwrap_or_default();
                if let Some(map) = value.as_object_mut() {
                    map.shift_remove("mediaType");
                }
                answer.body(value.to_string())
            }
            false => answer,
        })],
    ),
    Variation::new(
        "referrers-of-unknown-repository-404",
        "The referrers of something in a repository that does not exist are answered with 404.",
        &[Seam::Finish(|asked, view, _, answer| {
            let name = asked.route.repository().unwrap_or_default();
            match lists_referrers(asked, &answer) && view.state.repository(name).is_none() {
                true => Problem::name_unknown(name).into(),
                false => answer,
            }
        })],
    ),
    Variation::new(
        "referrers-of-foreign-algorithm-400",
        "The referrers of a digest by an algorithm that the registry does not have are refused with 400.",
        &[Seam::Finish(|asked, _, _, answer| match &asked.route {
            Route::Referrers { digest, .. } if lists_referrers(asked, &answer) && Digest::parse(digest).is_none() => {
                Problem::digest_invalid("the algorithm is not known", digest).into()
            }
            _ => answer,
        })],
    ),
    Variation::new(
        "referrers-go-with-subject",
        "With a manifest what refers to it is deleted, where no tag leads to it.",
        &[Seam::Store(|change, mut right| {
            let Change::Delete(removal) = change else { return right };
            let Target::Manifest(digest) = removal.target else { return right };
            let Some(held) = removal.view.state.repository(removal.repository) else { return right };
            let referrers = held.referrers.get(digest.as_str()).into_iter().flatten();
            let untagged = referrers.filter(|referrer| held.tags_of(referrer).next().is_none());
            right.extend(untagged.map(|referrer| Write::DropManifest {
                repository: removal.repository.to_owned(),
                digest: referrer.clone(),
            }));
            right
        })],
    ),
    Variation::new(
        "referrers-by-upgrade",
        "There is no referrers API, until an upgrade brings one.",
        &[Seam::Finish(|asked, view, _, answer| match &asked.route {
            _ if view.state.life.upgraded => answer,
            Route::Referrers { .. } => Problem::unsupported("not here").status(StatusCode::NOT_FOUND).into(),
            _ => answer.without("oci-subject"),
        })],
    ),
    Variation::new(
        "catalog-absent",
        "There is no list of repositories.",
        &[Seam::Finish(|asked, _, _, answer| match asked.route {
            Route::Catalog => Problem::unsupported("not here").status(StatusCode::NOT_FOUND).into(),
            _ => answer,
        })],
    ),
    Variation::new(
        "chunk-minimum",
        "An upload says how small a chunk may be.",
        &[Seam::Finish(|asked, _, _, answer| match asked.route {
            Route::Uploads { .. } if answer.status == StatusCode::ACCEPTED => {
                answer.with("oci-chunk-min-length", "1024")
            }
            _ => answer,
        })],
    ),
];
