//! Digests: the image-spec's grammar, and hashing.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use super::graph::Algorithm;

/// A digest of a known algorithm: `sha256:<64 hex>` or `sha512:<128 hex>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Parses the text form; lower-case hex of the right length only (image-spec, descriptor.md "Digests").
    pub fn parse(text: &str) -> Option<Digest> {
        let (algorithm, hex) = text.split_once(':')?;
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return None,
        };
        let valid = hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        valid.then(|| Digest(text.to_owned()))
    }

    /// The digest of these bytes.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        if self.0.starts_with("sha512:") { Algorithm::Sha512 } else { Algorithm::Sha256 }
    }

    /// `sha256:...`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag that stands for it where there is no referrers API: algorithm, `-`, and at most 64 characters of the hex
    /// (distribution-spec v1.1.1 "Referrers Tag Schema").
    pub fn as_tag(&self) -> String {
        let (algorithm, hex) = self.0.split_once(':').unwrap_or_default();
        format!("{algorithm}-{}", hex.get(..64).unwrap_or(hex))
    }

    /// The hex part.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        Digest::parse(&text).ok_or("no digest (sha256 or sha512, in lower-case hex)")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hashes a stream piece by piece.
#[derive(Debug, Clone)]
pub enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// A fresh one.
    pub fn new(algorithm: Algorithm) -> Hasher {
        match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// Adds a piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(h) => h.update(bytes),
            Hasher::Sha512(h) => h.update(bytes),
        }
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        fn hex(bytes: &[u8]) -> String {
            let digit = |d: u8| char::from(if d < 10 { b'0' + d } else { b'a' - 10 + d });
            let mut text = String::with_capacity(2 * bytes.len());
            for b in bytes {
                text.push(digit(b >> 4));
                text.push(digit(b & 15));
            }
            text
        }
        Digest(match self {
            Hasher::Sha256(h) => format!("sha256:{}", hex(&h.finalize())),
            Hasher::Sha512(h) => format!("sha512:{}", hex(&h.finalize())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_made_of_at_most_64_characters_of_hex() {
        let empty = |algorithm| Digest::of(algorithm, b"");
        let sha256 = empty(Algorithm::Sha256);
        assert_eq!(sha256.as_tag(), format!("sha256-{}", sha256.hex()));
        assert_eq!(empty(Algorithm::Sha512).as_tag().len(), "sha512-".len() + 64);
    }
}
