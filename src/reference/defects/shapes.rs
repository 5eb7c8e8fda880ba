//! Wrong about an index of an unusual shape.

use serde_json::Value;

use super::tools::*;
use crate::content::graph::Format;

fn any_child(push: &Push, is: impl Fn(&Descriptor) -> bool) -> bool {
    push.manifest.children.iter().any(is)
}

/// Whether any child that is there differs from its descriptor.
fn any_present(push: &Push, is: impl Fn(&Stored, &Descriptor) -> bool) -> bool {
    present(push.view, push.repository, &push.manifest.children).any(|(_, stored, child)| is(stored, child))
}

fn has_twins(push: &Push) -> bool {
    let children = &push.manifest.children;
    children.iter().enumerate().any(|(i, a)| children.iter().skip(i + 1).any(|b| a.digest == b.digest))
}

fn is_layer(child: &Descriptor) -> bool {
    child.media_type.contains("layer") || child.media_type.contains("rootfs")
}

fn format_of(media_type: &str) -> Option<Format> {
    match media_type.contains(".docker.") {
        true => Some(Format::Docker),
        false if media_type.contains(".oci.") => Some(Format::Oci),
        false => None,
    }
}

const CONFIGS: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "platformless-500",
        "A complete index with a child without platform makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            falls_over(is_complete(push) && any_child(push, |child| child.platform.is_none()), right)
        })],
    ),
    Defect::new(
        "platformless-refused-as-gap",
        "A child without platform is not found when an index is checked: complete, it is refused as one with gaps.",
        "manifest.put.after-children",
        &[Seam::Accept(|push, right| {
            let lost = push.manifest.children.iter().find(|child| child.platform.is_none());
            match lost.filter(|_| is_complete(push)) {
                Some(child) => Err(Problem::children_unknown(std::slice::from_ref(&child.digest))),
                None => right,
            }
        })],
    )
    .also(&["index.shape.taken"]),
    Defect::new(
        "platformless-gap-500",
        "An absent child without platform makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            falls_over(any_child(push, |c| c.platform.is_none() && is_absent(push, c)), right)
        })],
    )
    .also(&["index.refuse.status"]),
    Defect::new(
        "unknown-platform-500",
        "A child for the platform unknown/unknown makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            falls_over(any_child(push, |c| c.platform.as_deref() == Some("unknown/unknown")), right)
        })],
    ),
    Defect::new(
        "os-features-500",
        "A platform with os.features makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let wrong =
                raw_entries(push).iter().any(|e| e.pointer("/platform/os.features").is_some_and(Value::is_array));
            falls_over(wrong, right)
        })],
    ),
    Defect::new(
        "duplicate-children-500",
        "A child that an index names twice makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(has_twins(push), right))],
    )
    .also(&["index.refuse.status"]),
    Defect::new(
        "empty-index-500",
        "An index without children makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(is_index(push) && push.manifest.children.is_empty(), right))],
    ),
    Defect::new(
        "empty-index-lost",
        "An index without children is acknowledged and not stored.",
        "index.accept.kept",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if is_index(push) && push.manifest.children.is_empty() => Vec::new(),
            _ => right,
        })],
    ),
    Defect::new(
        "mixed-children-500",
        "Children of both families in one index make the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let has = |format| any_child(push, |c| format_of(&c.media_type) == Some(format));
            falls_over(has(Format::Oci) && has(Format::Docker), right)
        })],
    ),
    Defect::new(
        "foreign-child-type-500",
        "A child of an unknown media type makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(any_child(push, |c| !c.names_manifest() && !is_layer(c)), right))],
    ),
    Defect::new(
        "layer-child-500",
        "A descriptor that names a layer makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(any_child(push, is_layer), right))],
    ),
    Defect::new(
        "artifact-child-500",
        "A child that is an artifact makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let artifact = |stored: &Stored| {
                let artifact_type = stored.manifest.artifact_type.as_deref();
                stored.manifest.kind == Kind::Image && artifact_type.is_some_and(|t| !CONFIGS.contains(&t))
            };
            falls_over(any_present(push, |stored, _| artifact(stored)), right)
        })],
    ),
    Defect::new(
        "size-mismatch-500",
        "A descriptor with another size than the child's makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(any_present(push, |s, child| s.size != child.size), right))],
    ),
    Defect::new(
        "size-mismatch-lost",
        "An index with a descriptor of another size than the child's is acknowledged and not stored.",
        "index.accept.kept",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if any_present(push, |s, child| s.size != child.size) => Vec::new(),
            _ => right,
        })],
    ),
    Defect::new(
        "type-mismatch-500",
        "A descriptor with another media type than the child's makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let differs =
                |s: &Stored, child: &Descriptor| child.names_manifest() && s.manifest.media_type != child.media_type;
            falls_over(any_present(push, differs), right)
        })],
    ),
    Defect::new(
        "sha512-child-500",
        "A child that is named by a sha512 digest makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(any_child(push, |c| c.digest.starts_with("sha512:")), right))],
    ),
    Defect::new(
        "sha512-answered-as-sha256-404",
        "A manifest that is stored under a sha512 digest is looked for among sha256 digests only.",
        "manifest.get.served",
        &[Seam::Resolve(|lookup, right| {
            right.filter(|_| !lookup.reference.digest().is_some_and(|d| d.as_str().starts_with("sha512:")))
        })],
    )
    .also(&["manifest.put.location"]),
    Defect::new(
        "nested-index-500",
        "An index that names an index, and is pushed by tag, makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let foreign = any_present(push, |s, child| child.names_index() && s.manifest.kind != Kind::Index);
            falls_over(any_child(push, Descriptor::names_index) && !foreign && !by_digest(push), right)
        })],
    )
    .also(&["index.refuse.status"]),
    Defect::new(
        "wide-index-500",
        "An index of a thousand children or more makes the registry fall over.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| falls_over(push.manifest.children.len() >= 1000, right))],
    )
    .also(&["index.refuse.status"]),
    Defect::new(
        "subject-absent-refused",
        "An index whose subject is absent is refused.",
        "index.absent-subject.taken",
        &[Seam::Accept(|push, right| {
            let absent = |subject: &String| {
                Digest::parse(subject).is_none_or(|d| push.view.state.manifest(push.repository, &d).is_none())
            };
            match push.manifest.subject.as_ref().filter(|subject| absent(subject)) {
                Some(subject) => Err(Problem::children_unknown(std::slice::from_ref(subject))),
                None => right,
            }
        })],
    ),
    Defect::new(
        "index-refused-for-grandchildren",
        "An index is refused because a child that is there lacks a layer.",
        "manifest.put.created",
        &[Seam::Accept(|push, right| {
            let hollow = |stored: &Stored, _: &Descriptor| {
                stored.manifest.blobs.iter().any(|blob| {
                    Digest::parse(&blob.digest).is_some_and(|d| !push.view.state.has_blob(push.repository, &d))
                })
            };
            match any_present(push, hollow) {
                true => Err(Problem::children_unknown(&[push.manifest.children[0].digest.clone()])),
                false => right,
            }
        })],
    ),
    Defect::new(
        "image-without-layers-refused",
        "An image without layers is invalid.",
        "image.no-layers.taken",
        &[Seam::Accept(|push, right| match push.manifest.kind == Kind::Image && push.manifest.blobs.len() == 1 {
            true => Err(Problem::manifest_invalid("an image has layers")),
            false => right,
        })],
    ),
    Defect::new(
        "put-without-type-500",
        "A manifest without Content-Type makes the registry fall over.",
        "manifest.put.no-type",
        &[Seam::Hear(|asked, _, right| {
            falls_over(puts_manifest(asked) && asked.header("content-type").is_none(), right)
        })],
    ),
    Defect::new(
        "nested-over-a-gap-500",
        "An index that names an index with a gap makes the registry fall over: it looks for the children's children.",
        "index.shape.answered",
        &[Seam::Accept(|push, right| {
            let gaps = |inner: &Stored| {
                let children = &inner.manifest.children;
                present(push.view, push.repository, children).count() < children.len()
            };
            falls_over(any_present(push, |inner, _| inner.manifest.kind == Kind::Index && gaps(inner)), right)
        })],
    )
    .when(stances::ACCEPT),
    Defect::new(
        "nested-index-owns-the-images-below",
        "An index owns its images: when another index names it, they are moved under that one, and are found no more by \
         themselves.",
        "manifest.get.served",
        &[Seam::Store(|change, right| match accepted(change).filter(|push| is_complete(push)) {
            Some(push) => {
                let inner = present(push.view, push.repository, &push.manifest.children);
                let below = inner.flat_map(|(_, inner, _)| &inner.manifest.children);
                let below = below.filter_map(|image| Digest::parse(&image.digest));
                plus(right, below.map(|image| drop_manifest(push.repository, &image)).collect::<Vec<_>>())
            }
            None => right,
        })],
    )
    .also(&["client.ends"]),
    Defect::new(
        "sparse-pair-unwrapped",
        "An index of two of which one is absent is answered with the other.",
        "manifest.get.bytes",
        &[Seam::Resolve(|lookup, right| {
            let found = right?;
            let other = || {
                let stored = lookup.view.state.manifest(lookup.repository, &found.digest)?;
                let there: Vec<Digest> =
                    present(lookup.view, lookup.repository, &stored.manifest.children).map(|(digest, ..)| digest).collect();
                match (stored.manifest.children.len(), there.as_slice()) {
                    (2, [only]) => served(lookup.view, lookup.repository, only),
                    _ => None,
                }
            };
            Some(other().unwrap_or(found))
        })],
    )
    .when(stances::NOT_REFUSE),
];
