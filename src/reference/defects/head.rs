//! Wrong about HEAD of a manifest.

use axum::http::StatusCode;

use super::tools::*;

fn headed(asked: &Asked, answer: &Answer) -> bool {
    heads_manifest(asked) && answer.status == StatusCode::OK
}

fn by_digest_asked(asked: &Asked) -> bool {
    asked.route.reference().is_some_and(|reference| reference.contains(':'))
}

fn unknown(asked: &Asked) -> Answer {
    Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).into()
}

fn longer(answer: Answer) -> Answer {
    let length = answer.header("content-length").and_then(|l| l.parse::<u64>().ok()).unwrap_or_default();
    answer.with("content-length", &(length + 1).to_string())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "head-index-404",
        "HEAD of a manifest list by digest is answered with 404, GET with 200.",
        "manifest.head.served",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = headed(asked, &answer) && about_list_by_digest(asked, view, &answer);
            changed(wrong, answer, |_| unknown(asked))
        })],
    )
    .also(&["manifest.head.as-get"]),
    Defect::new(
        "head-digest-of-first-child",
        "HEAD of a manifest list by tag carries its first child's digest.",
        "manifest.head.digest",
        &[Seam::Finish(|asked, view, _, answer| {
            match first_child(asked, view, &answer)
                .filter(|_| headed(asked, &answer) && about_docker(asked, view, &answer) && !by_digest_asked(asked))
            {
                Some(child) => answer.with("docker-content-digest", &child.digest),
                None => answer,
            }
        })],
    )
    .also(&["manifest.head.as-get"]),
    Defect::new(
        "head-digest-header-absent",
        "HEAD of a manifest of Docker's types has no Docker-Content-Digest.",
        "manifest.head.digest-header",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(headed(asked, &answer) && about_docker(asked, view, &answer), answer, |a| {
                a.without("docker-content-digest")
            })
        })],
    )
    .also(&["manifest.head.as-get"]),
    Defect::new(
        "head-length-differs",
        "HEAD of a manifest of Docker's types by digest says a byte more than GET sends.",
        "manifest.head.length",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(
                headed(asked, &answer) && about_docker(asked, view, &answer) && by_digest_asked(asked),
                answer,
                longer,
            )
        })],
    )
    .also(&["manifest.head.as-get"]),
    Defect::new(
        "head-length-zero",
        "HEAD of a manifest of Docker's types by digest says Content-Length: 0.",
        "manifest.head.length",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(
                headed(asked, &answer) && about_docker(asked, view, &answer) && by_digest_asked(asked),
                answer,
                |a| a.with("content-length", "0"),
            )
        })],
    )
    .also(&["manifest.head.as-get"]),
    Defect::new(
        "head-length-absent",
        "HEAD of a manifest of Docker's types has no Content-Length.",
        "manifest.head.length-header",
        &[Seam::Finish(|asked, view, _, mut answer| {
            answer.delivery.chunked |= headed(asked, &answer) && about_docker(asked, view, &answer);
            answer
        })],
    ),
    Defect::new(
        "head-needs-accept",
        "HEAD without an Accept that names the stored type is answered with 404, GET with 200.",
        "manifest.head.as-get",
        &[Seam::Finish(|asked, _, _, answer| {
            let exact = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
            let wrong = headed(asked, &answer) && !asked.accepts().contains(&exact);
            changed(wrong, answer, |_| unknown(asked))
        })],
    ),
    Defect::new(
        "head-image-accept-500",
        "HEAD of an index with an image's type only makes the registry fall over.",
        "manifest.head.as-get",
        &[Seam::Finish(|asked, view, _, answer| {
            let accepts = asked.accepts();
            let image = !accepts.is_empty() && accepts.iter().all(|range| range.contains(".manifest.v"));
            let wrong = headed(asked, &answer) && image && about_index(asked, view, &answer);
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "head-gzip-length-differs",
        "Asked for gzip, HEAD says the length of a coding that GET does not use.",
        "manifest.head.as-get",
        &[Seam::Finish(|asked, _, _, answer| {
            let gzip = asked.header("accept-encoding").is_some_and(|coding| coding.contains("gzip"));
            changed(headed(asked, &answer) && gzip, answer, longer)
        })],
    )
    .also(&["manifest.head.length"]),
    Defect::new(
        "missing-manifest-head-200",
        "HEAD of a manifest that is not there, and that no index names, is answered with 200.",
        "manifest.head.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let named = asked.route.repository().zip(asked.route.reference());
            let child =
                named.is_some_and(|(repository, reference)| parents(*view, repository, reference).next().is_some());
            let wrong = heads_manifest(asked) && answer.status == StatusCode::NOT_FOUND && !child;
            changed(wrong, answer, |_| Answer::new(StatusCode::OK))
        })],
    )
    .also(&["manifest.head.as-get"]),
];
