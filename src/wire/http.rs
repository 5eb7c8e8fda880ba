//! The first door: reqwest, with everything that it would do by itself switched off.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::address::Address;
use super::exchange::{AskBody, FailureKind, Keep};
use super::failure::{self, Fault};
use super::settings::Settings;
use super::transfer::{self, Intake, Meter, Taken};

/// One request, as either door sends it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Where to.
    pub url: Address,
    /// Method.
    pub method: String,
    /// Header lines, but for Host.
    pub lines: Vec<(String, String)>,
    /// Body.
    pub body: AskBody,
    /// What is done with the answer's body.
    pub keep: Keep,
}

/// One answer, with its secrets.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status.
    pub status: u16,
    /// `HTTP/1.1`, `HTTP/2.0`.
    pub version: &'static str,
    /// Header lines in order.
    pub headers: Vec<(String, Bytes)>,
    /// Body.
    pub body: Taken,
    /// When the head was there.
    pub head_at: Instant,
}

impl Answer {
    /// The values of all header lines of this name.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }
}

/// What both doors keep to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// To connect.
    pub connect: Duration,
    /// Between two bytes.
    pub idle: Duration,
    /// Largest body held.
    pub whole: u64,
    /// Largest body hashed.
    pub hashed: u64,
}

impl Limits {
    /// A target's.
    pub fn of(settings: &Settings) -> Limits {
        let Settings { connect, idle, body_limit, hash_limit, .. } = *settings;
        Limits { connect, idle, whole: body_limit, hashed: hash_limit }
    }
}

/// Idle connections are closed after this time, before most servers do it: a request on a connection that the server
/// closes at that moment is lost.
const POOLED: Duration = Duration::from_secs(3);

/// The first door.
#[derive(Debug, Clone)]
pub(crate) struct HttpDoor {
    client: reqwest::Client,
    limits: Limits,
    /// Local ends of connections that have served: only these can be stale.
    served: Arc<Mutex<BTreeSet<SocketAddr>>>,
}

/// So many connections are remembered; a restart of the memory costs no more than a repetition that is not made.
const REMEMBERED: usize = 4096;

/// What came of a call that failed.
pub(crate) struct Failed {
    /// Why.
    pub fault: Fault,
    /// A connection that had served before ended without a byte of this answer.
    pub stale: bool,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Failed {
        Failed { fault, stale: false }
    }
}

impl HttpDoor {
    /// A door with this TLS configuration.
    ///
    /// # Errors
    /// reqwest cannot be built.
    pub fn new(tls: &rustls::ClientConfig, limits: Limits) -> Result<HttpDoor, String> {
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(limits.connect)
            .pool_idle_timeout(POOLED)
            .tcp_nodelay(true)
            .build()
            .map_err(|e| format!("the HTTP client cannot be built: {e}"))?;
        Ok(HttpDoor { client, limits, served: Arc::default() })
    }

    /// Whether this door sends the call unchanged; the other one is for the rest.
    pub fn takes(&self, call: &Call) -> bool {
        let lengths: Vec<&str> = call.values("content-length").collect();
        let honest = call.values("transfer-encoding").next().is_none()
            && lengths.iter().all(|l| **l == transfer::length(&call.body).to_string())
            && lengths.len() <= 1;
        // reqwest never sends a request without Accept. It matters where types are negotiated; elsewhere `*/*` says the
        // same as nothing.
        let negotiated = matches!(call.method.as_str(), "GET" | "HEAD") && call.url.path.contains("/manifests/");
        let accepts = call.values("accept").next().is_some() || !negotiated;
        honest && accepts && call.method != "CONNECT" && call.url.plain().is_some() && headers(&call.lines).is_some()
    }

    /// Sends, and takes the answer in.
    pub async fn send(&self, call: &Call, meter: &Arc<Meter>) -> Result<Answer, Failed> {
        let request = self.request(call, meter)?;
        let Limits { connect, idle, .. } = self.limits;
        let sent = meter.while_alive(idle, self.client.execute(request)).await;
        let mut response = match sent {
            None => return Err(failure::silence(&call.url, idle, "after the request").into()),
            Some(Ok(response)) => response,
            Some(Err(e)) => {
                let fault = failure::of_http(&e, &call.url, "before it answered", connect);
                let stale = fault.kind == FailureKind::Closed && self.has_served(failure::connection_of(&e));
                return Err(Failed { fault, stale });
            }
        };
        let head_at = Instant::now();
        self.remember(response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr));
        let status = response.status().as_u16();
        let version = match response.version() {
            reqwest::Version::HTTP_10 => "HTTP/1.0",
            reqwest::Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        };
        let headers = response.headers().iter();
        let headers = headers.map(|(n, v)| (n.as_str().to_owned(), Bytes::copy_from_slice(v.as_bytes()))).collect();
        let body = self.body(&mut response, call, meter).await.map_err(|fault| fault.after_head(status))?;
        Ok(Answer { status, version, headers, body, head_at })
    }

    /// Takes the body in.
    async fn body(&self, response: &mut reqwest::Response, call: &Call, meter: &Arc<Meter>) -> Result<Taken, Fault> {
        let Limits { connect, idle, whole, hashed } = self.limits;
        let status = response.status().as_u16();
        let mut intake = Intake::new(call.keep, status, whole, hashed, meter);
        loop {
            let within = |came: u64| format!("within the body, after status {status} and {came} bytes");
            match meter.while_alive(idle, response.chunk()).await {
                Some(Ok(Some(piece))) => intake.push(&piece)?,
                Some(Ok(None)) => return Ok(intake.finish()),
                Some(Err(e)) => return Err(failure::of_http(&e, &call.url, &within(intake.came()), connect)),
                None => return Err(failure::silence(&call.url, idle, &within(intake.came()))),
            }
        }
    }

    fn request(&self, call: &Call, meter: &Arc<Meter>) -> Result<reqwest::Request, Fault> {
        let cannot = |what: &str| Fault::new(FailureKind::Protocol, format!("the request cannot be sent: {what}"));
        let method =
            reqwest::Method::from_bytes(call.method.as_bytes()).map_err(|_| cannot("its method is no token"))?;
        let url = call.url.plain().ok_or_else(|| cannot("its URL would be changed"))?;
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() =
            headers(&call.lines).ok_or_else(|| cannot("a header line holds control characters"))?;
        if transfer::length(&call.body) > 0 {
            let pieces = transfer::pieces(&call.body, meter).map(Ok::<Bytes, std::convert::Infallible>);
            *request.body_mut() = Some(reqwest::Body::wrap_stream(stream::iter(pieces)));
        }
        Ok(request)
    }

    fn remember(&self, connection: Option<SocketAddr>) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if served.len() >= REMEMBERED {
            served.clear();
        }
        served.extend(connection);
    }

    fn has_served(&self, connection: Option<SocketAddr>) -> bool {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        connection.is_some_and(|c| served.contains(&c))
    }
}

impl Call {
    /// The values of all header lines of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn headers(lines: &[(String, String)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    Some(map)
}
