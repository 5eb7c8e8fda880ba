//! Wrong about deletes of manifests and tags.

use axum::http::{Method, StatusCode};

use super::super::manifest::Manifest;
use super::super::question::Removal;
use super::tools::*;

fn deletes(asked: &Asked) -> bool {
    asked.method == Method::DELETE && matches!(asked.route, Route::Manifest { .. } | Route::Blob { .. })
}

pub(super) fn deletes_digest(asked: &Asked) -> bool {
    asked.method == Method::DELETE && asked.route.reference().is_some_and(|r| r.contains(':'))
}

pub(super) fn deletes_tag(asked: &Asked) -> bool {
    asked.method == Method::DELETE && asked.route.reference().is_some_and(|r| !r.contains(':'))
}

/// Indexes with their digests.
pub(super) type Indexes<'a> = Vec<(&'a Digest, &'a Stored)>;

/// The indexes of the repository that name what is deleted.
pub(super) fn naming<'a>(removal: &Removal<'a>, digest: &'a Digest) -> Indexes<'a> {
    parents(removal.view, removal.repository, digest.as_str()).collect()
}

fn deleted_tag<'a>(change: &Change<'a>) -> Option<(&'a Removal<'a>, &'a str, &'a Digest)> {
    let removal = deleted(change)?;
    match removal.target {
        Target::Tag(tag) => Some((removal, tag, removal.view.state.tag(removal.repository, tag)?)),
        _ => None,
    }
}

pub(super) fn untag(removal: &Removal, tag: &str) -> Write {
    Write::Untag { repository: removal.repository.to_owned(), tag: tag.to_owned() }
}

pub(super) fn tags_of(removal: &Removal, digest: &Digest) -> Vec<String> {
    let repository = removal.view.state.repository(removal.repository);
    repository.into_iter().flat_map(|r| r.tags_of(digest).cloned()).collect()
}

/// The children of a deleted index that are there.
pub(super) fn children<'a>(change: &Change<'a>) -> Vec<(&'a Removal<'a>, Digest)> {
    let Some((removal, digest)) = deleted_manifest(change) else { return Vec::new() };
    let stored = removal.view.state.manifest(removal.repository, digest);
    let children = stored.into_iter().flat_map(|s| present(removal.view, removal.repository, &s.manifest.children));
    children.map(|(digest, ..)| (removal, digest)).collect()
}

/// Without the removals of tags.
fn keep_tags(writes: Vec<Write>) -> Vec<Write> {
    writes.into_iter().filter(|write| !matches!(write, Write::Untag { .. })).collect()
}

/// What lies under a digest that no manifest of the repository has, as a manifest.
fn from_content(view: View, digest: &Digest) -> Option<Served> {
    let body = view.content.body(digest)?;
    let manifest = Manifest::parse(None, &body.to_bytes()).ok()?;
    Some(Served { media_type: manifest.media_type, digest: digest.clone(), body })
}

/// What a tag leads to though its manifest was deleted.
fn dangling(lookup: &Lookup) -> Option<Served> {
    let digest = lookup.view.state.tag(lookup.repository, lookup.reference.tag()?)?;
    from_content(lookup.view, digest)
}

