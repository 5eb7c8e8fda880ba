//! Wrong about what refers to a gap, or to a child that came late.

use super::gc_tools::*;

/// The subject whose referrers are asked for, where it is there.
fn subject<'a>(lookup: &Lookup<'a>) -> Option<(&'a Repository, &'a Digest, &'a Stored)> {
    let held = lookup.view.state.repository(lookup.repository)?;
    let digest = lookup.reference.digest()?;
    Some((held, digest, held.manifests.get(digest)?))
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "referrers-remember-none",
        "A digest that nothing referred to has no referrers from then on.",
        "referrers.complete",
        &[Seam::Finish(|asked, _, memory, answer| {
            let Route::Referrers { .. } = &asked.route else { return answer };
            let empty = answer.status == StatusCode::OK
                && serde_json::from_slice::<serde_json::Value>(&answer.body.to_bytes())
                    .is_ok_and(|list| list["manifests"].as_array().is_some_and(Vec::is_empty));
            if empty {
                memory.keep(asked.uri.path(), &answer);
            }
            memory.recall(asked.uri.path()).unwrap_or(answer)
        })],
    ),
    Defect::new(
        "referrers-of-late-child-frozen",
        "What refers to a child that came late is what did when it came.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let came = subject(lookup).filter(|(held, digest, _)| is_late(held, digest)).map(|(.., child)| child.first);
            right.into_iter().filter(|(_, referrer)| came.is_none_or(|came| referrer.first < came)).collect()
        })],
    )
    .also(&["referrers.filter-kept"]),
    Defect::new(
        "referrers-of-gap-keep-deleted",
        "A referrer that was deleted is listed for as long as its subject is missing.",
        "referrers.gone",
        &[Seam::Refer(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository).filter(|_| subject(lookup).is_none());
            let gone = held.into_iter().flat_map(|held| held.past.gone()).filter_map(|(gone, _)| match gone {
                Gone::Manifest(digest, stored) => {
                    let refers = stored.manifest.subject.as_deref() == Some(lookup.reference.as_str());
                    refers.then(|| (digest.clone(), stored.clone()))
                }
                _ => None,
            });
            right.into_iter().chain(gone).collect()
        })],
    ),
    Defect::new(
        "late-referrers-unlisted",
        "What refers to something and came after an index that names it is not listed.",
        "referrers.complete",
        &[Seam::Refer(|lookup, right| {
            let held = lookup.view.state.repository(lookup.repository);
            right.into_iter().filter(|(digest, _)| !held.is_some_and(|held| is_late(held, digest))).collect()
        })],
    ),
];
