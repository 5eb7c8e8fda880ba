//! Bearer tokens: asked for once, shared, kept as long as they live (distribution: token authentication).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::Instant;

use super::address::Address;
use super::credentials::Credentials;
use super::exchange::{AskBody, Keep, Secret};
use super::http::{Call, HttpDoor};
use super::scope::Scopes;
use super::transfer::Meter;

/// What a token server calls the client.
const CLIENT: &str = "lacuna";

/// How long a token lives where its server does not say.
const LIFE: f64 = 60.0;

/// Characters that stand for themselves in a query or a form.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A Bearer challenge's token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Realm {
    /// Its URL.
    pub url: String,
    /// Whom the token is for.
    pub service: Option<String>,
}

/// A token, and how many requests it took just now.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The token.
    pub token: Secret,
    /// 0 from the cache.
    pub requests: u32,
}

/// The cache.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<(Realm, Scopes), Shared>>);

/// One token, for all who need it.
type Shared = Arc<tokio::sync::Mutex<Slot>>;

/// What is known of one token. Its lock is held while it is asked for, so that all who need it share the answer.
#[derive(Debug, Default)]
struct Slot {
    token: Option<(Secret, Instant)>,
    failed: Option<(Instant, String)>,
}

impl Tokens {
    /// A token for these scopes: the cached one, or a new one. `rejected` is one that the registry did not take. `None`: the endpoint
    /// calls the request for it malformed (400), as some do where a repository's name is none; the registry's own answer stands then.
    ///
    /// # Errors
    /// Why there is none, without secrets.
    pub async fn get(
        &self,
        endpoint: &Endpoint<'_>,
        scopes: &Scopes,
        rejected: Option<&Secret>,
    ) -> Result<Option<Given>, String> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry((endpoint.realm.clone(), scopes.clone())).or_default().clone()
        };
        let asked = Instant::now();
        let mut slot = slot.lock().await;
        if let Some((token, until)) = &slot.token
            && *until > Instant::now()
            && rejected != Some(token)
        {
            return Ok(Some(Given { token: token.clone(), requests: 0 }));
        }
        // Whoever waited while another one failed has that answer, and does not wait for its own.
        if let Some((at, why)) = &slot.failed
            && *at >= asked
        {
            return Err(why.clone());
        }
        match endpoint.fetch(scopes).await {
            Ok(Some(fetched)) => {
                slot.token = Some((fetched.token.clone(), Instant::now() + fetched.life));
                slot.failed = None;
                Ok(Some(Given { token: fetched.token, requests: fetched.requests }))
            }
            Ok(None) => {
                slot.token = None;
                Ok(None)
            }
            Err(why) => {
                slot.token = None;
                slot.failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }
}

/// Whom a token is asked of, and by whom.
pub(crate) struct Endpoint<'a> {
    /// Its realm.
    pub realm: &'a Realm,
    /// The registry that named it.
    pub registry: &'a Address,
    /// Who asks; `None`: nobody, which many servers allow for reading.
    pub credentials: Option<&'a Credentials>,
    /// How it is asked; its limit for bodies is the token answer's.
    pub door: &'a HttpDoor,
}

struct Fetched {
    token: Secret,
    life: Duration,
    requests: u32,
}

#[derive(Deserialize)]
struct Answered {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
}

impl Endpoint<'_> {
    async fn fetch(&self, scopes: &Scopes) -> Result<Option<Fetched>, String> {
        let url = Address::parse(&self.realm.url).map_err(|e| format!("the token endpoint's URL is wrong: {e}"))?;
        if self.credentials.is_some() && !self.may_see_credentials(&url) {
            return Err(format!(
                "the registry sends credentials to {}, which is neither https nor the registry's own host: they are not sent there",
                url.origin()
            ));
        }
        let asked = match self.credentials {
            None => self.ask(get(&url, self.realm, scopes, None), &url, 1).await,
            Some(Credentials::IdentityToken(token)) => {
                let form = form(self.realm, scopes, &[("grant_type", "refresh_token"), ("refresh_token", &token.0)]);
                self.ask(post(&url, form), &url, 1).await
            }
            Some(Credentials::Basic { user, password }) => {
                let basic = super::auth::basic(user, password);
                match self.ask(get(&url, self.realm, scopes, Some(&basic)), &url, 1).await {
                    // An endpoint that only knows OAuth2 has no GET.
                    Err((Some(404 | 405), _)) => {
                        let grant = [("grant_type", "password"), ("username", user), ("password", &password.0)];
                        let form = form(self.realm, scopes, &grant);
                        self.ask(post(&url, form), &url, 2).await
                    }
                    asked => asked,
                }
            }
        };
        match asked {
            Ok(fetched) => Ok(Some(fetched)),
            Err((Some(400), _)) => Ok(None),
            Err((_, why)) => Err(why),
        }
    }

    /// A password goes only over TLS, within this machine, or where it would go anyway.
    fn may_see_credentials(&self, url: &Address) -> bool {
        url.secure || url.is_loopback() || (!self.registry.secure && url.host == self.registry.host)
    }

    async fn ask(&self, call: Call, url: &Address, requests: u32) -> Result<Fetched, (Option<u16>, String)> {
        let at = format!("token endpoint {}{}", url.origin(), url.bare_path());
        let answer = self.door.send(&call, &Meter::new()).await;
        let answer = answer.map_err(|failed| (None, format!("{at}: {}", failed.fault.text)))?;
        if answer.status != 200 {
            let hint = match answer.status {
                401 | 403 if self.credentials.is_some() => ": it does not take these credentials",
                401 | 403 => ": it wants credentials; name them in the profile's `auth`",
                300..=399 => ": it redirects, which is not followed",
                _ => "",
            };
            return Err((Some(answer.status), format!("{at} answered {}{hint}", answer.status)));
        }
        let wrong = |what: &str| (Some(200), format!("{at}: {what}"));
        let read: Answered =
            serde_json::from_slice(&answer.body.bytes).map_err(|_| wrong("its answer is not the JSON of a token"))?;
        let token = read.token.filter(|t| !t.is_empty()).or(read.access_token);
        let token = token.ok_or_else(|| wrong("its answer has neither `token` nor `access_token`"))?;
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong("its token is empty or holds white space or control characters, and is not used"));
        }
        // A token that dies on the way is of no use: a tenth of its life, at most ten seconds, is not counted on.
        let life = read.expires_in.filter(|s| s.is_finite()).unwrap_or(LIFE).clamp(0.0, 86_400.0);
        let life = Duration::from_secs_f64(life - (life / 10.0).min(10.0));
        Ok(Fetched { token: Secret(token), life, requests })
    }
}

