//! The keys of the steps that read and bring blobs.

use schemars::JsonSchema;
use serde::Deserialize;

/// GET or HEAD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadMethod {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
}

/// Keys of `blob`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlobRead {
    /// The blob's node, or any node whose digest is asked for as a blob; or a literal digest after `=`.
    pub of: String,
    /// `get` (the default) or `head`.
    #[serde(default)]
    pub method: ReadMethod,
    /// The `Range` header's value (`bytes=0-99`).
    pub range: Option<String>,
}

/// Keys of `mount`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mount {
    /// The blob's node.
    pub blob: String,
    /// Source repository by nickname; absent: an anonymous mount.
    pub from: Option<String>,
}

/// Ways to upload a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UploadHow {
    /// One POST with the digest.
    Post,
    /// POST, then one PUT.
    PostPut,
    /// POST, PATCH for each chunk, PUT.
    Chunked,
}

/// Keys of `upload`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upload {
    /// The blob's node.
    pub blob: String,
    /// The way.
    pub how: UploadHow,
    /// Bytes a chunk; 64 KiB where nothing is said.
    pub chunk: Option<u64>,
    /// Claims the digest of this node instead of its own.
    pub claim: Option<String>,
    /// Ends after so many chunks, of an upload in chunks: its session stays open, for a later step to go on with.
    pub stop_after: Option<u64>,
    /// Goes on with the session that an earlier step left open of this blob, where it stands; where it is not there any
    /// more, from the beginning.
    #[serde(default)]
    pub resume: bool,
}
