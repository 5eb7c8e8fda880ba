//! Wrong about deletes of blobs.

use axum::http::{Method, StatusCode};

use super::super::question::Removal;
use super::delete::of_absent;
use super::tools::*;

fn deletes_blob(asked: &Asked) -> bool {
    asked.method == Method::DELETE && matches!(asked.route, Route::Blob { .. })
}

fn deleted_blob<'a>(change: &Change<'a>) -> Option<&'a Removal<'a>> {
    deleted(change).filter(|removal| matches!(removal.target, Target::Blob(_)))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "delete-blob-in-every-repository",
        "A blob is deleted from every repository that has it.",
        "blob.get.served",
        &[Seam::Store(|change, right| match deleted_blob(change).map(|removal| (removal, removal.target)) {
            Some((removal, Target::Blob(digest))) => {
                let names = removal.view.state.repositories.keys();
                let drops: Vec<Write> = names.filter_map(|name| unlink(name, digest.as_str())).collect();
                plus(right, drops)
            }
            _ => right,
        })],
    )
    .also(&["blob.head.served"]),
    Defect::new(
        "delete-blob-answers-200",
        "The deletion of a blob is answered with 200.",
        "delete.blob",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_blob(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "delete-blob-405-done",
        "The deletion of a blob is refused with 405, and done.",
        "delete.blob",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_blob(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |_| Problem::unsupported("blobs are not deleted here").into())
        })],
    ),
    Defect::new(
        "delete-blob-absent-202",
        "The deletion of a blob that is not there is acknowledged.",
        "delete.blob-absent",
        &[Seam::Finish(|asked, _, _, answer| {
            of_absent(deletes_blob(asked), answer, |_| Answer::new(StatusCode::ACCEPTED))
        })],
    ),
    Defect::new(
        "deleted-blob-still-served",
        "The deletion of a blob is acknowledged, and the blob stays.",
        "delete.blob-gone",
        &[Seam::Store(|change, right| if deleted_blob(change).is_some() { Vec::new() } else { right })],
    ),
];
