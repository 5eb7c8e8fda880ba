//! Wrong about what is not there, and about references that name nothing.

use axum::http::StatusCode;
use serde_json::json;

use super::super::manifest::is_digest;
use super::tools::*;

fn manifest_missing(asked: &Asked, answer: &Answer) -> bool {
    matches!(asked.route, Route::Manifest { .. }) && asked.reads() && answer.status == StatusCode::NOT_FOUND
}

fn blob_missing(asked: &Asked, answer: &Answer) -> bool {
    matches!(asked.route, Route::Blob { .. }) && asked.reads() && answer.status == StatusCode::NOT_FOUND
}

fn reference(asked: &Asked) -> &str {
    asked.route.reference().unwrap_or_default()
}

fn digest_of_blob(asked: &Asked) -> &str {
    match &asked.route {
        Route::Blob { digest, .. } => digest,
        _ => "",
    }
}

fn unknown_repository(asked: &Asked, view: &View) -> bool {
    asked.route.repository().is_some_and(|name| view.state.repository(name).is_none())
}

fn get(asked: &Asked) -> bool {
    asked.method == axum::http::Method::GET
}

fn head(asked: &Asked) -> bool {
    asked.method == axum::http::Method::HEAD
}

/// What begins like a digest and is none.
fn malformed(text: &str) -> bool {
    text.contains(':') && !is_digest(text)
}

pub(super) fn recoded(answer: Answer, code: impl Fn(&str) -> String) -> Answer {
    let mut value = answer.value().unwrap_or_default();
    for entry in value.get_mut("errors").and_then(|errors| errors.as_array_mut()).into_iter().flatten() {
        let now = entry.get("code").and_then(|c| c.as_str()).map(&code);
        if let (Some(map), Some(now)) = (entry.as_object_mut(), now) {
            map.insert("code".into(), json!(now));
        }
    }
    answer.body(value.to_string())
}

fn empty_200() -> Answer {
    Answer::new(StatusCode::OK)
}

/// The tag of the repository that begins as the one asked for, or that it begins with.
fn alike(lookup: &Lookup) -> Option<Served> {
    let asked = lookup.reference.tag()?;
    let tags = &lookup.view.state.repository(lookup.repository)?.tags;
    let (_, digest) = tags.iter().find(|(tag, _)| tag.starts_with(asked) || asked.starts_with(tag.as_str()))?;
    served(lookup.view, lookup.repository, digest)
}

