//! Wrong about lists of tags that are asked for oddly, or have little in them; and about tags of what was refused.

use super::tools::*;

fn held<'a>(asked: &Asked, view: &View<'a>) -> Option<&'a Repository> {
    view.state.repository(asked.route.repository()?)
}

/// A list of tags that came.
fn came(asked: &Asked, answer: &Answer) -> bool {
    lists_tags(asked) && answer.status == StatusCode::OK
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "tags-list-404-of-indexes",
        "A repository whose tags all lead to indexes is not known when its tags are asked for.",
        "tags.listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let of_indexes = held(asked, view).is_some_and(|held| {
                let mut kinds = held.tags.values().filter_map(|digest| Some(held.manifests.get(digest)?.manifest.kind));
                !held.tags.is_empty() && kinds.all(|kind| kind == Kind::Index)
            });
            let name = asked.route.repository().unwrap_or_default();
            changed(came(asked, &answer) && of_indexes, answer, |_| Problem::name_unknown(name).into())
        })],
    )
    .also(&["tags.fresh", "tags.gone"]),
    Defect::new(
        "tags-type-text",
        "The list of tags is served as text/plain.",
        "tags.type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(came(asked, &answer), answer, |a| a.with("content-type", "text/plain; charset=utf-8"))
        })],
    ),
    Defect::new(
        "tags-without-manifests-500",
        "The tags of a repository without a manifest make the registry fall over: the folder of tags is not there.",
        "tags.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            // An upload that was begun makes the folder of the repository, and no more.
            let bare =
                held(asked, view).is_none_or(|held| held.manifests.is_empty() && held.past.gone().next().is_none());
            changed(lists_tags(asked) && bare, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "tags-query-twice-500",
        "A parameter that the query of a list of tags has twice makes the registry fall over.",
        "tags.query",
        &[Seam::Finish(|asked, _, _, answer| {
            let twice = ["n", "last"].iter().any(|key| asked.query.all(key).count() > 1);
            changed(lists_tags(asked) && twice, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "refused-type-tag-kept",
        "The tag is set before the manifest is held against its Content-Type: refused, it is there.",
        "index.refuse.nothing-stored",
        &[Seam::Finish(|asked, _, memory, answer| {
            let tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
            let key = asked.uri.path();
            if puts_manifest(asked) && tag {
                match answer.status == StatusCode::BAD_REQUEST && is_invalid(&answer) {
                    true => memory.keep(key, &answer),
                    false => memory.forget(key),
                }
            }
            let left = asked.reads() && tag && memory.recall(key).is_some();
            changed(left && answer.status == StatusCode::NOT_FOUND, answer, |_| {
                Answer::json(StatusCode::OK, &serde_json::json!({}))
            })
        })],
    ),
];

/// Whether a push was refused for what is in it.
fn is_invalid(answer: &Answer) -> bool {
    answer.value().is_some_and(|value| value.to_string().contains("MANIFEST_INVALID"))
}
