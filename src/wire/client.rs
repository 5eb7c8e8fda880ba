//! The client: an ask in, an exchange out. Redirects, authentication and repetitions are decided here, and recorded.

mod token;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::access::Access;
use super::address::Address;
use super::auth::{Auth, Want};
use super::challenge;
use super::credentials::Credentials;
use super::exchange::{Ask, AskBody, Exchange, FailureKind, RawAsk, Secret};
use super::failure::{self, Fault};
use super::gate::Gate;
use super::http::{Answer, Call, Failed, HttpDoor, Limits};
use super::raw::RawDoor;
use super::redact::Secrets;
use super::settings::Settings;
use super::trace::Trace;
use super::{USER_AGENT, auth, tls, transfer};

/// More redirects than these are not followed.
const HOPS: usize = 5;

/// A token endpoint's answer is never larger, in bytes.
const TOKEN_LIMIT: u64 = 1 << 20;

/// Asks one target. Clones share connections, tokens and the switch that stops them.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    stopped: Arc<watch::Sender<bool>>,
}

struct Inner {
    base: Address,
    base_text: String,
    access: Access,
    auth: Auth,
    http: HttpDoor,
    raw: RawDoor,
    gate: Gate,
    total: Duration,
    secrets: Secrets,
}

/// What is asked, in the form that both doors take.
struct Job {
    call: Call,
    scopes: Vec<String>,
    /// The second door in any case.
    second: bool,
    /// No redirect is followed.
    raw: bool,
    /// Nothing is added.
    bare: bool,
    /// The sending half is closed after the request.
    finish: bool,
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// What is wrong with the settings: the base URL, the CA file, the rate.
    pub fn new(settings: Settings) -> Result<Client, String> {
        let (_, rest) = settings.base.split_once("://").unwrap_or_default();
        if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
            return Err("the target's URL holds credentials; name them in the profile's `auth` instead".into());
        }
        let mut base = Address::parse(&settings.base).map_err(|e| format!("the target's URL is wrong: {e}"))?;
        if base.path.contains('?') {
            return Err("the target's URL has a query; give its scheme, host, port and path only".into());
        }
        base.path.truncate(base.path.trim_end_matches('/').len());
        let tls = tls::config(settings.ca.as_deref(), settings.insecure)?;
        let limits = Limits::of(&settings);
        let http = HttpDoor::new(&tls, limits)?;
        let tokens = HttpDoor::new(&tls, Limits { whole: TOKEN_LIMIT, ..limits })?;
        let secrets = settings.credentials.as_ref().map(Credentials::secrets).unwrap_or_default();
        let inner = Inner {
            access: Access::of(&base, &settings),
            auth: Auth::new(base.clone(), settings.credentials, tokens),
            base_text: base.text(),
            base,
            http,
            raw: RawDoor::new(&tls, limits),
            gate: Gate::new(settings.rate)?,
            total: settings.total,
            secrets,
        };
        Ok(Client { inner: Arc::new(inner), stopped: Arc::new(watch::Sender::new(false)) })
    }

    /// The base URL, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.inner.base_text
    }

    /// How another program would reach the target.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// A text from elsewhere without the secrets of this client.
    pub fn redacted(&self, text: &str) -> String {
        self.inner.secrets.scrub_text(text)
    }

    /// No request starts any more, and those that run end as [`FailureKind::Interrupted`]; for all clones.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// A client with the same connections and tokens that is not stopped: cleaning up goes on after [`Client::stop`].
    pub fn afresh(&self) -> Client {
        Client { inner: self.inner.clone(), stopped: Arc::new(watch::Sender::new(false)) }
    }

    /// Asks, by the first door where it sends what was asked unchanged, else by the second. Where a Content-Length promises more
    /// than is sent the sending half ends behind it, so that the registry sees that nothing more comes.
    pub async fn send(&self, ask: Ask) -> Exchange {
        let finish = ask.is_cut_short();
        let Ask { method, target, headers, body, keep, scopes, as_written } = ask;
        let url = if target.contains("://") && !target.starts_with('/') {
            Address::parse(&target)
        } else {
            Ok(self.under_base(&target))
        };
        let (url, problem) = match url {
            Ok(url) if self.inner.base.secure && !url.secure => {
                let text = format!("{} is http, and the registry is https: it is not asked there", url.origin());
                // No ask of ours is absolute: the URL is what an answer led to.
                let wrong = "a URL that is http where the registry is https";
                (url, Some(Fault::new(FailureKind::Redirect, text).of_answer(wrong)))
            }
            Ok(url) => (url, None),
            Err(what) => {
                let fault = Fault::new(FailureKind::Redirect, format!("the URL cannot be asked: {what}"));
                (self.inner.base.clone(), Some(fault))
            }
        };
        let call = Call { url, method, lines: headers, body, keep };
        if let Some(fault) = problem {
            return Trace::of(&call, self.inner.secrets.clone()).end(Err(fault));
        }
        self.run(Job { call, scopes, second: as_written, raw: false, bare: false, finish }).await
    }

    /// Asks by the second door, bytes as given.
    pub async fn send_raw(&self, ask: RawAsk) -> Exchange {
        let RawAsk { method, target, headers, body, keep, scopes, bare, finish } = ask;
        let url = self.under_base(&target);
        let call = Call { url, method, lines: headers, body: AskBody::Bytes(body), keep };
        self.run(Job { call, scopes, second: true, raw: true, bare, finish }).await
    }

    /// Whatever it is that the target is: it is put behind the base URL's path, unchanged.
    fn under_base(&self, target: &str) -> Address {
        let base = &self.inner.base;
        Address { path: format!("{}{target}", base.path), ..base.clone() }
    }

    async fn run(&self, job: Job) -> Exchange {
        let inner = &self.inner;
        let mut trace = Trace::of(&job.call, inner.secrets.clone());
        let mut stopped = self.stopped.subscribe();
        let interrupted = || Err(Fault::new(FailureKind::Interrupted, "sending was stopped"));
        let result = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => interrupted(),
            result = inner.timed(job, &mut trace) => result,
        };
        trace.end(result)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base()).finish_non_exhaustive()
    }
}

