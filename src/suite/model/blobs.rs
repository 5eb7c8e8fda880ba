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

/// One request of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SessionRequest {
    /// POST: it begins.
    Open,
    /// PATCH: bytes come.
    Chunk,
    /// GET: where does it stand?
    Ask,
    /// PUT: it is a blob from now on.
    Close,
    /// DELETE: it is given up.
    Cancel,
}

/// Keys of `session`: an upload request by request, each sent to the place that the answer before it named.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionStep {
    /// The request.
    pub r#do: SessionRequest,
    /// The session's name, where a case has several in one repository.
    #[serde(default)]
    pub name: String,
    /// The blob whose bytes are sent, and whose digest closes it.
    pub blob: Option<String>,
    /// First and last of the bytes that are sent, `0-99`. Without it a `chunk` sends all of them, and `close` none.
    pub bytes: Option<String>,
    /// `Content-Range`, instead of what `bytes` says; `none` sends none.
    pub says: Option<String>,
    /// The query of `open`, where it has one; that of `close`, instead of the blob's digest.
    pub query: Option<String>,
    /// What is sent goes in the chunked coding, so many bytes at a time, without a Content-Length.
    pub chunks: Option<u64>,
}

impl SessionStep {
    /// First byte and length of what is sent; `None`: nothing, or all of the blob.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn span(&self) -> Result<Option<(u64, u64)>, String> {
        let Some(text) = &self.bytes else { return Ok(None) };
        let span = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
            Some((first, last.checked_sub(first)?.checked_add(1)?))
        });
        span.map(Some).ok_or_else(|| format!("`{text}` is no first and last byte: write `0-99`"))
    }
}
