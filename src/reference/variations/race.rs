//! Lawful differences where two requests meet.

use axum::http::StatusCode;
use serde_json::Value;

use super::super::policy::Seam;
use super::super::problem::{Problem, Verdict};
use super::super::question::{Asked, Push};
use super::super::route::Route;
use super::Variation;

/// A push takes so long that others meet it.
fn slow_pushes(asked: &Asked) -> std::time::Duration {
    let puts = asked.method == axum::http::Method::PUT && matches!(asked.route, Route::Manifest { .. });
    std::time::Duration::from_millis(if puts { 4 } else { 0 })
}

/// The verdict on a push that meets another one under the same tag or digest.
fn where_it_meets(push: &Push, right: Verdict, refusal: impl FnOnce() -> Problem) -> Verdict {
    let what = format!("manifests/{}", push.reference.as_str());
    // Only one of them: two that were both told to come again would meet again.
    if push.view.traffic.gives_way("PUT", push.repository, &what) { Err(refusal()) } else { right }
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::new(
        "pushes-that-meet-409",
        "Of two pushes at once under the same tag or digest one is refused as a conflict.",
        &[
            Seam::Begin(slow_pushes),
            Seam::Accept(|push, right| {
                let refusal = || Problem::new(StatusCode::CONFLICT, "DENIED", "another push is under way", Value::Null);
                where_it_meets(push, right, refusal)
            }),
        ],
    ),
    Variation::new(
        "pushes-that-meet-429",
        "Of two pushes at once under the same tag or digest one is told to come again after a second.",
        &[
            Seam::Begin(slow_pushes),
            Seam::Accept(|push, right| {
                let busy = || {
                    let status = StatusCode::TOO_MANY_REQUESTS;
                    Problem::new(status, "TOOMANYREQUESTS", "another push is under way", Value::Null)
                };
                where_it_meets(push, right, busy)
            }),
            Seam::Finish(|_, _, _, answer| match answer.status {
                StatusCode::TOO_MANY_REQUESTS => answer.with("retry-after", "1"),
                _ => answer,
            }),
        ],
    ),
];
