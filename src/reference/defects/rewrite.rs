//! Wrong about bytes: a manifest is not stored as it came.

use serde_json::{Value, json};

use super::tools::*;

/// Rewrites indexes that are accepted.
fn of_index(change: &Change, right: Vec<Write>, edit: impl Fn(&mut Value)) -> Vec<Write> {
    match accepted(change).filter(|push| is_index(push)) {
        Some(_) => rewritten(right, edit),
        None => right,
    }
}

fn without(object: &mut Value, key: &str) {
    if let Some(map) = object.as_object_mut() {
        map.shift_remove(key);
    }
}

fn keep_known(object: &mut Value, known: &[&str]) {
    if let Some(map) = object.as_object_mut() {
        map.retain(|key, _| known.contains(&key.as_str()));
    }
}

fn each_entry(index: &mut Value, edit: impl Fn(&mut Value)) {
    entries(index).into_iter().flatten().for_each(edit);
}

/// Writes other bytes for the same JSON.
fn respelled(writes: Vec<Write>, spell: impl Fn(&Value) -> Option<Vec<u8>>) -> Vec<Write> {
    let respell = |write| match write {
        Write::Manifest { repository, digest, manifest, bytes } => {
            let spelled = serde_json::from_slice(&bytes).ok().and_then(|value| spell(&value));
            Write::Manifest { repository, digest, manifest, bytes: spelled.map_or(bytes, Into::into) }
        }
        write => write,
    };
    writes.into_iter().map(respell).collect()
}

fn pretty(value: &Value) -> Option<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).ok()?;
    text.push(b'\n');
    Some(text)
}

/// Compact JSON in ASCII, of up to three children.
fn is_plain(push: &Push) -> bool {
    let value: Option<Value> = serde_json::from_slice(push.bytes).ok();
    let compact = value.is_some_and(|value| value.to_string().as_bytes() == push.bytes.as_ref());
    compact && push.bytes.is_ascii() && push.manifest.children.len() <= 3
}

