//! What is pushed: symbolic graphs to bytes, digests and order.
//!
//! [`graph`] is what an author writes; [`Content::build`] turns it, with a key, into nodes with digests. The same key
//! gives the same bytes; different keys share no digest (blobs of fewer than 16 bytes are too short to differ).

pub mod blob;
mod build;
pub mod digest;
pub mod graph;
mod index;
mod json;
mod manifest;
pub mod media;
mod order;
pub mod platform;
mod resolve;
mod rules;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use blob::BlobSource;
use bytes::Bytes;
use digest::Digest;
pub use walk::{UnknownNode, blobs, manifests, phantoms};

use build::Hashing;
use graph::{Format, Graph};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A layer, a config, or a blob that stands alone.
    Blob,
    /// An image manifest (also an artifact's).
    Image,
    /// An image index or manifest list.
    Index,
    /// A manifest that an index names and nobody has.
    Phantom,
}

/// A node's bytes.
#[derive(Debug, Clone)]
pub enum Body {
    /// Held in memory (manifests, configs).
    Bytes(Bytes),
    /// Generated when it is sent (blobs of any size).
    Generated(BlobSource),
    /// There are none (a phantom).
    None,
}

/// One thing that can be pushed.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name in the graph.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// The Content-Type of a manifest, the descriptor's type of a blob.
    pub media_type: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Its bytes.
    pub body: Body,
    /// What it names, in order, duplicates too: config and layers, or children.
    pub children: Vec<Arc<Node>>,
    /// The node that it refers to. Never a child: a subject may be absent.
    pub subject: Option<Arc<Node>>,
    /// `artifactType` that a referrers list must show.
    pub artifact_type: Option<String>,
    /// Annotations that a referrers list must show.
    pub annotations: BTreeMap<String, String>,
}

/// Makes the bytes of a run's content apart from every other run's and case's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The run's seed.
    pub seed: u64,
    /// The case's id, or whatever else the content belongs to.
    pub owner: String,
}

/// All nodes of one graph, built.
#[derive(Debug, Clone)]
pub struct Content {
    /// By name.
    pub nodes: BTreeMap<String, Arc<Node>>,
}

/// A graph that cannot be built: an unknown name, a cycle, a platform that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct GraphError {
    /// Where in the graph, dotted: `indexes.index.manifests.2`.
    pub path: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl Content {
    /// Builds every node of `graph`, in `format` where a node does not say its own. A node with `subject` or
    /// `artifact-type` is OCI in every format, since Docker's types have neither.
    ///
    /// Every byte of every blob is hashed here, once: with blobs of many megabytes this takes a while, though no memory.
    ///
    /// # Errors
    /// All problems of the graph.
    pub fn build(graph: &Graph, format: Format, key: &Key) -> Result<Content, Vec<GraphError>> {
        build::build(&resolve::resolve(graph, format)?, key, Hashing::Real)
    }

    /// Everything for which [`Content::build`] would refuse `graph`, found without hashing a blob: for whoever loads it.
    pub fn check(graph: &Graph, format: Format) -> Vec<GraphError> {
        Content::outline(graph, format).err().unwrap_or_default()
    }

    /// As [`Content::build`], without hashing a blob: names and kinds of the nodes are true, digests are not.
    ///
    /// # Errors
    /// All problems of the graph.
    pub fn outline(graph: &Graph, format: Format) -> Result<Content, Vec<GraphError>> {
        let key = Key { seed: 0, owner: String::new() };
        build::build(&resolve::resolve(graph, format)?, &key, Hashing::Pretended)
    }
}

#[cfg(test)]
mod tests;
