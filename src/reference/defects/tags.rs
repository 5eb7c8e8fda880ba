//! Wrong about tags: their names, and which are listed.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::question::Listing;
use super::tools::*;

/// The manifest that a listed tag leads to.
fn led_to<'a>(listing: &Listing<'a>, tag: &str) -> Option<&'a Stored> {
    let digest = listing.view.state.tag(listing.repository, tag)?;
    listing.view.state.manifest(listing.repository, digest)
}

fn is_sparse(listing: &Listing, stored: &Stored) -> bool {
    let children = &stored.manifest.children;
    present(listing.view, listing.repository, children).count() < children.len()
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags.dedup();
    tags
}

/// The list of tags in an answer, changed.
fn relisted(answer: Answer, change: impl FnOnce(&mut Vec<Value>)) -> Answer {
    let mut value = answer.value().unwrap_or_default();
    if let Some(tags) = value.get_mut("tags").and_then(Value::as_array_mut) {
        change(tags);
    }
    answer.without("content-length").body(value.to_string())
}

fn listed(asked: &Asked, answer: &Answer) -> bool {
    lists_tags(asked) && answer.status == StatusCode::OK
}

fn tag_path(asked: &Asked, tag: &Value) -> String {
    format!("/v2/{}/manifests/{}", asked.route.repository().unwrap_or_default(), tag.as_str().unwrap_or_default())
}

/// Stores tags under another name, and looks for them there.
fn renamed(writes: Vec<Write>, name: impl Fn(&str) -> String) -> Vec<Write> {
    let rename = |write| match write {
        Write::Tag { repository, tag, digest } => Write::Tag { repository, tag: name(&tag), digest },
        write => write,
    };
    writes.into_iter().map(rename).collect()
}

fn under_name(lookup: &Lookup, right: Option<Served>, name: impl Fn(&str) -> String) -> Option<Served> {
    match lookup.reference.tag() {
        Some(tag) => {
            let digest = lookup.view.state.tag(lookup.repository, &name(tag))?;
            served(lookup.view, lookup.repository, digest)
        }
        None => right,
    }
}