/// Manifests of which the digest is part of the reference asked for.
fn contained(lookup: &Lookup) -> Option<Served> {
    let asked = lookup.reference.as_str();
    let manifests = &lookup.view.state.repository(lookup.repository)?.manifests;
    let digest = manifests.keys().find(|digest| asked.contains(digest.as_str()) && asked != digest.as_str())?;
    served(lookup.view, lookup.repository, digest)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "missing-manifest-403",
        "GET of a manifest that is not there is answered with 403.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = manifest_missing(asked, &answer) && get(asked) && !reference(asked).contains(':');
            changed(wrong, answer, |_| {
                Problem::bad_request("denied").coded("DENIED").status(StatusCode::FORBIDDEN).into()
            })
        })],
    ),
    Defect::new(
        "missing-tag-latest",
        "A tag that is not there is answered with what `latest` leads to.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            right.or_else(|| {
                lookup.reference.tag()?;
                served(lookup.view, lookup.repository, lookup.view.state.tag(lookup.repository, "latest")?)
            })
        })],
    ),
    Defect::new(
        "missing-manifest-code-blob-unknown",
        "A tag that is not there is coded BLOB_UNKNOWN.",
        "error.code.manifest",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = manifest_missing(asked, &answer) && !reference(asked).contains(':');
            changed(wrong, answer, |a| recoded(a, |_| "BLOB_UNKNOWN".into()))
        })],
    ),
    Defect::new(
        "tag-matched-by-prefix",
        "A tag that is not there is answered with one that begins alike.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| right.or_else(|| alike(lookup)))],
    ),
    Defect::new(
        "missing-manifest-200-empty",
        "GET of a digest that is not there, and that no index names, is answered with 200 and no body.",
        "manifest.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let repository = asked.route.repository().unwrap_or_default();
            let child = parents(*view, repository, reference(asked)).next().is_some();
            let wrong = manifest_missing(asked, &answer) && get(asked) && is_digest(reference(asked)) && !child;
            changed(wrong && !unknown_repository(asked, view), answer, |_| empty_200())
        })],
    ),
    Defect::new(
        "unknown-sha512-500",
        "A sha512 digest that is not there makes the registry fall over.",
        "manifest.get.foreign-algorithm",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = manifest_missing(asked, &answer) && reference(asked).starts_with("sha512:");
            changed(wrong, answer, |_| fault().into())
        })],
    )
    .also(&["manifest.get.absent"]),
    Defect::new(
        "foreign-algorithm-500",
        "A digest of an algorithm that the registry does not know makes it fall over.",
        "manifest.get.foreign-algorithm",
        &[Seam::Finish(|asked, _, _, answer| {
            let digest = reference(asked);
            let foreign = is_digest(digest) && !digest.starts_with("sha256:") && !digest.starts_with("sha512:");
            changed(manifest_missing(asked, &answer) && foreign, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "malformed-digest-500",
        "A malformed digest makes the registry fall over.",
        "manifest.get.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = asked.reads() && malformed(reference(asked));
            changed(wrong, answer, |_| fault().into())
        })],
    )
    .also(&["manifest.head.malformed"]),
    Defect::new(
        "malformed-digest-head-500",
        "HEAD of a malformed digest makes the registry fall over.",
        "manifest.head.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = head(asked) && malformed(reference(asked));
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "malformed-blob-digest-500",
        "A malformed digest of a blob makes the registry fall over.",
        "blob.get.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let digest = digest_of_blob(asked);
            let wrong = asked.reads() && !digest.is_empty() && !is_digest(digest);
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "malformed-blob-digest-head-500",
        "HEAD of a blob by a malformed digest makes the registry fall over.",
        "blob.head.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let digest = digest_of_blob(asked);
            changed(head(asked) && !digest.is_empty() && !is_digest(digest), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "malformed-blob-digest-302",
        "Who asks for a blob by what is no digest is sent away, and nowhere.",
        "blob.get.malformed-client",
        &[Seam::Finish(|asked, _, _, answer| {
            let digest = digest_of_blob(asked);
            let wrong = asked.reads() && !digest.is_empty() && !is_digest(digest);
            changed(wrong, answer, |_| Answer::new(StatusCode::FOUND))
        })],
    ),
    Defect::new(
        "malformed-digest-302",
        "Who asks for a manifest by a malformed digest is sent away, and nowhere.",
        "manifest.get.malformed-client",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = asked.reads() && malformed(reference(asked));
            changed(wrong, answer, |_| Answer::new(StatusCode::FOUND))
        })],
    ),
    Defect::new(
        "digest-matched-by-prefix",
        "A reference that contains the digest of a manifest is answered with it.",
        "manifest.get.malformed",
        &[Seam::Resolve(|lookup, right| right.or_else(|| contained(lookup)))],
    )
    .also(&["manifest.head.malformed"]),
    Defect::new(
        "odd-tag-500",
        "A reference that no tag can have makes the registry fall over.",
        "manifest.get.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let text = reference(asked);
            let odd = !text.contains(':') && !text.is_empty() && !super::super::route::is_tag(text);
            changed(asked.reads() && odd, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "unknown-repository-500",
        "A manifest of a repository that does not exist makes the registry fall over.",
        "manifest.get.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = manifest_missing(asked, &answer) && get(asked) && unknown_repository(asked, view);
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "unknown-repository-200-empty",
        "GET of a manifest of a repository that does not exist is answered with 200 and no body.",
        "manifest.get.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = manifest_missing(asked, &answer) && get(asked) && unknown_repository(asked, view);
            changed(wrong, answer, |_| empty_200())
        })],
    ),
    Defect::new(
        "repository-matched-by-prefix",
        "A repository that does not exist is answered with one that its name begins with.",
        "manifest.get.no-repository",
        &[Seam::Resolve(|lookup, right| {
            right.or_else(|| {
                if lookup.view.state.repository(lookup.repository).is_some() {
                    return None;
                }
                let mut all = lookup.view.state.repositories.iter();
                let (name, found) = all.find(|(name, _)| lookup.repository.starts_with(name.as_str()))?;
                let digest = lookup.reference.digest().or_else(|| found.tags.get(lookup.reference.as_str()))?;
                served(lookup.view, name, digest)
            })
        })],
    )
    .also(&["manifest.get.absent"]),
    Defect::new(
        "missing-blob-code-manifest-unknown",
        "A blob that is not there is coded MANIFEST_UNKNOWN.",
        "error.code.blob",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(blob_missing(asked, &answer), answer, |a| recoded(a, |_| "MANIFEST_UNKNOWN".into()))
        })],
    ),
    Defect::new(
        "missing-blob-remembered-empty",
        "A blob that was asked for and was not there is remembered as one without bytes: it is answered with 200 when it \
         is asked for again.",
        "blob.get.absent",
        &[Seam::Finish(|asked, _, memory, answer| {
            let again = blob_missing(asked, &answer) && memory.count(asked.uri.path()) > 1;
            changed(again, answer, |_| empty_200())
        })],
    )
    .also(&["blob.head.absent"]),
    Defect::new(
        "missing-blob-head-200",
        "HEAD of a blob that is not there is answered with 200, unless its repository has an index.",
        "blob.head.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let index = held.is_some_and(|held| held.manifests.values().any(|s| s.manifest.kind == Kind::Index));
            changed(blob_missing(asked, &answer) && head(asked) && !index, answer, |_| empty_200())
        })],
    ),
    Defect::new(
        "missing-blob-500",
        "A blob that is not there, nor elsewhere, makes the registry fall over.",
        "blob.get.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let known = Digest::parse(digest_of_blob(asked)).is_some_and(|d| view.state.blob_anywhere(&d).is_some());
            changed(blob_missing(asked, &answer) && !known, answer, |_| fault().into())
        })],
    )
    .also(&["blob.head.absent"]),
    Defect::new(
        "error-code-lowercase",
        "The code of the error for an unknown tag is in lower case.",
        "error.form",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = unknown_tag(asked, &answer);
            changed(wrong, answer, |a| recoded(a, str::to_ascii_lowercase))
        })],
    ),
    Defect::new(
        "error-code-unlisted",
        "An unknown tag is coded NOT_FOUND, which the spec does not list.",
        "error.form",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = unknown_tag(asked, &answer);
            changed(wrong, answer, |a| recoded(a, |_| "NOT_FOUND".into()))
        })],
    ),
];
