//! Lawful differences in what is taken, mounted and deleted.

use axum::http::{Method, StatusCode};

use super::super::answer::Answer;
use super::super::config::Stance;
use super::super::manifest::{Descriptor, Kind};
use super::super::manifests::manifest_as_served;
use super::super::policy::Seam;
use super::super::problem::{Problem, Verdict};
use super::super::question::{Blob, Push, Removal, Served, Target};
use super::super::route::Route;
use super::super::uploads::Resumed;
use super::Variation;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::suite::model::Scope;

fn refused(wrong: bool, right: Verdict, why: &str) -> Verdict {
    match right {
        Ok(()) if wrong => Err(Problem::manifest_invalid(why)),
        right => right,
    }
}

fn disabled(off: bool, right: Verdict, status: StatusCode) -> Verdict {
    if off { Err(Problem::unsupported("deletion is disabled").status(status)) } else { right }
}

fn is_index(push: &Push) -> bool {
    push.manifest.kind == Kind::Index
}

fn any_child(push: &Push, is: impl Fn(&Descriptor) -> bool) -> bool {
    is_index(push) && push.manifest.children.iter().any(is)
}

fn is_named_by_index(removal: &Removal) -> bool {
    let Target::Manifest(digest) = removal.target else { return false };
    let repository = removal.view.state.repository(removal.repository);
    let mut manifests = repository.into_iter().flat_map(|r| r.manifests.values());
    manifests.any(|stored| stored.manifest.children.iter().any(|child| child.digest == digest.as_str()))
}

/// Whether a manifest of the source names this blob.
fn is_named(blob: &Blob) -> bool {
    let held = blob.from.and_then(|from| blob.view.state.repository(from));
    let mut manifests = held.into_iter().flat_map(|held| held.manifests.values());
    manifests.any(|stored| stored.manifest.blobs.iter().any(|named| named.digest == blob.digest.as_str()))
}

