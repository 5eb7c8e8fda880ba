//! Wrong about what Docker's API has and the distribution-spec has not.

use axum::http::Method;
use serde_json::{Value, json};

use super::tools::*;

fn gets_catalog(asked: &Asked) -> bool {
    asked.route == Route::Catalog && asked.method == Method::GET
}

/// The names of a page, changed.
pub(super) fn relisted(asked: &Asked, answer: Answer, change: impl FnOnce(Vec<String>) -> Vec<String>) -> Answer {
    if !gets_catalog(asked) || answer.status != StatusCode::OK {
        return answer;
    }
    let value = answer.value().unwrap_or_default();
    let names = value.get("repositories").and_then(Value::as_array).cloned().unwrap_or_default();
    let names = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    answer.body(json!({ "repositories": change(names) }).to_string())
}

fn last(asked: &Asked) -> &str {
    asked.query.get("last").unwrap_or_default()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "catalog-500",
        "The catalog makes the registry fall over.",
        "docker.catalog.answered",
        &[Seam::Finish(|asked, _, _, answer| changed(gets_catalog(asked), answer, |_| fault().into()))],
    ),
    Defect::new(
        "catalog-null",
        "The list of the catalog is null.",
        "docker.catalog.form",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(gets_catalog(asked), answer, |a| a.body("{\"repositories\":null}"))
        })],
    ),
    Defect::new(
        "catalog-leaves-one-out",
        "A repository with one tag alone is not in the catalog.",
        "docker.catalog.listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let tags = |name: &String| view.state.repository(name).map_or(0, |held| held.tags.len());
            relisted(asked, answer, |names| names.into_iter().filter(|name| tags(name) != 1).collect())
        })],
    ),
    Defect::new(
        "catalog-repeats",
        "A repository is in the catalog once for each place that it is stored in.",
        "docker.catalog.once",
        &[Seam::Finish(|asked, _, _, answer| {
            relisted(asked, answer, |names| names.iter().flat_map(|name| [name.clone(), name.clone()]).collect())
        })],
    ),
    Defect::new(
        "catalog-ignores-n",
        "The catalog comes whole, whatever size of a page was asked for.",
        "docker.catalog.n",
        &[Seam::Finish(|asked, view, _, answer| {
            relisted(asked, answer, |_| {
                view.state.repositories.keys().filter(|name| name.as_str() > last(asked)).cloned().collect()
            })
        })],
    ),
    Defect::new(
        "catalog-without-link",
        "A page of the catalog does not say that there is another.",
        "docker.catalog.link",
        &[Seam::Finish(|asked, _, _, answer| changed(asked.route == Route::Catalog, answer, |a| a.without("link")))],
    ),
    Defect::new(
        "catalog-includes-last",
        "A page of the catalog begins with the name that `last` names.",
        "docker.catalog.last",
        &[Seam::Finish(|asked, _, _, answer| {
            relisted(asked, answer, |mut names| {
                let size = names.len();
                if !last(asked).is_empty() {
                    names.insert(0, last(asked).to_owned());
                    names.truncate(size.max(1));
                }
                names
            })
        })],
    ),
    Defect::new(
        "catalog-forgets-those-below",
        "A repository below another one is not in the catalog.",
        "docker.catalog.last",
        &[Seam::Finish(|asked, view, _, answer| {
            let above =
                |name: &str| name.rsplit_once('/').is_some_and(|(above, _)| view.state.repository(above).is_some());
            relisted(asked, answer, |names| names.into_iter().filter(|name| !above(name)).collect())
        })],
    ),
    Defect::new(
        "version-header-wrong",
        "Docker-Distribution-API-Version has the product's own version.",
        "docker.version",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(asked.route == Route::Base, answer, |a| a.with("docker-distribution-api-version", "4.2.0"))
        })],
    ),
    Defect::new(
        "schema1-asked-gets-image",
        "Who knows schema 1 too is taken for a client that knows no lists, and gets the first child.",
        "manifest.get.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let old = asked.accepts().iter().any(|range| range.ends_with("v1+prettyjws"));
            let child = first_child(asked, view, &answer).and_then(|child| Digest::parse(&child.digest));
            let repository = asked.route.repository().unwrap_or_default();
            match child.filter(|_| old && gets_manifest(asked)).and_then(|child| served(*view, repository, &child)) {
                Some(served) => answer
                    .with("content-type", &served.media_type)
                    .with("docker-content-digest", served.digest.as_str())
                    .body(served.body.to_bytes()),
                None => answer,
            }
        })],
    ),
];
