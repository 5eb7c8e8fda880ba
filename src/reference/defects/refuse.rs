//! Wrong about the refusal of an index, or an image, of which something is absent.

use axum::http::StatusCode;

use super::super::config::Stance;
use super::tools::*;

/// The refusal of a manifest list, changed.
fn of_index(push: &Push, right: Verdict, change: impl FnOnce(Problem) -> Problem) -> Verdict {
    if is_index(push) && is_docker(push) { refused_otherwise(right, change) } else { right }
}

/// The same, where the index is pushed by digest.
fn overlooks_by_digest(push: &Push, right: Verdict, overlooked: impl Fn(&Descriptor) -> bool) -> Verdict {
    if by_digest(push) { overlooks(push, right, overlooked) } else { right }
}

/// A refusal that is none where `overlooked` holds of every absent child.
fn overlooks(push: &Push, right: Verdict, overlooked: impl Fn(&Descriptor) -> bool) -> Verdict {
    match is_index(push) && is_refused(&right) && push.missing.iter().all(overlooked) {
        true => Ok(()),
        false => right,
    }
}

fn absent_blobs(push: &Push) -> (bool, bool) {
    let config = push.manifest.blobs.first().is_some_and(|config| is_absent(push, config));
    let layer = push.manifest.blobs.iter().skip(1).any(|layer| is_absent(push, layer));
    (push.manifest.kind == Kind::Image && config, push.manifest.kind == Kind::Image && layer)
}

fn is_nested(child: &Descriptor) -> bool {
    child.media_type.ends_with("image.index.v1+json") || child.media_type.contains(".list.")
}

/// Blobs that no manifest of the repository names.
fn has_loose_blobs(push: &Push) -> bool {
    let Some(repository) = push.view.state.repository(push.repository) else { return false };
    let named: Vec<&str> = repository
        .manifests
        .values()
        .flat_map(|stored| stored.manifest.blobs.iter().chain(&stored.manifest.children))
        .map(|descriptor| descriptor.digest.as_str())
        .collect();
    repository.blobs.keys().any(|blob| !named.contains(&blob.as_str()))
}

fn counts_differ(push: &Push) -> bool {
    let mut digests: Vec<&str> = push.manifest.children.iter().map(|child| child.digest.as_str()).collect();
    let all = digests.len();
    digests.sort_unstable();
    digests.dedup();
    digests.len() != all
}

/// The answer to a push that was refused for something absent.
fn put_refused(asked: &Asked, answer: &Answer) -> bool {
    puts_manifest(asked)
        && answer.status.is_client_error()
        && String::from_utf8_lossy(&answer.body.to_bytes()).contains("MANIFEST_BLOB_UNKNOWN")
}

/// The error's first entry in place of the list.
fn without_list(answer: Answer) -> Answer {
    let first = answer.value().and_then(|mut value| value.get_mut("errors")?.as_array_mut()?.pop());
    answer.body(serde_json::json!({ "errors": first }).to_string())
}

