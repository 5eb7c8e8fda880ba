//! Wrong after a start about the bytes of manifests: they are read into types, and written from them.

use serde_json::Value;

use super::super::manifest::OCI_IMAGE;
use super::boot_tools::*;

/// The keys that a program knows which was written for the spec.
const KNOWN: &[&str] = &[
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "digest",
    "size",
    "urls",
    "data",
    "platform",
    "os",
    "architecture",
    "variant",
    "os.version",
    "os.features",
    "features",
];

/// A manifest that is larger does not fit where a start keeps them.
const LARGE: u64 = 512 * 1024;

fn only_known(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| KNOWN.contains(&key.as_str()));
            // What stands in annotations are its users' own keys.
            map.iter_mut().filter(|(key, _)| *key != "annotations").for_each(|(_, value)| only_known(value));
        }
        Value::Array(items) => items.iter_mut().for_each(only_known),
        _ => {}
    }
}

fn without_annotations(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("annotations");
            map.values_mut().for_each(without_annotations);
        }
        Value::Array(items) => items.iter_mut().for_each(without_annotations),
        _ => {}
    }
}

/// Every manifest that the change says something else of, with the bytes that it then has; its digest stays.
fn rewritten_as(found: Vec<Found>, change: impl Fn(&mut Value)) -> Vec<Found> {
    altered(found, |_, one| {
        with_bytes(one, |bytes| {
            edited(bytes, |value| {
                let before = value.clone();
                change(value);
                (*value != before).then_some(())
            })
        })
    })
}

fn compact(bytes: &[u8]) -> Option<Vec<u8>> {
    edited(bytes, |_| Some(()))
}

fn is_large(one: &Found) -> bool {
    matches!(&one.write, Write::Manifest { bytes, .. } if bytes.len() as u64 > LARGE)
}

fn without_large(found: Vec<Found>) -> Vec<Found> {
    without(found, |_, one| is_large(one))
}

const SHOWN: &[&str] = &["restart.keeps-manifest", "restart.keeps-tag"];
const UPGRADED: &[&str] = &["upgrade.keeps-manifest", "upgrade.keeps-tag"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "restart-drops-unknown-fields",
        "A start reads manifests into types and serves what these hold: fields that they do not know are gone.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| rewritten_as(found, only_known))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-drops-annotations",
        "A start reads manifests into a table without annotations.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| rewritten_as(found, without_annotations))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-compacts-manifests",
        "A start keeps manifests as JSON, and serves it compact.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| altered(found, |_, one| with_bytes(one, compact)))],
    )
    .also(SHOWN),
    Defect::new(
        "restart-loses-large-manifests",
        "A start skips manifests that are larger than what it reads at once.",
        "restart.keeps-tag",
        &[Seam::Boot(|_, found| without_large(found))],
    )
    .also(SHOWN),
    Defect::new(
        "upgrade-drops-unknown-fields",
        "An upgrade reads manifests into types and writes what these hold: fields that they do not know are gone.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, |found| rewritten_as(found, only_known)))],
    )
    .also(UPGRADED),
    Defect::new(
        "upgrade-drops-annotations",
        "An upgrade moves manifests into a table without annotations.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, |found| rewritten_as(found, without_annotations)))],
    )
    .also(UPGRADED),
    Defect::new(
        "upgrade-reserialises-nested",
        "An upgrade writes the indexes anew that another index names; those at the top it leaves.",
        "upgrade.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                let named: std::collections::BTreeSet<String> = found
                    .iter()
                    .filter_map(manifest)
                    .flat_map(|manifest| manifest.children.iter().map(|child| child.digest.clone()))
                    .collect();
                altered(found, |_, one| {
                    let Write::Manifest { digest, manifest, .. } = &one.write else { return None };
                    let nested = manifest.kind == Kind::Index && named.contains(digest.as_str());
                    let pretty = |bytes: &[u8]| {
                        let value: Value = serde_json::from_slice(bytes).ok()?;
                        serde_json::to_vec_pretty(&value).ok()
                    };
                    nested.then(|| with_bytes(one, pretty)).flatten()
                })
            })
        })],
    )
    .also(UPGRADED),
    Defect::new(
        "upgrade-loses-large-manifests",
        "An upgrade moves manifests into a column that is too short for a large one.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| upgraded(rebuild, found, without_large))],
    )
    .also(UPGRADED),
    Defect::new(
        "upgrade-knows-sha256-only",
        "An upgrade takes over what is named by sha256; what is named by sha512 is gone.",
        "upgrade.keeps-manifest",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                without(found, |_, one| match &one.write {
                    Write::Manifest { digest, .. } | Write::Link { digest, .. } => {
                        digest.as_str().starts_with("sha512:")
                    }
                    _ => false,
                })
            })
        })],
    )
    .also(&["upgrade.keeps-blob", "upgrade.keeps-tag"]),
    Defect::new(
        "upgrade-guesses-type",
        "An upgrade reads the type from the manifest itself: an index that does not say it is served as an image.",
        "upgrade.keeps-tag",
        &[Seam::Boot(|rebuild, found| {
            upgraded(rebuild, found, |found| {
                altered(found, |_, one| {
                    let Write::Manifest { manifest, bytes, .. } = &one.write else { return None };
                    let value: Value = serde_json::from_slice(bytes).ok()?;
                    let silent = manifest.kind == Kind::Index && value.get("mediaType").is_none();
                    silent.then(|| known_as(one, |manifest| manifest.media_type = OCI_IMAGE.to_owned())).flatten()
                })
            })
        })],
    )
    .also(UPGRADED),
];
