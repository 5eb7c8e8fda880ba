//! Wrong about children that came late, by the way in which they are asked for.

use super::gc_tools::is_late;
use super::tools::*;

const SERVED: &[&str] = &["gc.keeps-manifest", "restart.keeps-manifest", "upgrade.keeps-manifest"];

/// Whether what is asked for by its digest came after an index that names it.
fn about_late(asked: &Asked, view: &View) -> bool {
    let held = asked.route.repository().and_then(|name| view.state.repository(name));
    let digest = asked.route.reference().and_then(Digest::parse);
    held.zip(digest).is_some_and(|(held, digest)| is_late(held, &digest))
}

/// A tag that a registry makes of a digest.
fn hidden_tag(digest: &Digest) -> String {
    digest.as_str().replace(':', "-").chars().take(60).collect()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "late-heads-cached",
        "HEAD of a child that came late is 404, as it was before it came.",
        "manifest.head.served",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = heads_manifest(asked) && answer.status == StatusCode::OK && about_late(asked, view);
            let reference = asked.route.reference().unwrap_or_default();
            changed(wrong, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    )
    .also(SERVED),
    Defect::new(
        "late-blob-heads-cached",
        "HEAD of a blob is 404 for as long as the process lives where it was so once.",
        "blob.head.served",
        &[Seam::Finish(|asked, _, memory, answer| {
            let key = asked.uri.path();
            if heads_blob(asked) && answer.status == StatusCode::NOT_FOUND {
                memory.keep(key, &answer);
            }
            match memory.recall(key).filter(|_| heads_blob(asked)) {
                Some(missing) => missing,
                None => answer,
            }
        })],
    ),
    Defect::new(
        "late-child-by-many-types-only",
        "A child that came late has no type in the registry's list of types: an Accept of its type alone does not find it.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = gets_manifest(asked) && answer.status == StatusCode::OK && asked.accepts().len() == 1;
            let reference = asked.route.reference().unwrap_or_default();
            changed(wrong && about_late(asked, view), answer, |_| Problem::manifest_unknown(reference).into())
        })],
    )
    .also(SERVED),
    Defect::new(
        "late-child-gets-a-tag",
        "A child that comes late is held by a tag that the registry makes for it, and lists.",
        "tags.complete",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if parents(push.view, push.repository, push.digest.as_str()).next().is_some() => {
                plus(right, [set_tag(push.repository, &hidden_tag(push.digest), push.digest)])
            }
            _ => right,
        })],
    )
    .also(&["tags.no-phantom", "gc.tags", "restart.tags", "upgrade.tags"]),
];
