//! Wrong about reads, lists and refusals while something else is under way.

use std::time::Duration;

use super::super::answer::Body;
use super::super::traffic::Errand;
use super::tools::*;

/// A write takes so long that others meet it.
pub(super) const WINDOW: Duration = Duration::from_millis(8);

/// Writes of manifests and tags take their time, deletions too.
pub(super) fn slow_writes(asked: &Asked) -> Duration {
    let writes = !asked.reads() && matches!(asked.route, Route::Manifest { .. });
    if writes { WINDOW } else { Duration::ZERO }
}

/// Deletions take their time.
fn slow_deletes(asked: &Asked) -> Duration {
    if asked.method == axum::http::Method::DELETE { WINDOW } else { Duration::ZERO }
}

/// Whether a tag is read while it is pushed.
fn is_moving(lookup: &Lookup) -> bool {
    let what = format!("manifests/{}", lookup.reference.as_str());
    let is_push =
        |errand: &Errand| errand.puts_manifest() && errand.repository == lookup.repository && errand.what == what;
    lookup.reference.tag().is_some() && lookup.view.traffic.count(is_push) > 0
}

/// Whether anything is pushed to this repository, or deleted in it.
fn is_changing(view: View, repository: &str) -> bool {
    view.traffic.count(|errand| errand.writes() && errand.repository == repository) > 0
}

/// The path of what is deleted.
pub(super) fn path_of(target: &Target) -> String {
    match target {
        Target::Tag(tag) => format!("manifests/{tag}"),
        Target::Manifest(digest) => format!("manifests/{digest}"),
        Target::Blob(digest) => format!("blobs/{digest}"),
    }
}

