//! The value that passes from the network to everything else.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::content::BlobSource;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method, as sent.
    pub method: String,
    /// Path and query (`/v2/...`, under the base URL's own path), or an absolute URL.
    pub target: String,
    /// Header lines in order; names may repeat. An `Authorization` line is sent as it is, and an empty one sends none:
    /// either way the client's own credentials stay out of it.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: AskBody,
    /// What is done with the answer's body.
    pub keep: Keep,
    /// What a token is asked for: `repository:NAME:pull,push`. Empty: the challenge's own scope.
    pub scopes: Vec<String>,
    /// Sent through the second door, whatever it is: HTTP/1.1, header names as they are written.
    pub as_written: bool,
}

/// A request's body.
#[derive(Debug, Clone)]
pub enum AskBody {
    /// None; Content-Length: 0 for POST, PUT and PATCH.
    Empty,
    /// These bytes.
    Bytes(Bytes),
    /// A slice `offset..offset + length` of a generated blob, streamed.
    Generated {
        /// The blob.
        source: BlobSource,
        /// First byte.
        offset: u64,
        /// Bytes.
        length: u64,
    },
}

/// A request whose bytes are sent exactly as given, through the second door: `..`, `%2e`, `\\`, odd methods, a
/// Content-Length that lies. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct RawAsk {
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent. A base URL's path prefix is put before it.
    pub target: String,
    /// Header lines, as sent. Host, Connection, User-Agent, Authorization and Content-Length are added where they are
    /// not given and `bare` is false.
    pub headers: Vec<(String, String)>,
    /// The body, as sent.
    pub body: Bytes,
    /// What is done with the answer's body.
    pub keep: Keep,
    /// What a token is asked for; as in [`Ask::scopes`].
    pub scopes: Vec<String>,
    /// Nothing is added to the header lines, no credentials either.
    pub bare: bool,
    /// Closes the sending half after the last byte, so that a registry that waits for more sees the end.
    pub finish: bool,
}

impl Ask {
    /// A request without headers and body, whose answer is kept whole.
    pub fn new(method: &str, target: &str) -> Ask {
        Ask {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: AskBody::Empty,
            keep: Keep::Whole,
            scopes: Vec::new(),
            as_written: false,
        }
    }

    /// With one more header line.
    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    pub fn body(mut self, body: AskBody) -> Ask {
        self.body = body;
        self
    }

    /// Whether a Content-Length promises more than is sent.
    pub fn is_cut_short(&self) -> bool {
        let length = super::transfer::length(&self.body);
        let mut lines = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        lines.any(|(_, value)| value.trim().parse::<u64>().is_ok_and(|promised| promised > length))
    }
}

impl RawAsk {
    /// A request without headers and body, whose answer is kept whole.
    pub fn new(method: &str, target: &str) -> RawAsk {
        RawAsk {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            keep: Keep::Whole,
            scopes: Vec::new(),
            bare: false,
            finish: false,
        }
    }
}

/// What is done with a response's body: it is always read to its end, to the limit, or to a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Kept whole (manifests, lists) up to 8 MiB, of errors (status >= 400) up to four; what comes after is hashed only.
    Whole,
    /// Hashed as it passes; only the first 4 KiB are kept, and of errors the first 4 MiB.
    Hash(Algorithm),
}

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request as it was sent, secrets replaced.
    pub request: Request,
    /// What came: a response, or the reason why there is none.
    pub result: Result<Response, Failure>,
    /// Redirects that were followed, in order, each with the status that demanded it and the URL it led to, redacted.
    pub hops: Vec<Hop>,
    /// When it was sent; of a request that was repeated, the first time.
    pub begun: Instant,
    /// When the answer was there, or the wait for it over.
    pub ended: Instant,
    /// From the moment of sending to the last byte; of a request that was repeated, without the pause between.
    pub seconds: f64,
    /// From the moment of sending to the response's head.
    pub first_byte_seconds: Option<f64>,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received.
    pub bytes_received: u64,
    /// Requests that it took: 1, and one for each redirect, token request and repetition after a 401.
    pub requests: u32,
}

