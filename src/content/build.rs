//! From an order to bytes: every node made once, what it names before it. Indexes are made in [`super::index`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use super::graph::{Algorithm, Blob, Form, Format, Image};
use super::manifest;
use super::resolve::{Item, Resolved, Source};
use super::rules::MAX_MANIFESTS;
use super::{BlobSource, Body, Content, GraphError, Key, Node, NodeKind, json, media};

/// The size of a blob of which nothing is said, and what the size of an absent manifest is said to be.
const DEFAULT_SIZE: u64 = 512;

/// Whether the bytes of blobs are hashed, or are only said to have a digest: enough to find what is wrong with a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    Real,
    Pretended,
}

pub(super) fn build(resolved: &Resolved<'_>, key: &Key, hashing: Hashing) -> Result<Content, Vec<GraphError>> {
    let mut builder = Builder {
        items: &resolved.items,
        keys: Keys::new(key),
        hashing,
        nodes: vec![None; resolved.items.len()],
        lists: BTreeSet::new(),
        total: 0,
        errors: Vec::new(),
    };
    for &place in &resolved.order {
        let item = &resolved.items[place];
        // A node that could not be made leaves an empty one, so that what names it is looked at too.
        let made = builder.node(item).unwrap_or_else(|| node(item, NodeKind::Blob, "", Algorithm::Sha256, Vec::new()));
        builder.nodes[place] = Some(Arc::new(made));
        if builder.total > MAX_MANIFESTS {
            let problem = format!("the manifests of a graph have at most {MAX_MANIFESTS} bytes together");
            builder.errors.push(GraphError { path: item.path.clone(), problem });
            break;
        }
    }
    if builder.errors.is_empty() {
        let nodes = builder.nodes.into_iter().flatten().map(|node| (node.name.clone(), node)).collect();
        Ok(Content { nodes })
    } else {
        Err(builder.errors)
    }
}

/// Makes what sets one owner's content apart: each value depends on seed, owner, purpose and name.
pub(super) struct Keys(Sha256);

impl Keys {
    fn new(key: &Key) -> Keys {
        let mut base = Sha256::new();
        base.update(b"lacuna content 1\0");
        base.update(key.seed.to_be_bytes());
        base.update((key.owner.len() as u64).to_be_bytes());
        base.update(&key.owner);
        Keys(base)
    }

    fn bytes(&self, purpose: &str, name: &str) -> [u8; 32] {
        let mut hash = self.0.clone();
        hash.update(purpose);
        hash.update([0]);
        hash.update(name);
        hash.finalize().into()
    }

    /// 32 hex digits.
    pub(super) fn nonce(&self, name: &str) -> String {
        Digest::of(Algorithm::Sha256, &self.bytes("nonce", name)).hex().chars().take(32).collect()
    }
}

pub(super) struct Builder<'r, 'g> {
    pub(super) items: &'r [Item<'g>],
    pub(super) keys: Keys,
    hashing: Hashing,
    nodes: Vec<Option<Arc<Node>>>,
    /// Digests of the Docker lists so far.
    pub(super) lists: BTreeSet<Digest>,
    /// Bytes of manifests so far.
    pub(super) total: u64,
    pub(super) errors: Vec<GraphError>,
}

impl Builder<'_, '_> {
    pub(super) fn error(&mut self, path: String, problem: String) {
        self.errors.push(GraphError { path, problem });
    }

    fn node(&mut self, item: &Item<'_>) -> Option<Node> {
        let parts = item.parts.iter().map(|&place| self.nodes[place].clone()).collect::<Option<Vec<_>>>()?;
        let subject = match item.subject {
            Some(place) => Some(self.nodes[place].clone()?),
            None => None,
        };
        match item.source {
            Source::Blob(blob) => Some(self.blob(item, blob)),
            Source::Phantom => Some(self.phantom(item)),
            Source::Config(image) => {
                let config = manifest::config(image, &refs(&parts), &self.keys.nonce(&item.name));
                let bytes = json::write(&config, &Form::default(), &[]);
                let media_type = manifest::config_type(image, item.format);
                Some(node(item, NodeKind::Blob, media_type, Algorithm::Sha256, bytes))
            }
            Source::Image(image) => {
                let config = self.nodes[item.config?].clone()?;
                let said = item.parts.iter().map(|&place| self.said(place, item.format)).collect::<Vec<_>>();
                Some(self.image(item, image, config, (parts, said), subject))
            }
            Source::Index(index) => self.index(item, index, parts, subject),
        }
    }

