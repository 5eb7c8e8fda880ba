//! Wrong about `Accept`.

use axum::http::StatusCode;

use super::tools::*;

fn got(asked: &Asked, answer: &Answer) -> bool {
    gets_manifest(asked) && answer.status == StatusCode::OK
}

fn unknown(asked: &Asked) -> Answer {
    Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
}

fn type_of(answer: &Answer) -> String {
    answer.header("content-type").unwrap_or_default().to_ascii_lowercase()
}

/// The `Accept` lines, as they came.
fn lines(asked: &Asked) -> Vec<String> {
    let lines = asked.headers.get_all("accept").iter().filter_map(|v| v.to_str().ok());
    lines.map(|line| line.trim().to_ascii_lowercase()).collect()
}

/// A client that names images alone.
fn images_only(asked: &Asked) -> bool {
    let accepts = asked.accepts();
    !accepts.is_empty() && accepts.iter().all(|range| range.contains(".manifest.v"))
}

fn indexes_only(asked: &Asked) -> bool {
    let accepts = asked.accepts();
    !accepts.is_empty() && accepts.iter().all(|range| range.contains(".index.v") || range.contains(".list.v"))
}

/// A complete manifest list.
fn about_list(asked: &Asked, view: &View, answer: &Answer) -> bool {
    about_index(asked, view, answer) && about_docker(asked, view, answer) && !about_gaps(asked, view, answer)
}

