//! Wrong after an upgrade, or after the way back.

use super::super::manifest::{DOCKER_LIST, OCI_INDEX};
use super::boot_tools::*;

fn is_found_index(found: &Found) -> bool {
    manifest(found).is_some_and(|manifest| manifest.kind == Kind::Index)
}

const SHOWN: &[&str] = &["upgrade.keeps-manifest", "upgrade.keeps-tag", "upgrade.tags"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "upgrade-reserialises",
        "An upgrade reads every index and writes it anew, indented, under the old digest.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                altered(found, |_, one| {
                    let pretty = |bytes: &[u8]| {
                        let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
                        serde_json::to_vec_pretty(&value).ok()
                    };
                    is_found_index(one).then(|| with_bytes(one, pretty)).flatten()
                })
            })
        })],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-converts-lists",
        "An upgrade turns Docker manifest lists into OCI indexes (https://github.com/project-zot/zot/pull/4185).",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                altered(found, |_, one| {
                    let list = manifest(one).is_some_and(|manifest| manifest.media_type == DOCKER_LIST);
                    let converted = with_bytes(one, |bytes| {
                        edited(bytes, |value| {
                            *value.get_mut("mediaType")? = OCI_INDEX.into();
                            Some(())
                        })
                    });
                    let converted = Found { write: converted.filter(|_| list)?, since: one.since };
                    known_as(&converted, |manifest| manifest.media_type = OCI_INDEX.to_owned())
                })
            })
        })],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-trims-index",
        "An upgrade cuts the entries of missing children out of the indexes that it finds \
         (https://github.com/goharbor/harbor/issues/20920).",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, trimmed))],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-drops-sparse-index",
        "An upgrade holds what is stored against the rules for new pushes: indexes with gaps are gone, with their tags.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| without(found, |finds, one| finds.is_about_gaps(one)))
        })],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-drops-untagged",
        "An upgrade takes over tagged manifests: children that only an index names are lost \
         (https://github.com/goharbor/harbor/issues/12197).",
        "upgrade.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, without_untagged)
        })],
    )
    .also(&["upgrade.keeps-referrer"]),
    Defect::new(
        "upgrade-drops-layers-of-children",
        "An upgrade takes over the blobs of tagged manifests: those of children that only an index names are lost.",
        "upgrade.keeps-blob",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| without(found, |finds, one| finds.is_of_children_only(one)))
        })],
    ),
    Defect::new(
        "upgrade-lists-digests",
        "After an upgrade the tag list has the digests of untagged manifests too.",
        "upgrade.tags",
        &[Seam::List(|listing, right| {
            let held = listing.view.state.repository(listing.repository);
            let held = held.filter(|_| listing.view.state.life.upgraded);
            let manifests = held.into_iter().flat_map(|held| held.manifests.keys().map(move |digest| (held, digest)));
            let untagged = manifests.filter(|(held, digest)| held.tags_of(digest).next().is_none());
            let mut all = right;
            all.extend(untagged.map(|(_, digest)| digest.to_string()));
            all.sort();
            all
        })],
    ),
    Defect::new(
        "upgrade-folds-tags",
        "An upgrade turns tags into lower case.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                altered(found, |_, one| match &one.write {
                    Write::Tag { repository, tag, digest } => {
                        Some(set_tag(repository, &tag.to_ascii_lowercase(), digest))
                    }
                    _ => None,
                })
            })
        })],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-forgets-referrers",
        "An upgrade does not take over who refers to what.",
        "upgrade.keeps-referrer",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, |found| without_subjects(found, |_, _, _| true)))],
    ),
    Defect::new(
        "upgrade-forgets-referrers-of-missing",
        "An upgrade takes over who refers to what is there, and not who refers to a missing child.",
        "upgrade.keeps-referrer",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                without_subjects(found, |finds, name, subject| finds.manifest(name, subject).is_none())
            })
        })],
    ),
    Defect::new(
        "upgrade-revives-deleted",
        "An upgrade reads everything that ever was: deleted tags, manifests and blobs are back.",
        "upgrade.keeps-delete",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, |found| with_gone(rebuild, found, |_| true)))],
    )
    .also(&["upgrade.tags"]),
    Defect::new(
        "upgrade-refuses-deletes-403",
        "The newer version deletes nothing that the older one was given: 403.",
        "upgrade.delete",
        &[Seam::Delete(|removal, right| {
            let Target::Manifest(digest) = removal.target else { return right };
            let stored = removal.view.state.manifest(removal.repository, digest);
            match removal.view.state.life.upgraded && stored.is_some_and(|stored| before_start(&removal.view, stored)) {
                true => Err(Problem::unsupported("it is archived").coded("DENIED").status(StatusCode::FORBIDDEN)),
                false => right,
            }
        })],
    ),
    Defect::new(
        "upgrade-missing-child-500",
        "After an upgrade a missing child that a stored index names is answered with 500.",
        "upgrade.missing",
        &[Seam::Finish(|asked, view, _, answer| {
            changed(view.state.life.upgraded && is_about_a_gap(asked, view, &answer), answer, |_| fault().into())
        })],
    )
    .also(&["upgrade.same-error"]),
    Defect::new(
        "upgrade-missing-child-coded-otherwise",
        "After an upgrade the 404 of a missing child has another code than before.",
        "upgrade.same-error",
        &[Seam::Finish(|asked, view, _, answer| {
            let wrong = view.state.life.upgraded && is_about_a_gap(asked, view, &answer);
            changed(wrong, answer, |_| {
                Problem::manifest_unknown(asked.route.reference().unwrap_or_default()).coded("MANIFEST_BLOB_UNKNOWN").into()
            })
        })],
    ),
    Defect::new(
        "upgrade-stops-at-gap",
        "The newer version checks what it finds, and does not get ready where an index has gaps.",
        "upgrade.comes-back",
        &[Seam::Finish(|_, view, _, answer| not_ready(view.state.life.upgraded, view, answer))],
    ),
    Defect::new(
        "downgrade-stops-at-gap",
        "The older version checks what it finds, and does not get ready where an index has gaps.",
        "downgrade.comes-back",
        &[Seam::Finish(|_, view, _, answer| not_ready(view.state.life.downgraded, view, answer))],
    ),
    Defect::new(
        "downgrade-drops-sparse-index",
        "The older version does not find indexes with gaps that the newer one had.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            downgraded(rebuild, found, |found| without(found, |finds, one| finds.is_about_gaps(one)))
        })],
    )
    .also(SHOWN),
    Defect::new(
        "downgrade-loses-what-was-pushed-since",
        "The older version does not find what was pushed to the newer one.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            let since = rebuild.life.started;
            downgraded(rebuild, found, |found| {
                without(found, |_, one| since.is_some_and(|since| one.since >= since))
            })
        })],
    )
    .also(&["upgrade.keeps-manifest", "upgrade.keeps-blob", "upgrade.tags", "upgrade.keeps-referrer"]),
    Defect::new(
        "downgrade-collector-follows-tags-only",
        "The older version's collector takes the children of indexes \
         (https://github.com/distribution/distribution/issues/3178).",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked.view.state.life.downgraded, marked, right))],
    )
    .also(&["gc.keeps-blob"]),
    Defect::new(
        "downgrade-refuses-with-other-code",
        "After the way back an index with gaps is refused with another code than before.",
        "upgrade.same-error",
        &[Seam::Accept(|push, right| match push.view.state.life.downgraded {
            true => refused_otherwise(right, |problem| problem.coded("MANIFEST_INVALID")),
            false => right,
        })],
    )
    .when(stances::NOT_ACCEPT),
    Defect::new(
        "upgrade-loses-late-child",
        "After an upgrade the push of a child that an older index waits for is acknowledged, and nothing is stored.",
        "late.child.served",
        &[Seam::Store(|change, right| {
            let Some(push) = accepted(change).filter(|push| push.view.state.life.upgraded) else { return right };
            let started = push.view.state.life.started;
            let mut waiting = parents(push.view, push.repository, push.digest.as_str());
            let older = waiting.any(|(_, index)| started.is_some_and(|started| index.first < started));
            if older { Vec::new() } else { right }
        })],
    )
    .also(&["manifest.put.location", "manifest.get.served"]),
];