impl Inner {
    /// The whole exchange, within the total deadline. Waiting for its turn does not count.
    async fn timed(&self, job: Job, trace: &mut Trace) -> Result<(Answer, Address), Fault> {
        self.gate.pass().await;
        trace.start();
        let peer = job.call.url.clone();
        match tokio::time::timeout(self.total, self.work(job, trace)).await {
            Ok(result) => result,
            Err(_) => {
                let text =
                    format!("the exchange with {} had no end within {}", peer.authority(), failure::shown(self.total));
                Err(Fault::new(FailureKind::Timeout, text))
            }
        }
    }

    async fn work(&self, job: Job, trace: &mut Trace) -> Result<(Answer, Address), Fault> {
        let Job { mut call, scopes, second, raw, bare, finish } = job;
        let bring_your_own = bare || call.values("authorization").next().is_some();
        call.lines.retain(|(name, value)| !(name.eq_ignore_ascii_case("authorization") && value.is_empty()));
        let (mut ready, mut reconnected, mut first) = (None, false, true);
        // A token that was held may have died meanwhile, which only its repetition shows: then one more is had, afresh.
        let (mut repeated, mut held) = (0, false);
        loop {
            let ours = !bring_your_own && call.url.same_origin(&self.base);
            let want = Want::of(&scopes, &call.method, &call.url.path);
            let mut line: Option<Secret> = ready.take();
            if ours && line.is_none() {
                line = self.authorized(self.auth.foresee(&want), trace).await?;
            }
            let mut sent = call.clone();
            if let Some(line) = &line {
                trace.secrets.add_authorization(&line.0);
                trace.secrets.issue(&line.0);
                sent.lines.push(("authorization".into(), line.0.clone()));
            }
            if !std::mem::take(&mut first) {
                self.gate.pass().await;
            }
            let answer = match self.once(sent, second, bare, finish, trace).await {
                Ok(answer) => answer,
                Err(Failed { stale: true, .. }) if !reconnected && matches!(call.method.as_str(), "GET" | "HEAD") => {
                    reconnected = true;
                    ready = line;
                    continue;
                }
                Err(failed) => return Err(failed.fault),
            };
            if answer.status == 401 && ours && (repeated == 0 || (repeated == 1 && held)) {
                repeated += 1;
                let before = trace.requests;
                let challenges = challenge::parse(answer.lines("www-authenticate"));
                let asking = self.auth.challenged(&want, &challenges, &call.url, line.as_ref());
                ready = self.authorized(asking, trace).await?;
                held = trace.requests == before;
                if ready.is_some() {
                    continue;
                }
            }
            if raw || !redirected(&mut call, &answer, trace)? {
                return Ok((answer, call.url));
            }
            (repeated, held) = (0, false);
        }
    }

