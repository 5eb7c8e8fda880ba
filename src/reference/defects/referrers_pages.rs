//! Wrong about the pages of a list of referrers.

use serde_json::Value;

use super::super::lists::encode;
use super::referrers::{listed, relisted, subject};
use super::tools::*;

/// Referrers on a page, where a defect makes pages.
const PAGE: usize = 10;

/// More bytes than a descriptor of a careless registry may have.
const LARGE: usize = 100_000;

fn digest_of(entry: &Value) -> &str {
    entry.get("digest").and_then(Value::as_str).unwrap_or_default()
}

/// The list in pages of ten, with the Link that `link` makes from a path, the query that it rightly has but for `last`, and
/// the digests of the page.
fn paged(asked: &Asked, answer: Answer, link: impl FnOnce(&str, &str, &[String]) -> String) -> Answer {
    if !listed(asked, &answer) {
        return answer;
    }
    let mut all = Vec::new();
    let answer = relisted(answer, |list| {
        all = list.iter().map(|entry| digest_of(entry).to_owned()).collect();
        list.truncate(PAGE);
    });
    if all.len() <= PAGE {
        return answer;
    }
    all.truncate(PAGE);
    let filter = asked.query.get("artifactType").map(|t| format!("artifactType={}&", encode(t))).unwrap_or_default();
    answer.with("link", &link(asked.uri.path(), &filter, &all))
}

fn last(page: &[String]) -> &str {
    page.last().map_or("", String::as_str)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "referrers-cut-at-ten",
        "A list has ten referrers at most, and no Link to the others.",
        "referrers.complete",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(listed(asked, &answer), answer, |a| relisted(a, |list| list.truncate(PAGE)))
        })],
    ),
    Defect::new(
        "referrers-link-bare",
        "The Link of a page of referrers is a URL without angle brackets or relation.",
        "referrers.link",
        &[Seam::Finish(|asked, _, _, answer| {
            paged(asked, answer, |path, filter, page| format!("{path}?{filter}last={}", last(page)))
        })],
    )
    .also(&["referrers.complete"]),
    Defect::new(
        "referrers-link-leads-back",
        "The Link of a page of referrers leads to that page.",
        "referrers.link",
        &[Seam::Finish(|asked, _, _, answer| {
            let last = asked.query.get("last").unwrap_or_default().to_owned();
            paged(asked, answer, |path, filter, _| format!("<{path}?{filter}last={last}>; rel=\"next\""))
        })],
    )
    .also(&["referrers.complete"]),
    Defect::new(
        "referrers-pages-overlap",
        "A page of referrers begins with the last one of the page before it.",
        "referrers.complete",
        &[Seam::Finish(|asked, _, _, answer| {
            paged(asked, answer, |path, filter, page| {
                let last = page.iter().rev().nth(1).map_or("", String::as_str);
                format!("<{path}?{filter}last={last}>; rel=\"next\"")
            })
        })],
    ),
    Defect::new(
        "referrers-link-loses-filter",
        "The Link of a page of a filtered list leads to the rest of the whole one.",
        "referrers.filter-honest",
        &[Seam::Finish(|asked, _, _, answer| {
            let few = asked.query.get("artifactType").is_some() && listed(asked, &answer);
            changed(few, answer, |answer| {
                let mut first = Vec::new();
                let answer = relisted(answer, |list| {
                    list.truncate(PAGE / 2);
                    first = list.iter().map(|entry| digest_of(entry).to_owned()).collect();
                });
                let link = format!("<{}?last={}>; rel=\"next\"", asked.uri.path(), last(&first));
                changed(first.len() == PAGE / 2, answer, |a| a.with("link", &link))
            })
        })],
    ),
    Defect::new(
        "referrers-filter-after-page",
        "Of the first ten referrers those of the wanted artifactType are listed, and no others are looked at.",
        "referrers.filter-kept",
        &[Seam::Finish(|asked, view, _, answer| {
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let of = subject(asked).map(|digest| digest.to_string()).unwrap_or_default();
            let all = held.and_then(|held| held.referrers.get(&of)).into_iter().flatten();
            let first: Vec<&str> = all.take(PAGE).map(Digest::as_str).collect();
            let filtered = listed(asked, &answer) && asked.query.get("artifactType").is_some();
            changed(filtered, answer, |a| relisted(a, |list| list.retain(|entry| first.contains(&digest_of(entry)))))
        })],
    ),
    Defect::new(
        "referrers-large-left-out",
        "What has large annotations is not listed (olareg leaves out what is larger than a page).",
        "referrers.complete",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| list.retain(|entry| entry.to_string().len() < LARGE))
            })
        })],
    ),
    Defect::new(
        "referrers-large-annotations-cut",
        "Large annotations are cut in the list.",
        "referrers.complete",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| {
                    let maps = list.iter_mut().filter_map(|entry| entry.get_mut("annotations")?.as_object_mut());
                    for value in maps.flat_map(|map| map.values_mut()) {
                        if let Some(text) = value.as_str().filter(|text| text.len() > LARGE) {
                            *value = text.chars().take(LARGE).collect::<String>().into();
                        }
                    }
                })
            })
        })],
    ),
];