/// The request's record.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Absolute URL, redacted.
    pub url: String,
    /// Header lines, redacted.
    pub headers: Vec<(String, String)>,
    /// The body where it is held in memory (manifests); `None` for none and for generated blobs.
    pub body: Option<Bytes>,
    /// The slice of a generated blob that was the body, so that whoever shows the exchange can make its bytes again.
    pub generated: Option<GeneratedSlice>,
    /// Bytes of the body.
    pub body_length: u64,
}

/// A part of a generated blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSlice {
    /// The blob.
    pub source: BlobSource,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// The response's record.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: &'static str,
    /// Header lines in order, secrets replaced (Set-Cookie, signed URLs' parameters).
    pub headers: Vec<(String, Bytes)>,
    /// The body, or its first bytes; secrets that were sent and come back are replaced.
    pub body: Bytes,
    /// Whether `body` is all that came.
    pub body_is_whole: bool,
    /// Digest of all bytes as they came, by the algorithm of [`Keep::Hash`]; sha256 for [`Keep::Whole`].
    pub body_digest: Digest,
    /// The URL that a `Location` leads to, unredacted, for following only: never printed, never serialised.
    pub location: Option<Secret>,
    /// The URL that a `Link` with rel="next" leads to, unredacted; only where it leads to the host that answered.
    pub next: Option<Secret>,
    /// Why a `Link` header gives no [`Response::next`] that may be followed, or breaks RFC 8288: no angle brackets,
    /// another host, several targets.
    pub link_problem: Option<String>,
}

/// Text that must not be shown: its `Debug` and `Display` say so instead.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// The status that demanded it.
    pub status: u16,
    /// Where it led, redacted.
    pub to: String,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind, by which JUnit's `<error type>` is written.
    pub kind: FailureKind,
    /// For the person who reads it; no secrets.
    pub text: String,
    /// How long it lasted.
    pub after: Duration,
    /// What is wrong with the answer, where one came and its head or its body breaks off, breaks HTTP, has no bound or
    /// leads where nobody may follow: short, and the same in every run. `None`: no answer, or none within a deadline.
    pub wrong: Option<String>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection: refused, unreachable, name unknown.
    Connect,
    /// TLS: certificate, handshake.
    Tls,
    /// The connection ended before or within the response.
    Closed,
    /// No connection, byte or end within its deadline.
    Timeout,
    /// Not HTTP.
    Protocol,
    /// More than five redirects, or one that may not be followed.
    Redirect,
    /// The body is larger than the limit.
    TooLarge,
    /// No token could be had.
    Auth,
    /// 429 or 503 that last: the registry answers, and will not answer this now.
    Unavailable,
    /// Sending was stopped (a signal).
    Interrupted,
}

impl FailureKind {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            FailureKind::Connect => "connect",
            FailureKind::Tls => "tls",
            FailureKind::Closed => "closed",
            FailureKind::Timeout => "timeout",
            FailureKind::Protocol => "protocol",
            FailureKind::Redirect => "redirect",
            FailureKind::TooLarge => "too-large",
            FailureKind::Auth => "auth",
            FailureKind::Unavailable => "unavailable",
            FailureKind::Interrupted => "interrupted",
        }
    }
}

impl Exchange {
    /// The status, where a response came.
    pub fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|r| r.status)
    }

    /// The response, where one came.
    pub fn response(&self) -> Option<&Response> {
        self.result.as_ref().ok()
    }
}

impl Response {
    /// The values of every header line of this name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        super::answer::values(&self.headers, name)
    }

    /// What the header lines of this name say together, as text (invalid UTF-8 replaced): lines that differ are one list (RFC
    /// 9110 5.2). Of a field that is no list nothing sound comes of it, as it should: nobody knows which line is meant.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut said: Vec<&[u8]> = Vec::new();
        for line in self.values(name) {
            if !said.contains(&line) {
                said.push(line);
            }
        }
        (!said.is_empty()).then(|| String::from_utf8_lossy(&said.join(&b", "[..])).into_owned())
    }
}
