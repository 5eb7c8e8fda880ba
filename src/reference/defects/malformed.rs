//! Wrong about what is not as it should be: descriptors without digest, foreign types, digests of other algorithms.

use super::super::manifest::is_digest;
use super::tools::*;

fn reference(asked: &Asked) -> &str {
    asked.route.reference().unwrap_or_default()
}

/// A push that was refused with this in its message.
fn refused_for(asked: &Asked, answer: &Answer, why: &str) -> bool {
    let said = || String::from_utf8_lossy(&answer.body.to_bytes()).contains(why);
    puts_manifest(asked) && answer.status.is_client_error() && said()
}

/// What acknowledges a push that nobody stored.
fn acknowledged(asked: &Asked) -> Answer {
    let location = format!("/v2/{}/manifests/{}", asked.route.repository().unwrap_or_default(), reference(asked));
    Answer::new(StatusCode::CREATED).with("location", &location)
}

/// A well-formed digest of an algorithm that the registry does not have.
fn is_foreign(digest: &str) -> bool {
    is_digest(digest) && Digest::parse(digest).is_none()
}

fn blob_digest(asked: &Asked) -> &str {
    match &asked.route {
        Route::Blob { digest, .. } => digest,
        _ => "",
    }
}

/// Whether a manifest says another type than the one that it came with, and lacks nothing.
fn is_mismatched(push: &Push) -> bool {
    push.manifest.said.is_some() && push.missing.is_empty()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "put-schema-version-500",
        "A manifest whose schemaVersion is not 2 goes to a parser that is long gone: the registry falls over.",
        "manifest.put.shape-answered",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_for(asked, &answer, "schemaVersion is not 2"), answer, |_| fault().into())
        })],
    )
    .also(&["manifest.put.invalid-answered"]),
    Defect::new(
        "put-descriptor-digest-500",
        "The digest of a descriptor is cut at its colon without looking: one that is none makes the registry fall over.",
        "manifest.put.bad-descriptor",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = refused_for(asked, &answer, "is not a digest");
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-descriptor-digest-unchecked",
        "A manifest with a descriptor whose digest is none is acknowledged.",
        "manifest.put.bad-descriptor-refused",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = refused_for(asked, &answer, "is not a digest");
            changed(wrong, answer, |_| acknowledged(asked))
        })],
    ),
    Defect::new(
        "put-descriptor-size-500",
        "A descriptor whose size is no natural number makes the registry fall over.",
        "manifest.put.shape-answered",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(refused_for(asked, &answer, "needs a `size`"), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-null-member-500",
        "A member of a manifest that is null or of another kind than it should be makes the registry fall over.",
        "manifest.put.shape-answered",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = ["is not a list", "needs a `digest`"].iter().any(|why| refused_for(asked, &answer, why));
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-type-mismatch-answered-500",
        "An image under an index's type, or an index under an image's, is read as what it is not: the registry falls over.",
        "manifest.put.type-mismatch",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = ["an index needs", "an image needs"].iter().any(|why| refused_for(asked, &answer, why));
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-type-mismatch-500",
        "A manifest whose mediaType is not its Content-Type makes the registry fall over.",
        "manifest.put.type-mismatch",
        &[Seam::Accept(|push, right| falls_over(push.manifest.said.is_some(), right))],
    ),
    Defect::new(
        "put-type-mismatch-served-as-json",
        "A manifest whose mediaType is not its Content-Type is stored, and served as plain JSON.",
        "manifest.get.type",
        &[
            Seam::Accept(|push, right| if is_mismatched(push) { Ok(()) } else { right }),
            Seam::Resolve(|lookup, right| {
                let found = right?;
                let stored = lookup.view.state.manifest(lookup.repository, &found.digest);
                Some(match stored.is_some_and(|stored| stored.manifest.said.is_some()) {
                    true => Served { media_type: "application/json".into(), ..found },
                    false => found,
                })
            }),
        ],
    ),
    Defect::new(
        "put-foreign-type-500",
        "A manifest under a Content-Type that the registry does not know makes it fall over.",
        "manifest.put.foreign-type",
        &[Seam::Accept(|push, right| falls_over(push.manifest.kind == Kind::Other, right))],
    ),
    Defect::new(
        "put-sha512-unchecked",
        "Only a sha256 digest in the path is held against the bytes: under a sha512 digest anything is stored.",
        "manifest.put.digest-unverifiable",
        &[Seam::Accept(|push, right| {
            let claimed = push.reference.digest().filter(|claimed| *claimed != push.digest);
            if claimed.is_some_and(|claimed| claimed.as_str().starts_with("sha512:")) { Ok(()) } else { right }
        })],
    ),
    Defect::new(
        "put-foreign-digest-acknowledged",
        "A push under a digest of an algorithm that the registry does not have is acknowledged, and stored nowhere.",
        "manifest.put.digest-unverifiable",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = puts_manifest(asked) && is_foreign(reference(asked)) && answer.status.is_client_error();
            changed(wrong, answer, |_| acknowledged(asked))
        })],
    ),
    Defect::new(
        "foreign-algorithm-called-invalid",
        "A well-formed digest of an algorithm that the registry does not have is called invalid, and not unknown.",
        "manifest.get.foreign-algorithm-absent",
        &[Seam::Finish(|asked, _, _, answer| {
            let digest = if reference(asked).is_empty() { blob_digest(asked) } else { reference(asked) };
            let wrong = asked.reads() && is_foreign(digest) && answer.status == StatusCode::NOT_FOUND;
            changed(wrong, answer, |_| Problem::digest_invalid("the algorithm is not known", digest).into())
        })],
    )
    .also(&["blob.get.foreign-algorithm-absent"]),
    Defect::new(
        "blob-foreign-algorithm-500",
        "A blob's digest of an algorithm that the registry does not have makes it fall over.",
        "blob.get.foreign-algorithm",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.reads() && is_foreign(blob_digest(asked)), answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "put-order-400",
        "A last chunk out of order in the closing PUT is refused with 400, as any other nonsense.",
        "upload.put-order",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = closes_upload(asked) && answer.status == StatusCode::RANGE_NOT_SATISFIABLE;
            changed(wrong, answer, |a| a.status(StatusCode::BAD_REQUEST))
        })],
    ),
    Defect::new(
        "blob-head-from-any-repository",
        "HEAD of a blob looks in every repository, GET in the one that is asked.",
        "blob.head.as-get",
        &[Seam::Find(|lookup, right| {
            let head = lookup.asked.method == axum::http::Method::HEAD;
            right.or_else(|| {
                let digest = lookup.reference.digest().filter(|_| head)?;
                lookup.view.state.blob_anywhere(digest)?;
                let body = lookup.view.content.body(digest)?;
                Some(Served { media_type: "application/octet-stream".into(), digest: digest.clone(), body })
            })
        })],
    ),
];
