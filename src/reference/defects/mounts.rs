//! Wrong about mounts: what stands in their query, the session that is offered instead, and what becomes of the blob.

use axum::http::Method;

use super::tools::*;

fn mounts(asked: &Asked) -> bool {
    asked.method == Method::POST && matches!(asked.route, Route::Uploads { .. }) && asked.query.get("mount").is_some()
}

/// A mount that is left to an upload.
fn left(asked: &Asked, answer: &Answer) -> bool {
    mounts(asked) && answer.status == StatusCode::ACCEPTED
}

fn digest_of(asked: &Asked) -> Option<Digest> {
    Digest::parse(asked.query.get("mount")?)
}

/// Whether the repository has the blob before it is mounted.
fn is_there(asked: &Asked, view: &View) -> bool {
    let Some((repository, digest)) = asked.route.repository().zip(digest_of(asked)) else { return false };
    view.state.has_blob(repository, &digest)
}

/// The links of a blob in all other repositories.
fn linked_elsewhere(removal: &Removal, digest: &Digest) -> Vec<Write> {
    let others = removal.view.state.repositories.iter().filter(|(name, _)| *name != removal.repository);
    let having = others.filter(|(_, held)| held.blobs.contains_key(digest));
    having.filter_map(|(name, _)| unlink(name, digest.as_str())).collect()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "mount-session-absent",
        "A mount that cannot be done is answered with 202, and no session.",
        "mount.session",
        &[Seam::Finish(|asked, _, _, answer| changed(left(asked, &answer), answer, |a| a.without("location")))],
    ),
    Defect::new(
        "mount-session-of-source",
        "The session that is offered for a mount belongs to the repository that it should have come from.",
        "mount.session",
        &[Seam::Finish(|asked, _, _, answer| {
            let place = answer.header("location").unwrap_or_default();
            let (here, from) = (asked.route.repository().unwrap_or_default(), asked.query.get("from"));
            let moved = from.map(|from| place.replace(here, from));
            match moved.filter(|_| left(asked, &answer)) {
                Some(moved) => answer.with("location", &moved),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "mount-unable-404",
        "A mount that cannot be done is answered with 404.",
        "mount.unable",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = left(asked, &answer) && asked.query.get("from").is_some();
            changed(wrong, answer, |_| Problem::blob_unknown("").into())
        })],
    ),
    Defect::new(
        "mount-anonymous-400",
        "A mount that names no source is refused (https://github.com/quay/quay/pull/899).",
        "mount.anonymous",
        &[Seam::Hear(|asked, _, right| match mounts(asked) && asked.query.get("from").is_none() {
            true => Err(Problem::upload_invalid("from is missing")),
            false => right,
        })],
    ),
    Defect::new(
        "mount-anonymous-201",
        "A mount that names no source is answered with 201, whether anybody has the blob or not.",
        "mount.absent",
        &[Seam::Mount(|blob, right| right || blob.from.is_none())],
    )
    .also(&["mount.honest"]),
    Defect::new(
        "mount-malformed-500",
        "A mount of what is no digest makes the registry fall over.",
        "mount.malformed",
        &[Seam::Hear(|asked, _, right| falls_over(mounts(asked) && digest_of(asked).is_none(), right))],
    ),
    Defect::new(
        "mount-odd-source-500",
        "A mount from what is no name of a repository makes the registry fall over.",
        "mount.malformed",
        &[Seam::Hear(|asked, _, right| {
            let odd = asked.query.get("from").is_some_and(|from| !super::super::route::is_name(from));
            falls_over(mounts(asked) && odd, right)
        })],
    ),
    Defect::new(
        "mount-query-as-it-came",
        "The query of a mount is read as it came: a digest whose colon is percent-encoded is not found.",
        "mount.query",
        &[Seam::Finish(|asked, _, _, answer| {
            let encoded = asked.uri.query().is_some_and(|query| query.contains("mount=sha256%3A"));
            let wrong = mounts(asked) && encoded && answer.status == StatusCode::CREATED;
            changed(wrong, answer, |_| Problem::digest_invalid("the digest is malformed", "").into())
        })],
    ),
    Defect::new(
        "mount-again-500",
        "A mount of a blob that the repository has already makes the registry fall over.",
        "mount.fault",
        &[Seam::Hear(|asked, view, right| falls_over(mounts(asked) && is_there(asked, view), right))],
    ),
    Defect::new(
        "mount-from-itself-loses",
        "A blob that is mounted from its own repository is taken from there.",
        "mount.kept",
        &[Seam::Store(|change, right| match change {
            Change::Mount(blob) if blob.from == Some(blob.repository) => {
                plus(right, unlink(blob.repository, blob.digest.as_str()))
            }
            _ => right,
        })],
    )
    .also(&["mount.honest"]),
    Defect::new(
        "mounted-goes-with-source",
        "A mounted blob is a pointer to its source: it is gone when it is deleted there.",
        "mount.honest",
        &[Seam::Store(|change, right| match deleted(change).map(|removal| (removal, removal.target)) {
            Some((removal, Target::Blob(digest))) => plus(right, linked_elsewhere(removal, digest)),
            _ => right,
        })],
    )
    .also(&["blob.get.served", "blob.head.served"]),
];
