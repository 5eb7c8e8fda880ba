//! Wrong about the form of a list of referrers, and about when there is one.

use axum::http::Method;
use serde_json::{Value, json};

use super::referrers::{listed, relisted, subject};
use super::tools::*;

/// The body of a list of referrers, changed.
fn reformed(asked: &Asked, answer: Answer, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Answer {
    changed(listed(asked, &answer), answer, |answer| {
        let mut value = answer.value().unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            change(map);
        }
        answer.body(value.to_string())
    })
}

fn is_filtered(asked: &Asked) -> bool {
    asked.query.get("artifactType").is_some()
}

/// Writes an empty list as null.
fn empty_as_null(map: &mut serde_json::Map<String, Value>) {
    if map.get("manifests").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        map.insert("manifests".into(), Value::Null);
    }
}

fn repository<'a>(asked: &Asked, view: &View<'a>) -> Option<&'a Repository> {
    view.state.repository(asked.route.repository()?)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "referrers-schema-version-absent",
        "The list of referrers has no schemaVersion: whoever wrote it made the struct by hand.",
        "referrers.form",
        &[Seam::Finish(|asked, _, _, answer| {
            reformed(asked, answer, |map| {
                map.shift_remove("schemaVersion");
            })
        })],
    ),
    Defect::new(
        "referrers-media-type-of-entry",
        "The list of referrers says that it is an image.",
        "referrers.form",
        &[Seam::Finish(|asked, _, _, answer| {
            reformed(asked, answer, |map| {
                map.insert("mediaType".into(), json!("application/vnd.oci.image.manifest.v1+json"));
            })
        })],
    ),
    Defect::new(
        "referrers-empty-null",
        "A list without referrers is null (cue-labs/oci ociserver).",
        "referrers.form",
        &[Seam::Finish(|asked, _, _, answer| reformed(asked, answer, empty_as_null))],
    )
    .also(&["referrers.empty"]),
    Defect::new(
        "referrers-filtered-to-null",
        "A list of which a filter leaves nothing is null.",
        "referrers.form",
        &[Seam::Finish(|asked, _, _, answer| match is_filtered(asked) {
            true => reformed(asked, answer, empty_as_null),
            false => answer,
        })],
    ),
    Defect::new(
        "referrers-unknown-repository-500",
        "The referrers of something in a repository that does not exist make the registry fall over.",
        "referrers.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = listed(asked, &answer) && repository(asked, view).is_none();
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "referrers-without-manifests-404",
        "A repository that has no manifest has no referrers API: 404.",
        "referrers.listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let bare = repository(asked, view).is_some_and(|held| held.manifests.is_empty());
            let name = asked.route.repository().unwrap_or_default();
            changed(listed(asked, &answer) && bare, answer, |_| Problem::name_unknown(name).into())
        })],
    ),
    Defect::new(
        "referrers-of-no-digest-empty",
        "The digest is not parsed: the referrers of whatever has none are an empty list (olareg v0.2.2 referrer.go).",
        "referrers.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let asks = asked.method == Method::GET && matches!(asked.route, Route::Referrers { .. });
            changed(asks && answer.status == StatusCode::BAD_REQUEST, answer, |_| {
                let body = json!({ "schemaVersion": 2, "manifests": [] });
                Answer::json(StatusCode::OK, &body).with("content-type", super::super::manifest::OCI_INDEX)
            })
        })],
    ),
    Defect::new(
        "referrers-foreign-algorithm-500",
        "The referrers of a digest by an unknown algorithm make the registry fall over.",
        "referrers.foreign-algorithm",
        &[Seam::Finish(|asked, _, _, answer| {
            let foreign = listed(asked, &answer) && subject(asked).is_none();
            changed(foreign, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "referrers-merge-doubles",
        "The API's list and the one under the tag that a digest makes are put together, and what both have is listed twice.",
        "referrers.complete",
        &[Seam::Finish(|asked, view, _, answer| {
            let also = kept_by_tag(asked, view, |_| true);
            changed(listed(asked, &answer), answer, |a| relisted(a, |list| list.extend(also)))
        })],
    )
    .also(&["referrers.empty"]),
    Defect::new(
        "referrers-merge-unchecked",
        "What a list under the tag that a digest makes names is listed as a referrer, whatever it refers to.",
        "referrers.empty",
        &[Seam::Finish(|asked, view, _, answer| {
            let of = subject(asked).map(|digest| digest.to_string());
            let others = kept_by_tag(asked, view, |stored| stored.manifest.subject != of);
            changed(listed(asked, &answer), answer, |a| relisted(a, |list| list.extend(others)))
        })],
    )
    .also(&["referrers.complete"]),
    Defect::new(
        "referrers-list-the-list",
        "The list that a client keeps under the tag which a digest makes is listed as a referrer itself.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let list = lookup.view.state.tag(lookup.repository, &scheme_tag(lookup.reference.as_str()));
            let stored = list.and_then(|digest| {
                Some((digest.clone(), lookup.view.state.manifest(lookup.repository, digest)?.clone()))
            });
            right.into_iter().chain(stored).collect()
        })],
    ),
];

/// The tag that a digest makes (v1.1.1 "Referrers Tag Schema").
fn scheme_tag(digest: &str) -> String {
    digest.replace(':', "-").chars().take(128).collect()
}

/// Descriptors of what the list under the subject's tag names and is there.
fn kept_by_tag(asked: &Asked, view: &View, wanted: impl Fn(&Stored) -> bool) -> Vec<Value> {
    let name = asked.route.repository().unwrap_or_default();
    let of = subject(asked).map(|digest| scheme_tag(digest.as_str())).unwrap_or_default();
    let list = view.state.tag(name, &of).and_then(|digest| view.state.manifest(name, digest));
    let children = list.into_iter().flat_map(|list| present(*view, name, &list.manifest.children));
    children
        .filter(|(_, stored, _)| wanted(stored))
        .map(|(digest, stored, _)| {
            json!({"mediaType": stored.manifest.media_type, "digest": digest.as_str(), "size": stored.size,
                "artifactType": stored.manifest.artifact_type, "annotations": stored.manifest.annotations})
        })
        .collect()
}