/// Changes the answer to a delete of what is not there.
pub(super) fn of_absent(wrong: bool, answer: Answer, change: impl FnOnce(Answer) -> Answer) -> Answer {
    changed(wrong && answer.status == StatusCode::NOT_FOUND, answer, change)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "deleted-digest-keeps-tag",
        "A manifest that is deleted by digest is still served by its tags.",
        "delete.manifest-gone",
        &[
            Seam::Store(|change, right| if deleted_manifest(change).is_some() { keep_tags(right) } else { right }),
            Seam::Resolve(|lookup, right| right.or_else(|| dangling(lookup))),
        ],
    )
    .also(&["tags.gone", "manifest.get.absent"]),
    Defect::new(
        "deleted-digest-keeps-other-tags",
        "With a manifest one of its tags goes; it is still served by the others.",
        "delete.manifest-gone",
        &[
            Seam::Store(|change, right| match deleted_manifest(change) {
                Some((removal, digest)) => {
                    let first = tags_of(removal, digest).into_iter().next();
                    plus(keep_tags(right), first.map(|tag| untag(removal, &tag)))
                }
                None => right,
            }),
            Seam::Resolve(|lookup, right| right.or_else(|| dangling(lookup))),
        ],
    )
    .also(&["tags.gone"]),
    Defect::new(
        "deleted-manifest-tags-listed",
        "The tags of a deleted manifest are still listed.",
        "tags.gone",
        &[Seam::Store(|change, right| if deleted_manifest(change).is_some() { keep_tags(right) } else { right })],
    )
    .also(&["tags.no-phantom"]),
    Defect::new(
        "deleted-manifest-still-served",
        "The deletion of a tagged manifest is acknowledged, its tags go, and it is still served by its digest.",
        "delete.manifest-gone",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) if !tags_of(removal, digest).is_empty() => {
                right.into_iter().filter(|write| !matches!(write, Write::DropManifest { .. })).collect()
            }
            _ => right,
        })],
    ),
    Defect::new(
        "deleted-tag-takes-manifest",
        "With a tag the manifest that it leads to is deleted.",
        "delete.tag-only",
        &[Seam::Store(|change, right| match deleted_tag(change) {
            Some((removal, _, digest)) => plus(right, [drop_manifest(removal.repository, digest)]),
            None => right,
        })],
    ),
    Defect::new(
        "deleted-tag-takes-other-tags",
        "With a tag the other tags of its manifest are deleted.",
        "delete.tag-only",
        &[Seam::Store(|change, right| match deleted_tag(change) {
            Some((removal, _, digest)) => {
                plus(right, tags_of(removal, digest).into_iter().map(|tag| untag(removal, &tag)))
            }
            None => right,
        })],
    ),
    Defect::new(
        "deleted-tag-still-served",
        "The deletion of a tag is acknowledged, and the tag stays.",
        "delete.tag-gone",
        &[Seam::Store(|change, right| if deleted_tag(change).is_some() { Vec::new() } else { right })],
    )
    .also(&["tags.gone"]),
    Defect::new(
        "deleted-tag-still-listed",
        "A deleted tag is not served, and still listed.",
        "tags.gone",
        &[Seam::Store(|change, right| match deleted_tag(change) {
            Some((removal, tag, _)) => {
                let nothing = Digest::of(Default::default(), b"");
                vec![set_tag(removal.repository, tag, &nothing)]
            }
            None => right,
        })],
    ),
    Defect::new(
        "delete-tag-by-prefix",
        "With a tag those that begin with it are deleted.",
        "tags.complete",
        &[Seam::Store(|change, right| match deleted_tag(change) {
            Some((removal, tag, _)) => {
                let repository = removal.view.state.repository(removal.repository);
                let tags = repository.into_iter().flat_map(|r| r.tags.keys());
                let longer: Vec<Write> =
                    tags.filter(|other| other.starts_with(tag)).map(|other| untag(removal, other)).collect();
                plus(right, longer)
            }
            None => right,
        })],
    )
    .also(&["delete.tag-only"]),
    Defect::new(
        "delete-takes-all-tags",
        "With a manifest every tag of the repository is deleted.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, _)) => {
                let repository = removal.view.state.repository(removal.repository);
                let tags = repository.into_iter().flat_map(|r| r.tags.keys());
                let all: Vec<Write> = tags.map(|tag| untag(removal, tag)).collect();
                plus(right, all)
            }
            None => right,
        })],
    )
    .also(&["delete.index-children-kept", "late.index.unchanged"]),
    Defect::new(
        "delete-in-every-repository",
        "A manifest is deleted from every repository that has it.",
        "manifest.get.served",
        &[
            Seam::Store(|change, right| match deleted_manifest(change) {
                Some((removal, digest)) => {
                    let all = removal.view.state.repositories.iter().filter(|(_, r)| r.manifests.contains_key(digest));
                    let drops: Vec<Write> = all.map(|(name, _)| drop_manifest(name, digest)).collect();
                    plus(right, drops)
                }
                None => right,
            }),
            Seam::Delete(|removal, right| match removal.target {
                Target::Manifest(digest) if removal.view.state.manifest_anywhere(digest).is_some() => Ok(()),
                _ => right,
            }),
            Seam::Finish(|asked, view, _, answer| {
                let unknown = asked.route.repository().is_some_and(|name| view.state.repository(name).is_none());
                changed(deletes_digest(asked) && unknown, answer, |_| Problem::name_unknown("").into())
            }),
        ],
    )
    .also(&["delete.no-repository"]),
    Defect::new(
        "delete-tag-in-every-repository",
        "A tag is deleted from every repository that has it.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match deleted_tag(change) {
            Some((removal, tag, _)) => {
                let names = removal.view.state.repositories.keys();
                let untag = names.map(|name| Write::Untag { repository: name.clone(), tag: tag.to_owned() });
                plus(right, untag.collect::<Vec<_>>())
            }
            None => right,
        })],
    ),
    Defect::new(
        "deleted-manifest-takes-layers",
        "With a manifest its layers are deleted, though other manifests name them.",
        "blob.get.served",
        &[Seam::Store(|change, right| match deleted_manifest(change) {
            Some((removal, digest)) => {
                let stored = removal.view.state.manifest(removal.repository, digest);
                let layers = stored.into_iter().flat_map(|stored| stored.manifest.blobs.iter().skip(1));
                let drops: Vec<Write> = layers.filter_map(|layer| unlink(removal.repository, &layer.digest)).collect();
                plus(right, drops)
            }
            None => right,
        })],
    )
    .also(&["blob.head.served"]),
    Defect::new(
        "delete-answers-200",
        "The deletion of a tagged manifest is answered with 200.",
        "delete.manifest",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_digest(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |a| a.status(StatusCode::OK))
        })],
    ),
    Defect::new(
        "delete-untagged-404",
        "A manifest that has no tag and that no index names cannot be deleted: it is answered with 404.",
        "delete.manifest",
        &[Seam::Delete(|removal, right| match removal.target {
            Target::Manifest(digest) if tags_of(removal, digest).is_empty() && naming(removal, digest).is_empty() => {
                Err(Problem::manifest_unknown(digest.as_str()))
            }
            _ => right,
        })],
    ),
    Defect::new(
        "delete-absent-500",
        "The deletion of a manifest or tag that is not there makes the registry fall over.",
        "delete.absent",
        &[Seam::Finish(|asked, view, _, answer| {
            let known = asked.route.repository().is_some_and(|name| view.state.repository(name).is_some());
            let manifest = matches!(asked.route, Route::Manifest { .. });
            of_absent(deletes(asked) && manifest && known, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "delete-no-repository-202",
        "A deletion in a repository that does not exist is acknowledged.",
        "delete.no-repository",
        &[Seam::Finish(|asked, view, _, answer| {
            let unknown = asked.route.repository().is_some_and(|name| view.state.repository(name).is_none());
            of_absent(deletes(asked) && unknown, answer, |_| Answer::new(StatusCode::ACCEPTED))
        })],
    ),
    Defect::new(
        "delete-malformed-500",
        "The deletion of a malformed digest makes the registry fall over.",
        "delete.absent",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_digest(asked) && answer.status == StatusCode::BAD_REQUEST;
            changed(wrong, answer, |_| fault().into())
        })],
    ),
    Defect::new(
        "delete-tag-405-done",
        "The deletion of a tag is refused with 405, and done.",
        "delete.tag",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_tag(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |_| Problem::unsupported("tags are not deleted here").into())
        })],
    ),
    Defect::new(
        "delete-manifest-405-done",
        "The deletion of a manifest is refused with 405, and done.",
        "delete.manifest",
        &[Seam::Finish(|asked, _, _, answer| {
            let wrong = deletes_digest(asked) && answer.status == StatusCode::ACCEPTED;
            changed(wrong, answer, |_| Problem::unsupported("manifests are not deleted here").into())
        })],
    ),
    Defect::new(
        "delete-refusal-code-unlisted",
        "Nothing is deleted: 405, with a code that is not in the spec's list.",
        "error.form",
        &[Seam::Delete(|_, right| right.and(Err(Problem::unsupported("nothing is deleted").coded("DELETE_DISABLED"))))],
    ),
];
