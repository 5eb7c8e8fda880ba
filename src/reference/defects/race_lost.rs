//! Writes that are acknowledged and lost, because something else was under way.

use super::super::answer::Body;
use super::super::traffic::Errand;
use super::race::{path_of, slow_closing, slow_writes};
use super::tools::*;

/// So many pushes at once are too many for a registry that loses one.
const CROWD: usize = 6;

const BEGIN: Seam = Seam::Begin(slow_writes);

/// The path that a push puts to.
fn path(push: &Push) -> String {
    format!("manifests/{}", push.reference.as_str())
}

/// Whether a push met another one under the same tag or digest.
fn met_its_like(push: &Push) -> bool {
    push.view.traffic.met_its_like("PUT", push.repository, &path(push))
}

/// Whether a push met another request of its repository of which this holds.
fn met(push: &Push, other: impl Fn(&Errand) -> bool) -> bool {
    push.view.traffic.met("PUT", push.repository, &path(push), other)
}

/// Whether a deletion met another request of its repository of which this holds.
fn deletes_beside(change: &Change, other: impl Fn(&Errand) -> bool) -> bool {
    match change {
        Change::Delete(removal) => {
            removal.view.traffic.met("DELETE", removal.repository, &path_of(removal.target), other)
        }
        _ => false,
    }
}

fn names_tag(errand: &Errand) -> bool {
    errand.puts_manifest() && !errand.what.contains(':')
}

fn deletes_manifest(change: &Change) -> bool {
    matches!(change, Change::Delete(removal) if matches!(removal.target, Target::Manifest(_)))
}

fn deleted_tag<'c>(change: &'c Change) -> Option<(&'c Removal<'c>, &'c str)> {
    match change {
        Change::Delete(removal) => match removal.target {
            Target::Tag(tag) => Some((removal, tag)),
            _ => None,
        },
        _ => None,
    }
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "race-tag-unmoved",
        "Of two pushes of one tag at once neither moves it, and both are acknowledged.",
        "race.tag",
        &[
            BEGIN,
            Seam::Store(|change, right| match accepted(change) {
                Some(push) if met_its_like(push) => {
                    right.into_iter().filter(|write| !matches!(write, Write::Tag { .. })).collect()
                }
                _ => right,
            }),
        ],
    ),
    Defect::new(
        "race-same-lost",
        "Of two pushes of the same index at once each leaves it to the other to store it.",
        "race.keeps",
        &[
            BEGIN,
            Seam::Store(|change, right| match accepted(change) {
                Some(push) if is_index(push) && met_its_like(push) => Vec::new(),
                _ => right,
            }),
        ],
    )
    .also(&["race.tag"]),
    Defect::new(
        "race-child-lost",
        "An image that is pushed by digest while a tag is pushed to its repository is acknowledged and lost.",
        "race.keeps",
        &[
            BEGIN,
            Seam::Store(|change, right| match accepted(change) {
                Some(push) if !is_index(push) && by_digest(push) && met(push, names_tag) => Vec::new(),
                _ => right,
            }),
        ],
    ),
    Defect::new(
        "race-child-delete-lost",
        "The deletion of a manifest is acknowledged and forgotten where a push to its repository is under way.",
        "race.gone",
        &[
            BEGIN,
            Seam::Store(|change, right| {
                let lost = deletes_manifest(change) && deletes_beside(change, Errand::puts_manifest);
                if lost { Vec::new() } else { right }
            }),
        ],
    ),
    Defect::new(
        "race-dangling-tag",
        "A manifest that is deleted while another is pushed leaves its tags, which lead nowhere.",
        "race.tags",
        &[
            BEGIN,
            Seam::Store(|change, right| {
                let leaves = deletes_manifest(change) && deletes_beside(change, Errand::puts_manifest);
                right.into_iter().filter(|write| !leaves || !matches!(write, Write::Untag { .. })).collect()
            }),
        ],
    ),
    Defect::new(
        "race-tag-delete-lost",
        "Of several tags that are deleted at once some stay, though each deletion is acknowledged.",
        "race.gone",
        &[
            BEGIN,
            Seam::Store(|change, right| {
                let beside = |errand: &Errand| errand.method == "DELETE" && !errand.what.contains(':');
                let lost = deleted_tag(change).is_some() && deletes_beside(change, beside);
                if lost { Vec::new() } else { right }
            }),
        ],
    ),
    Defect::new(
        "race-tag-delete-takes-manifest",
        "The deletion of a tag while it is pushed takes the manifest that it named.",
        "race.keeps",
        &[
            BEGIN,
            Seam::Store(|change, mut right| {
                if let Some((removal, tag)) = deleted_tag(change)
                    && deletes_beside(change, Errand::puts_manifest)
                    && let Some(digest) = removal.view.state.tag(removal.repository, tag)
                {
                    right.push(Write::DropManifest {
                        repository: removal.repository.to_owned(),
                        digest: digest.clone(),
                    });
                }
                right
            }),
        ],
    )
    .also(&["race.tag"]),
    Defect::new(
        "race-many-lost",
        "Where many pushes to one repository are under way, some are acknowledged and lost.",
        "race.tag",
        &[
            BEGIN,
            Seam::Store(|change, right| match accepted(change) {
                Some(push) => {
                    let here = |errand: &Errand| errand.puts_manifest() && errand.repository == push.repository;
                    if push.view.traffic.count(here) >= CROWD { Vec::new() } else { right }
                }
                None => right,
            }),
        ],
    )
    .also(&["race.keeps", "race.tags"]),
    Defect::new(
        "race-referrers-lost",
        "Of several manifests with one subject that are pushed at once only one is listed.",
        "race.referrers",
        &[
            BEGIN,
            Seam::Refer(|lookup, right| {
                let met = |digest: &Digest| {
                    let what = format!("manifests/{digest}");
                    lookup.view.traffic.met("PUT", lookup.repository, &what, Errand::puts_manifest)
                };
                let first = right.iter().map(|(digest, _)| digest.clone()).find(|digest| met(digest));
                right.into_iter().filter(|(digest, _)| !met(digest) || Some(digest) == first.as_ref()).collect()
            }),
        ],
    )
    .also(&["referrers.listed"]),
    Defect::new(
        "race-upload-torn",
        "Of two uploads of the same blob that end at once half is served.",
        "race.keeps",
        &[
            Seam::Begin(slow_closing),
            Seam::Find(|lookup, right| {
                let what = format!("blobs/{}", lookup.reference.as_str());
                let torn = lookup.view.traffic.met_its_like("PUT", lookup.repository, &what);
                right.map(|served| {
                    let length = if torn { served.body.length() / 2 } else { served.body.length() };
                    Served { body: Body::slice(served.body, 0, length), ..served }
                })
            }),
        ],
    ),
];