/// A request for a token as a case sends it, and the one that takes its place where the endpoint knows no GET.
pub(super) fn calls(endpoint: &Endpoint<'_>, scopes: &Scopes) -> Result<(Call, Option<Call>), String> {
    let Endpoint { realm, credentials, .. } = endpoint;
    let url = Address::parse(&realm.url).map_err(|e| format!("the token endpoint's URL is wrong: {e}"))?;
    if credentials.is_some() && !endpoint.may_see_credentials(&url) {
        return Err(format!("the registry sends credentials to {}, where they are not sent", url.origin()));
    }
    match credentials {
        None => Ok((get(&url, realm, scopes, None), None)),
        Some(Credentials::IdentityToken(token)) => {
            let grant = [("grant_type", "refresh_token"), ("refresh_token", token.0.as_str())];
            Ok((post(&url, form(realm, scopes, &grant)), None))
        }
        Some(Credentials::Basic { user, password }) => {
            let grant = [("grant_type", "password"), ("username", user.as_str()), ("password", password.0.as_str())];
            let basic = super::auth::basic(user, password);
            Ok((get(&url, realm, scopes, Some(&basic)), Some(post(&url, form(realm, scopes, &grant)))))
        }
    }
}

/// Everything in a token endpoint's answer that lets its bearer do something, the token for the registry first.
pub(super) fn given(body: &[u8]) -> Vec<Secret> {
    let read: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| read.get(name).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    ["token", "access_token", "refresh_token", "id_token"]
        .into_iter()
        .filter_map(text)
        .map(|t| Secret(t.to_owned()))
        .collect()
}

fn get(url: &Address, realm: &Realm, scopes: &Scopes, authorization: Option<&Secret>) -> Call {
    let mut query: Vec<String> = Vec::new();
    query.extend(realm.service.iter().map(|s| pair("service", s)));
    query.extend(scopes.iter().map(|scope| pair("scope", scope)));
    let mark = if url.path.contains('?') { '&' } else { '?' };
    let path = if query.is_empty() { url.path.clone() } else { format!("{}{mark}{}", url.path, query.join("&")) };
    call("GET", url.with_path(&path), authorization.map(|a| ("authorization", a.0.as_str())), Bytes::new())
}

fn post(url: &Address, form: String) -> Call {
    call("POST", url.clone(), Some(("content-type", "application/x-www-form-urlencoded")), form.into())
}

fn call(method: &str, url: Address, line: Option<(&str, &str)>, body: Bytes) -> Call {
    let mut lines = vec![
        ("user-agent".to_owned(), super::USER_AGENT.to_owned()),
        ("accept".to_owned(), "application/json".to_owned()),
    ];
    lines.extend(line.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if method == "POST" {
        lines.push(("content-length".to_owned(), body.len().to_string()));
    }
    Call { url, method: method.to_owned(), lines, body: AskBody::Bytes(body), keep: Keep::Whole }
}

fn form(realm: &Realm, scopes: &Scopes, grant: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = grant.iter().map(|(name, value)| pair(name, value)).collect();
    pairs.push(pair("client_id", CLIENT));
    pairs.extend(realm.service.iter().map(|s| pair("service", s)));
    if !scopes.is_empty() {
        pairs.push(pair("scope", &scopes.joined()));
    }
    pairs.join("&")
}

fn pair(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, PLAIN))
}
