//! One question to the registry: a request, what it is about, and what is expected of the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::expect::Subject;
use super::facts::is_yes;
use super::journal::{Journal, Thing};
use super::stop::Stop;
use crate::content::NodeKind;
use crate::content::graph::Algorithm;
use crate::suite::assertion::LocationIs;
use crate::suite::model::Expectation;
use crate::suite::side::Side;
use crate::wire::{self, Ask, AskBody, Client, Exchange, Failure, FailureKind, Keep, Request, Response};

/// The longest that a registry's `Retry-After` is obeyed.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// The types that a manifest is asked for by where a case does not say: all that lacuna pushes.
pub const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                                  application/vnd.docker.distribution.manifest.list.v2+json, \
                                  application/vnd.docker.distribution.manifest.v2+json";

/// Generated blobs up to this size are kept whole, so that a difference can be shown.
const KEPT: u64 = 64 * 1024;

/// Expectations, shared by all questions of a step.
pub type Expected = Arc<[Expectation]>;

/// A request, what it is about, and what is expected of the answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it is for: `get ppc64le by digest`.
    pub label: String,
    /// The repository's nickname.
    pub repository: String,
    /// The server that is asked.
    pub at: Side,
    /// What is sent.
    pub ask: Ask,
    /// What it is about.
    pub subject: Subject,
    /// What is expected.
    pub expect: Expected,
    /// Whether it only reads: then it may be asked again within a window.
    pub reads: bool,
    /// What the registry has where it acknowledges: journaled before it is sent.
    pub creates: Vec<Thing>,
    /// What is gone where the registry acknowledges.
    pub removes: Option<Thing>,
}

