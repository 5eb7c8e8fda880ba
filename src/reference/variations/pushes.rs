//! Lawful differences in how a push is read: its Content-Type, its conditions, its query.

use axum::http::{Method, StatusCode};

use super::super::manifest::Kind;
use super::super::policy::Seam;
use super::super::problem::Problem;
use super::super::question::{Asked, Change, View};
use super::super::route::Route;
use super::super::state::Write;
use super::Variation;
use crate::content::digest::Digest;

/// Whether a push has a condition that does not hold.
fn fails(asked: &Asked, view: &View) -> bool {
    let Route::Manifest { repository, reference } = &asked.route else { return false };
    let there = match Digest::parse(reference) {
        Some(digest) => view.state.manifest(repository, &digest).map(|_| digest),
        None => view.state.tag(repository, reference).cloned(),
    };
    let has = |header: &str| there.as_ref().is_some_and(|d| header == "*" || header.contains(&format!("\"{d}\"")));
    asked.header("if-match").is_some_and(|header| !has(header)) || asked.header("if-none-match").is_some_and(has)
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "other-type-taken",
        "A manifest whose mediaType is not its Content-Type is stored, under the Content-Type.",
        &[Seam::Accept(
            |push, right| {
                if push.manifest.said.is_some() && push.missing.is_empty() { Ok(()) } else { right }
            },
        )],
    ),
    Variation::new(
        "foreign-types-refused",
        "A manifest under a Content-Type that is no manifest's is refused with 415.",
        &[Seam::Accept(|push, right| match push.manifest.kind {
            Kind::Other => {
                Err(Problem::manifest_invalid("the type is not known").status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
            }
            _ => right,
        })],
    ),
    Variation::new(
        "conditions-heeded",
        "A push whose If-Match or If-None-Match does not hold is refused with 412.",
        &[Seam::Hear(|asked, view, right| match asked.method == Method::PUT && fails(asked, view) {
            true => Err(Problem::bad_request("the condition does not hold").status(StatusCode::PRECONDITION_FAILED)),
            false => right,
        })],
    ),
    Variation::new(
        "query-tags-passed-over",
        "Tags in the query of a push are not known, as v1.1.1 does not.",
        &[
            Seam::Store(|change, right| match change {
                Change::Put(push, Ok(())) => {
                    let asked = |tag: &String| push.reference.tag() != Some(tag) && push.tags.contains(tag);
                    right.into_iter().filter(|write| !matches!(write, Write::Tag { tag, .. } if asked(tag))).collect()
                }
                _ => right,
            }),
            Seam::Finish(|_, _, _, answer| answer.without("oci-tag")),
        ],
    ),
    Variation::new(
        "restricted-layers-refused",
        "An image with a layer that may not be distributed is refused where the layer was not pushed.",
        &[Seam::Accept(|push, right| {
            let gone = push.manifest.blobs.iter().filter(|blob| blob.is_foreign()).any(|blob| {
                !Digest::parse(&blob.digest).is_some_and(|d| push.view.state.has_blob(push.repository, &d))
            });
            if gone { Err(Problem::manifest_invalid("such layers are not taken")) } else { right }
        })],
    ),
];