    /// What an image says of a blob that it names as a layer.
    fn said(&self, place: usize, format: Format) -> manifest::Said {
        let own = if let Source::Blob(blob) = self.items[place].source { Some(blob) } else { None };
        let media_type = own.and_then(|blob| blob.media_type.as_deref()).unwrap_or(media::layer(format));
        manifest::Said { media_type: media_type.to_owned(), urls: own.map_or_else(Vec::new, |blob| blob.urls.clone()) }
    }

    fn blob(&self, item: &Item<'_>, blob: &Blob) -> Node {
        let media_type = blob.media_type.as_deref().unwrap_or(media::layer(item.format));
        if let Some(text) = &blob.text {
            return node(item, NodeKind::Blob, media_type, blob.algorithm, text.clone().into_bytes());
        }
        let source = BlobSource { key: self.keys.bytes("blob", &item.name), size: blob.size.unwrap_or(DEFAULT_SIZE) };
        let digest = match self.hashing {
            Hashing::Real => source.digest(blob.algorithm),
            Hashing::Pretended => Digest::of(blob.algorithm, &source.key),
        };
        blank(item, NodeKind::Blob, media_type, digest, source.size, Body::Generated(source))
    }

    fn phantom(&self, item: &Item<'_>) -> Node {
        let digest = Digest::of(Algorithm::Sha256, &self.keys.bytes("phantom", &item.name));
        blank(item, NodeKind::Phantom, media::image(item.format), digest, DEFAULT_SIZE, Body::None)
    }

    fn image(
        &mut self,
        item: &Item<'_>,
        image: &Image,
        config: Arc<Node>,
        (layers, said): (Vec<Arc<Node>>, Vec<manifest::Said>),
        subject: Option<Arc<Node>>,
    ) -> Node {
        let config_type = manifest::config_type(image, item.format).to_owned();
        let mut annotations = if item.format == Format::Oci { image.annotations.clone() } else { BTreeMap::new() };
        if image.config.is_some() && item.format == Format::Oci {
            annotations.insert(manifest::KEY.to_owned(), self.keys.nonce(&item.name));
        }
        let parts = manifest::Parts { config: (&config, &config_type), layers: &refs(&layers), said: &said };
        let value = manifest::image(image, item.format, &parts, subject.as_deref(), &annotations);
        let bytes = json::write(&value, &image.form, &escapable(item.format, &image.fields));
        self.total += bytes.len() as u64;
        let artifact_type = image.artifact_type.clone().unwrap_or(config_type);
        Node {
            children: std::iter::once(config).chain(layers).collect(),
            subject,
            // v1.1.1 "Listing Referrers": the config's type where the manifest has no `artifactType`.
            artifact_type: Some(artifact_type),
            annotations,
            ..node(item, NodeKind::Image, media::image(item.format), image.algorithm, bytes)
        }
    }
}

/// A node of these bytes, that names nothing.
pub(super) fn node(item: &Item<'_>, kind: NodeKind, media_type: &str, algorithm: Algorithm, bytes: Vec<u8>) -> Node {
    let digest = Digest::of(algorithm, &bytes);
    blank(item, kind, media_type, digest, bytes.len() as u64, Body::Bytes(Bytes::from(bytes)))
}

/// A node that names nothing.
fn blank(item: &Item<'_>, kind: NodeKind, media_type: &str, digest: Digest, size: u64, body: Body) -> Node {
    Node {
        name: item.name.clone(),
        kind,
        media_type: media_type.to_owned(),
        digest,
        size,
        body,
        children: Vec::new(),
        subject: None,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}

/// Whose strings may be escaped: annotations and unknown fields; in Docker's types, which have no annotations, platforms.
pub(super) fn escapable(format: Format, fields: &BTreeMap<String, Value>) -> Vec<&str> {
    let known = match format {
        Format::Oci => "annotations",
        Format::Docker => "platform",
    };
    std::iter::once(known).chain(fields.keys().map(String::as_str)).collect()
}

fn refs(nodes: &[Arc<Node>]) -> Vec<&Node> {
    nodes.iter().map(|node| &**node).collect()
}