fn pushes_image(asked: &Asked) -> bool {
    asked.header("content-type").is_some_and(|t| t.contains("manifest.v"))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "refuse-with-500-when-all-absent",
        "An index of which no child is there, pushed by digest, makes the registry fall over.",
        "index.refuse.status",
        &[Seam::Accept(|push, right| {
            let all = push.manifest.children.iter().all(|child| is_absent(push, child));
            falls_over(has_gaps(push) && by_digest(push) && all && is_refused(&right), right)
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-with-500",
        "An index of which some children are there and some are absent, pushed by digest, makes the registry fall over.",
        "index.refuse.status",
        &[Seam::Accept(|push, right| {
            let some = push.manifest.children.iter().any(|child| !is_absent(push, child));
            falls_over(has_gaps(push) && by_digest(push) && some && is_refused(&right), right)
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-with-500-when-many",
        "The list of a hundred absent children and more makes the registry fall over.",
        "index.refuse.status",
        &[Seam::Accept(|push, right| falls_over(push.missing.len() >= 100 && is_refused(&right), right))],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-code-manifest-invalid",
        "The refusal of a manifest list for absent children is coded MANIFEST_INVALID.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| of_index(push, right, |p| p.coded("MANIFEST_INVALID")))],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-code-manifest-unknown",
        "The refusal of a manifest list for absent children is 404 and coded MANIFEST_UNKNOWN.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| {
            of_index(push, right, |p| p.coded("MANIFEST_UNKNOWN").status(StatusCode::NOT_FOUND))
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-code-blob-unknown",
        "The refusal of a manifest list for absent children is coded BLOB_UNKNOWN.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| of_index(push, right, |p| p.coded("BLOB_UNKNOWN")))],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-without-detail",
        "The refusal of a manifest list does not say which children are absent.",
        "index.refuse.detail",
        &[Seam::Accept(|push, right| {
            of_index(push, right, |mut problem| {
                problem.entries.iter_mut().for_each(|entry| entry.detail = serde_json::Value::Null);
                problem
            })
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-without-body",
        "The refusal of a manifest list has no body.",
        "index.refuse.code",
        &[Seam::Finish(|asked, _, _, answer| {
            let list = asked.header("content-type").is_some_and(|t| t.contains(".manifest.list."));
            changed(put_refused(asked, &answer) && list, answer, |a| {
                a.without("content-type").without("content-length").body("")
            })
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-nested-code-unknown",
        "The refusal for an absent child that is an index is coded MANIFEST_UNKNOWN.",
        "index.refuse.code",
        &[Seam::Accept(|push, right| match push.missing.iter().any(is_nested) {
            true => refused_otherwise(right, |problem| problem.coded("MANIFEST_UNKNOWN")),
            false => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-names-first-only",
        "The refusal of a manifest list names the first absent child alone.",
        "index.refuse.detail",
        &[Seam::Accept(|push, right| {
            of_index(push, right, |mut problem| {
                problem.entries.truncate(1);
                problem
            })
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "refuse-only-first-checked",
        "Of an index that is pushed by digest only the first child is looked for.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| {
            let first = push.manifest.children.first().map(|child| child.digest.clone());
            overlooks_by_digest(push, right, |missing| Some(&missing.digest) != first.as_ref())
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-unless-last-absent",
        "The last child of an index that is pushed by digest is never looked for.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| {
            let last = push.manifest.children.last().map(|child| child.digest.clone());
            overlooks_by_digest(push, right, |missing| Some(&missing.digest) == last.as_ref())
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-nested-unchecked",
        "Children that are indexes are never looked for.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| overlooks(push, right, is_nested))],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-unmarked-unchecked",
        "Children without platform are never looked for.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| overlooks(push, right, |child| child.platform.is_none()))],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-by-platform",
        "An absent child counts as there where another of its operating system and architecture is.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| {
            let there: Vec<String> = present(push.view, push.repository, &push.manifest.children)
                .filter_map(|(.., child)| child.platform.as_deref().map(without_variant))
                .collect();
            overlooks(push, right, |child| {
                child.platform.as_deref().is_some_and(|platform| there.contains(&without_variant(platform)))
            })
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-satisfied-by-layers",
        "Blobs that no manifest names are taken for an image that is being pushed: absent children are forgiven.",
        "index.refuse.consistent",
        &[Seam::Accept(|push, right| {
            let forgiven = has_loose_blobs(push);
            overlooks(push, right, |_| forgiven)
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "refuse-counts-entries",
        "The children found are counted against the entries: an index that names one twice is never complete.",
        "index.refuse.until-complete",
        &[Seam::Accept(|push, right| {
            let wrong = push.view.config.stance == Stance::Refuse && is_complete(push) && counts_differ(push);
            match wrong {
                true => Err(Problem::children_unknown(&[push.manifest.children[0].digest.clone()])),
                false => right,
            }
        })],
    )
    .also(&["index.shape.taken"])
    .when(stances::REFUSE),
    Defect::new(
        "refuse-tagged-children-overlooked",
        "A child that has a tag is not found by its digest when an index is checked.",
        "index.refuse.until-complete",
        &[Seam::Present(|wanted, right| {
            let tagged = Digest::parse(&wanted.descriptor.digest).is_some_and(|digest| {
                let repository = wanted.view.state.repository(wanted.repository);
                repository.is_some_and(|r| r.tags_of(&digest).next().is_some())
            });
            right && !tagged
        })],
    )
    .when(stances::REFUSE),
    Defect::new(
        "image-refuse-code-invalid",
        "An image of which the config or a layer is absent is refused with MANIFEST_INVALID.",
        "image.refuse.code",
        &[Seam::Accept(|push, right| match absent_blobs(push) {
            (true, _) | (_, true) => Err(Problem::manifest_invalid("a layer is unknown")),
            _ => right,
        })],
    ),
    Defect::new(
        "image-sparse-500",
        "An image of which a layer is absent makes the registry fall over.",
        "image.sparse.answered",
        &[Seam::Accept(|push, right| falls_over(absent_blobs(push).1, right))],
    ),
    Defect::new(
        "image-refused-for-ever",
        "An image that was refused for an absent layer is refused again once the layer is there.",
        "manifest.put.created",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !puts_manifest(asked) || !pushes_image(asked) {
                return answer;
            }
            if put_refused(asked, &answer) {
                memory.keep(asked.uri.path(), &answer);
            }
            memory.recall(asked.uri.path()).unwrap_or(answer)
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "error-body-text",
        "Errors are explained in plain text.",
        "error.json",
        &[Seam::Finish(|_, _, _, answer| {
            changed(answer.status.is_client_error(), answer, |a| {
                a.with("content-type", "text/plain; charset=utf-8").without("content-length").body("not possible\n")
            })
        })],
    ),
    Defect::new(
        "error-body-not-list",
        "`errors` of the error for an unknown tag is an object, not a list.",
        "error.form",
        &[Seam::Finish(|asked, _, _, answer| changed(unknown_tag(asked, &answer), answer, without_list))],
    ),
    Defect::new(
        "gap-error-not-list",
        "`errors` of the error for an absent child of a manifest list is an object, not a list.",
        "error.form",
        &[Seam::Finish(|asked, view, _, answer| {
            let named = asked.route.repository().zip(asked.route.reference());
            let mut lists = named.into_iter().flat_map(|(name, digest)| parents(*view, name, digest));
            let gap = lists.any(|(_, stored)| is_docker_type(&stored.manifest.media_type));
            let wrong = gets_manifest(asked) && gap && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, without_list)
        })],
    ),
    Defect::new(
        "refuse-body-not-list",
        "`errors` of the refusal of an index is an object, not a list.",
        "error.form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(put_refused(asked, &answer) && !pushes_image(asked), answer, without_list)
        })],
    )
    .when(stances::NOT_ACCEPT),
];
