//! What the rows of the catalogue share: questions about a push or an answer, and common changes.

pub use axum::http::StatusCode;

use axum::http::Method;
use serde_json::Value;

pub use super::super::answer::Answer;
pub use super::super::gc::Plan;
pub use super::super::manifest::{Descriptor, Kind};
pub use super::super::past::Gone;
pub use super::super::policy::Memory;
pub use super::super::policy::Seam;
pub use super::super::problem::{Problem, Verdict};
pub use super::super::question::{Asked, Change, Collection, Lookup, Marked, Push, Removal, Served, Target, View};
pub use super::super::route::Route;
pub use super::super::state::{Repository, Stored, Write};
pub use super::Defect;
pub use crate::content::digest::Digest;

/// The stances in which an index with absent children is taken, refused, or either by their platforms.
pub mod stances {
    use crate::suite::model::StanceWord::{self, Accept, Refuse, Require};

    pub const ACCEPT: &[StanceWord] = &[Accept];
    pub const REFUSE: &[StanceWord] = &[Refuse];
    pub const REQUIRE: &[StanceWord] = &[Require];
    pub const NOT_ACCEPT: &[StanceWord] = &[Refuse, Require];
    pub const NOT_REFUSE: &[StanceWord] = &[Accept, Require];
}

/// What a registry says when it falls over: 500, in the spec's form as far as that goes.
pub fn fault() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "unknown error", Value::Null)
}

/// The verdict of a registry that falls over where `wrong` holds.
pub fn falls_over(wrong: bool, right: Verdict) -> Verdict {
    if wrong { Err(fault()) } else { right }
}

/// A push of an index.
pub fn is_index(push: &Push) -> bool {
    push.manifest.kind == Kind::Index
}

/// A push of an index of which a child is absent.
pub fn has_gaps(push: &Push) -> bool {
    is_index(push) && !push.missing.is_empty()
}

/// A push of an index of which every child is there.
pub fn is_complete(push: &Push) -> bool {
    is_index(push) && push.missing.is_empty()
}

/// A push of Docker's types.
pub fn is_docker(push: &Push) -> bool {
    is_docker_type(&push.manifest.media_type)
}

/// Whether this is one of Docker's types.
pub fn is_docker_type(media_type: &str) -> bool {
    media_type.contains(".docker.")
}

/// A push by digest.
pub fn by_digest(push: &Push) -> bool {
    push.reference.digest().is_some()
}

/// Whether this child is absent.
pub fn is_absent(push: &Push, child: &Descriptor) -> bool {
    push.missing.iter().any(|missing| missing.digest == child.digest)
}

/// A refusal for the absent children, coded as it should be.
pub fn refusal(push: &Push) -> Problem {
    Problem::children_unknown(&push.missing.iter().map(|d| d.digest.clone()).collect::<Vec<_>>())
}

/// The refusal for absent children changed, where it is one.
pub fn refused_otherwise(right: Verdict, change: impl FnOnce(Problem) -> Problem) -> Verdict {
    match right {
        Err(problem) if problem.has("MANIFEST_BLOB_UNKNOWN") => Err(change(problem)),
        right => right,
    }
}

/// Whether the registry refuses for absent children.
pub fn is_refused(verdict: &Verdict) -> bool {
    verdict.as_ref().is_err_and(|problem| problem.has("MANIFEST_BLOB_UNKNOWN"))
}

/// The children of a manifest that are there, in order, each with its descriptor.
pub fn present<'a>(
    view: View<'a>,
    repository: &'a str,
    children: &'a [Descriptor],
) -> impl Iterator<Item = (Digest, &'a Stored, &'a Descriptor)> {
    children.iter().filter_map(move |child| {
        let digest = Digest::parse(&child.digest)?;
        let stored = view.state.manifest(repository, &digest)?;
        Some((digest, stored, child))
    })
}

/// The indexes of a repository that name a digest.
pub fn parents<'a>(
    view: View<'a>,
    repository: &str,
    digest: &'a str,
) -> impl Iterator<Item = (&'a Digest, &'a Stored)> {
    let manifests = view.state.repository(repository).into_iter().flat_map(|r| &r.manifests);
    manifests.filter(move |(_, stored)| stored.manifest.children.iter().any(|child| child.digest == digest))
}