fn in_order(image: &Value) -> Option<Vec<u8>> {
    const FIRST: [&str; 7] =
        ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];
    let mut map = image.as_object()?.clone();
    let mut ordered = serde_json::Map::new();
    for key in FIRST {
        ordered.extend(map.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    ordered.extend(map);
    serde_json::to_vec(&ordered).ok()
}

fn entry_platform(entry: &Value) -> String {
    let part = |key: &str| entry.pointer(&format!("/platform/{key}")).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", part("os"), part("architecture"))
}

fn entry_digest(entry: &Value) -> &str {
    entry.get("digest").and_then(Value::as_str).unwrap_or_default()
}

/// Keeps the entries that `first` has not seen before, by a key.
fn merged(index: &mut Value, key: impl Fn(&Value) -> String) {
    let mut seen = Vec::new();
    if let Some(entries) = entries(index) {
        entries.retain(|entry| {
            let key = key(entry);
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
    }
}

fn ascii_only(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
        Value::Array(items) => items.iter_mut().for_each(ascii_only),
        Value::Object(map) => map.values_mut().for_each(ascii_only),
        _ => {}
    }
}

const DESCRIPTOR: &[&str] = &["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"];
const INDEX: &[&str] = &["schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations"];

pub(super) const DEFECTS: &[Defect] = &[
    Defect::new(
        "index-bytes-rewritten",
        "A manifest list, or an index beyond ASCII, that is pushed by tag is stored as the registry's own JSON library \
         writes it, unless it is short and plain.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push)
                if is_index(push)
                    && !by_digest(push)
                    && !is_plain(push)
                    && (is_docker(push) || !push.bytes.is_ascii()) =>
            {
                respelled(right, pretty)
            }
            _ => right,
        })],
    ),
    Defect::new(
        "image-bytes-rewritten",
        "An image manifest is stored compact, its keys in the image-spec's order.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) if push.manifest.kind == Kind::Image => respelled(right, in_order),
            _ => right,
        })],
    ),
    Defect::new(
        "trailing-newline-trimmed",
        "White space at the end of a manifest is trimmed before it is stored.",
        "manifest.get.bytes",
        &[Seam::Store(|_, right| {
            let trim = |write| match write {
                Write::Manifest { repository, digest, manifest, bytes } => {
                    let length = bytes.trim_ascii_end().len();
                    Write::Manifest { repository, digest, manifest, bytes: bytes.slice(..length) }
                }
                write => write,
            };
            right.into_iter().map(trim).collect()
        })],
    ),
    Defect::new(
        "index-trimmed",
        "The entries of absent children are taken out of a manifest list before it is stored.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match accepted(change).filter(|push| has_gaps(push) && is_docker(push)) {
            Some(push) => rewritten(right, |index| {
                if let Some(entries) = entries(index) {
                    entries.retain(|entry| !push.missing.iter().any(|m| m.digest == entry_digest(entry)));
                }
            }),
            None => right,
        })],
    )
    .when(stances::NOT_REFUSE),
    Defect::new(
        "variants-merged",
        "Of children alike in operating system and architecture only the first stays in the index.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| {
                let has_variant = entries(index)
                    .is_some_and(|all| all.iter().any(|entry| entry.pointer("/platform/variant").is_some()));
                if has_variant {
                    merged(index, entry_platform);
                }
            })
        })],
    ),
    Defect::new(
        "duplicate-children-merged",
        "A child that an index names again is taken out of it.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| merged(index, |entry| entry_digest(entry).to_owned()))
        })],
    ),
    Defect::new(
        "descriptor-data-dropped",
        "Embedded data is taken out of an index's descriptors.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| each_entry(index, |entry| without(entry, "data")))
        })],
    ),
    Defect::new(
        "unknown-fields-dropped",
        "Fields that the image-spec does not know are taken out of an index.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| {
                keep_known(index, INDEX);
                each_entry(index, |entry| keep_known(entry, DESCRIPTOR));
            })
        })],
    ),
    Defect::new(
        "annotations-ascii-only",
        "Characters beyond ASCII in an index's annotations are stored as question marks.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| index.get_mut("annotations").into_iter().for_each(ascii_only))
        })],
    ),
    Defect::new(
        "index-artifact-type-dropped",
        "The artifactType of an index is taken out of it.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| of_index(change, right, |index| without(index, "artifactType")))],
    ),
    Defect::new(
        "media-type-added",
        "An index that does not say what it is gets its mediaType written in.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            let media_type = accepted(change).map(|push| push.manifest.media_type.clone()).unwrap_or_default();
            of_index(change, right, |index| {
                if let Some(map) = index.as_object_mut() {
                    map.entry("mediaType").or_insert_with(|| json!(media_type));
                }
            })
        })],
    ),
    Defect::new(
        "nested-index-flattened",
        "An index within an index is replaced by its children.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| match accepted(change) {
            Some(push) => rewritten(right, |index| {
                let Some(entries) = entries(index) else { return };
                let flat = std::mem::take(entries).into_iter().flat_map(|entry| {
                    let inner = Digest::parse(entry_digest(&entry))
                        .and_then(|digest| push.view.state.manifest(push.repository, &digest))
                        .filter(|stored| stored.manifest.kind == Kind::Index);
                    match inner {
                        None => vec![entry],
                        Some(stored) => stored.manifest.children.iter().map(written).collect(),
                    }
                });
                *entries = flat.collect();
            }),
            None => right,
        })],
    ),
    Defect::new(
        "wide-index-cut",
        "Of an index's children only the first five hundred are stored.",
        "manifest.get.bytes",
        &[Seam::Store(|change, right| {
            of_index(change, right, |index| {
                if let Some(entries) = entries(index) {
                    entries.truncate(500);
                }
            })
        })],
    ),
];

fn written(descriptor: &Descriptor) -> Value {
    json!({ "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size })
}
