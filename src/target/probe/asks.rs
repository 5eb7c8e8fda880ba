//! The requests that several questions of the probe send.

use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::wire::{Ask, AskBody, Keep};

/// Every manifest type, as `Accept` header lines.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// A request for a manifest that takes every type.
pub(super) fn manifest(method: &str, repository: &str, reference: &str) -> Ask {
    let ask = Ask::new(method, &format!("/v2/{repository}/manifests/{reference}"));
    MANIFESTS.iter().fold(ask, |ask, media_type| ask.header("accept", media_type))
}

/// A request for a blob.
pub(super) fn blob(method: &str, repository: &str, digest: &Digest) -> Ask {
    Ask { keep: Keep::Hash(digest.algorithm()), ..Ask::new(method, &format!("/v2/{repository}/blobs/{digest}")) }
}

/// A slice of a node's bytes, as a request's body.
pub(super) fn body_of(node: &Node, offset: u64, length: u64) -> AskBody {
    match &node.body {
        Body::Generated(source) => AskBody::Generated { source: source.clone(), offset, length },
        Body::Bytes(bytes) => {
            let end = bytes.len().min((offset + length) as usize);
            AskBody::Bytes(bytes.slice(end.min(offset as usize)..end))
        }
        Body::None => AskBody::Empty,
    }
}

/// An upload's URL with the digest that closes it.
pub(in crate::target) fn with_digest(location: &str, digest: &Digest) -> String {
    let sign = if location.contains('?') { '&' } else { '?' };
    format!("{location}{sign}digest={digest}")
}

/// `sha256` or `sha512`, for evidence: the digest itself says nothing to its reader.
pub(super) fn algorithm(digest: &Digest) -> &str {
    digest.as_str().split(':').next().unwrap_or_default()
}
