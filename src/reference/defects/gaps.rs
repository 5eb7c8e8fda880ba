//! Wrong about an index with absent children that is accepted.

use axum::http::StatusCode;

use super::tools::*;

fn refuses(wrong: bool, push: &Push, right: Verdict) -> Verdict {
    if wrong { Err(refusal(push)) } else { right }
}

fn all_absent(push: &Push) -> bool {
    has_gaps(push) && push.manifest.children.iter().all(|child| is_absent(push, child))
}

/// The accepted push of an index with gaps.
fn with_gaps<'a>(change: &Change<'a>) -> Option<&'a Push<'a>> {
    accepted(change).filter(|push| has_gaps(push))
}

fn children_of<'a>(push: &'a Push<'a>) -> Vec<(Digest, &'a Stored)> {
    let all = present(push.view, push.repository, &push.manifest.children);
    all.map(|(digest, stored, _)| (digest, stored)).collect()
}

/// A served index of which a child is absent now.
fn is_sparse(lookup: &Lookup, served: &Served) -> bool {
    lookup.view.state.manifest(lookup.repository, &served.digest).is_some_and(|stored| {
        let children = &stored.manifest.children;
        present(lookup.view, lookup.repository, children).count() < children.len()
    })
}

fn has_tag(lookup: &Lookup, digest: &Digest) -> bool {
    lookup.view.state.repository(lookup.repository).is_some_and(|r| r.tags_of(digest).next().is_some())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "sparse-refused-when-none-present",
        "An index of which no child is there is refused, though others with gaps are taken.",
        "index.accept.taken",
        &[Seam::Accept(|push, right| refuses(all_absent(push), push, right))],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-refused-when-last-absent",
        "An index of which only the last child is absent is refused, though others with gaps are taken.",
        "index.accept.taken",
        &[Seam::Accept(|push, right| {
            let last = push.manifest.children.last();
            let wrong = push.missing.len() == 1 && last.is_some_and(|last| is_absent(push, last));
            refuses(wrong && push.manifest.children.len() > 1, push, right)
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-refused-by-digest",
        "An index with gaps is refused by digest, and taken by tag.",
        "index.accept.taken",
        &[Seam::Accept(|push, right| refuses(has_gaps(push) && push.reference.digest().is_some(), push, right))],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-accepted-then-lost",
        "A manifest list with gaps is acknowledged and not stored.",
        "index.accept.kept",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) if is_docker(push) => Vec::new(),
            _ => right,
        })],
    )
    .also(&["manifest.get.served", "manifest.put.location"])
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-put-answers-202",
        "A manifest list with gaps that is pushed by digest is acknowledged with 202 instead of 201.",
        "index.accept.taken",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = puts_manifest(asked)
                && answer.status == StatusCode::CREATED
                && about_gaps(asked, view, &answer)
                && about_list_by_digest(asked, view, &answer);
            changed(wrong, answer, |a| a.status(StatusCode::ACCEPTED))
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-drops-children",
        "When an index with gaps is stored of which several children are there, the first of them is dropped.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) => {
                let there = children_of(push);
                let first = there.first().filter(|_| there.len() > 1);
                plus(right, first.map(|(digest, _)| drop_manifest(push.repository, digest)))
            }
            None => right,
        })],
    )
    .also(&["client.ends"])
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-drops-last-layer",
        "When an index with gaps is stored, the last layer of each child that is there is dropped.",
        "blob.get.served",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) => {
                let last = |stored: &Stored| unlink(push.repository, &stored.manifest.blobs.last()?.digest);
                plus(right, children_of(push).into_iter().filter_map(|(_, stored)| last(stored)))
            }
            None => right,
        })],
    )
    .also(&["client.ends"])
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-lost-by-digest",
        "A manifest list with gaps that has a tag is not found by its digest.",
        "index.accept.kept",
        &[Seam::Resolve(|lookup, right| {
            let lost = |served: &Served| {
                lookup.reference.digest().is_some()
                    && is_docker_type(&served.media_type)
                    && is_sparse(lookup, served)
                    && has_tag(lookup, &served.digest)
            };
            right.filter(|served| !lost(served))
        })],
    )
    .also(&["manifest.put.location", "index.accept.kept", "late.index.unchanged"])
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-lost-by-tag",
        "A manifest list with gaps that is pushed by tag is stored under its digest; the tag is not set.",
        "index.accept.kept",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) if is_docker(push) && all_absent(push) => {
                right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect()
            }
            _ => right,
        })],
    )
    .also(&["late.index.unchanged"])
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-retags-children",
        "When an index with gaps is tagged, the tags of its children are set to it.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) => {
                let repository = push.view.state.repository(push.repository);
                let children = children_of(push);
                let tags = repository.into_iter().flat_map(|r| &r.tags);
                let theirs = tags.filter(|(_, digest)| children.iter().any(|(child, _)| child == *digest));
                plus(right, theirs.map(|(tag, _)| set_tag(push.repository, tag, push.digest)))
            }
            None => right,
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "sparse-head-404",
        "HEAD of a manifest list with gaps is answered with 404, GET with 200.",
        "manifest.head.served",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = heads_manifest(asked)
                && answer.status == StatusCode::OK
                && about_gaps(asked, view, &answer)
                && about_docker(asked, view, &answer);
            changed(wrong, answer, |_| Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    )
    .also(&["manifest.head.as-get"])
    .when(stances::ACCEPT),
    Defect::new(
        "wide-index-refused",
        "An index of more than sixty-four children is refused.",
        "index.shape.taken",
        &[Seam::Accept(|push, right| match push.manifest.children.len() > 64 {
            true => Err(Problem::manifest_invalid("an index has at most 64 children")),
            false => right,
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "gap-has-one-parent",
        "What is missing is noted with the index that names it, once: the first of two that name it is replaced by the second.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match with_gaps(change) {
            Some(push) => {
                let named = push.missing.iter().flat_map(|gap| parents(push.view, push.repository, &gap.digest));
                let others = named.map(|(digest, _)| digest).filter(|digest| *digest != push.digest);
                plus(right, others.map(|digest| drop_manifest(push.repository, digest)).collect::<Vec<_>>())
            }
            None => right,
        })],
    )
    .also(&["client.ends", "late.index.unchanged", "index.accept.kept"])
    .when(stances::ACCEPT),
];
