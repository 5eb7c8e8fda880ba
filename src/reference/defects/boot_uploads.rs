//! Wrong about uploads that a restart finds half done.

use axum::http::{Method, StatusCode};

use super::super::uploads::Resumed;
use super::boot_tools::*;

/// Whether a session is asked for, or gone on with, after a restart.
fn is_after_restart(asked: &Asked, view: &View) -> bool {
    matches!(asked.route, Route::Upload { .. }) && view.state.life.starts > 1
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-session-500",
        "An upload that was half done before a restart makes the registry fall over.",
        "upload.resumed",
        &[Seam::Finish(|asked, view, _, answer| {
            let gone = is_after_restart(asked, view) && answer.status == StatusCode::NOT_FOUND;
            changed(gone, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "restart-session-gone-400",
        "An upload that a restart ended is answered with 400, as one that nobody could have begun.",
        "upload.resumed-gone",
        &[Seam::Finish(|asked, view, _, answer| {
            let gone = is_after_restart(asked, view) && answer.status == StatusCode::NOT_FOUND;
            changed(gone, answer, |_| Problem::upload_invalid("no such upload").into())
        })],
    ),
    Defect::new(
        "restart-session-loses-bytes",
        "Of an upload that was half done the length is on disk before the bytes: after a restart some of them are not there.",
        "upload.resumed",
        &[Seam::Resume(|_, upload, _| Some(Resumed { kept: upload.length / 2, says: upload.length }))],
    ),
    Defect::new(
        "restart-session-unchecked",
        "The same, and the digest of an upload that went on after a restart is not held against its bytes.",
        "upload.resumed",
        &[
            Seam::Resume(|_, upload, _| Some(Resumed { kept: upload.length / 2, says: upload.length })),
            Seam::Close(|_, _| Ok(())),
        ],
    )
    .also(&["upload.digest-mismatch", "upload.unfinished"]),
    Defect::new(
        "restart-session-says-more",
        "An upload that was half done says after a restart that more is there than ever came.",
        "upload.resumed",
        &[Seam::Resume(|_, upload, _| Some(Resumed { kept: upload.length, says: upload.length + 1000 }))],
    ),
    Defect::new(
        "restart-session-for-reading-only",
        "An upload that was half done says after a restart where it stands, and does not go on (distribution 3.1.1 without \
         `http.secret`).",
        "upload.resumed",
        &[
            Seam::Resume(|_, upload, _| Some(Resumed { kept: upload.length, says: upload.length })),
            Seam::Finish(|asked, view, _, answer| {
                let writes = asked.method == Method::PATCH || asked.method == Method::PUT;
                changed(writes && is_after_restart(asked, view), answer, |_| {
                    Problem::upload_unknown(asked.uri.path()).into()
                })
            }),
        ],
    ),
];