/// Whether a manifest was removed from the repository once.
pub fn was_there(held: &Repository, digest: &Digest) -> bool {
    held.past.gone().any(|(gone, _)| matches!(gone, Gone::Manifest(other, _) if other == digest))
}

/// The manifest, as it is served.
pub fn served(view: View, repository: &str, digest: &Digest) -> Option<Served> {
    super::super::manifests::manifest_as_served(view, repository, digest)
}

/// A PUT of a manifest.
pub fn puts_manifest(asked: &Asked) -> bool {
    asked.method == Method::PUT && matches!(asked.route, Route::Manifest { .. })
}

/// A GET of a manifest.
pub fn gets_manifest(asked: &Asked) -> bool {
    asked.method == Method::GET && matches!(asked.route, Route::Manifest { .. })
}

/// A HEAD of a manifest.
pub fn heads_manifest(asked: &Asked) -> bool {
    asked.method == Method::HEAD && matches!(asked.route, Route::Manifest { .. })
}

/// A GET of a blob.
pub fn gets_blob(asked: &Asked) -> bool {
    asked.method == Method::GET && matches!(asked.route, Route::Blob { .. })
}

/// A HEAD of a blob.
pub fn heads_blob(asked: &Asked) -> bool {
    asked.method == Method::HEAD && matches!(asked.route, Route::Blob { .. })
}

/// The closing PUT of an upload.
pub fn closes_upload(asked: &Asked) -> bool {
    asked.method == Method::PUT && matches!(asked.route, Route::Upload { .. })
}

/// A refusal that asks who is there.
pub fn asks(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
}

/// A list of tags.
pub fn lists_tags(asked: &Asked) -> bool {
    asked.reads() && matches!(asked.route, Route::Tags { .. })
}

/// The JSON error for an unknown tag that is got.
pub fn unknown_tag(asked: &Asked, answer: &Answer) -> bool {
    let tag = asked.route.reference().is_some_and(|reference| !reference.contains(':'));
    gets_manifest(asked) && tag && answer.status == StatusCode::NOT_FOUND && answer.is_json()
}

/// The answer changed, where `wrong` holds.
pub fn changed(wrong: bool, answer: Answer, change: impl FnOnce(Answer) -> Answer) -> Answer {
    if wrong { change(answer) } else { answer }
}

/// An answer that is kept under a key where it refuses, and given again whatever comes after it.
pub fn refused_once(memory: &mut Memory, key: &str, refused: bool, answer: Answer) -> Answer {
    if refused {
        memory.keep(key, &answer);
    }
    memory.recall(key).unwrap_or(answer)
}

/// The manifest that the answer's digest header names, and its repository.
pub fn named<'a>(asked: &'a Asked, view: &View<'a>, answer: &Answer) -> Option<(&'a str, Digest, &'a Stored)> {
    let repository = asked.route.repository()?;
    let digest = Digest::parse(answer.header("docker-content-digest")?)?;
    let stored = view.state.manifest(repository, &digest)?;
    Some((repository, digest, stored))
}

/// Whether the answer is about a manifest of Docker's types.
pub fn about_docker(asked: &Asked, view: &View, answer: &Answer) -> bool {
    named(asked, view, answer).is_some_and(|(.., stored)| is_docker_type(&stored.manifest.media_type))
}

/// Whether the answer is about a manifest list that was asked for by digest.
pub fn about_list_by_digest(asked: &Asked, view: &View, answer: &Answer) -> bool {
    let by_digest = asked.route.reference().is_some_and(|reference| reference.contains(':'));
    by_digest && about_index(asked, view, answer) && about_docker(asked, view, answer)
}

/// Whether the answer is about an index.
pub fn about_index(asked: &Asked, view: &View, answer: &Answer) -> bool {
    named(asked, view, answer).is_some_and(|(_, _, stored)| stored.manifest.kind == Kind::Index)
}

