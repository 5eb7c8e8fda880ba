//! Wrong about shapes that meet: platforms that say nothing, families of types in one another, types that nobody says, sizes
//! and algorithms at a limit.

use serde_json::{Value, json};

use super::super::manifest::{DOCKER_LIST, OCI_INDEX};
use super::tools::*;

/// Bytes that a reader with a limit gives.
const LIMIT: usize = 4 * 1024 * 1024;

fn is_mute(push: &Push) -> bool {
    let says = |value: Value| value.get("mediaType").is_some();
    serde_json::from_slice(push.bytes).is_ok_and(|value: Value| !says(value))
}

/// Whether an index of one family names an index of the other.
fn names_other_family(push: &Push) -> bool {
    let other = |child: &Descriptor| {
        let index = child.media_type == OCI_INDEX || child.media_type == DOCKER_LIST;
        index && is_docker_type(&child.media_type) != is_docker(push)
    };
    is_index(push) && push.manifest.children.iter().any(other)
}

/// Whether the platform of a child is there, and says nothing.
fn has_empty_platform(push: &Push) -> bool {
    let empty = |entry: &Value| {
        entry
            .get("platform")
            .and_then(Value::as_object)
            .is_some_and(|platform| platform.values().all(|value| value.as_str().is_none_or(str::is_empty)))
    };
    is_index(push) && raw_entries(push).iter().any(empty)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "empty-platform-500",
        "A complete index with a platform without os and architecture makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(is_complete(push) && has_empty_platform(push), right))],
    ),
    Defect::new(
        "nested-families-500",
        "An index of the other family within an index makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(names_other_family(push), right))],
    ),
    Defect::new(
        "nested-list-served-as-index",
        "A Docker list that an OCI index names is served as an OCI index.",
        "manifest.get.type",
        &[Seam::Resolve(|lookup, right| {
            right.map(|served| {
                let is_oci = |(_, parent): (&Digest, &Stored)| parent.manifest.media_type == OCI_INDEX;
                let by_oci = parents(lookup.view, lookup.repository, served.digest.as_str()).any(is_oci);
                match by_oci && served.media_type == DOCKER_LIST {
                    true => Served { media_type: OCI_INDEX.to_owned(), ..served },
                    false => served,
                }
            })
        })],
    ),
    Defect::new(
        "sha512-refused-as-mismatch",
        "A manifest by sha512 is held against its sha256, and refused with DIGEST_INVALID \
         (https://github.com/distribution/distribution/issues/4420).",
        "manifest.put.digest-believed",
        &[Seam::Accept(|push, right| match push.reference.digest() {
            Some(digest) if digest.as_str().starts_with("sha512:") => {
                right.and(Err(Problem::digest_invalid("the digest is not that of the manifest", digest.as_str())))
            }
            _ => right,
        })],
    ),
    Defect::new(
        "put-cut-at-four-mebibytes",
        "Of a manifest of four mebibytes the last byte is not stored: the reader's limit is one too low.",
        "manifest.get.bytes",
        &[Seam::Store(|_, right| {
            let cut = |write| match write {
                Write::Manifest { repository, digest, manifest, bytes } if bytes.len() >= LIMIT => {
                    Write::Manifest { repository, digest, manifest, bytes: bytes.slice(..LIMIT - 1) }
                }
                write => write,
            };
            right.into_iter().map(cut).collect()
        })],
    ),
    Defect::new(
        "image-media-type-added",
        "An image that does not say what it is gets its mediaType written in.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if push.manifest.kind == Kind::Image => rewritten(right, |value| {
                if let Some(map) = value.as_object_mut() {
                    map.entry("mediaType").or_insert_with(|| json!(push.manifest.media_type));
                }
            }),
            _ => right,
        })],
    ),
    Defect::new(
        "image-without-media-type-500",
        "An image that does not say what it is makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(push.manifest.kind == Kind::Image && is_mute(push), right))],
    ),
];
