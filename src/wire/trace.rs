//! The record of an exchange while it happens; what leaves it has lost its secrets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::address::Address;
use super::exchange::{AskBody, Exchange, Failure, GeneratedSlice, Hop, Request, Response, Secret};
use super::failure::Fault;
use super::http::{Answer, Call};
use super::link;
use super::redact::{self, Secrets};
use super::transfer::{self, Meter};

/// What has happened so far.
pub(crate) struct Trace {
    /// What must not be shown.
    pub secrets: Secrets,
    /// Redirects followed.
    pub hops: Vec<Hop>,
    /// Requests sent.
    pub requests: u32,
    /// Body bytes.
    pub meter: Arc<Meter>,
    request: Request,
    started: Instant,
}

impl Trace {
    /// Of a request that is about to be sent.
    pub fn of(call: &Call, mut secrets: Secrets) -> Trace {
        for value in call.values("authorization").chain(call.values("cookie")).chain(call.values("proxy-authorization"))
        {
            secrets.add_authorization(value);
        }
        let request = record(call, &secrets);
        let (hops, meter) = (Vec::new(), Meter::new());
        Trace { secrets, hops, requests: 0, meter, request, started: Instant::now() }
    }

    /// The clock starts now.
    pub fn start(&mut self) {
        self.started = Instant::now();
    }

    /// This is what is sent. The record is of the first URL's last request: the one that was authorised.
    pub fn sends(&mut self, call: &Call) {
        self.requests += 1;
        if self.hops.is_empty() {
            self.request = record(call, &self.secrets);
        }
    }

    /// A redirect is followed.
    pub fn hop(&mut self, status: u16, to: &Address) {
        let shown = self.secrets.url(&to.text());
        self.secrets.add_signatures(&to.text());
        self.hops.push(Hop { status, to: shown });
    }

    /// The exchange, with the answer that `url` gave, or the fault.
    pub fn end(self, result: Result<(Answer, Address), Fault>) -> Exchange {
        let after = self.started.elapsed();
        let (bytes_sent, bytes_received) = self.meter.totals();
        let first_byte = result.as_ref().ok().map(|(answer, _)| answer.head_at.duration_since(self.started));
        let result = match result {
            Ok((answer, url)) => Ok(response(&answer, &url, &self.secrets)),
            Err(Fault { kind, text, wrong }) => {
                let text = redact::urls_within(&self.secrets.scrub_text(&text));
                Err(Failure { kind, text, after, wrong })
            }
        };
        Exchange {
            request: self.request,
            result,
            hops: self.hops,
            begun: self.started.into_std(),
            ended: (self.started + after).into_std(),
            seconds: after.as_secs_f64(),
            first_byte_seconds: first_byte.as_ref().map(Duration::as_secs_f64),
            bytes_sent,
            bytes_received,
            requests: self.requests,
        }
    }
}

fn record(call: &Call, secrets: &Secrets) -> Request {
    let shown = |name: &str, value: &str| String::from_utf8_lossy(&secrets.header(name, value.as_bytes())).into_owned();
    Request {
        method: secrets.scrub_text(&call.method),
        url: secrets.url(&call.url.text()),
        headers: call.lines.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect(),
        body: match &call.body {
            AskBody::Bytes(bytes) if !bytes.is_empty() => Some(bytes.clone()),
            _ => None,
        },
        generated: match &call.body {
            AskBody::Generated { source, offset, .. } => {
                let length = transfer::length(&call.body);
                Some(GeneratedSlice { source: source.clone(), offset: *offset, length })
            }
            _ => None,
        },
        body_length: transfer::length(&call.body),
    }
}

fn response(answer: &Answer, url: &Address, secrets: &Secrets) -> Response {
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), Bytes::from(secrets.header(name, value)))).collect();
    let location = answer.lines("location").next().and_then(|to| url.resolve(to).ok());
    let (next, link_problem) = link::next(answer.lines("link"), url);
    let body = match secrets.body(answer.status, &answer.body.bytes) {
        std::borrow::Cow::Borrowed(_) => answer.body.bytes.clone(),
        std::borrow::Cow::Owned(scrubbed) => scrubbed.into(),
    };
    Response {
        status: answer.status,
        version: answer.version,
        headers,
        body,
        body_is_whole: answer.body.whole,
        body_digest: answer.body.digest.clone(),
        location: location.map(|to| Secret(to.text())),
        next: next.map(|to| Secret(to.text())),
        link_problem: link_problem.map(|problem| secrets.scrub_text(&problem)),
    }
}