/// Whether the answer is about an index of which a child is absent.
pub fn about_gaps(asked: &Asked, view: &View, answer: &Answer) -> bool {
    named(asked, view, answer).is_some_and(|(repository, _, stored)| {
        let children = &stored.manifest.children;
        present(*view, repository, children).count() < children.len()
    })
}

/// The first child of the index that the answer is about.
pub fn first_child<'a>(asked: &'a Asked, view: &View<'a>, answer: &Answer) -> Option<&'a Descriptor> {
    named(asked, view, answer)?.2.manifest.children.first()
}

/// An accepted push of a manifest, where the change is one.
pub fn accepted<'a>(change: &Change<'a>) -> Option<&'a Push<'a>> {
    match change {
        Change::Put(push, Ok(())) => Some(push),
        _ => None,
    }
}

/// A push that was refused for absent children, where the change is one.
pub fn refused<'a>(change: &Change<'a>) -> Option<&'a Push<'a>> {
    match change {
        Change::Put(push, verdict) if is_refused(verdict) => Some(push),
        _ => None,
    }
}

/// A delete, where the change is one.
pub fn deleted<'a>(change: &Change<'a>) -> Option<&'a Removal<'a>> {
    match change {
        Change::Delete(removal) => Some(removal),
        _ => None,
    }
}

/// The manifest that a delete is about.
pub fn deleted_manifest<'a>(change: &Change<'a>) -> Option<(&'a Removal<'a>, &'a Digest)> {
    let removal = deleted(change)?;
    match removal.target {
        Target::Manifest(digest) => Some((removal, digest)),
        _ => None,
    }
}

/// What a registry that stores a manifest for a refused push writes.
pub fn store_manifest(push: &Push) -> Write {
    Write::Manifest {
        repository: push.repository.to_owned(),
        digest: push.digest.clone(),
        manifest: std::sync::Arc::new(push.manifest.clone()),
        bytes: push.bytes.clone(),
    }
}

/// The removal of a manifest.
pub fn drop_manifest(repository: &str, digest: &Digest) -> Write {
    Write::DropManifest { repository: repository.to_owned(), digest: digest.clone() }
}

/// The removal of a blob.
pub fn unlink(repository: &str, digest: &str) -> Option<Write> {
    Some(Write::Unlink { repository: repository.to_owned(), digest: Digest::parse(digest)? })
}

/// The removal of a tag.
pub fn untag(repository: &str, tag: &str) -> Write {
    Write::Untag { repository: repository.to_owned(), tag: tag.to_owned() }
}

/// A tag set to a digest.
pub fn set_tag(repository: &str, tag: &str, digest: &Digest) -> Write {
    Write::Tag { repository: repository.to_owned(), tag: tag.to_owned(), digest: digest.clone() }
}

/// The writes with one more.
pub fn plus(mut writes: Vec<Write>, more: impl IntoIterator<Item = Write>) -> Vec<Write> {
    writes.extend(more);
    writes
}

/// Stores other bytes than those that came, where `edit` changes the JSON of the manifest. Its digest stays.
pub fn rewritten(writes: Vec<Write>, edit: impl Fn(&mut Value)) -> Vec<Write> {
    let rewrite = |write| match write {
        Write::Manifest { repository, digest, manifest, bytes } => {
            let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let before = value.clone();
            edit(&mut value);
            let bytes = if value == before { bytes } else { value.to_string().into() };
            Write::Manifest { repository, digest, manifest, bytes }
        }
        write => write,
    };
    writes.into_iter().map(rewrite).collect()
}

/// The entries of the JSON of an index.
pub fn entries(index: &mut Value) -> Option<&mut Vec<Value>> {
    index.get_mut("manifests")?.as_array_mut()
}

/// The entries of the index that is pushed, as JSON.
pub fn raw_entries(push: &Push) -> Vec<Value> {
    let mut value: Value = serde_json::from_slice(push.bytes).unwrap_or_default();
    entries(&mut value).map(std::mem::take).unwrap_or_default()
}

/// `os/architecture` of a platform, without its variant.
pub fn without_variant(platform: &str) -> String {
    platform.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
}
