//! A finished answer, as the layer of defects and variations sees it, and how it goes onto the wire.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::problem::Problem;

/// Status, headers, body, and the manner in which they are sent.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers; `Content-Length` is added from the body on GET, and is the handler's own on HEAD.
    pub headers: HeaderMap,
    /// Body.
    pub body: Body,
    /// How it is sent.
    pub delivery: Delivery,
}

/// Where a body's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Memory.
    Bytes(Bytes),
    /// A part of a file, streamed.
    File {
        /// The file.
        path: PathBuf,
        /// First byte.
        start: u64,
        /// Bytes.
        length: u64,
    },
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Time that passes before the status line.
    pub delay: Duration,
    /// No `Content-Length`: chunked coding.
    pub chunked: bool,
    /// The connection is closed after so many bytes of the body.
    pub cut_after: Option<u64>,
    /// The connection is closed before the status line.
    pub dropped: bool,
    /// HEAD is answered with the body too.
    pub body_to_head: bool,
}

impl Body {
    /// No bytes.
    pub const EMPTY: Body = Body::Bytes(Bytes::new());

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { length, .. } => *length,
        }
    }

    /// The bytes `start..start + length` of it.
    #[must_use]
    pub fn slice(self, start: u64, length: u64) -> Body {
        match self {
            Body::Bytes(bytes) => {
                let total = bytes.len();
                let start = usize::try_from(start).unwrap_or(total).min(total);
                let length = usize::try_from(length).unwrap_or(total).min(total - start);
                Body::Bytes(bytes.slice(start..start + length))
            }
            Body::File { path, start: base, .. } => Body::File { path, start: base + start, length },
        }
    }

    /// All of it, in memory; what cannot be read is left out.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Body::Bytes(bytes) => bytes.clone(),
            Body::File { path, start, length } => {
                let read = || {
                    let mut file = std::fs::File::open(path)?;
                    file.seek(SeekFrom::Start(*start))?;
                    let mut bytes = Vec::new();
                    file.take(*length).read_to_end(&mut bytes)?;
                    Ok::<_, std::io::Error>(bytes)
                };
                Bytes::from(read().unwrap_or_default())
            }
        }
    }
}

impl Answer {
    /// An answer without headers or body.
    pub fn new(status: StatusCode) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: Body::EMPTY, delivery: Delivery::default() }
    }

    /// A JSON body.
    pub fn json(status: StatusCode, value: &Value) -> Answer {
        Answer::new(status).with("content-type", "application/json").body(value.to_string())
    }

    /// The same with a header set. A value that no header can carry leaves it out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Answer {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Answer {
        self.headers.remove(name);
        self
    }

    /// The same with this body, of its own length.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Answer {
        self.body = Body::Bytes(bytes.into());
        self.headers.remove(CONTENT_LENGTH);
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Answer {
        self.status = status;
        self
    }

    /// A header's value, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Whether the body is JSON by its type.
    pub fn is_json(&self) -> bool {
        self.headers.get(CONTENT_TYPE).is_some_and(|v| v.as_bytes().ends_with(b"json"))
    }

    /// The body read as JSON.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body.to_bytes()).ok()
    }

    /// Onto the wire: as HEAD wants it, with the lengths that the handler or the body gives.
    pub async fn into_response(self, method: &Method) -> Response<HttpBody> {
        if !self.delivery.delay.is_zero() {
            tokio::time::sleep(self.delivery.delay).await;
        }
        if self.delivery.dropped {
            // Unwinding ends the connection's task without an answer, and runs no panic hook.
            std::panic::resume_unwind(Box::new("the connection is dropped on purpose"));
        }
        let mut headers = self.headers;
        let head = method == Method::HEAD;
        let no_body = head || self.status == StatusCode::NO_CONTENT || self.status == StatusCode::NOT_MODIFIED;
        if self.delivery.chunked {
            headers.remove(CONTENT_LENGTH);
        } else if !headers.contains_key(CONTENT_LENGTH) && self.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.length()));
        }
        // A body that is known to be empty would make hyper write `Content-Length: 0`.
        let body = match no_body {
            true if self.delivery.chunked => HttpBody::from_stream(stream::empty::<Result<Bytes, std::io::Error>>()),
            true => HttpBody::empty(),
            false => stream_body(self.body, self.delivery.cut_after),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Answer {
        Answer::json(problem.status, &problem.to_json())
    }
}

/// Pieces of at most 64 KiB, so that a large file is never in memory, and its length is never known to hyper: what
/// `Content-Length` says is the headers' affair alone.
fn stream_body(body: Body, cut_after: Option<u64>) -> HttpBody {
    const PIECE: u64 = 64 * 1024;
    struct State {
        body: Body,
        file: Option<tokio::fs::File>,
        left: Option<u64>,
    }
    let state = State { body, file: None, left: cut_after };
    HttpBody::from_stream(stream::try_unfold(state, |mut state| async move {
        if state.left == Some(0) {
            return Err(std::io::Error::other("cut on purpose"));
        }
        let want = state.body.length().min(PIECE).min(state.left.unwrap_or(PIECE));
        if want == 0 {
            return Ok(None);
        }
        let piece = match &state.body {
            Body::Bytes(_) => state.body.clone().slice(0, want).to_bytes(),
            Body::File { path, start, .. } => {
                let mut file = match state.file.take() {
                    Some(file) => file,
                    None => {
                        let mut file = tokio::fs::File::open(path).await?;
                        file.seek(SeekFrom::Start(*start)).await?;
                        file
                    }
                };
                let mut piece = vec![0; usize::try_from(want).unwrap_or_default()];
                file.read_exact(&mut piece).await?;
                state.file = Some(file);
                Bytes::from(piece)
            }
        };
        let rest = state.body.length() - want;
        state.body = state.body.slice(want, rest);
        state.left = state.left.map(|left| left - want);
        Ok(Some((piece, state)))
    }))
}
