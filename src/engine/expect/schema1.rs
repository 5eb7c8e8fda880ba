//! Docker's first manifest format, which older registries still make of a newer image for a client that names no other type. It is
//! signed within itself, and its digest is that of what was signed, not of the bytes that come.
//!
//! docker/distribution v2.8.2 manifest/schema1/manifest.go (`Canonical`), registry/handlers/manifests.go (`convertSchema2Manifest`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::headers::{essence, hashes_to};
use crate::content::digest::Digest;
use crate::wire::Response;

/// The media type of a signed one.
const SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Whether `digest` is that of the manifest in this response: of its bytes, or of what is signed in them.
pub fn is_digest_of(response: &Response, digest: &Digest) -> bool {
    if hashes_to(response, digest) {
        return true;
    }
    let is_signed = response.header("content-type").is_some_and(|value| essence(&value) == SIGNED);
    is_signed && signed(&response.body).is_some_and(|bytes| Digest::of(digest.algorithm(), &bytes) == *digest)
}

/// What is signed: the first `formatLength` bytes and the `formatTail` that its first signature's `protected` names.
fn signed(body: &[u8]) -> Option<Vec<u8>> {
    let manifest: Value = serde_json::from_slice(body).ok()?;
    let protected = URL_SAFE_NO_PAD.decode(manifest.pointer("/signatures/0/protected")?.as_str()?).ok()?;
    let protected: Value = serde_json::from_slice(&protected).ok()?;
    let length = usize::try_from(protected.get("formatLength")?.as_u64()?).ok()?;
    let tail = URL_SAFE_NO_PAD.decode(protected.get("formatTail")?.as_str()?).ok()?;
    Some([body.get(..length)?, &tail].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A manifest with a signature around it: what is signed, and the whole.
    fn manifest(length: i64) -> (Vec<u8>, Vec<u8>) {
        let payload = b"{\n   \"schemaVersion\": 1\n}".to_vec();
        let tail = URL_SAFE_NO_PAD.encode("\n}");
        let protected = URL_SAFE_NO_PAD.encode(format!("{{\"formatLength\":{length},\"formatTail\":\"{tail}\"}}"));
        let head = String::from_utf8(payload[..payload.len() - 2].to_vec()).unwrap();
        let whole = format!("{head},\n   \"signatures\": [{{\"protected\": \"{protected}\"}}]\n}}");
        (payload, whole.into_bytes())
    }

    #[test]
    fn what_is_signed_is_taken_out_of_it() {
        let (payload, whole) = manifest(23);
        assert_eq!(signed(&whole).unwrap(), payload);
        for length in [-1, 100_000, i64::MAX] {
            assert_eq!(signed(&manifest(length).1), None, "{length}");
        }
        for odd in ["", "{}", "[]", r#"{"signatures":[]}"#, r#"{"signatures":[{"protected":"!"}]}"#] {
            assert_eq!(signed(odd.as_bytes()), None, "{odd}");
        }
    }
}
