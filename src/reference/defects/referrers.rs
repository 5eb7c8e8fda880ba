//! Wrong about who refers to a manifest.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::tools::*;

fn lists(asked: &Asked) -> bool {
    asked.reads() && matches!(asked.route, Route::Referrers { .. })
}

pub(super) fn subject(asked: &Asked) -> Option<Digest> {
    match &asked.route {
        Route::Referrers { digest, .. } => Digest::parse(digest),
        _ => None,
    }
}

/// The subject that is asked for, where it is there.
fn stored_subject<'a>(lookup: &Lookup<'a>) -> Option<&'a Stored> {
    lookup.view.state.manifest(lookup.repository, lookup.reference.digest()?)
}

/// The list in an answer, changed.
pub(super) fn relisted(answer: Answer, change: impl FnOnce(&mut Vec<Value>)) -> Answer {
    let mut value = answer.value().unwrap_or_default();
    if let Some(list) = entries(&mut value) {
        change(list);
    }
    answer.without("content-length").body(value.to_string())
}

pub(super) fn listed(asked: &Asked, answer: &Answer) -> bool {
    lists(asked) && answer.status == StatusCode::OK
}

/// What a filter by artifactType leaves, and what it drops.
pub(super) fn with_what_a_filter_drops(asked: &Asked, view: &View, answer: Answer) -> Answer {
    let filtered = listed(asked, &answer) && asked.query.get("artifactType").is_some();
    let held = asked.route.repository().and_then(|name| view.state.repository(name)).filter(|_| filtered);
    let Some((held, subject)) = held.zip(subject(asked)) else { return answer };
    relisted(answer, |list| {
        let all = held.referrers.get(subject.as_str()).into_iter().flatten();
        for (digest, stored) in all.filter_map(|digest| Some((digest, held.manifests.get(digest)?))) {
            if list.iter().all(|entry| entry.get("digest").and_then(Value::as_str) != Some(digest.as_str())) {
                let (media_type, artifact_type) = (&stored.manifest.media_type, &stored.manifest.artifact_type);
                let (digest, size) = (digest.as_str(), stored.size);
                list.push(
                    json!({"mediaType": media_type, "digest": digest, "size": size, "artifactType": artifact_type}),
                );
            }
        }
    })
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "referrers-lose-newest",
        "Of several referrers the one that was pushed last is not listed.",
        "referrers.complete",
        &[Seam::Refer(|_, right| {
            let newest = right.iter().map(|(_, stored)| stored.first).max();
            let several = right.len() > 1;
            right.into_iter().filter(|(_, stored)| !(several && Some(stored.first) == newest)).collect()
        })],
    ),
    Defect::new(
        "referrers-type-json",
        "The list of referrers is served as application/json.",
        "referrers.type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(listed(asked, &answer), answer, |a| a.with("content-type", "application/json"))
        })],
    ),
    Defect::new(
        "referrers-annotations-dropped",
        "The list of referrers has no annotations.",
        "referrers.artifact-type",
        &[Seam::Finish(|asked, _, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| {
                    for entry in list.iter_mut().filter_map(Value::as_object_mut) {
                        entry.shift_remove("annotations");
                    }
                })
            })
        })],
    )
    .also(&["referrers.complete"]),
    Defect::new(
        "referrers-of-sparse-empty",
        "An index with gaps has no referrers.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let sparse = stored_subject(lookup).is_some_and(|stored| {
                let children = &stored.manifest.children;
                present(lookup.view, lookup.repository, children).count() < children.len()
            });
            if sparse { Vec::new() } else { right }
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "referrers-of-absent-400",
        "The referrers of a manifest that is not there are refused with 400.",
        "referrers.empty",
        &[Seam::Finish(|asked, view, _, answer| {
            let repository = asked.route.repository().unwrap_or_default();
            let absent = subject(asked).is_some_and(|digest| view.state.manifest(repository, &digest).is_none());
            changed(listed(asked, &answer) && absent, answer, |_| Problem::manifest_invalid("no such subject").into())
        })],
    )
    .also(&["referrers.listed"]),
    Defect::new(
        "referrers-lost-on-arrival",
        "What was pushed before its subject is not listed once the subject is there.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let since = stored_subject(lookup).map(|stored| stored.first);
            right.into_iter().filter(|(_, stored)| since.is_none_or(|since| stored.first >= since)).collect()
        })],
    ),
    Defect::new(
        "subject-answered-with-referrer",
        "An absent manifest that something refers to is answered with what refers to it.",
        "manifest.get.absent",
        &[Seam::Resolve(|lookup, right| {
            right.or_else(|| {
                let repository = lookup.view.state.repository(lookup.repository)?;
                let first = repository.referrers.get(lookup.reference.as_str())?.first()?;
                served(lookup.view, lookup.repository, first)
            })
        })],
    ),
    Defect::new(
        "referrers-of-child-show-index",
        "The referrers of an index are listed for each of its children too.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let Some(repository) = lookup.view.state.repository(lookup.repository) else { return right };
            let naming = parents(lookup.view, lookup.repository, lookup.reference.as_str());
            let theirs = naming.flat_map(|(parent, _)| repository.referrers.get(parent.as_str()).into_iter().flatten());
            let theirs = theirs.filter_map(|digest| Some((digest.clone(), repository.manifests.get(digest)?.clone())));
            right.into_iter().chain(theirs).collect()
        })],
    )
    .also(&["referrers.empty"]),
    Defect::new(
        "referrers-miss-indexes",
        "An index with a subject is not listed.",
        "referrers.complete",
        &[Seam::Refer(|_, right| {
            right.into_iter().filter(|(_, stored)| stored.manifest.kind != Kind::Index).collect()
        })],
    ),
    Defect::new(
        "subject-header-of-self",
        "OCI-Subject names what was pushed, not its subject.",
        "referrers.subject-header",
        &[Seam::Finish(|_, _, _, answer| {
            let own = answer.header("docker-content-digest").unwrap_or_default().to_owned();
            changed(answer.header("oci-subject").is_some(), answer, |a| a.with("oci-subject", &own))
        })],
    ),
    Defect::new(
        "referrers-404-when-empty",
        "A list without referrers is answered with 404.",
        "referrers.empty",
        &[Seam::Finish(|asked, view, _, answer| {
            let none = answer.value().is_some_and(|mut v| entries(&mut v).is_some_and(|list| list.is_empty()));
            let repository = asked.route.repository().unwrap_or_default();
            let there = subject(asked).is_some_and(|digest| view.state.manifest(repository, &digest).is_some());
            changed(listed(asked, &answer) && none && there, answer, |_| Problem::manifest_unknown("").into())
        })],
    ),
    Defect::new(
        "referrers-malformed-500",
        "The referrers of what is no digest make the registry fall over.",
        "referrers.malformed",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = lists(asked) && answer.status == StatusCode::BAD_REQUEST;
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "referrers-filter-drops-all",
        "A filter by artifactType leaves nothing, and says that it was applied.",
        "referrers.filter-kept",
        &[Seam::Finish(|asked, _, _, answer| {
            let filtered = listed(asked, &answer) && asked.query.get("artifactType").is_some();
            changed(filtered, answer, |a| relisted(a, Vec::clear))
        })],
    ),
    Defect::new(
        "referrers-filter-named-only",
        "A filter by artifactType drops nothing, and is said to be applied.",
        "referrers.filter-honest",
        &[Seam::Finish(|asked, view, _, answer| with_what_a_filter_drops(asked, view, answer))],
    ),
    Defect::new(
        "referrers-list-deleted",
        "A deleted referrer is still listed.",
        "referrers.gone",
        &[Seam::Finish(|asked, view, memory, answer| {
            if !listed(asked, &answer) && !super::tools::puts_manifest(asked) {
                return answer;
            }
            let Some(repository) = asked.route.repository().and_then(|name| view.state.repository(name)) else {
                return answer;
            };
            // Each push is a moment at which what refers to what is written down, and never struck out.
            let name = asked.route.repository().unwrap_or_default();
            for (of, digests) in &repository.referrers {
                for digest in digests {
                    let Some(stored) = repository.manifests.get(digest) else { continue };
                    let entry = serde_json::json!({
                        "mediaType": stored.manifest.media_type, "digest": digest.as_str(), "size": stored.size,
                        "artifactType": stored.manifest.artifact_type, "annotations": stored.manifest.annotations,
                    });
                    let key = format!("{name} {of}");
                    let mut kept =
                        memory.recall(&key).and_then(|kept| kept.value()).unwrap_or_else(|| Value::Array(Vec::new()));
                    if let Some(list) = kept.as_array_mut()
                        && !list.contains(&entry)
                    {
                        list.push(entry);
                    }
                    memory.keep(&key, &Answer::json(StatusCode::OK, &kept));
                }
            }
            let of = subject(asked).map(|digest| digest.to_string()).unwrap_or_default();
            match memory.recall(&format!("{name} {of}")).and_then(|kept| kept.value()) {
                Some(Value::Array(all)) if listed(asked, &answer) => relisted(answer, |list| *list = all),
                _ => answer,
            }
        })],
    ),
];