fn served_instead(asked: &Asked, view: &View, answer: Answer, keep_digest: bool) -> Answer {
    let child = named(asked, view, &answer).and_then(|(repository, _, stored)| {
        let (digest, ..) = present(*view, repository, &stored.manifest.children).next()?;
        served(*view, repository, &digest)
    });
    let Some(child) = child else { return answer };
    let changed = answer.without("content-length").with("content-type", &child.media_type).body(child.body.to_bytes());
    if keep_digest { changed } else { changed.with("docker-content-digest", child.digest.as_str()) }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "get-exact-accept-404",
        "An Accept of one type alone, the stored one, is not understood.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = got(asked, &answer) && lines(asked) == [type_of(&answer)];
            changed(wrong, answer, |_| unknown(asked))
        })],
    )
    .also(&["manifest.get.served"]),
    Defect::new(
        "get-accept-list-unsplit",
        "A list in one line of Accept is taken for one type, unless it is the list of four that most clients send.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let lines = lines(asked);
            let lists = lines.len() == 1 && lines.iter().all(|line| line.contains(',')) && asked.accepts().len() != 4;
            changed(got(asked, &answer) && lists, answer, |_| unknown(asked))
        })],
    )
    .also(&["manifest.get.served"]),
    Defect::new(
        "get-accept-first-line-only",
        "Of several lines of Accept only the first is read.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let lines = lines(asked);
            let wrong = lines.len() > 1 && !lines.first().is_some_and(|first| first.contains(&type_of(&answer)));
            changed(got(asked, &answer) && wrong, answer, |_| unknown(asked))
        })],
    )
    .also(&["manifest.get.served", "client.ends"]),
    Defect::new(
        "get-quality-values-404",
        "A type with a weight is not understood.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let weighted = lines(asked).iter().any(|line| line.contains("q="));
            let named_plainly = lines(asked).iter().flat_map(|l| l.split(',')).any(|r| r.trim() == type_of(&answer));
            changed(got(asked, &answer) && weighted && !named_plainly, answer, |_| unknown(asked))
        })],
    ),
    Defect::new(
        "get-foreign-accept-406",
        "An Accept that names a type which the registry does not know is answered with 406, whatever else it names.",
        "manifest.get.accept-listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let accepts = asked.accepts();
            let foreign = accepts.iter().any(|range| range.starts_with("application/vnd.example"));
            changed(got(asked, &answer) && foreign, answer, |_| {
                Problem::bad_request("the type is not known").status(StatusCode::NOT_ACCEPTABLE).into()
            })
        })],
    ),
    Defect::new(
        "get-tag-serves-first-child",
        "A complete manifest list that is asked for by tag is answered with its first child.",
        "manifest.get.bytes",
        &[Seam::Finish(|asked, view, _, answer| {
            let tag = asked.route.reference().is_some_and(|r| !r.contains(':'));
            let wrong = got(asked, &answer) && tag && about_list(asked, view, &answer);
            changed(wrong, answer, |a| served_instead(asked, view, a, false))
        })],
    )
    .also(&["manifest.get.stable", "late.index.unchanged"]),
    Defect::new(
        "get-accept-absent-404",
        "GET without Accept is answered with 404.",
        "manifest.get.accept-any",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(got(asked, &answer) && lines(asked).is_empty(), answer, |_| unknown(asked))
        })],
    ),
    Defect::new(
        "get-accept-any-404",
        "GET with */* is answered with 404.",
        "manifest.get.accept-any",
        &[Seam::Finish(|asked, _, _, answer| {
            let any = asked.accepts().iter().any(|range| range == "*/*");
            let exact = asked.accepts().contains(&type_of(&answer));
            changed(got(asked, &answer) && any && !exact, answer, |_| unknown(asked))
        })],
    ),
    Defect::new(
        "get-image-accept-500",
        "GET of a complete index with an image's type only makes the registry fall over.",
        "manifest.get.negotiated",
        &[Seam::Finish(|asked, view, _, answer| {
            let complete = about_index(asked, view, &answer) && !about_gaps(asked, view, &answer);
            changed(got(asked, &answer) && images_only(asked) && complete, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "get-image-accept-sparse-500",
        "GET of an index with gaps, with an image's type only, makes the registry fall over.",
        "manifest.get.negotiated",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = asked.reads() && answer.status == StatusCode::OK && images_only(asked);
            changed(wrong && about_gaps(asked, view, &answer), answer, |_| fault().into())
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "get-image-accept-lying-digest",
        "GET of an index with an image's type only is answered with a child, under the index's digest.",
        "manifest.get.negotiated-true",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = got(asked, &answer) && images_only(asked) && about_index(asked, view, &answer);
            changed(wrong, answer, |a| served_instead(asked, view, a, true))
        })],
    ),
    Defect::new(
        "image-accept-child-by-digest",
        "Asked with an image's type only for an index by its digest, GET and HEAD answer with its first child.",
        "manifest.get.negotiated-true",
        &[Seam::Finish(|asked, view, _, answer| {
            let by_digest = asked.route.reference().is_some_and(|reference| reference.contains(':'));
            let read = got(asked, &answer) || heads_manifest(asked) && answer.status == StatusCode::OK;
            let wrong = read && by_digest && images_only(asked) && about_index(asked, view, &answer);
            changed(wrong, answer, |a| served_instead(asked, view, a, false))
        })],
    ),
    Defect::new(
        "get-accept-any-child",
        "An index is answered with its first child where no Accept names a type.",
        "manifest.get.accept-any",
        &[Seam::Finish(|asked, view, _, answer| {
            let any = asked.accepts().iter().all(|range| range == "*/*");
            let wrong = got(asked, &answer) && any && about_index(asked, view, &answer);
            changed(wrong, answer, |a| served_instead(asked, view, a, false))
        })],
    ),
    Defect::new(
        "get-index-accept-500",
        "GET of an image with an index's type only makes the registry fall over.",
        "manifest.get.negotiated",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = got(asked, &answer) && indexes_only(asked) && !about_index(asked, view, &answer);
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "get-odd-accept-500",
        "An Accept that is no list of media ranges makes the registry fall over.",
        "manifest.get.negotiated",
        &[Seam::Finish(|asked, _, _, answer| {
            let odd = asked.accepts().iter().any(|range| range.split('/').filter(|part| !part.is_empty()).count() != 2);
            changed(got(asked, &answer) && odd, answer, |_| fault().into())
        })],
    )
    .also(&["manifest.get.accept-listed"]),
];