pub(super) const VARIATIONS: &[Variation] = &[
    Variation::configured(
        "children-anywhere",
        "A child that another repository has is there, when an index is checked.",
        |config| config.scope = Scope::Registry,
    ),
    Variation::configured(
        "images-complete",
        "An image of which a layer is absent is refused, whatever the stance for indexes is.",
        |config| config.sparse_images = Some(false),
    ),
    Variation::configured(
        "manifests-unlimited",
        "There is no limit to the size of a manifest, or a very high one.",
        |config| config.manifest_limit = 64 * 1024 * 1024,
    ),
    Variation::configured(
        "single-post-begins-session",
        "A single POST with digest and body is answered with 202 and a session.",
        |config| config.single_post = false,
    ),
    Variation::configured(
        "mounts-anonymous",
        "A blob is mounted though the request does not say from where.",
        |config| config.anonymous_mount = true,
    ),
    Variation::new("mounts-unsupported", "A mount is answered with 202 and a session.", &[Seam::Mount(|_, _| false)]),
    Variation::new(
        "mounts-of-free-blobs-only",
        "A blob that a manifest of its source names is not mounted: 202 and a session, as registries may that could not.",
        &[Seam::Mount(|blob, right| right && !is_named(blob))],
    ),
    Variation::new(
        "refusals-with-404",
        "A push is refused for absent children with 404.",
        &[Seam::Accept(|_, right| match right {
            Err(problem) if problem.has("MANIFEST_BLOB_UNKNOWN") => Err(problem.status(StatusCode::NOT_FOUND)),
            right => right,
        })],
    ),
    Variation::new(
        "docker-types-refused",
        "Docker's media types are refused with 415.",
        &[Seam::Accept(|push, right| match push.manifest.media_type.contains(".docker.") {
            true => Err(Problem::manifest_invalid("not a type of OCI").status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            false => right,
        })],
    ),
    Variation::new(
        "sha512-refused",
        "Content is taken under sha256 digests alone.",
        &[
            Seam::Accept(|push, right| match push.reference.digest().map(Digest::algorithm) {
                Some(Algorithm::Sha512) => Err(Problem::digest_invalid("sha256 only", push.reference.as_str())),
                _ => right,
            }),
            Seam::Close(|closing, right| match closing.claimed.algorithm() {
                Algorithm::Sha512 => Err(Problem::digest_invalid("sha256 only", closing.claimed.as_str())),
                Algorithm::Sha256 => right,
            }),
        ],
    ),
    Variation::new(
        "empty-index-refused",
        "An index without children is refused.",
        &[Seam::Accept(|push, right| {
            refused(is_index(push) && push.manifest.children.is_empty(), right, "an index needs a child")
        })],
    ),
    Variation::new(
        "indexes-of-fifty-at-most",
        "An index of more than fifty children is refused as too large, whatever is absent.",
        &[Seam::Accept(|push, right| {
            let wide = is_index(push) && push.manifest.children.len() > 50;
            match wide {
                true => Err(Problem::manifest_invalid("at most 50 children")
                    .coded("SIZE_INVALID")
                    .status(StatusCode::PAYLOAD_TOO_LARGE)),
                false => right,
            }
        })],
    ),
    Variation::new(
        "platformless-children-refused",
        "An index is refused that has an image without platform, or a child twice. What has an artifactType is no image.",
        &[Seam::Accept(|push, right| {
            let mut digests: Vec<&str> = push.manifest.children.iter().map(|child| child.digest.as_str()).collect();
            digests.sort_unstable();
            let twice = digests.windows(2).any(|pair| pair[0] == pair[1]);
            let index: serde_json::Value = serde_json::from_slice(push.bytes).unwrap_or_default();
            let entries = index.get("manifests").and_then(|entries| entries.as_array());
            let is_artifact = |child: &Descriptor| {
                let mut own = entries.into_iter().flatten().filter(|entry| entry["digest"] == child.digest.as_str());
                own.any(|entry| entry.get("artifactType").is_some())
            };
            let bare = |child: &Descriptor| {
                child.platform.is_none() && child.media_type.contains(".manifest.v") && !is_artifact(child)
            };
            let odd = is_index(push) && (twice || any_child(push, bare));
            refused(odd, right, "a child without platform, or named twice")
        })],
    ),
    Variation::new(
        "chunks-refused",
        "An upload has no PATCH: it is answered with 405.",
        &[Seam::Append(|chunk, right| if chunk.closing { right } else { Err(Problem::unsupported("PATCH")) })],
    ),
    Variation::new(
        "index-without-media-type-refused",
        "An index that does not say what it is is refused.",
        &[Seam::Accept(|push, right| {
            let value: serde_json::Value = serde_json::from_slice(push.bytes).unwrap_or_default();
            let silent = is_index(push) && value.get("mediaType").is_none();
            refused(silent, right, "mediaType is missing")
        })],
    ),
    Variation::new(
        "wrong-size-refused",
        "An index is refused whose descriptor has another size than the child that is there.",
        &[Seam::Accept(|push, right| {
            let differs = |child: &Descriptor| {
                let stored = Digest::parse(&child.digest)
                    .and_then(|digest| push.view.state.manifest(push.repository, &digest).map(|stored| stored.size));
                stored.is_some_and(|size| size != child.size)
            };
            refused(any_child(push, differs), right, "the size of a child is another")
        })],
    ),
    Variation::new(
        "foreign-children-refused",
        "An index is refused that names what is no manifest, where what an index names has to be there.",
        &[Seam::Accept(|push, right| {
            let foreign = any_child(push, |child| !child.names_manifest());
            refused(foreign && push.view.config.stance != Stance::Accept, right, "a child is no manifest")
        })],
    ),
    Variation::new(
        "tags-immutable",
        "A tag stays with the manifest that it was given first: to move it is refused with 409.",
        &[Seam::Accept(|push, right| {
            let older = push.reference.tag().and_then(|tag| push.view.state.tag(push.repository, tag));
            match older.is_some_and(|older| older != push.digest) {
                true => {
                    Err(Problem::new(StatusCode::CONFLICT, "DENIED", "the tag is immutable", serde_json::Value::Null))
                }
                false => right,
            }
        })],
    ),
    Variation::new(
        "tags-not-deleted",
        "Tags are not deleted: 405.",
        &[Seam::Delete(|removal, right| {
            disabled(matches!(removal.target, Target::Tag(_)), right, StatusCode::METHOD_NOT_ALLOWED)
        })],
    ),
    Variation::new(
        "manifests-not-deleted",
        "Manifests are not deleted: 405.",
        &[Seam::Delete(|removal, right| {
            disabled(matches!(removal.target, Target::Manifest(_)), right, StatusCode::METHOD_NOT_ALLOWED)
        })],
    ),
    Variation::new(
        "deletes-disabled-400",
        "Nothing is deleted: 400.",
        &[Seam::Delete(|_, right| disabled(true, right, StatusCode::BAD_REQUEST))],
    ),
    Variation::new(
        "blobs-not-deleted",
        "Blobs are not deleted: 405.",
        &[Seam::Delete(|removal, right| {
            disabled(matches!(removal.target, Target::Blob(_)), right, StatusCode::METHOD_NOT_ALLOWED)
        })],
    ),
    Variation::new(
        "named-children-not-deleted",
        "A manifest that an index names is not deleted: 405.",
        &[Seam::Delete(|removal, right| {
            disabled(right.is_ok() && is_named_by_index(removal), right, StatusCode::METHOD_NOT_ALLOWED)
        })],
    ),
    Variation::new(
        "uploads-resumed",
        "An upload that was not finished goes on after a restart.",
        &[Seam::Resume(|_, upload, _| Some(Resumed { kept: upload.length, says: upload.length }))],
    ),
    Variation::new(
        "absent-deleted",
        "The deletion of a manifest or tag that is not there is acknowledged.",
        &[Seam::Finish(|asked, view, _, answer| {
            let known = asked.route.repository().is_some_and(|name| view.state.repository(name).is_some());
            let delete = asked.method == Method::DELETE && matches!(asked.route, Route::Manifest { .. });
            match delete && known && answer.status == StatusCode::NOT_FOUND {
                true => Answer::new(StatusCode::ACCEPTED),
                false => answer,
            }
        })],
    ),
    Variation::new(
        "accept-heeded",
        "A manifest of a type that the Accept does not name is answered with 404.",
        &[Seam::Resolve(|lookup, right| {
            let accepts = lookup.asked.accepts();
            let named = |served: &Served| {
                let media_type = served.media_type.to_ascii_lowercase();
                let any = |range: &String| *range == media_type || range == "*/*" || range == "application/*";
                accepts.is_empty() || accepts.iter().any(any)
            };
            right.filter(named)
        })],
    ),
    Variation::new(
        "images-for-image-clients",
        "A client that names image types alone and asks for an index by tag gets a child, or 404 where none is there.",
        &[Seam::Resolve(|lookup, right| {
            let found = right?;
            let accepts = lookup.asked.accepts();
            let images = !accepts.is_empty() && accepts.iter().all(|range| range.contains(".manifest.v"));
            let stored = lookup.view.state.manifest(lookup.repository, &found.digest);
            let index = stored.filter(|stored| stored.manifest.kind == Kind::Index && images);
            match index.filter(|_| lookup.reference.tag().is_some()) {
                None => Some(found),
                Some(index) => index.manifest.children.iter().find_map(|child| {
                    let digest = Digest::parse(&child.digest)?;
                    manifest_as_served(lookup.view, lookup.repository, &digest)
                }),
            }
        })],
    ),
];
