//! Wrong about a manifest that is pushed: its answer, its digest, its size, its tag.

use std::time::{Duration, SystemTime};

use axum::http::StatusCode;

use super::tools::*;

fn put_created(asked: &Asked, answer: &Answer) -> bool {
    puts_manifest(asked) && answer.status == StatusCode::CREATED
}

fn problem_of(answer: &Answer, code: &str) -> bool {
    answer.status.is_client_error() && String::from_utf8_lossy(&answer.body.to_bytes()).contains(code)
}

fn put_refused(asked: &Asked, answer: &Answer, code: &str) -> bool {
    puts_manifest(asked) && problem_of(answer, code)
}

/// Whether a push by digest claims another digest than that of its bytes.
fn lies(push: &Push) -> bool {
    push.reference.digest().is_some_and(|claimed| claimed != push.digest)
}

fn reference(asked: &Asked) -> &str {
    asked.route.reference().unwrap_or_default()
}

const LARGE: usize = 512 * 1024;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "put-answers-200",
        "A complete manifest list that is pushed by digest is answered with 200 instead of 201.",
        "manifest.put.created",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = put_created(asked, &answer) && about_list_by_digest(asked, view, &answer);
            changed(wrong && !about_gaps(asked, view, &answer), answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "put-location-absent",
        "The answer to a manifest list that is pushed by digest has no Location.",
        "manifest.put.location",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = put_created(asked, &answer) && about_list_by_digest(asked, view, &answer);
            changed(wrong, answer, |a| a.without("location"))
        })],
    ),
    Defect::new(
        "put-location-of-blob",
        "The Location of a manifest list that is pushed by digest leads to a blob.",
        "manifest.put.location",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = put_created(asked, &answer) && about_list_by_digest(asked, view, &answer);
            let location = answer.header("location").unwrap_or_default().replace("/manifests/", "/blobs/");
            changed(wrong, answer, |a| a.with("location", &location))
        })],
    ),
    Defect::new(
        "put-location-of-first-child",
        "The Location of a manifest list that is pushed by digest leads to its first child.",
        "manifest.put.location",
        &[Seam::Finish(|asked, view, _, answer| {
            match first_child(asked, view, &answer)
                .filter(|_| put_created(asked, &answer) && about_list_by_digest(asked, view, &answer))
            {
                Some(child) => {
                    let repository = asked.route.repository().unwrap_or_default();
                    answer.with("location", &format!("/v2/{repository}/manifests/{}", child.digest))
                }
                None => answer,
            }
        })],
    ),
    Defect::new(
        "put-digest-of-first-child",
        "The answer to a manifest list that is pushed by digest carries its first child's digest.",
        "manifest.put.digest",
        &[Seam::Finish(|asked, view, _, answer| {
            match first_child(asked, view, &answer)
                .filter(|_| put_created(asked, &answer) && about_list_by_digest(asked, view, &answer))
            {
                Some(child) => answer.with("docker-content-digest", &child.digest),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "put-by-digest-unchecked",
        "A manifest is stored under whatever digest the path names.",
        "manifest.put.digest-mismatch",
        &[Seam::Accept(|push, right| if lies(push) { Ok(()) } else { right })],
    ),
    Defect::new(
        "put-by-digest-path-ignored",
        "The digest in the path is ignored: a manifest is stored under its own.",
        "manifest.put.digest-mismatch",
        &[
            Seam::Accept(|push, right| if lies(push) { Ok(()) } else { right }),
            Seam::Store(|change, right| match accepted(change).filter(|push| lies(push)) {
                Some(push) => vec![store_manifest(push)],
                None => right,
            }),
        ],
    ),
    Defect::new(
        "put-digest-mismatch-500",
        "The wrong digest in the path makes the registry fall over.",
        "manifest.put.digest-mismatch",
        &[Seam::Accept(|push, right| falls_over(lies(push), right))],
    ),
    Defect::new(
        "put-digest-mismatch-code-invalid",
        "The wrong digest in the path is refused with MANIFEST_INVALID.",
        "manifest.put.digest-mismatch-code",
        &[Seam::Accept(|push, right| match right {
            Err(problem) if lies(push) => Err(problem.coded("MANIFEST_INVALID")),
            right => right,
        })],
    ),
    Defect::new(
        "put-by-digest-tags-latest",
        "An index that is pushed by digest is tagged `latest`.",
        "manifest.get.absent",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if is_index(push) && push.reference.digest().is_some() => {
                plus(right, [set_tag(push.repository, "latest", push.digest)])
            }
            _ => right,
        })],
    )
    .also(&["manifest.get.absent"]),
    Defect::new(
        "put-garbage-accepted",
        "A body that is no manifest is acknowledged.",
        "manifest.put.invalid",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = put_refused(asked, &answer, "the manifest is not JSON")
                || put_refused(asked, &answer, "the manifest is not a JSON object");
            changed(wrong, answer, |_| {
                let location =
                    format!("/v2/{}/manifests/{}", asked.route.repository().unwrap_or_default(), reference(asked));
                Answer::new(StatusCode::CREATED).with("location", &location)
            })
        })],
    ),
    Defect::new(
        "put-garbage-500",
        "A body that is no manifest makes the registry fall over.",
        "manifest.put.invalid-answered",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = put_refused(asked, &answer, "the manifest is not");
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-garbage-code-size",
        "The refusal of a body that is no manifest is coded SIZE_INVALID.",
        "error.code.invalid",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = put_refused(asked, &answer, "the manifest is not");
            changed(wrong, answer, |_| Problem::manifest_invalid("what is this?").coded("SIZE_INVALID").into())
        })],
    ),
    Defect::new(
        "put-large-refused",
        "A manifest of more than half a megabyte is refused as too large.",
        "manifest.put.large",
        &[Seam::Accept(|push, right| match push.bytes.len() > LARGE {
            true => Err(Problem::manifest_invalid("the manifest is too large").status(StatusCode::PAYLOAD_TOO_LARGE)),
            false => right,
        })],
    ),
    Defect::new(
        "put-large-cut",
        "Of a manifest of more than half a megabyte only the first half megabyte is stored.",
        "manifest.get.bytes",
        &[Seam::Store(|_, right| {
            let cut = |write| match write {
                Write::Manifest { repository, digest, manifest, bytes } if bytes.len() > LARGE => {
                    Write::Manifest { repository, digest, manifest, bytes: bytes.slice(..LARGE) }
                }
                write => write,
            };
            right.into_iter().map(cut).collect()
        })],
    ),
    Defect::new(
        "put-too-large-500",
        "A manifest above the limit makes the registry fall over.",
        "manifest.put.too-large-fault",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = puts_manifest(asked) && answer.status == StatusCode::PAYLOAD_TOO_LARGE;
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-too-large-400",
        "A manifest above the limit is refused with 400.",
        "manifest.put.too-large",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = puts_manifest(asked) && answer.status == StatusCode::PAYLOAD_TOO_LARGE;
            changed(wrong, answer, |a| a.status(StatusCode::BAD_REQUEST))
        })],
    ),
    Defect::new(
        "put-type-parameters-refused",
        "A Content-Type with parameters is not understood.",
        "manifest.put.type-parameters",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = puts_manifest(asked) && asked.header("content-type").is_some_and(|t| t.contains(';'));
            changed(wrong, answer, |_| Problem::manifest_invalid("the Content-Type is not known").into())
        })],
    ),
    Defect::new(
        "put-malformed-digest-500",
        "A push under a malformed digest makes the registry fall over.",
        "manifest.put.malformed-reference",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = put_refused(asked, &answer, "the digest is malformed");
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "complete-index-refused-at-first",
        "What was stored is seen by the check of children only after a while: a complete manifest list is refused while one of them has only just been pushed.",
        "manifest.put.after-children",
        &[Seam::Accept(|push, right| {
            let children = &push.manifest.children;
            let young = present(push.view, push.repository, children).any(|(_, stored, _)| {
                let age = SystemTime::now().duration_since(stored.since).unwrap_or_default();
                age < Duration::from_secs(3)
            });
            match is_complete(push) && is_docker(push) && young {
                true => Err(Problem::children_unknown(&[children[0].digest.clone()])),
                false => right,
            }
        })],
    ),
];