impl Question {
    /// One that reads and expects nothing yet.
    pub fn new(label: impl Into<String>, repository: &str, at: Side, ask: Ask) -> Question {
        Question {
            label: label.into(),
            repository: repository.to_owned(),
            at,
            ask,
            subject: Subject::default(),
            expect: Arc::new([]),
            reads: true,
            creates: Vec::new(),
            removes: None,
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The exchange.
    pub exchange: Exchange,
    /// A GET of the answer's `Location`, where an expectation wants it to resolve.
    pub located: Option<Exchange>,
    /// What is wrong with an answer that is none: it is the registry's, and a mismatch.
    pub wrong: Option<String>,
}

impl Asked {
    /// Whether asking the answer's `Location` says nothing of it: it leads to the registry itself, which gave no answer there, or
    /// had no time for one; or we stopped asking.
    pub fn is_location_silent(&self) -> bool {
        let Some(located) = &self.located else { return false };
        let is_its_own = wire::same_origin(&located.request.url, &self.exchange.request.url);
        match &located.result {
            Ok(_) => is_its_own && is_busy(located),
            Err(failure) if failure.kind == FailureKind::Interrupted => true,
            Err(failure) => is_its_own && failure.wrong.is_none() && failure.kind != FailureKind::Redirect,
        }
    }

    /// The answer's status.
    pub fn status(&self) -> Option<u16> {
        self.exchange.status()
    }
}

/// Sends questions.
#[derive(Clone)]
pub struct Sender {
    /// The wire.
    pub client: Client,
    /// That to a second server on the same storage, while there is one.
    pub beside: Option<Client>,
    /// Where creations are written first.
    pub journal: Journal,
    /// Nothing is sent once it is set.
    pub stop: Stop,
}

impl Sender {
    /// Asks a question, and follows `Location` where that is expected to resolve.
    ///
    /// # Errors
    /// The journal cannot be written; then nothing was sent.
    pub async fn ask(&self, question: &Question) -> std::io::Result<Asked> {
        for thing in &question.creates {
            self.journal.creating(thing)?;
        }
        let (exchange, wrong) = self.send(question.at, &question.ask).await;
        if is_yes(exchange.status()) {
            for thing in &question.creates {
                self.journal.created(thing)?;
            }
            if let Some(thing) = &question.removes {
                self.journal.removed(thing);
            }
        }
        let located = self.locate(question, &exchange).await;
        Ok(Asked { exchange, located, wrong })
    }

    /// Asks a read again; of what is not asked twice, a push, only whether its `Location` resolves by now.
    ///
    /// # Errors
    /// The journal cannot be written; then nothing was sent.
    pub async fn look_again(&self, question: &Question, asked: &Asked) -> std::io::Result<Asked> {
        if question.reads {
            return self.ask(question).await;
        }
        Ok(Asked { located: self.locate(question, &asked.exchange).await, ..asked.clone() })
    }

    async fn locate(&self, question: &Question, exchange: &Exchange) -> Option<Exchange> {
        // The Location of a 202 is an upload session, which is not for reading.
        let response = exchange
            .response()
            .filter(|r| wants_location(question) && (200..300).contains(&r.status) && r.status != 202)?;
        let mut ask = Ask::new("GET", &response.location.as_ref()?.0);
        ask.scopes = question.ask.scopes.clone();
        match &question.subject.node {
            Some(node) if node.kind == NodeKind::Blob => ask.keep = keep(node.size, node.digest.algorithm()),
            _ => ask = ask.header("Accept", MANIFEST_TYPES),
        }
        let (mut exchange, wrong) = self.send(question.at, &ask).await;
        if let Err(failure) = &mut exchange.result {
            failure.wrong = wrong;
        }
        Some(exchange)
    }

    /// Sends a request. 429 and 503 are repeated once, after the time that the registry asks for. A connection that was
    /// closed before the head of an answer is repeated once, since a registry may close an idle connection at any moment.
    /// The second value is what is wrong with an answer that is none.
    pub async fn send(&self, at: Side, ask: &Ask) -> (Exchange, Option<String>) {
        let mut exchange = self.once(at, ask).await;
        if let Some(pause) = busy(&exchange) {
            tokio::select! {
                () = tokio::time::sleep(pause) => exchange = again(exchange, self.once(at, ask).await),
                () = self.stop.wait() => return (unsent(ask, INTERRUPTED), None),
            }
        }
        if matches!(&exchange.result, Err(failure) if failure.kind == FailureKind::Closed && failure.wrong.is_none()) {
            exchange = again(exchange, self.once(at, ask).await);
        }
        let wrong = self.wrong(at, &exchange).await;
        (exchange, wrong)
    }

    /// What is wrong with an answer that is none. A connection that was closed, twice or within an answer, says so only of a
    /// registry that answers others: one that ends closes connections too.
    async fn wrong(&self, at: Side, exchange: &Exchange) -> Option<String> {
        let failure = exchange.result.as_ref().err()?;
        if failure.kind != FailureKind::Closed {
            return failure.wrong.clone();
        }
        let crashed = || "connection closed without an answer".to_owned();
        self.is_alive(at).await.then(|| failure.wrong.clone().unwrap_or_else(crashed))
    }

    async fn once(&self, at: Side, ask: &Ask) -> Exchange {
        if self.stop.is_set() {
            return unsent(ask, INTERRUPTED);
        }
        let client = match at {
            Side::Main => &self.client,
            Side::Beside => match &self.beside {
                Some(beside) => beside,
                None => return unsent(ask, "no second server runs"),
            },
        };
        tokio::select! {
            exchange = client.send(ask.clone()) => exchange,
            () = self.stop.wait() => unsent(ask, INTERRUPTED),
        }
    }

    async fn is_alive(&self, at: Side) -> bool {
        self.once(at, &Ask::new("GET", "/v2/")).await.response().is_some()
    }
}

/// Whether an expectation wants the `Location` of the answer to resolve.
fn wants_location(question: &Question) -> bool {
    question.expect.iter().any(|e| e.assertion.location == Some(LocationIs::Resolves))
}

/// What is kept of a body of `size` bytes.
pub fn keep(size: u64, algorithm: Algorithm) -> Keep {
    if size <= KEPT { Keep::Whole } else { Keep::Hash(algorithm) }
}

/// Whether an exchange says that the registry will not answer now.
pub fn is_busy(exchange: &Exchange) -> bool {
    matches!(exchange.status(), Some(429 | 503))
}

/// Whether an answer came, right or wrong.
pub fn is_answered(exchange: &Exchange) -> bool {
    match &exchange.result {
        Ok(_) => !is_busy(exchange),
        Err(failure) => failure.wrong.is_some(),
    }
}

/// How long a busy registry asks to wait, within bounds; `None` where it is not busy.
pub fn busy(exchange: &Exchange) -> Option<Duration> {
    let response = exchange.response().filter(|_| is_busy(exchange))?;
    Some(retry_after(response).unwrap_or(Duration::from_millis(500)).min(LONGEST_RETRY))
}

/// How long an answer asks to wait: `Retry-After` in seconds, or until a date (RFC 9110 10.2.3).
pub fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.header("retry-after")?;
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    // What is past is not waited for.
    Some(Duration::try_from(date.timestamp().duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

/// The second exchange, which answers for the first one's costs too.
fn again(first: Exchange, second: Exchange) -> Exchange {
    Exchange {
        requests: first.requests.saturating_add(second.requests),
        bytes_sent: first.bytes_sent + second.bytes_sent,
        bytes_received: first.bytes_received + second.bytes_received,
        begun: first.begun,
        seconds: first.seconds + second.seconds,
        ..second
    }
}

/// Why nothing is sent any more.
const INTERRUPTED: &str = "the run was interrupted";

/// An exchange that did not take place.
fn unsent(ask: &Ask, why: &str) -> Exchange {
    let length = match &ask.body {
        AskBody::Empty => 0,
        AskBody::Bytes(bytes) => bytes.len() as u64,
        AskBody::Generated { length, .. } => *length,
    };
    let request = Request {
        method: ask.method.clone(),
        // The target may be a URL that a registry signed: of those only the path is shown.
        url: ask.target.split('?').next().unwrap_or_default().to_owned(),
        headers: Vec::new(),
        body: None,
        generated: None,
        body_length: length,
    };
    let failure = Failure { kind: FailureKind::Interrupted, text: why.into(), after: Duration::ZERO, wrong: None };
    let now = Instant::now();
    Exchange {
        request,
        result: Err(failure),
        hops: Vec::new(),
        begun: now,
        ended: now,
        seconds: 0.0,
        first_byte_seconds: None,
        bytes_sent: 0,
        bytes_received: 0,
        requests: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::expect::testing::response;

    fn asked(value: &str) -> Option<Duration> {
        retry_after(&response(429, &[("Retry-After", value)], b""))
    }

    #[test]
    fn who_is_asked_to_come_again_comes_after_so_many_seconds_or_at_that_date() {
        assert_eq!(asked(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let then = jiff::Timestamp::now() + Duration::from_secs(60);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then);
        let wait = date.ok().and_then(|date| asked(&date)).unwrap_or_default();
        assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60), "{wait:?}");
    }
}
