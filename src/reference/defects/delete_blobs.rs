//! Wrong about deletes of blobs.

use axum::http::{Method, StatusCode};

use super::super::question::Removal;
use super::delete::of_absent;
use super::tools::*;

fn deletes_blob(asked: &Asked) -> bool {
    asked.method == Method::DELETE && matches!(asked.route, Route::Blob { .. })
}

fn deleted_blob<'a>(change: &Change<'a>) -> Option<&'a Removal<'a>> {
    deleted(change).filter(|removal| matches!(removal.target, Target::Blob(_)))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "delete-blob-in-every-repository",
        "A blob is deleted from every repository that has it.",
        "blob.get.served",
        &[Seam::Store(|change, right| match deleted_blob(change).map(|removal| (removal, removal.target)) {
            Some((removal, Target::Blob(digest))) => {
                let names = removal.view.state.repositories.keys();
                let drops: Vec<Write> = names.filter_map(|name| unlink(name, digest.as_str())).collect();
                plus(right, drops)
            }
            _ => right,
        })],
    )
    .also(&["blob.head.served"]),
    Defect::new(
        "delete-blob-answers-200",
        "The deletion of a blob is answered with 200.",
        "delete.blob",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_blob(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "delete-blob-405-done",
        "The deletion of a blob is refused with 405, and done.",
        "delete.blob",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_blob(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |_| Problem::unsupported("blobs are not deleted here").into())
        })],
    ),
    Defect::new(
        "delete-blob-absent-202",
        "The deletion of a blob that is not there is acknowledged.",
        "delete.blob-absent",
        &[Seam::Finish(|asked, _, _, answer| {
            of_absent(deletes_blob(asked), answer, |_| Answer::new(StatusCode::ACCEPTED))
        })],
    ),
    Defect::new(
        "deleted-blob-still-served",
        "The deletion of a blob is acknowledged, and the blob stays.",
        "delete.blob-gone",
        &[Seam::Store(|change, right| if deleted_blob(change).is_some() { Vec::new() } else { right })],
    ),
    Defect::new(
        "delete-blob-malformed-500",
        "The deletion of a blob by what is no digest makes the registry fall over.",
        "delete.blob-malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(deletes_no_digest(asked) && answer.status.is_client_error(), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "delete-blob-malformed-202",
        "The deletion of a blob by what is no digest is acknowledged.",
        "delete.blob-malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_no_digest(asked) && answer.status.is_client_error();
            changed(wrong, answer, |_| Answer::new(StatusCode::ACCEPTED))
        })],
    ),
    Defect::new(
        "delete-blob-in-use-500",
        "The deletion of a blob that a manifest names makes the registry fall over.",
        "delete.blob-in-use",
        &[Seam::Delete(|removal, right| falls_over(right.is_ok() && is_in_use(removal), right))],
    ),
    Defect::new(
        "deleted-blob-in-use-still-served",
        "The deletion of a blob that a manifest names is acknowledged, and the blob stays.",
        "blob.get.absent",
        &[Seam::Store(|change, right| match deleted_blob(change) {
            Some(removal) if is_in_use(removal) => Vec::new(),
            _ => right,
        })],
    )
    .also(&["blob.head.absent"]),
    Defect::new(
        "delete-blob-in-use-405-done",
        "The deletion of a blob that a manifest names is refused with 405, and done.",
        "blob.get.served",
        &[Seam::Finish(|asked, view, _, answer| {
            let named = asked.route.repository().and_then(|name| view.state.repository(name));
            let digest = asked.uri.path().rsplit('/').next().unwrap_or_default();
            let used = named.is_some_and(|held| names(held, digest));
            let wrong = deletes_blob(asked) && answer.status == StatusCode::ACCEPTED && used;
            changed(wrong, answer, |_| Problem::unsupported("a manifest names it").into())
        })],
    ),
    Defect::new(
        "delete-blob-never-freed",
        "A blob that a manifest named once is never deleted: 405, for its count does not fall.",
        "delete.blob-freed",
        &[Seam::Delete(|removal, right| {
            let held = removal.view.state.repository(removal.repository);
            let was = held.zip(blob(removal)).is_some_and(|(held, digest)| {
                held.past.gone().any(|(gone, _)| match gone {
                    Gone::Manifest(_, stored) => stored.manifest.blobs.iter().any(|b| b.digest == digest.as_str()),
                    _ => false,
                })
            });
            match was && !is_in_use(removal) {
                true => right.and(Err(Problem::unsupported("a manifest names it"))),
                false => right,
            }
        })],
    ),
    Defect::new(
        "delete-manifest-as-blob-500",
        "The deletion of a manifest's digest as a blob's makes the registry fall over.",
        "delete.blob-in-use",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(deletes_blob(asked) && is_manifest(asked, view), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "deleted-manifest-as-blob-half",
        "The deletion of a manifest's digest as a blob's is acknowledged, and the manifest served by its tags alone.",
        "delete.manifest-as-blob",
        &[Seam::Finish(|asked, view, memory, answer| {
            let path = asked.uri.path();
            if deletes_blob(asked) && is_manifest(asked, view) {
                memory.keep(&path.replace("/blobs/", "/manifests/"), &answer);
                return Answer::new(StatusCode::ACCEPTED);
            }
            let gone = asked.reads() && memory.recall(path).is_some();
            changed(gone, answer, |_| Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into())
        })],
    ),
];

fn deletes_no_digest(asked: &Asked) -> bool {
    deletes_blob(asked) && asked.uri.path().rsplit('/').next().and_then(Digest::parse).is_none()
}

fn blob<'a>(removal: &Removal<'a>) -> Option<&'a Digest> {
    match removal.target {
        Target::Blob(digest) => Some(digest),
        _ => None,
    }
}

/// Whether a manifest of the repository names this blob.
fn names(held: &Repository, digest: &str) -> bool {
    held.manifests.values().any(|stored| stored.manifest.blobs.iter().any(|blob| blob.digest == digest))
}

fn is_in_use(removal: &Removal) -> bool {
    let held = removal.view.state.repository(removal.repository);
    held.zip(blob(removal)).is_some_and(|(held, digest)| names(held, digest.as_str()))
}

fn is_manifest(asked: &Asked, view: &View) -> bool {
    let digest = asked.uri.path().rsplit('/').next().and_then(Digest::parse);
    let held = asked.route.repository().and_then(|name| view.state.repository(name));
    held.zip(digest).is_some_and(|(held, digest)| held.manifests.contains_key(&digest))
}
