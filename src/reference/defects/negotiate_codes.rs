//! Wrong about what an index is answered with where the Accept does not name it: the code of a refusal, and for whom it must
//! have a child.

use super::tools::*;

/// A client that names images alone and gets an index.
fn meets_index(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let accepts = asked.accepts();
    let images = !accepts.is_empty() && accepts.iter().all(|range| range.contains(".manifest.v"));
    gets_manifest(asked) && answer.status == StatusCode::OK && images && about_index(asked, view, answer)
}

/// A refusal in the words of a push.
fn blob_unknown(asked: &Asked, code: &str) -> Answer {
    Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).coded(code).into()
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "get-image-accept-blob-unknown",
        "A complete index asked for with an image's type only is answered 404 with BLOB_UNKNOWN.",
        "manifest.get.negotiated-code",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = meets_index(asked, view, &answer) && !about_gaps(asked, view, &answer);
            changed(wrong, answer, |_| blob_unknown(asked, "BLOB_UNKNOWN"))
        })],
    ),
    Defect::new(
        "get-image-accept-first-gap-blob-unknown",
        "An index asked for with an image's type only stands for its first child; where that is absent the answer is 404 \
         with MANIFEST_BLOB_UNKNOWN (olareg v0.2.2 manifest.go).",
        "manifest.get.negotiated-code",
        &[Seam::Finish(|asked, view, _, answer| {
            let first = first_child(asked, view, &answer).and_then(|child| Digest::parse(&child.digest));
            let name = asked.route.repository().unwrap_or_default();
            let gap = first.is_some_and(|digest| view.state.manifest(name, &digest).is_none());
            changed(meets_index(asked, view, &answer) && gap, answer, |_| blob_unknown(asked, "MANIFEST_BLOB_UNKNOWN"))
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "get-needs-amd64",
        "Where no Accept names a type an index stands for its child for linux/amd64, and is 404 where it has none or that \
         is absent (Quay _rewrite_schema_if_necessary).",
        "manifest.get.accept-any",
        &[Seam::Finish(|asked, view, _, answer| {
            let any = asked.accepts().iter().all(|range| range == "*/*");
            let read = gets_manifest(asked) || heads_manifest(asked);
            let wrong = read && answer.status == StatusCode::OK && any && about_index(asked, view, &answer);
            let has = named(asked, view, &answer).is_some_and(|(name, _, stored)| {
                present(*view, name, &stored.manifest.children)
                    .any(|(.., child)| child.platform.as_deref() == Some("linux/amd64"))
            });
            let reference = asked.route.reference().unwrap_or_default();
            changed(wrong && !has, answer, |_| Problem::manifest_unknown(reference).into())
        })],
    ),
];