fn cut(tag: &str) -> String {
    tag.chars().take(64).collect()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "tags-list-shows-digests",
        "The list of tags has the digests of manifests that were pushed by digest.",
        "tags.no-phantom",
        &[Seam::List(|listing, right| {
            let repository = listing.view.state.repository(listing.repository);
            let untagged = repository.into_iter().flat_map(|r| {
                r.manifests.keys().filter(|digest| r.tags_of(digest).next().is_none()).map(ToString::to_string)
            });
            sorted(right.into_iter().chain(untagged).collect())
        })],
    ),
    Defect::new(
        "tags-list-shows-children",
        "The list of tags has a name for each child of an index.",
        "tags.no-phantom",
        &[Seam::List(|listing, right| {
            let repository = listing.view.state.repository(listing.repository);
            let children = repository.into_iter().flat_map(|r| r.manifests.values()).flat_map(|s| &s.manifest.children);
            let names = children.map(|child| child.digest.replace(':', "-"));
            sorted(right.into_iter().chain(names).collect())
        })],
    ),
    Defect::new(
        "tags-list-hides-sparse",
        "A tag of an index with gaps is not listed.",
        "tags.complete",
        &[Seam::List(|listing, right| {
            let hidden = |tag: &String| led_to(listing, tag).is_some_and(|stored| is_sparse(listing, stored));
            right.into_iter().filter(|tag| !hidden(tag)).collect()
        })],
    )
    .also(&["tags.fresh"])
    .when(stances::ACCEPT),
    Defect::new(
        "tags-list-loses-index",
        "A tag of a complete index is not listed.",
        "tags.complete",
        &[Seam::List(|listing, right| {
            let lost = |tag: &String| {
                led_to(listing, tag).is_some_and(|s| s.manifest.kind == Kind::Index && !is_sparse(listing, s))
            };
            right.into_iter().filter(|tag| !lost(tag)).collect()
        })],
    )
    .also(&["tags.fresh"]),
    Defect::new(
        "tag-prefix-lost",
        "A tag that begins with another tag is not listed.",
        "tags.complete",
        &[Seam::List(|_, right| {
            let begins = |tag: &String| right.iter().any(|other| tag != other && tag.starts_with(other.as_str()));
            right.iter().filter(|tag| !begins(tag)).cloned().collect()
        })],
    ),
    Defect::new(
        "tags-list-of-all-repositories",
        "The list has the tags of every repository.",
        "tags.no-phantom",
        &[Seam::List(|listing, right| {
            let all = listing.view.state.repositories.values().flat_map(|r| r.tags.keys().cloned());
            if right.is_empty() { right } else { sorted(all.collect()) }
        })],
    ),
    Defect::new(
        "tags-list-descending",
        "The list is in descending order.",
        "tags.ordered",
        &[Seam::Page(|listing, _, mut page| {
            if listing.n.is_none() {
                page.items.reverse();
            }
            page
        })],
    ),
    Defect::new(
        "tags-list-in-order-of-push",
        "The list is in the order in which the tags were pushed.",
        "tags.ordered",
        &[Seam::Finish(|asked, _, memory, answer| {
            if puts_manifest(asked) && memory.recall(asked.uri.path()).is_none() {
                let place = memory.count(asked.route.repository().unwrap_or_default());
                memory.keep(asked.uri.path(), &Answer::new(StatusCode::OK).with("age", &place.to_string()));
            }
            let place = |tag: &Value| -> u64 {
                let kept = memory.recall(&tag_path(asked, tag));
                kept.and_then(|kept| kept.header("age")?.parse().ok()).unwrap_or_default()
            };
            changed(listed(asked, &answer), answer, |a| relisted(a, |tags| tags.sort_by_key(place)))
        })],
    ),
    Defect::new(
        "tags-list-repeats-moved",
        "A tag that was moved is listed once for each manifest that it led to.",
        "tags.ordered",
        &[Seam::Finish(|asked, _, memory, answer| {
            if puts_manifest(asked) && answer.status == StatusCode::CREATED {
                let digest = answer.header("docker-content-digest").unwrap_or_default();
                if memory.count(&format!("{} {digest}", asked.uri.path())) == 1 {
                    memory.count(asked.uri.path());
                }
                let times = memory.count(asked.uri.path());
                memory.keep(asked.uri.path(), &Answer::new(StatusCode::OK).with("age", &times.to_string()));
            }
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |tags| {
                    let twice = |tag: &Value| {
                        let kept = memory.recall(&tag_path(asked, tag));
                        kept.and_then(|kept| kept.header("age")?.parse::<u64>().ok()).is_some_and(|times| times > 2)
                    };
                    let repeated = std::mem::take(tags).into_iter();
                    *tags = repeated.flat_map(|tag| vec![tag.clone(); if twice(&tag) { 2 } else { 1 }]).collect();
                })
            })
        })],
    ),
    Defect::new(
        "tags-list-stale",
        "The list that was given first is given again, whatever was pushed since.",
        "tags.fresh",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !listed(asked, &answer) {
                return answer;
            }
            memory.first(&asked.uri.to_string(), answer)
        })],
    )
    .also(&["tags.gone", "tags.complete"]),
    Defect::new(
        "tags-name-wrong",
        "The list names the repository without its namespace.",
        "tags.form",
        &[Seam::Finish(|asked, _, _, answer| {
            let name = asked.route.repository().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
            changed(listed(asked, &answer), answer, |a| {
                let tags = a.value().map(|value| value["tags"].clone()).unwrap_or_default();
                a.without("content-length").body(json!({ "name": format!("{name}:"), "tags": tags }).to_string())
            })
        })],
    ),
    Defect::new(
        "tags-unknown-repository-500",
        "The tags of a repository that does not exist make the registry fall over.",
        "tags.no-repository",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = lists_tags(asked) && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "tags-emptied-repository-500",
        "The tags of a repository that has none make the registry fall over.",
        "tags.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let repository = asked.route.repository().and_then(|name| view.state.repository(name));
            let wrong = listed(asked, &answer) && repository.is_some_and(|r| r.tags.is_empty());
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "tag-lower-cased",
        "Tags are stored and looked for in lower case.",
        "tags.complete",
        &[
            Seam::Store(|_, right| renamed(right, str::to_ascii_lowercase)),
            Seam::Resolve(|lookup, right| under_name(lookup, right, str::to_ascii_lowercase)),
        ],
    )
    .also(&["tags.complete", "manifest.get.absent"]),
    Defect::new(
        "tag-cut-at-64",
        "Of a tag sixty-four characters are kept.",
        "tags.taken",
        &[Seam::Store(|_, right| renamed(right, cut)), Seam::Resolve(|lookup, right| under_name(lookup, right, cut))],
    ),
    Defect::new(
        "tag-underscore-refused",
        "A tag that begins with an underscore is refused.",
        "tags.taken",
        &[Seam::Accept(|push, right| match push.reference.tag().is_some_and(|tag| tag.starts_with('_')) {
            true => Err(Problem::manifest_invalid("the tag is not allowed")),
            false => right,
        })],
    ),
    Defect::new(
        "tag-like-digest-500",
        "A tag that looks like a digest makes the registry fall over.",
        "tags.taken",
        &[Seam::Accept(|push, right| {
            falls_over(push.reference.tag().is_some_and(|tag| tag.starts_with("sha256-")), right)
        })],
    ),
    Defect::new(
        "tag-hexadecimal-as-digest",
        "A tag of sixty-four hexadecimal digits is looked for among the digests.",
        "tags.taken",
        &[Seam::Resolve(|lookup, right| {
            let hexadecimal = |tag: &str| tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit());
            right.filter(|_| !lookup.reference.tag().is_some_and(hexadecimal))
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "bad-tag-accepted",
        "A tag outside the spec's grammar is acknowledged.",
        "tags.bad-name",
        &[Seam::Finish(|asked, _, _, answer| {
            let reference = asked.route.reference().unwrap_or_default();
            let bad = !reference.contains(':') && !super::super::route::is_tag(reference);
            let location = asked.uri.path().to_owned();
            changed(puts_manifest(asked) && bad, answer, |_| {
                Answer::new(StatusCode::CREATED).with("location", &location)
            })
        })],
    ),
];
