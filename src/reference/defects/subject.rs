//! Wrong about the subject of what is pushed, and about one that refers in several ways.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::referrers::{listed, relisted, subject};
use super::tools::*;

/// The manifest that a push stored, where its subject was told.
fn told<'a>(asked: &Asked, view: &View<'a>, answer: &Answer) -> Option<(Digest, &'a Stored)> {
    let put = asked.method == Method::PUT && answer.header("oci-subject").is_some();
    let digest = Digest::parse(answer.header("docker-content-digest").filter(|_| put)?)?;
    let stored = view.state.manifest(asked.route.repository()?, &digest)?;
    Some((digest, stored))
}

fn untold(asked: &Asked, view: &View, answer: Answer, wrong: impl FnOnce(&Stored) -> bool) -> Answer {
    let wrong = told(asked, view, &answer).is_some_and(|(_, stored)| wrong(stored));
    changed(wrong, answer, |a| a.without("oci-subject"))
}

/// A push whose subject is not there.
fn dangles(push: &Push) -> bool {
    let subject = push.manifest.subject.as_deref().and_then(Digest::parse);
    subject.is_some_and(|subject| push.view.state.manifest(push.repository, &subject).is_none())
}

/// Each entry of a list as often as `times` says of its digest.
fn repeated(asked: &Asked, answer: Answer, times: impl Fn(&Digest) -> usize) -> Answer {
    changed(listed(asked, &answer), answer, |a| {
        relisted(a, |list| {
            let again = |entry: &Value| {
                let digest = entry.get("digest").and_then(Value::as_str).and_then(Digest::parse);
                digest.map_or(1, |digest| times(&digest).max(1))
            };
            *list = list.iter().flat_map(|entry| std::iter::repeat_n(entry.clone(), again(entry))).collect();
        })
    })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "subject-absent-refused-for-images",
        "An image whose subject is absent is refused; an index is taken.",
        "index.absent-subject.taken",
        &[Seam::Accept(|push, right| match push.manifest.kind != Kind::Index && dangles(push) {
            true => Err(Problem::manifest_invalid("its subject is not known")),
            false => right,
        })],
    ),
    Defect::new(
        "subject-absent-200",
        "A push whose subject is absent is answered with 200.",
        "index.absent-subject.taken",
        &[Seam::Finish(|asked, view, _, answer| {
            let stored = told(asked, view, &answer);
            let of = stored.and_then(|(_, stored)| Digest::parse(stored.manifest.subject.as_deref()?));
            let name = asked.route.repository().unwrap_or_default();
            let dangles = of.is_some_and(|of| view.state.manifest(name, &of).is_none());
            changed(dangles, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "subject-header-for-artifacts-only",
        "OCI-Subject is answered to manifests with an artifactType alone.",
        "referrers.subject-header",
        &[Seam::Finish(|asked, view, _, answer| {
            untold(asked, view, answer, |stored| {
                let config = stored.manifest.artifact_type.as_deref();
                config.is_none_or(|config| config.starts_with("application/vnd.oci.image.config"))
            })
        })],
    )
    .also(&["referrers.subject-header-index"]),
    Defect::new(
        "subject-header-for-images-only",
        "OCI-Subject is answered to images alone (https://github.com/project-zot/zot/pull/1589).",
        "referrers.subject-header-index",
        &[Seam::Finish(|asked, view, _, answer| {
            untold(asked, view, answer, |stored| stored.manifest.kind == Kind::Index)
        })],
    ),
    Defect::new(
        "subject-header-by-digest-only",
        "OCI-Subject is answered to pushes by digest alone.",
        "referrers.subject-header",
        &[Seam::Finish(|asked, view, _, answer| {
            let by_tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
            untold(asked, view, answer, |_| by_tag)
        })],
    )
    .also(&["referrers.subject-header-index"]),
    Defect::new(
        "subject-header-if-there",
        "OCI-Subject is answered where the subject is there already.",
        "referrers.subject-header",
        &[Seam::Finish(|asked, view, _, answer| {
            let name = asked.route.repository().unwrap_or_default().to_owned();
            untold(asked, view, answer, |stored| {
                let of = stored.manifest.subject.as_deref().and_then(Digest::parse);
                of.is_none_or(|of| view.state.manifest(&name, &of).is_none())
            })
        })],
    ),
    Defect::new(
        "subject-header-once",
        "OCI-Subject is answered to the first push of a manifest, and to no later one.",
        "referrers.subject-header",
        &[Seam::Finish(|asked, view, memory, answer| {
            let Some((digest, _)) = told(asked, view, &answer) else { return answer };
            let name = asked.route.repository().unwrap_or_default();
            let again = memory.count(&format!("{name} {digest}")) > 1;
            changed(again, answer, |a| a.without("oci-subject"))
        })],
    ),
    Defect::new(
        "referrers-once-per-tag",
        "A referrer is listed once for each of its tags (https://github.com/project-zot/zot/pull/3524).",
        "referrers.complete",
        &[Seam::Finish(|asked, view, _, answer| {
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            repeated(asked, answer, |digest| held.map_or(1, |held| held.tags_of(digest).count()))
        })],
    ),
    Defect::new(
        "referrers-once-per-push",
        "A referrer is listed once for each time that it was pushed.",
        "referrers.complete",
        &[Seam::Finish(|asked, view, memory, answer| {
            let name = asked.route.repository().unwrap_or_default().to_owned();
            if let Some((digest, _)) = told(asked, view, &answer) {
                let times = memory.count(&format!("{name} {digest}"));
                memory.keep(&format!("{name} {digest}"), &Answer::json(StatusCode::OK, &times.into()));
            }
            let pushed = |digest: &Digest| {
                let kept = memory.recall(&format!("{name} {digest}")).and_then(|kept| kept.value()?.as_u64());
                kept.and_then(|times| usize::try_from(times).ok()).unwrap_or(1)
            };
            repeated(asked, answer, pushed)
        })],
    ),
    Defect::new(
        "referrers-of-referrers",
        "What refers to a referrer is listed for its subject too.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let Some(held) = lookup.view.state.repository(lookup.repository) else { return right };
            let theirs = right.iter().flat_map(|(digest, _)| held.referrers.get(digest.as_str()).into_iter().flatten());
            let theirs = theirs.filter_map(|digest| Some((digest.clone(), held.manifests.get(digest)?.clone())));
            right.iter().cloned().chain(theirs).collect()
        })],
    ),
    Defect::new(
        "referrers-of-all-repositories",
        "Referrers are kept by the digest of their subject alone, whatever repository they are in.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let others = lookup.view.state.repositories.iter().filter(|(name, _)| name.as_str() != lookup.repository);
            let theirs = others.flat_map(|(_, held)| {
                let digests = held.referrers.get(lookup.reference.as_str()).into_iter().flatten();
                digests.filter_map(|digest| Some((digest.clone(), held.manifests.get(digest)?.clone())))
            });
            right.into_iter().chain(theirs).collect()
        })],
    )
    .also(&["referrers.empty"]),
    Defect::new(
        "referrers-of-deleted-subject-404",
        "Where a subject was deleted its referrers are answered with 404.",
        "referrers.listed",
        &[Seam::Finish(|asked, view, _, answer| {
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let gone = held
                .zip(subject(asked))
                .is_some_and(|(held, digest)| !held.manifests.contains_key(&digest) && was_there(held, &digest));
            changed(listed(asked, &answer) && gone, answer, |_| Problem::manifest_unknown("").into())
        })],
    ),
    Defect::new(
        "tag-like-digest-frozen",
        "A tag that is made of a digest stays with the manifest that it was given first, and nothing says so.",
        "manifest.put.tag-moved",
        &[Seam::Store(|change, right| {
            let Some(push) = accepted(change) else { return right };
            let frozen = |tag: &str| is_of_digest(tag) && push.view.state.tag(push.repository, tag).is_some();
            right.into_iter().filter(|write| !matches!(write, Write::Tag { tag, .. } if frozen(tag))).collect()
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "tag-like-digest-resolves-digest",
        "A tag that is made of a digest leads to what has that digest, where that is there.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            let tag = lookup.reference.tag().filter(|tag| is_of_digest(tag));
            let digest = tag.and_then(|tag| Digest::parse(&tag.replacen('-', ":", 1)));
            digest.and_then(|digest| served(lookup.view, lookup.repository, &digest)).or(right)
        })],
    )
    .also(&["manifest.get.bytes", "manifest.get.served"]),
];

/// Whether a tag is that of the referrers tag scheme.
fn is_of_digest(tag: &str) -> bool {
    Digest::parse(&tag.replacen('-', ":", 1)).is_some()
}
