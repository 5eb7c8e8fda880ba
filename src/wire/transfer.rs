//! Bodies on their way: made piece by piece, taken in piece by piece, with a clock that sees every piece.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::exchange::{AskBody, FailureKind, Keep};
use super::failure::Fault;
use crate::content::digest::{Digest, Hasher};
use crate::content::graph::Algorithm;

/// How much of a hashed body is kept.
const PREFIX: usize = 4096;

/// How much of an error's body is kept: the refusal of an index that names each of 10,000 absent children is half as long.
const ERROR: u64 = 4 << 20;

/// How much of any other is kept: twice the 4 MiB of manifest that a registry should take, since many are held at once.
const WHOLE: u64 = 8 << 20;

/// Counts body bytes, and knows when the last piece moved.
#[derive(Debug)]
pub(crate) struct Meter {
    born: Instant,
    last: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Meter {
    /// A meter that starts now.
    pub fn new() -> Arc<Meter> {
        let zero = || AtomicU64::new(0);
        Arc::new(Meter { born: Instant::now(), last: zero(), sent: zero(), received: zero() })
    }

    /// Something moved.
    pub fn touch(&self) {
        let micros = u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(micros, Ordering::Relaxed);
    }

    /// So many body bytes went out.
    pub fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.touch();
    }

    /// So many body bytes came in.
    pub fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.touch();
    }

    /// Body bytes out and in, so far.
    pub fn totals(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed))
    }

    /// Waits for `work` as long as something moves at least every `idle`; `None` when nothing did.
    pub async fn while_alive<F: Future>(&self, idle: Duration, work: F) -> Option<F::Output> {
        tokio::pin!(work);
        self.touch();
        loop {
            let due = self.born + Duration::from_micros(self.last.load(Ordering::Relaxed)) + idle;
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = tokio::time::sleep_until(due) => {
                    let moved = self.born + Duration::from_micros(self.last.load(Ordering::Relaxed)) + idle;
                    if moved <= Instant::now() {
                        return None;
                    }
                }
            }
        }
    }
}

/// Bytes of a request's body.
pub(crate) fn length(body: &AskBody) -> u64 {
    match body {
        AskBody::Empty => 0,
        AskBody::Bytes(bytes) => bytes.len() as u64,
        AskBody::Generated { source, offset, length } => (*length).min(source.size.saturating_sub(*offset)),
    }
}

/// The pieces of a request's body, counted as they leave.
pub(crate) fn pieces(body: &AskBody, meter: &Arc<Meter>) -> impl Iterator<Item = Bytes> + Send + Sync + 'static {
    let meter = meter.clone();
    let pieces: Box<dyn Iterator<Item = Bytes> + Send + Sync> = match body {
        AskBody::Empty => Box::new(std::iter::empty()),
        AskBody::Bytes(bytes) => Box::new(std::iter::once(bytes.clone()).filter(|b| !b.is_empty())),
        AskBody::Generated { source, offset, length } => Box::new(source.pieces(*offset, *length)),
    };
    pieces.inspect(move |piece| meter.sent(piece.len()))
}

/// A response's body as it was taken in.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// All of it, or its beginning.
    pub bytes: Bytes,
    /// Whether it is all.
    pub whole: bool,
    /// Digest of all that came.
    pub digest: Digest,
}

/// Takes a response's body in.
pub(crate) struct Intake {
    hasher: Hasher,
    kept: BytesMut,
    keep_up_to: u64,
    limit: u64,
    came: u64,
    meter: Arc<Meter>,
}

impl Intake {
    /// For a response of this status. `whole` and `hashed` are the largest bodies that are taken, in bytes.
    pub fn new(keep: Keep, status: u16, whole: u64, hashed: u64, meter: &Arc<Meter>) -> Intake {
        let (algorithm, keep_up_to, limit) = match keep {
            Keep::Whole => (Algorithm::Sha256, whole, whole),
            Keep::Hash(algorithm) if status >= 400 => (algorithm, whole, whole),
            Keep::Hash(algorithm) => (algorithm, PREFIX as u64, hashed),
        };
        let keep_up_to = keep_up_to.min(if status >= 400 { ERROR } else { WHOLE });
        let (hasher, meter) = (Hasher::new(algorithm), meter.clone());
        Intake { hasher, kept: BytesMut::new(), keep_up_to, limit, came: 0, meter }
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// The body is larger than its limit.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.meter.received(piece.len());
        self.came += piece.len() as u64;
        if self.came > self.limit {
            let text = format!("the body is larger than the limit of {} bytes (`limits: {{body: ...}}`)", self.limit);
            return Err(Fault::new(FailureKind::TooLarge, text));
        }
        self.hasher.update(piece);
        let room = usize::try_from(self.keep_up_to).unwrap_or(usize::MAX).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
        Ok(())
    }

    /// Bytes that came.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// The body is at its end.
    pub fn finish(self) -> Taken {
        let whole = self.kept.len() as u64 == self.came;
        Taken { bytes: self.kept.freeze(), whole, digest: self.hasher.finish() }
    }
}
