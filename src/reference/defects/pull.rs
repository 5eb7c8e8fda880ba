//! Wrong about a manifest that is served by GET: headers and bytes.

use axum::http::StatusCode;

use super::super::manifest::OCI_IMAGE;
use super::tools::*;

fn got(asked: &Asked, answer: &Answer) -> bool {
    gets_manifest(asked) && answer.status == StatusCode::OK
}

fn by_tag(asked: &Asked) -> bool {
    asked.route.reference().is_some_and(|reference| !reference.contains(':'))
}

/// A gzip member of one stored block: RFC 1952, without compressing anything.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut pieces = bytes.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap_or_default();
        out.push(u8::from(pieces.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(piece);
    }
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    out
}

fn zipped(answer: Answer) -> Answer {
    let bytes = gzip(&answer.body.to_bytes());
    answer.with("content-encoding", "gzip").without("content-length").body(bytes)
}

fn asks_for_identity(asked: &Asked) -> bool {
    asked.header("accept-encoding").is_some_and(|coding| coding.contains("identity"))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "get-digest-header-absent",
        "GET of a manifest by tag has no Docker-Content-Digest.",
        "manifest.get.digest-header",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(got(asked, &answer), answer, |a| a.without("docker-content-digest"))
        })],
    ),
    Defect::new(
        "get-digest-of-first-child",
        "GET of a manifest list by tag carries its first child's digest.",
        "manifest.get.digest",
        &[Seam::Finish(|asked, view, _, answer| {
            match first_child(asked, view, &answer)
                .filter(|_| got(asked, &answer) && by_tag(asked) && about_docker(asked, view, &answer))
            {
                Some(child) => answer.with("docker-content-digest", &child.digest),
                None => answer,
            }
        })],
    ),
    Defect::new(
        "unknown-query-404",
        "A manifest that is asked for with a query is not found.",
        "pull.mirror-query",
        &[Seam::Finish(|asked, _, _, answer| {
            let read = gets_manifest(asked) || heads_manifest(asked);
            changed(read && asked.uri.query().is_some(), answer, |_| {
                Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
            })
        })],
    ),
    Defect::new(
        "get-type-json",
        "Manifests that are got by tag are served as application/json.",
        "manifest.get.type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(got(asked, &answer) && by_tag(asked), answer, |a| a.with("content-type", "application/json"))
        })],
    )
    .also(&["client.ends"]),
    Defect::new(
        "get-type-charset",
        "The Content-Type of a manifest has a parameter.",
        "manifest.get.type-plain",
        &[Seam::Finish(|asked, _, _, answer| {
            let plain = answer.header("content-type").unwrap_or_default().to_owned();
            changed(got(asked, &answer), answer, |a| a.with("content-type", &format!("{plain}; charset=utf-8")))
        })],
    ),
    Defect::new(
        "get-type-always-image",
        "An index that is got by tag is served with an image's Content-Type.",
        "manifest.get.type",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = got(asked, &answer) && by_tag(asked) && about_index(asked, view, &answer);
            changed(wrong, answer, |a| a.with("content-type", OCI_IMAGE))
        })],
    )
    .also(&["client.ends"]),
    Defect::new(
        "get-gzip-unasked",
        "A manifest is served gzipped to a client that asked for no coding.",
        "manifest.get.identity",
        &[Seam::Finish(|asked, _, _, answer| changed(got(asked, &answer) && asks_for_identity(asked), answer, zipped))],
    ),
    Defect::new(
        "blob-served-as-manifest",
        "A blob's digest that is asked for as a manifest is answered with the blob.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            right.or_else(|| {
                let digest = lookup.reference.digest()?;
                lookup.view.state.repository(lookup.repository)?.blobs.get(digest)?;
                let body = lookup.view.content.body(digest)?;
                Some(Served { media_type: OCI_IMAGE.into(), digest: digest.clone(), body })
            })
        })],
    ),
];
