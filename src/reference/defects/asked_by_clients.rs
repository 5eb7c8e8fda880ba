//! Wrong about what clients of registries ask in their own ways: what their authors test, and work around.

use super::gc_tools::*;

/// The digest of no bytes.
const OF_NOTHING: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A POST that begins an upload, or asks for a mount.
fn begins(asked: &Asked) -> bool {
    asked.method == axum::http::Method::POST && matches!(asked.route, Route::Uploads { .. })
}

fn lists_referrers(asked: &Asked) -> bool {
    asked.reads() && matches!(asked.route, Route::Referrers { .. })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "delete-digest-of-nothing",
        "The answer to a deletion has the digest of its body, which has no bytes.",
        "delete.digest",
        &[Seam::Finish(|asked, _, _, answer| {
            let by_digest = match &asked.route {
                Route::Blob { .. } => true,
                Route::Manifest { reference, .. } => reference.contains(':'),
                _ => false,
            };
            let done = asked.method == axum::http::Method::DELETE && answer.status == StatusCode::ACCEPTED;
            changed(done && by_digest, answer, |a| a.with("docker-content-digest", OF_NOTHING))
        })],
    ),
    Defect::new(
        "referrers-of-unknown-repository-miscoded",
        "That nobody knows a repository is told of its referrers as if a manifest were missing: clients take it for a registry \
         that has no referrers API (https://github.com/oras-project/oras-go).",
        "referrers.no-repository-code",
        &[Seam::Finish(|asked, view, _, answer| {
            let unknown = asked.route.repository().is_some_and(|name| view.state.repository(name).is_none());
            changed(lists_referrers(asked) && unknown, answer, |_| Problem::manifest_unknown("").into())
        })],
    ),
    Defect::new(
        "referrers-digest-of-subject",
        "A list of referrers has the digest of their subject, not its own.",
        "referrers.digest",
        &[Seam::Finish(|asked, _, _, answer| {
            let Route::Referrers { digest, .. } = &asked.route else { return answer };
            let listed = lists_referrers(asked) && answer.status == StatusCode::OK;
            changed(listed, answer, |a| a.with("docker-content-digest", digest))
        })],
    ),
    Defect::new(
        "token-by-first-scope-of-a-repository",
        "Of two scopes of one repository the first alone is put into the token.",
        "token.opens",
        &[Seam::Grant(|granting, right| {
            let again =
                granting.wanted.iter().enumerate().find(|(place, scope)| granting.wanted[..*place].contains(scope));
            let first = again.map_or(granting.wanted, |(place, _)| &granting.wanted[..place]);
            right.into_iter().filter(|scope| first.contains(scope)).collect()
        })],
    )
    .also(&["auth.kept"]),
    Defect::new(
        "token-without-delete",
        "A token that was asked for with the action `delete` too lets nobody delete.",
        "token.opens",
        &[Seam::Grant(|_, right| right.into_iter().filter(|scope| !scope.ends_with(":delete")).collect())],
    ),
    Defect::new(
        "deleted-manifest-takes-what-its-tag-led-to",
        "With a manifest that is deleted goes whatever its tags led to before it.",
        "delete.tag-only",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) => {
                let held = removal.view.state.repository(removal.repository);
                let before = held.into_iter().flat_map(|held| {
                    let its = |tag: &String| held.tags.get(tag) == Some(digest);
                    held.past.gone().filter_map(move |(gone, _)| match gone {
                        Gone::Tag(tag, before) if its(tag) => Some(drop_manifest(removal.repository, before)),
                        _ => None,
                    })
                });
                plus(right, before.collect::<Vec<_>>())
            }
            None => right,
        })],
    )
    .also(&["manifest.get.served"]),
    Defect::new(
        "second-stream-500",
        "A second chunk without Content-Range makes the registry fall over: it does not know that there was a first.",
        "upload.stream",
        &[Seam::Append(|chunk, right| falls_over(!chunk.closing && chunk.range.is_none() && chunk.have > 0, right))],
    ),
    Defect::new(
        "chunked-chunk-500",
        "A chunk of an upload that comes in the chunked coding, without its length, makes the registry fall over.",
        "upload.stream",
        &[Seam::Hear(|asked, _, right| {
            let chunk = asked.method == axum::http::Method::PATCH && matches!(asked.route, Route::Upload { .. });
            falls_over(chunk && asked.header("transfer-encoding").is_some(), right)
        })],
    )
    .also(&["http.chunked.stream"]),
    Defect::new(
        "mount-with-origin-left-to-upload",
        "A mount whose query says from which registry the blob comes is left to an upload.",
        "mount.query",
        &[Seam::Finish(|asked, _, _, answer| {
            let mounted = begins(asked) && answer.status == StatusCode::CREATED;
            changed(mounted && asked.query.get("origin").is_some(), answer, |a| a.status(StatusCode::ACCEPTED))
        })],
    ),
    Defect::new(
        "upload-begun-by-type",
        "A POST that says that its body, which has no bytes, is JSON is answered with 415.",
        "upload.json-said",
        &[Seam::Hear(|asked, _, right| {
            match begins(asked) && asked.header("content-type") == Some("application/json") {
                true => Err(Problem::bad_request("not this type").status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
                false => right,
            }
        })],
    ),
    Defect::new(
        "lists-406-for-their-type",
        "A list that is asked for by its own type is answered with 406.",
        "tags.listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let types = asked.accepts();
            let own = types == ["application/json"] || types == ["application/vnd.oci.image.index.v1+json"];
            let list = lists_tags(asked) || lists_referrers(asked);
            changed(list && own, answer, |a| a.status(StatusCode::NOT_ACCEPTABLE))
        })],
    )
    .also(&["referrers.listed"]),
    Defect::new(
        "query-tags-sha256-only",
        "The tags in the query of a push by sha512 are said and not set.",
        "manifest.put.tags-true",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if push.digest.as_str().starts_with("sha512:") && by_digest(push) => {
                right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect()
            }
            _ => right,
        })],
    ),
    Defect::new(
        "digest-algorithm-sha512-500",
        "An upload that is begun for sha512 makes the registry fall over.",
        "upload.digest-algorithm-unknown",
        &[Seam::Hear(|asked, _, right| {
            falls_over(begins(asked) && asked.query.get("digest-algorithm") == Some("sha512"), right)
        })],
    ),
    Defect::new(
        "referrers-put-500",
        "A referrer that is to be put into the list by itself, by POST, PUT or PATCH, makes the registry fall over.",
        "http.method.answered",
        &[Seam::Finish(|asked, _, _, answer| {
            let puts = !asked.reads() && matches!(asked.route, Route::Referrers { .. });
            changed(puts, answer, |_| fault().into())
        })],
    ),
];
