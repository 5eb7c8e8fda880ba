//! Wrong about deletes of what tags led to once, of what has many, and of signatures.

use axum::http::{Method, StatusCode};

use super::super::question::Removal;
use super::delete::{deletes_digest, deletes_tag, naming, tags_of, untag};
use super::tools::*;

/// Most tags that a careless registry takes at once.
const MOST: usize = 1000;

/// What a tag led to before, where that is still there.
fn former<'a>(removal: &Removal<'a>, tag: &str) -> Option<&'a Digest> {
    let held = removal.view.state.repository(removal.repository)?;
    let now = held.tags.get(tag)?;
    let before = held.past.gone().filter_map(|(gone, _)| match gone {
        Gone::Tag(name, digest) if name == tag && digest != now => Some(digest),
        _ => None,
    });
    before.filter(|digest| held.manifests.contains_key(*digest)).last()
}

/// Tags that led to this manifest once and lead to another now.
fn former_tags(removal: &Removal, digest: &Digest) -> Vec<String> {
    let Some(held) = removal.view.state.repository(removal.repository) else { return Vec::new() };
    let gone = held.past.gone().filter_map(|(gone, _)| match gone {
        Gone::Tag(tag, led_to) if led_to == digest && held.tags.get(tag).is_some_and(|now| now != digest) => Some(tag),
        _ => None,
    });
    gone.cloned().collect()
}

/// The manifest whose digest this tag is made of, where the tag is a signature's.
fn signed(tag: &str) -> Option<Digest> {
    let stem = [".sig", ".att", ".sbom"].iter().find_map(|suffix| tag.strip_suffix(suffix))?;
    Digest::parse(&stem.replacen('-', ":", 1))
}

/// The digest of what is deleted, by its tag or as it is.
fn leads_to<'a>(removal: &Removal<'a>) -> Option<&'a Digest> {
    match removal.target {
        Target::Tag(tag) => removal.view.state.tag(removal.repository, tag),
        Target::Manifest(digest) => Some(digest),
        Target::Blob(_) => None,
    }
}

