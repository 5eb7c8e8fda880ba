//! What came of one request, and the line of evidence that it makes.

use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::wire::{Exchange, FailureKind, Response};

/// What came of one request.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// What was asked, short: `PUT manifests/<tag>`.
    pub(super) label: String,
    pub(super) exchange: Exchange,
}

/// Whether evidence says, in the words of [`Answer::outcome`], that a time limit ended the wait for an answer.
pub(super) fn came_too_late(evidence: &str) -> bool {
    evidence.contains(&format!("no answer ({}", FailureKind::Timeout.word()))
}

/// Whether evidence ends, in the words of [`Answer::outcome`], with what says nothing of a registry: no answer, or no time for
/// one.
pub(in crate::target) fn says_nothing(evidence: &str) -> bool {
    let end = evidence.rsplit("-> ").next().unwrap_or_default();
    let late = [FailureKind::Timeout, FailureKind::Connect].map(|kind| format!("no answer ({}", kind.word()));
    late.iter().any(|late| end.starts_with(late))
        || ["429", "503"].iter().any(|busy| end.starts_with(busy))
        || evidence.starts_with("no end within")
}

impl Answer {
    pub(super) fn status(&self) -> Option<u16> {
        self.exchange.status()
    }

    pub(super) fn response(&self) -> Option<&Response> {
        self.exchange.response()
    }

    /// 2xx.
    pub(super) fn is_success(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    pub(super) fn is(&self, status: u16) -> bool {
        self.status() == Some(status)
    }

    /// A refusal to do this, by its own reasons or to this user.
    pub(super) fn is_denial(&self) -> bool {
        self.is(403) || self.is_refusal()
    }

    /// A 4xx that speaks of the thing that was sent, not of who sent it or how fast.
    pub(super) fn is_refusal(&self) -> bool {
        self.status().is_some_and(|s| (400..500).contains(&s) && !matches!(s, 401 | 403 | 407 | 408 | 429))
    }

    /// Whether this is a manifest, byte for byte, with no header that names the digest of other bytes.
    pub(super) fn serves(&self, node: &Node) -> bool {
        let Body::Bytes(bytes) = &node.body else { return false };
        self.is(200) && self.response().is_some_and(|r| r.body == *bytes) && !self.names_other(node)
    }

    /// Whether `Docker-Content-Digest` is there and is no digest of this manifest, by whichever algorithm: it may differ
    /// from the one that was asked by (v1.1.1 L179).
    pub(super) fn names_other(&self, node: &Node) -> bool {
        let Body::Bytes(bytes) = &node.body else { return false };
        let of_it = |named: &str| Digest::parse(named).is_some_and(|d| Digest::of(d.algorithm(), bytes) == d);
        self.header("docker-content-digest").is_some_and(|named| !of_it(&named))
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.response().and_then(|response| response.header(name))
    }

    /// The error codes of the body, in order.
    fn codes(&self) -> Vec<String> {
        let body = self.response().and_then(|r| serde_json::from_slice::<serde_json::Value>(&r.body).ok());
        let errors = body.as_ref().and_then(|b| b.get("errors")).and_then(|e| e.as_array());
        let codes = errors.into_iter().flatten().filter_map(|e| e.get("code")).filter_map(|c| c.as_str());
        codes.map(|code| code.chars().filter(char::is_ascii_graphic).take(40).collect()).collect()
    }

    /// Whether the body has this error code.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.codes().iter().any(|c| c == code)
    }

    /// The first three different error codes, each with how often it stands there.
    fn counted(&self) -> String {
        let codes = self.codes();
        let first = |(i, code): &(usize, &String)| codes.iter().position(|c| c == *code) == Some(*i);
        let distinct = codes.iter().enumerate().filter(first).take(3);
        let say = |(_, code): (usize, &String)| match codes.iter().filter(|c| *c == code).count() {
            1 => format!(" {code}"),
            n => format!(" {code} x{n}"),
        };
        distinct.map(say).collect()
    }

    /// `PUT manifests/<tag> -> 400 MANIFEST_BLOB_UNKNOWN x8`.
    pub(super) fn say(&self) -> String {
        format!("{} -> {}", self.label, self.outcome())
    }

    /// `400 MANIFEST_BLOB_UNKNOWN x8`, or why there is no answer.
    pub(super) fn outcome(&self) -> String {
        match &self.exchange.result {
            Ok(response) => format!("{}{}", response.status, self.counted()),
            // Its text names the address, which is another one after a relaunch: two findings would differ by it alone.
            Err(failure) if failure.kind == FailureKind::Closed => format!("no answer ({})", failure.kind.word()),
            Err(failure) => format!("no answer ({}: {})", failure.kind.word(), failure.text),
        }
    }
}