    /// Counts the token requests of what `asking` finds out.
    async fn authorized(
        &self,
        asking: impl Future<Output = Result<Option<auth::Authorization>, String>>,
        trace: &mut Trace,
    ) -> Result<Option<Secret>, Fault> {
        let found = asking.await.map_err(|why| Fault::new(FailureKind::Auth, why))?;
        Ok(found.map(|auth::Authorization { value, requests }| {
            trace.requests += requests;
            value
        }))
    }

    /// One request by one door.
    async fn once(
        &self,
        mut call: Call,
        second: bool,
        bare: bool,
        finish: bool,
        trace: &mut Trace,
    ) -> Result<Answer, Failed> {
        let mut add = |name: &str, value: String| {
            if call.values(name).next().is_none() {
                call.lines.push((name.to_owned(), value));
            }
        };
        if !bare {
            add("user-agent", USER_AGENT.to_owned());
        }
        let length = transfer::length(&call.body);
        let sized = length > 0 || matches!(call.method.as_str(), "POST" | "PUT" | "PATCH");
        if !bare
            && sized
            && call.values("transfer-encoding").next().is_none()
            && call.values("content-length").next().is_none()
        {
            call.lines.push(("content-length".into(), length.to_string()));
        }
        if !second && self.http.takes(&call) {
            if call.values("accept").next().is_none() {
                call.lines.push(("accept".into(), "*/*".into()));
            }
            trace.sends(&call);
            return self.http.send(&call, &trace.meter).await;
        }
        trace.sends(&call);
        if !bare {
            if call.values("host").next().is_none() {
                call.lines.insert(0, ("Host".into(), call.url.authority()));
            }
            if call.values("connection").next().is_none() {
                call.lines.push(("Connection".into(), "close".into()));
            }
        }
        Ok(self.raw.send(&call, finish, &trace.meter).await?)
    }
}

/// Turns `call` into what a redirect demands; `false` where the answer is none.
fn redirected(call: &mut Call, answer: &Answer, trace: &mut Trace) -> Result<bool, Fault> {
    let status = answer.status;
    let Some(location) = answer.lines("location").next().filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))
    else {
        return Ok(false);
    };
    let refused =
        |wrong: String, more: String| Fault::new(FailureKind::Redirect, format!("{wrong}{more}")).of_answer(wrong);
    if trace.hops.len() >= HOPS {
        return Err(refused(
            format!("more than {HOPS} redirects"),
            format!(", the last one from {}", call.url.origin()),
        ));
    }
    let to = call.url.resolve(location);
    let cannot = |what| refused(format!("a redirect ({status}) that cannot be followed"), format!(": {what}"));
    let to = to.map_err(cannot)?;
    if call.url.secure && !to.secure {
        let more = format!(", {}, which is not followed", to.origin());
        return Err(refused(format!("a redirect ({status}) from https to http"), more));
    }
    trace.hop(status, &to);
    if matches!(status, 301..=303) && !matches!(call.method.as_str(), "GET" | "HEAD") {
        call.method = "GET".into();
        call.body = AskBody::Empty;
        call.lines.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
    }
    if !to.same_origin(&call.url) {
        let private = ["authorization", "cookie", "proxy-authorization", "host"];
        call.lines.retain(|(name, _)| !private.iter().any(|p| name.eq_ignore_ascii_case(p)));
    }
    call.url = to;
    Ok(true)
}
