//! The JSON of configs, manifests and descriptors, in the families' own media types.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::graph::{Descriptor, Format, Image, Index};
use super::platform::Platform;
use super::{Node, media};

/// The member that makes a manifest unlike every other run's: an annotation, a label, or an unknown field.
pub(super) const KEY: &str = "org.lacuna.key";
/// The annotation that fills an index up to a size.
pub(super) const PADDING: &str = "org.lacuna.padding";
/// The platform of manifests that are never there: a real one, that no registry is known to require.
const PHANTOM_PLATFORM: Platform<'_> = Platform { os: "linux", architecture: "mips64le", variant: None };

/// The config of an image; an artifact's is a small document of its own, since the empty descriptor that the image-spec
/// advises is everybody's.
pub(super) fn config(image: &Image, layers: &[&Node], nonce: &str) -> Map<String, Value> {
    if image.artifact_type.is_some() {
        return Map::from_iter([(KEY.to_owned(), nonce.into())]);
    }
    // Both are required in a config, which an image without a platform has too.
    let nowhere = Platform { os: "unknown", architecture: "unknown", variant: None };
    let platform = image.platform.as_deref().and_then(Platform::parse).unwrap_or(nowhere);
    let mut config = platform_members(&platform, image);
    config.insert("config".into(), json!({ "Labels": { KEY: nonce } }));
    let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.digest.as_str()).collect();
    config.insert("rootfs".into(), json!({ "type": "layers", "diff_ids": diff_ids }));
    // One entry a layer, as every builder writes them: some registries take no Docker config without.
    let history = vec![json!({ "created_by": "lacuna" }); layers.len()];
    config.insert("history".into(), history.into());
    config
}

/// The media type of an image's config.
pub(super) fn config_type(image: &Image, format: Format) -> &str {
    match &image.config_type {
        Some(own) => own,
        None if image.artifact_type.is_some() => media::ARTIFACT_CONFIG,
        None => media::config(format),
    }
}

/// What an image names. A layer's type is its own, else the manifest's family's, whoever else shares the blob.
pub(super) struct Parts<'a> {
    /// The config and its type.
    pub config: (&'a Node, &'a str),
    pub layers: &'a [&'a Node],
    /// What is said of each layer.
    pub said: &'a [Said],
}

/// What an image says of a layer.
pub(super) struct Said {
    pub media_type: String,
    /// Left out where there are none.
    pub urls: Vec<String>,
}

/// An image manifest.
pub(super) fn image(
    image: &Image,
    format: Format,
    parts: &Parts<'_>,
    subject: Option<&Node>,
    annotations: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let mut manifest = head(media::image(format), image.form.no_media_type);
    if let Some(artifact_type) = &image.artifact_type {
        manifest.insert("artifactType".into(), artifact_type.as_str().into());
    }
    let (config, config_type) = parts.config;
    manifest.insert("config".into(), plain(config_type, config).into());
    let layers = parts.layers.iter().zip(parts.said).map(|(layer, said)| {
        let mut descriptor = plain(&said.media_type, layer);
        if !said.urls.is_empty() {
            descriptor.insert("urls".into(), json!(said.urls));
        }
        descriptor.into()
    });
    let layers: Vec<Value> = layers.collect();
    manifest.insert("layers".into(), layers.into());
    if let Some(subject) = subject {
        manifest.insert("subject".into(), plain(&subject.media_type, subject).into());
    }
    if format == Format::Oci && !annotations.is_empty() {
        manifest.insert("annotations".into(), json!(annotations));
    }
    manifest.extend(image.fields.clone());
    manifest
}

/// An index, without its annotations, which the caller adds: they decide about its uniqueness and its size.
pub(super) fn index(index: &Index, format: Format, entries: Vec<Value>, subject: Option<&Node>) -> Map<String, Value> {
    let mut manifest = head(media::index(format), index.form.no_media_type);
    if let Some(artifact_type) = &index.artifact_type {
        manifest.insert("artifactType".into(), artifact_type.as_str().into());
    }
    manifest.insert("manifests".into(), entries.into());
    if let Some(subject) = subject {
        manifest.insert("subject".into(), plain(&subject.media_type, subject).into());
    }
    manifest
}

/// An entry of an index. `data` is the node's bytes in base64, where they are embedded. What Docker's manifest list has
/// no field for (`annotations`, `artifactType`, `data`, `urls`) is left out of one.
pub(super) fn entry(
    node: &Node,
    platform: Option<Value>,
    own: Option<&Descriptor>,
    size: u64,
    data: Option<String>,
    format: Format,
) -> Value {
    let media_type = own.and_then(|own| own.media_type.as_deref()).unwrap_or(&node.media_type);
    let mut entry = plain(media_type, node);
    entry.insert("size".into(), size.into());
    if let Some(platform) = platform {
        entry.insert("platform".into(), platform);
    }
    let Some(own) = own else { return Value::Object(entry) };
    if format == Format::Oci {
        if let Some(artifact_type) = &own.artifact_type {
            entry.insert("artifactType".into(), artifact_type.as_str().into());
        }
        if !own.urls.is_empty() {
            entry.insert("urls".into(), json!(own.urls));
        }
        if !own.annotations.is_empty() {
            entry.insert("annotations".into(), json!(own.annotations));
        }
        if let Some(data) = data {
            entry.insert("data".into(), data.into());
        }
    }
    entry.extend(own.fields.clone());
    Value::Object(entry)
}

/// The platform of an entry: the descriptor's own word, else the image's.
pub(super) fn platform(own: Option<&str>, image: Option<&Image>) -> Option<Value> {
    match own {
        Some("none") => None,
        Some("empty") => Some(json!({})),
        Some(text) => Some(platform_members(&Platform::parse(text)?, &Image::default()).into()),
        None => {
            let image = image?;
            Some(platform_members(&Platform::parse(image.platform.as_deref()?)?, image).into())
        }
    }
}

/// The platform of a manifest that is never there.
pub(super) fn phantom_platform() -> Value {
    platform_members(&PHANTOM_PLATFORM, &Image::default()).into()
}

fn platform_members(platform: &Platform<'_>, image: &Image) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("architecture".into(), platform.architecture.into());
    members.insert("os".into(), platform.os.into());
    if let Some(version) = &image.os_version {
        members.insert("os.version".into(), version.as_str().into());
    }
    if !image.os_features.is_empty() {
        members.insert("os.features".into(), json!(image.os_features));
    }
    if let Some(variant) = platform.variant {
        members.insert("variant".into(), variant.into());
    }
    members
}

fn head(media_type: &str, no_media_type: bool) -> Map<String, Value> {
    let mut manifest = Map::new();
    manifest.insert("schemaVersion".into(), 2.into());
    if !no_media_type {
        manifest.insert("mediaType".into(), media_type.into());
    }
    manifest
}

fn plain(media_type: &str, node: &Node) -> Map<String, Value> {
    let mut descriptor = Map::new();
    descriptor.insert("mediaType".into(), media_type.into());
    descriptor.insert("digest".into(), node.digest.as_str().into());
    descriptor.insert("size".into(), node.size.into());
    descriptor
}
