//! A collector that looks at more of a manifest than the digests that it names, and follows fewer of them.

use super::super::manifest::is_manifest_type;
use super::gc_tools::*;

/// The entries of an index as JSON, with the digest of each.
fn entries_where(marked: &Marked, is: impl Fn(&serde_json::Value) -> bool) -> Vec<String> {
    let index = json(marked);
    let entries = index.get("manifests").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let digest = |entry: &serde_json::Value| entry.get("digest").and_then(|digest| digest.as_str().map(str::to_owned));
    entries.iter().filter(|entry| is(entry)).filter_map(digest).collect()
}

fn is_known_layer(media_type: &str) -> bool {
    media_type.contains(".image.layer.") || media_type.contains(".image.rootfs.")
}

fn is_known_config(media_type: &str) -> bool {
    media_type.contains(".image.config.") || media_type.contains(".container.image.")
}

/// The children of an index behind the first that is not there.
fn behind_a_gap<'a>(held: &Repository, stored: &'a Stored) -> impl Iterator<Item = &'a Descriptor> {
    let children = &stored.manifest.children;
    let gap = children.iter().position(|child| !has(held, &child.digest)).unwrap_or(children.len());
    children.iter().skip(gap)
}

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "gc-needs-media-type",
        "A collection does not follow an index that has no `mediaType` of its own.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let untyped = marked.stored.is_some() && json(marked).get("mediaType").is_none();
            without_children(marked, right, |_| untyped)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-passes-over-described-children",
        "A collection does not follow children whose descriptors have their `data` or `urls`: they are had without the registry.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let elsewhere = entries_where(marked, |entry| entry.get("data").is_some() || entry.get("urls").is_some());
            without(marked, right, |_, child| elsewhere.contains(&child.digest))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-needs-platforms",
        "A collection follows the children of an index platform by platform, and those without one not at all \
         (https://github.com/distribution/distribution/pull/4804).",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| is_stored_index(stored) && child.platform.is_none())
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-known-platforms-only",
        "A collection does not follow children for unknown/unknown, as attestations are.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |_, child| child.platform.as_deref() == Some("unknown/unknown"))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-toggles-duplicates",
        "A collection counts how often an index names a child, and takes one that it names more than once.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                stored.manifest.children.iter().filter(|other| other.digest == child.digest).count() > 1
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-compares-sizes",
        "A child whose size is not that of its descriptor counts as another one: a collection takes it.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let size = |digest: &str| marked.held.manifests.get(&Digest::parse(digest)?).map(|stored| stored.size);
            without(marked, right, |_, child| size(&child.digest).is_some_and(|size| size != child.size))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-no-artifacts",
        "What has an artifactType is no release: a collection follows neither such an index, nor to such a child.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            let typed = marked.stored.is_some() && json(marked).get("artifactType").is_some();
            let entries = entries_where(marked, |entry| entry.get("artifactType").is_some());
            without(marked, right, |_, child| typed || entries.contains(&child.digest))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-own-family-only",
        "A collection does not follow a Docker list to an OCI image, nor an OCI index to a Docker image.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                let other = is_docker_type(&stored.manifest.media_type) != is_docker_type(&child.media_type);
                is_stored_index(stored) && other && child.names_manifest()
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-no-index-with-subject",
        "An index that has a subject counts as a signature: a collection does not follow it to its children.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked, right, |stored| stored.manifest.subject.is_some()))],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-known-children-only",
        "A collection follows an index by the types of its descriptors, and takes children of which it knows none.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                let layer = is_known_layer(&child.media_type);
                is_stored_index(stored) && !layer && !is_manifest_type(&child.media_type)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-layers-that-an-index-names",
        "A collection takes a layer that only an index names (https://gitlab.com/gitlab-org/container-registry/-/issues/409).",
        "gc.keeps-index-blob",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| is_stored_index(stored) && is_known_layer(&child.media_type))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-stops-following-at-a-gap",
        "A collection follows the children of an index in order, up to the first that is not there.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without(marked, right, |stored, child| {
                behind_a_gap(marked.held, stored).any(|behind| behind.digest == child.digest)
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-gives-up-at-many-gaps",
        "A collection does not follow an index of which more than 64 children are not there.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| {
            without_children(marked, right, |stored| {
                stored.manifest.children.iter().filter(|child| !has(marked.held, &child.digest)).count() > 64
            })
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-three-levels",
        "A collection follows indexes three deep, and none below.",
        "gc.keeps-manifest",
        &[Seam::Reach(|marked, right| without_children(marked, right, |_| marked.depth >= 3))],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-config-only",
        "A collection keeps the config of an image, and takes its layers.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| without_blobs(marked, right, |place, _| place > 0))],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-four-layers",
        "A collection keeps the first four layers of an image, and takes those above.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| without_blobs(marked, right, |place, _| place > 4))],
    )
    .also(KEPT),
    Defect::new(
        "gc-forgets-configs",
        "A collection keeps the layers of an image, and takes its config.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| without_blobs(marked, right, |place, _| place == 0))],
    )
    .also(KEPT),
    Defect::new(
        "gc-needs-known-config",
        "A collection does not follow an image whose config is of a type that it does not know.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| {
            let config = marked.stored.and_then(|stored| stored.manifest.blobs.first());
            let odd = config.is_some_and(|config| !is_known_config(&config.media_type));
            without_blobs(marked, right, |_, _| odd)
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-follows-known-layers-only",
        "A collection takes layers of a type that it does not know.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| {
            without_blobs(marked, right, |place, blob| place > 0 && !is_known_layer(&blob.media_type))
        })],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-restricted-layers",
        "A collection takes layers that are not to be distributed, though they were pushed.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| without_blobs(marked, right, |_, blob| blob.is_foreign()))],
    )
    .also(KEPT),
    Defect::new(
        "gc-takes-empty-descriptors",
        "The two bytes of the empty descriptor count as content that everybody has: a collection takes them.",
        "gc.keeps-blob",
        &[Seam::Reach(|marked, right| without_blobs(marked, right, |_, blob| blob.size == 2))],
    )
    .also(KEPT),
];