fn is_signature(asked: &Asked, view: &View) -> bool {
    let Some((name, reference)) = asked.route.repository().zip(asked.route.reference()) else { return false };
    let Some(held) = view.state.repository(name) else { return false };
    let named = |digest: Digest| {
        let past = held.past.gone().filter_map(|(gone, _)| match gone {
            Gone::Tag(tag, led_to) if *led_to == digest => Some(tag),
            _ => None,
        });
        past.chain(held.tags_of(&digest)).any(|tag| signed(tag).is_some())
    };
    signed(reference).is_some() || Digest::parse(reference).is_some_and(named)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "deleted-tag-uncovers-former",
        "Tags have a history, and where one goes the tag leads to what it led to before.",
        "delete.tag-gone",
        &[Seam::Store(|change, right| {
            let Some(removal) = deleted(change) else { return right };
            let uncovered = |write| match write {
                Write::Untag { repository, tag } => match former(removal, &tag) {
                    Some(digest) => set_tag(&repository, &tag, digest),
                    None => Write::Untag { repository, tag },
                },
                write => write,
            };
            right.into_iter().map(uncovered).collect()
        })],
    )
    .also(&["delete.manifest-gone", "tags.gone"]),
    Defect::new(
        "deleted-manifest-takes-former-tags",
        "With a manifest every tag goes that ever led to it.",
        "manifest.put.tag-moved",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) => {
                let tags = former_tags(removal, digest);
                plus(right, tags.iter().map(|tag| untag(removal, tag)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "deleted-tag-takes-named-child",
        "With its last tag a manifest is deleted, though an index names it (https://github.com/nfrastack/db-backup/pull/575).",
        "delete.tag-only",
        &[Seam::Store(|change, right| {
            let Some((removal, digest)) = deleted(change).and_then(|removal| Some((removal, leads_to(removal)?)))
            else {
                return right;
            };
            let last = matches!(removal.target, Target::Tag(_)) && tags_of(removal, digest).len() == 1;
            match last && !naming(removal, digest).is_empty() {
                true => plus(right, [drop_manifest(removal.repository, digest)]),
                false => right,
            }
        })],
    ),
    Defect::new(
        "deleted-last-tag-takes-manifest",
        "With its last tag a manifest that no index names is deleted.",
        "manifest.get.untagged",
        &[Seam::Store(|change, right| {
            let Some((removal, digest)) = deleted(change).and_then(|removal| Some((removal, leads_to(removal)?)))
            else {
                return right;
            };
            let last = matches!(removal.target, Target::Tag(_)) && tags_of(removal, digest).len() == 1;
            match last && naming(removal, digest).is_empty() {
                true => plus(right, [drop_manifest(removal.repository, digest)]),
                false => right,
            }
        })],
    ),
    Defect::new(
        "delete-many-tags-in-part",
        "The deletion of a manifest with more than a thousand tags takes the first thousand, and is answered 400 \
         (https://github.com/cloudflare/serverless-registry/pull/93).",
        "delete.manifest",
        &[
            Seam::Store(|change, right| match deleted_manifest(change) {
                Some((removal, digest)) if tags_of(removal, digest).len() > MOST => {
                    right.into_iter().take(MOST).collect()
                }
                _ => right,
            }),
            Seam::Finish(|asked, view, _, answer| {
                let held = asked.route.repository().and_then(|name| view.state.repository(name));
                let digest = asked.route.reference().and_then(Digest::parse);
                let stayed = held.zip(digest).is_some_and(|(held, digest)| held.manifests.contains_key(&digest));
                let wrong = deletes_digest(asked) && answer.status == StatusCode::ACCEPTED && stayed;
                changed(wrong, answer, |_| Problem::bad_request("too many tags").into())
            }),
        ],
    ),
    Defect::new(
        "deleted-manifest-takes-twins",
        "Images are kept by the digest of their config: with one all go that have the same.",
        "manifest.get.served",
        &[Seam::Store(|change, right| {
            let Some((removal, digest)) = deleted_manifest(change) else { return right };
            let Some(held) = removal.view.state.repository(removal.repository) else { return right };
            let config = |stored: &Stored| stored.manifest.blobs.first().map(|config| config.digest.clone());
            let wanted = held.manifests.get(digest).and_then(config);
            let twins = held.manifests.iter().filter(|(_, stored)| wanted.is_some() && config(stored) == wanted);
            let drops: Vec<Write> = twins.map(|(digest, _)| drop_manifest(removal.repository, digest)).collect();
            plus(right, drops)
        })],
    ),
    Defect::new(
        "delete-signature-500-done",
        "The deletion of what a signature's tag leads to is done, and answered 500 \
         (https://github.com/project-zot/zot/pull/4289).",
        "delete.manifest",
        &[Seam::Finish(|asked, view, _, answer| {
            let deletes = asked.method == Method::DELETE && answer.status == StatusCode::ACCEPTED;
            changed(deletes && is_signature(asked, view), answer, |_| fault().into())
        })],
    )
    .also(&["delete.tag"]),
    Defect::new(
        "delete-orphaned-signature-500",
        "The deletion of a signature whose subject is gone makes the registry fall over.",
        "delete.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let name = asked.route.repository().unwrap_or_default();
            let digest = asked.route.reference().and_then(Digest::parse);
            let held = view.state.repository(name).filter(|_| deletes_digest(asked));
            let orphaned = held.zip(digest).is_some_and(|(held, digest)| {
                let mut tags = held.past.gone().filter_map(|(gone, _)| match gone {
                    Gone::Tag(tag, led_to) if *led_to == digest => signed(tag),
                    _ => None,
                });
                tags.any(|signed| !held.manifests.contains_key(&signed))
            });
            changed(orphaned && answer.status == StatusCode::ACCEPTED, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "deleted-signature-takes-subject",
        "With a signature's tag what it signs loses its tags.",
        "delete.tag-only",
        &[Seam::Store(|change, right| {
            let Some(removal) = deleted(change) else { return right };
            let Target::Tag(tag) = removal.target else { return right };
            let Some(held) = removal.view.state.repository(removal.repository) else { return right };
            let Some(subject) = signed(tag) else { return right };
            // A child's signature counts as one of the indexes that name it.
            let of = naming(removal, &subject).into_iter().map(|(parent, _)| parent.clone()).chain([subject.clone()]);
            let tags: Vec<Write> = of
                .flat_map(|digest| held.tags_of(&digest).map(|tag| untag(removal, tag)).collect::<Vec<_>>())
                .collect();
            plus(right, tags)
        })],
    ),
    Defect::new(
        "delete-tag-no-repository-500",
        "The deletion of a tag in a repository that does not exist makes the registry fall over.",
        "delete.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let unknown = asked.route.repository().is_some_and(|name| view.state.repository(name).is_none());
            changed(deletes_tag(asked) && unknown, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "delete-index-403",
        "Nothing is deleted: 405, and 403 where it is an index.",
        "delete.disabled",
        &[Seam::Delete(|removal, right| {
            right.and(Err(match is_index_there(removal) {
                true => Problem::unsupported("nothing is deleted").coded("DENIED").status(StatusCode::FORBIDDEN),
                false => Problem::unsupported("nothing is deleted"),
            }))
        })],
    ),
    Defect::new(
        "delete-index-405-done",
        "Nothing is deleted: 405; an index is all the same.",
        "delete.disabled-kept",
        &[
            Seam::Store(|change, right| match deleted(change) {
                Some(removal) if !is_index_there(removal) => Vec::new(),
                _ => right,
            }),
            Seam::Finish(|asked, _, _, answer| {
                let wrong = (deletes_digest(asked) || deletes_tag(asked)) && answer.status == StatusCode::ACCEPTED;
                changed(wrong, answer, |_| Problem::unsupported("nothing is deleted").into())
            }),
        ],
    ),
    Defect::new(
        "delete-disabled-coded-unknown",
        "Nothing is deleted: 405, coded as if nothing were there.",
        "delete.disabled-code",
        &[Seam::Delete(|_, right| {
            right.and(Err(Problem::unsupported("nothing is deleted").coded("MANIFEST_UNKNOWN")))
        })],
    ),
    Defect::new(
        "delete-child-of-several-500",
        "What an index names is not deleted: 405; where several name it, the registry falls over.",
        "delete.child-refused",
        &[Seam::Delete(|removal, right| match removal.target {
            Target::Manifest(digest) => match naming(removal, digest).len() {
                0 => right,
                1 => right.and(Err(Problem::unsupported("an index names it"))),
                _ => right.and(Err(fault())),
            },
            _ => right,
        })],
    ),
    Defect::new(
        "delete-child-until-one-parent-went",
        "What an index names is not deleted: 405; with the first index that goes its children may go, whatever else names \
         them.",
        "delete.child-refused",
        &[Seam::Delete(|removal, right| {
            let Target::Manifest(digest) = removal.target else { return right };
            let Some(held) = removal.view.state.repository(removal.repository) else { return right };
            let freed = held.past.gone().any(|(gone, _)| match gone {
                Gone::Manifest(_, stored) => stored.manifest.children.iter().any(|c| c.digest == digest.as_str()),
                _ => false,
            });
            match naming(removal, digest).is_empty() || freed {
                true => right,
                false => right.and(Err(Problem::unsupported("an index names it"))),
            }
        })],
    ),
];

/// Whether an index is deleted, and is there.
fn is_index_there(removal: &Removal) -> bool {
    let stored = leads_to(removal).and_then(|digest| removal.view.state.manifest(removal.repository, digest));
    stored.is_some_and(|stored| stored.manifest.kind == Kind::Index)
}
