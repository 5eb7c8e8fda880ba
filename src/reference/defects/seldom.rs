//! Wrong about what is seldom asked for: what is large, or by sha512, or deep, or comes by a filter or a page after a change.

use std::collections::BTreeSet;

use axum::http::Method;

use super::gc_tools::*;
use super::referrers::with_what_a_filter_drops;
use super::sessions::let_through;

/// More bytes than the buffers of most have.
const LARGE: u64 = 1 << 20;

/// A whole blob that is larger than that, by GET or by HEAD.
fn serves_large(asked: &Asked, answer: &Answer, method: &Method) -> bool {
    let whole = matches!(asked.route, Route::Blob { .. }) && answer.status == StatusCode::OK;
    whole && asked.method == *method && length(answer) > LARGE
}

fn length(answer: &Answer) -> u64 {
    let said = answer.header("content-length").and_then(|text| text.parse().ok());
    said.unwrap_or_else(|| answer.body.length())
}

fn is_sha512(digest: &str) -> bool {
    digest.starts_with("sha512:")
}

/// The indexes of a repository that name one of its other indexes, which names this manifest.
fn is_below_two(held: &Repository, digest: &Digest) -> bool {
    let naming = |digest: &Digest| -> Vec<Digest> {
        held.manifests.iter().filter(|(_, stored)| names(stored, digest)).map(|(index, _)| index.clone()).collect()
    };
    naming(digest).iter().any(|inner| !naming(inner).is_empty())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "large-blob-cut",
        "Of a blob larger than a mebibyte the first mebibyte is served.",
        "blob.get.bytes",
        &[Seam::Finish(|asked, _, _, answer| match serves_large(asked, &answer, &Method::GET) {
            true => Answer { body: answer.body.clone().slice(0, LARGE), ..answer.without("content-length") },
            false => answer,
        })],
    ),
    Defect::new(
        "large-blob-head-length-wraps",
        "HEAD of a blob larger than a mebibyte says its length without what is above that.",
        "blob.head.length",
        &[Seam::Finish(|asked, _, _, answer| {
            let short = (length(&answer) % LARGE).to_string();
            changed(serves_large(asked, &answer, &Method::HEAD), answer, |a| a.with("content-length", &short))
        })],
    ),
    Defect::new(
        "large-digest-unchecked",
        "The digest of an upload of more than a mebibyte is never computed.",
        "upload.digest-mismatch",
        &[Seam::Close(|closing, right| let_through(closing.length > LARGE, right))],
    ),
    Defect::new(
        "range-of-sha512-from-the-start",
        "A slice of a blob by sha512 has as many bytes from its start.",
        "blob.range.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let Route::Blob { repository, digest } = &asked.route else { return answer };
            let whole = Digest::parse(digest).filter(|digest| view.state.has_blob(repository, digest));
            let whole = whole.and_then(|digest| view.content.body(&digest));
            match whole.filter(|_| is_sha512(digest) && answer.status == StatusCode::PARTIAL_CONTENT) {
                Some(whole) => Answer { body: whole.slice(0, answer.body.length()), ..answer },
                None => answer,
            }
        })],
    ),
    Defect::new(
        "mount-sha512-location",
        "The Location of a blob that was mounted by sha512 names it by sha256.",
        "mount.location",
        &[Seam::Finish(|asked, _, _, answer| {
            let mounted = asked.query.get("mount").is_some_and(is_sha512) && answer.status == StatusCode::CREATED;
            let location = answer.header("location").unwrap_or_default().replace("sha512:", "sha256:");
            changed(mounted, answer, |a| a.with("location", &location))
        })],
    ),
    Defect::new(
        "if-none-match-list-304",
        "Of a list in If-None-Match any digest that the repository has is taken for the one that is asked for.",
        "manifest.get.conditional",
        &[Seam::Finish(|asked, view, _, answer| {
            let list = asked.header("if-none-match").filter(|list| list.contains(','));
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let there = list.zip(held).is_some_and(|(list, held)| {
                list.split(',').any(|tag| has(held, tag.trim().trim_start_matches("W/").trim_matches('"')))
            });
            let wrong = there && gets_manifest(asked) && answer.status == StatusCode::OK;
            changed(wrong, answer, |_| Answer::new(StatusCode::NOT_MODIFIED))
        })],
    ),
    Defect::new(
        "pages-of-tags-stale",
        "A tag that was deleted is on a page still; only the whole list is without it.",
        "tags.gone",
        &[Seam::List(|listing, right| {
            let held = listing.view.state.repository(listing.repository).filter(|_| listing.n.is_some());
            let gone = held.into_iter().flat_map(|held| held.past.gone()).filter_map(|(gone, _)| match gone {
                Gone::Tag(tag, _) => Some(tag.clone()),
                _ => None,
            });
            right.into_iter().chain(gone).collect::<BTreeSet<String>>().into_iter().collect()
        })],
    )
    .also(&["tags.no-phantom", "tags.fresh"]),
    Defect::new(
        "tags-cut-at-a-thousand",
        "A list has a thousand tags at most, and no Link.",
        "tags.complete",
        &[Seam::List(|_, right| right.into_iter().take(1000).collect())],
    ),
    Defect::new(
        "referrers-filter-by-prefix",
        "A filter finds whatever type begins with the one that is asked for.",
        "referrers.filter-honest",
        &[Seam::Finish(|asked, view, _, answer| {
            let wanted = asked.query.get("artifactType").unwrap_or_default();
            let longer = |stored: &Stored| {
                let own = stored.manifest.artifact_type.as_deref();
                own.is_some_and(|own| own != wanted && own.starts_with(wanted))
            };
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            match !wanted.is_empty() && held.is_some_and(|held| held.manifests.values().any(longer)) {
                true => with_what_a_filter_drops(asked, view, answer),
                false => answer,
            }
        })],
    ),
    Defect::new(
        "referrers-filtered-stale",
        "A list that was filtered once is given again as it was, whatever was deleted since.",
        "referrers.gone",
        &[Seam::Finish(|asked, _, memory, answer| {
            let filtered = matches!(asked.route, Route::Referrers { .. }) && asked.query.get("artifactType").is_some();
            match filtered && answer.status == StatusCode::OK {
                true => memory.first(&asked.uri.to_string(), answer),
                false => answer,
            }
        })],
    )
    .also(&["referrers.filter-kept"]),
    Defect::new(
        "referrers-of-sha512-none",
        "What refers to a subject by sha512 is not found.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| if is_sha512(lookup.reference.as_str()) { Vec::new() } else { right })],
    ),
    Defect::new(
        "inner-index-from-elsewhere",
        "An index that an index with a gap names is served from whichever repository has it.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            let digest = lookup.reference.digest();
            let named =
                digest.is_some_and(|digest| parents(lookup.view, lookup.repository, digest.as_str()).next().is_some());
            let found = || {
                let digest = digest.filter(|_| named)?;
                let mut others = lookup.view.state.repositories.iter();
                let has = |held: &Repository| held.manifests.get(digest).is_some_and(is_stored_index);
                let (name, _) = others.find(|(_, held)| has(held))?;
                served(lookup.view, name, digest)
            };
            right.or_else(found)
        })],
    )
    .also(&["manifest.head.absent"]),
    Defect::new(
        "late-leaf-404",
        "An image that came after the inner index which names it is 404 where an outer index names that.",
        "late.child.served",
        &[Seam::Resolve(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository);
            let leaf = held.zip(lookup.reference.digest());
            let late = leaf.is_some_and(|(held, digest)| is_late(held, digest) && is_below_two(held, digest));
            right.filter(|_| !late)
        })],
    ),
    Defect::new(
        "child-deletion-takes-untagged-index",
        "With a child that is deleted goes each index that names it and has no tag.",
        "delete.child-index-kept",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) => {
                let held = removal.view.state.repository(removal.repository);
                let naming = parents(removal.view, removal.repository, digest.as_str());
                let untagged = naming.filter(|(index, _)| held.is_some_and(|held| !tagged(held, index)));
                let gone = untagged.map(|(index, _)| drop_manifest(removal.repository, index)).collect::<Vec<_>>();
                plus(right, gone)
            }
            None => right,
        })],
    ),
    Defect::new(
        "outer-deletion-takes-inner",
        "With an index that is deleted go the indexes that it names, their tags too.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) => {
                let held = removal.view.state.repository(removal.repository);
                let below = held.and_then(|held| held.manifests.get(digest)).into_iter().flat_map(|outer| {
                    present(removal.view, removal.repository, &outer.manifest.children)
                        .filter(|(_, stored, _)| is_stored_index(stored))
                        .flat_map(|(inner, ..)| {
                            let tags = held.into_iter().flat_map(|held| held.tags_of(&inner).collect::<Vec<_>>());
                            let untagged: Vec<Write> = tags.map(|tag| untag(removal.repository, tag)).collect();
                            plus(untagged, [drop_manifest(removal.repository, &inner)])
                        })
                        .collect::<Vec<_>>()
                });
                let below: Vec<Write> = below.collect();
                plus(right, below)
            }
            None => right,
        })],
    ),
];
