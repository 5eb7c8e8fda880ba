//! Wrong about the filter of a list of referrers, about artifactTypes in it, and about what is kept of lists that were read.

use serde_json::Value;

use super::referrers::{listed, relisted, subject, with_what_a_filter_drops};
use super::tools::*;

fn is_filtered(asked: &Asked, answer: &Answer) -> bool {
    listed(asked, answer) && asked.query.get("artifactType").is_some()
}

/// The manifest that an entry of a list is about, as JSON.
fn manifest(asked: &Asked, view: &View, entry: &Value) -> Option<(Kind, Value)> {
    let digest = Digest::parse(entry.get("digest")?.as_str()?)?;
    let stored = view.state.manifest(asked.route.repository()?, &digest)?;
    Some((stored.manifest.kind, serde_json::from_slice(&view.content.body(&digest)?.to_bytes()).ok()?))
}

/// Whether the manifest has the artifactType itself, and not from its config.
fn says_its_type(asked: &Asked, view: &View, entry: &Value) -> bool {
    manifest(asked, view, entry).is_none_or(|(_, manifest)| manifest.get("artifactType").is_some())
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "referrers-filter-ignored",
        "There is no filter by artifactType: the whole list comes, and does not say that it was filtered.",
        "referrers.filter",
        &[Seam::Finish(|asked, view, _, answer| {
            let filtered = is_filtered(asked, &answer);
            let answer = with_what_a_filter_drops(asked, view, answer);
            changed(filtered, answer, |a| a.without("oci-filters-applied"))
        })],
    ),
    Defect::new(
        "referrers-filter-unsaid",
        "A filtered list does not say that it was filtered.",
        "referrers.filter-said",
        &[Seam::Finish(|_, _, _, answer| answer.without("oci-filters-applied"))],
    )
    .also(&["referrers.filter"]),
    Defect::new(
        "referrers-filter-nobody-404",
        "A filter that leaves nothing of a list is answered with 404.",
        "referrers.listed",
        &[Seam::Finish(|asked, _, _, answer| {
            let none = answer.value().is_some_and(|mut v| entries(&mut v).is_some_and(|list| list.is_empty()));
            changed(is_filtered(asked, &answer) && none, answer, |_| Problem::manifest_unknown("").into())
        })],
    ),
    Defect::new(
        "referrers-type-from-field-only",
        "An image without artifactType is listed without one.",
        "referrers.artifact-type",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| {
                    for entry in list.iter_mut().filter(|entry| !says_its_type(asked, view, entry)) {
                        if let Some(map) = entry.as_object_mut() {
                            map.shift_remove("artifactType");
                        }
                    }
                })
            })
        })],
    )
    .also(&["referrers.complete", "referrers.filter-kept"]),
    Defect::new(
        "referrers-type-from-config",
        "The artifactType in a list is that of an image's config, whatever the image says (go-containerregistry \
         pkg/registry).",
        "referrers.artifact-type",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| {
                    for entry in list.iter_mut() {
                        let config = manifest(asked, view, entry).and_then(|(_, manifest)| {
                            Some(manifest.get("config")?.get("mediaType")?.clone())
                        });
                        if let Some((map, config)) = entry.as_object_mut().zip(config) {
                            map.insert("artifactType".into(), config);
                        }
                    }
                })
            })
        })],
    )
    .also(&["referrers.complete", "referrers.filter-kept", "referrers.filter-honest"]),
    Defect::new(
        "referrers-index-gets-type",
        "An index without artifactType is listed with one (https://github.com/opencontainers/distribution-spec/issues/458).",
        "referrers.artifact-type",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(listed(asked, &answer), answer, |a| {
                relisted(a, |list| {
                    for entry in list.iter_mut().filter(|entry| !says_its_type(asked, view, entry)) {
                        let is_index = manifest(asked, view, entry).is_some_and(|(kind, _)| kind == Kind::Index);
                        if let Some(map) = entry.as_object_mut().filter(|_| is_index) {
                            map.insert("artifactType".into(), super::super::manifest::OCI_INDEX.into());
                        }
                    }
                })
            })
        })],
    )
    .also(&["referrers.complete"]),
    Defect::new(
        "referrers-filter-by-field-only",
        "A filter looks at the manifest's own artifactType: images that have theirs from the config are not found.",
        "referrers.filter-kept",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(is_filtered(asked, &answer), answer, |a| {
                relisted(a, |list| list.retain(|entry| says_its_type(asked, view, entry)))
            })
        })],
    ),
    Defect::new(
        "referrers-filter-decoded-twice",
        "The artifactType of the query is decoded once more, and a plus becomes a space.",
        "referrers.filter-kept",
        &[Seam::Finish(|asked, _, _, answer| {
            let plus = asked.query.get("artifactType").is_some_and(|wanted| wanted.contains("+"));
            changed(listed(asked, &answer) && plus, answer, |a| relisted(a, Vec::clear))
        })],
    ),
    Defect::new(
        "referrers-list-stale",
        "A list of referrers that was read is given again for as long as the process lives.",
        "referrers.complete",
        &[Seam::Finish(|asked, _, memory, answer| {
            if !listed(asked, &answer) {
                return answer;
            }
            memory.first(&asked.uri.to_string(), answer)
        })],
    )
    .also(&["referrers.gone", "referrers.listed"]),
    Defect::new(
        "referrers-filter-shares-cache",
        "Lists of referrers are kept by their subject alone: what was filtered for one is given to the next \
         (https://github.com/quay/quay/pull/6511).",
        "referrers.complete",
        &[Seam::Finish(|asked, view, memory, answer| {
            if !listed(asked, &answer) {
                return answer;
            }
            // A push or a deletion empties what is kept: each state of the repository has keys of its own.
            let held = asked.route.repository().and_then(|name| view.state.repository(name));
            let of = subject(asked).map(|digest| digest.to_string()).unwrap_or_default();
            let now = held.and_then(|held| held.referrers.get(&of));
            let key = format!("{} {now:?}", asked.uri.path());
            let kept = memory.recall(&key).and_then(|kept| kept.value());
            match kept {
                Some(list) => answer.body(list.to_string()),
                None => {
                    memory.keep(&key, &answer);
                    answer
                }
            }
        })],
    )
    .also(&["referrers.filter-honest", "referrers.filter-kept"]),
];