const BEGIN: Seam = Seam::Begin(slow_writes);

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "race-torn-read",
        "Of a tag that is being pushed half of a manifest is served.",
        "race.read",
        &[
            BEGIN,
            Seam::Resolve(|lookup, right| match right {
                Some(served) if is_moving(lookup) => {
                    let half = served.body.length() / 2;
                    Some(Served { body: served.body.slice(0, half), ..served })
                }
                right => right,
            }),
        ],
    ),
    Defect::new(
        "race-mixed-headers",
        "Of a tag that is being pushed the bytes of one manifest are served under the digest and type of another.",
        "race.read",
        &[
            BEGIN,
            Seam::Resolve(|lookup, right| {
                let held = lookup.view.state.repository(lookup.repository);
                match right {
                    Some(served) if is_moving(lookup) => {
                        let other =
                            held.into_iter().flat_map(|held| &held.manifests).find(|(d, _)| **d != served.digest);
                        let (digest, media_type) = match other {
                            Some((digest, stored)) => (digest.clone(), stored.manifest.media_type.clone()),
                            None => (served.digest, served.media_type),
                        };
                        Some(Served { digest, media_type, body: served.body })
                    }
                    right => right,
                }
            }),
        ],
    ),
    Defect::new(
        "race-read-gap",
        "A tag that is being pushed again is not there until the push is over.",
        "race.read",
        &[BEGIN, Seam::Resolve(|lookup, right| right.filter(|_| !is_moving(lookup)))],
    ),
    Defect::new(
        "race-read-cached",
        "What is read of a tag while it is being pushed is kept, and served ever after.",
        "race.tag",
        &[
            BEGIN,
            Seam::Finish(|asked, view, memory, answer| {
                let Route::Manifest { repository, reference } = &asked.route else { return answer };
                if !gets_manifest(asked) || answer.status != StatusCode::OK {
                    return answer;
                }
                let key = format!("{repository} {reference}");
                let what = format!("manifests/{reference}");
                let is_push = |e: &Errand| e.puts_manifest() && e.repository == *repository && e.what == what;
                if memory.recall(&key).is_none() && view.traffic.count(is_push) > 0 {
                    let stale = Body::Bytes(answer.body.to_bytes());
                    memory.keep(&key, &Answer { body: stale, ..answer.clone() });
                }
                memory.recall(&key).unwrap_or(answer)
            }),
        ],
    )
    .also(&["manifest.put.tag-moved"]),
    Defect::new(
        "race-push-409",
        "A tag is pushed while another push of it is under way: refused with 409.",
        "race.taken",
        &[
            BEGIN,
            Seam::Accept(|push, right| {
                let reference = format!("manifests/{}", push.reference.as_str());
                let same = |e: &Errand| e.puts_manifest() && e.repository == push.repository && e.what == reference;
                match push.reference.tag().is_some() && push.view.traffic.count(same) > 1 {
                    true => Err(Problem::unsupported("another push is under way").status(StatusCode::CONFLICT)),
                    false => right,
                }
            }),
        ],
    ),
    Defect::new(
        "race-delete-twice-500",
        "Of two deletions of the same thing at once the second is answered with 500.",
        "race.deleted",
        &[
            Seam::Begin(slow_deletes),
            Seam::Delete(|removal, right| {
                let what = path_of(removal.target);
                let twice = removal.view.traffic.met_its_like("DELETE", removal.repository, &what);
                falls_over(twice && right.is_err(), right)
            }),
        ],
    ),
    Defect::new(
        "race-push-500",
        "Of two pushes at once under the same tag or digest one is answered with 500 \
         (https://github.com/GoogleContainerTools/jib/issues/2470).",
        "race.answered",
        &[
            BEGIN,
            Seam::Accept(|push, right| {
                let what = format!("manifests/{}", push.reference.as_str());
                let same = |e: &Errand| e.puts_manifest() && e.repository == push.repository && e.what == what;
                falls_over(push.view.traffic.count(same) > 1, right)
            }),
        ],
    ),
    Defect::new(
        "race-push-invalid",
        "Of two pushes at once under the same tag or digest one is refused as invalid \
         (https://github.com/GoogleContainerTools/jib/issues/2470).",
        "race.sound",
        &[
            BEGIN,
            Seam::Accept(|push, right| {
                let what = format!("manifests/{}", push.reference.as_str());
                let same = |e: &Errand| e.puts_manifest() && e.repository == push.repository && e.what == what;
                match push.view.traffic.count(same) > 1 {
                    true => Err(Problem::manifest_invalid("it is being pushed")),
                    false => right,
                }
            }),
        ],
    )
    .also(&["race.taken"]),
    Defect::new(
        "race-tags-500",
        "While something is pushed or deleted the list of tags is answered with 500.",
        "race.tags-during",
        &[
            BEGIN,
            Seam::Finish(|asked, view, _, answer| match asked.route.repository() {
                Some(repository) if lists_tags(asked) && is_changing(*view, repository) => fault().into(),
                _ => answer,
            }),
        ],
    ),
    Defect::new(
        "race-tags-skip",
        "While tags come and go the list leaves one out that stays.",
        "race.tags-walk",
        &[
            BEGIN,
            Seam::List(|listing, mut right| {
                if is_changing(listing.view, listing.repository) && !right.is_empty() {
                    right.remove(0);
                }
                right
            }),
        ],
    ),
    Defect::new(
        "race-tags-twice",
        "While tags come and go a page begins with the last tag of the one before.",
        "race.tags-walk",
        &[
            BEGIN,
            Seam::Page(|listing, _, mut right| {
                if let Some(last) = listing.last.filter(|_| is_changing(listing.view, listing.repository)) {
                    right.items.insert(0, last.to_owned());
                }
                right
            }),
        ],
    ),
    Defect::new(
        "race-upload-500",
        "Of two uploads of the same blob that end at once one is answered with 500.",
        "race.answered",
        &[
            Seam::Begin(slow_closing),
            Seam::Finish(|asked, view, _, answer| {
                let (Some(repository), Some(digest)) = (asked.route.repository(), asked.query.get("digest")) else {
                    return answer;
                };
                let what = format!("blobs/{digest}");
                let ends = |e: &Errand| e.method == "PUT" && e.repository == repository && e.what == what;
                let meets = asked.method == axum::http::Method::PUT && view.traffic.count(ends) > 1;
                if meets { fault().into() } else { answer }
            }),
        ],
    ),
];

/// The end of an upload takes its time.
pub(super) fn slow_closing(asked: &Asked) -> Duration {
    let closes = asked.method == axum::http::Method::PUT && matches!(asked.route, Route::Upload { .. });
    if closes { WINDOW } else { Duration::ZERO }
}
