//! Which Authorization line a request carries. None until the registry asks; then what it asked for, with every request.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;

use super::address::Address;
use super::challenge::Challenge;
use super::credentials::Credentials;
use super::exchange::Secret;
use super::http::{Call, HttpDoor};
use super::scope::{self, Scopes};
use super::token::{self, Endpoint, Given, Realm, Tokens};

/// So many places are remembered; beyond, a request is challenged once more.
const REMEMBERED: usize = 1 << 16;

/// What a request needs to be allowed.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    scopes: Scopes,
    place: String,
}

impl Want {
    /// Of a request that names its scopes, or names none.
    pub fn of(scopes: &[String], method: &str, path: &str) -> Want {
        Want { scopes: Scopes::of(scopes.iter().map(String::as_str)), place: scope::place(method, path) }
    }

    fn key(&self) -> String {
        if self.scopes.is_empty() { self.place.clone() } else { self.scopes.joined() }
    }
}

/// An Authorization line's value, and the requests that it took.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    /// The value.
    pub value: Secret,
    /// Token requests.
    pub requests: u32,
}

/// Who asks for a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Who {
    /// The target's own credentials.
    #[default]
    Ours,
    /// Nobody.
    Nobody,
    /// The name of the target's credentials with another password.
    Wrong,
}

/// What one client knows of its registry's authentication.
#[derive(Debug)]
pub(crate) struct Auth {
    registry: Address,
    credentials: Option<Credentials>,
    door: HttpDoor,
    known: Mutex<Known>,
    tokens: Tokens,
}

#[derive(Debug, Default)]
struct Known {
    scheme: Option<Scheme>,
    /// What challenges named, by [`Want::key`].
    scopes: BTreeMap<String, Scopes>,
}

#[derive(Debug, Clone)]
enum Scheme {
    Basic,
    Bearer(Realm),
}

impl Auth {
    /// For a registry. `door` is the one by which tokens are asked for.
    pub fn new(registry: Address, credentials: Option<Credentials>, door: HttpDoor) -> Auth {
        Auth { registry, credentials, door, known: Mutex::default(), tokens: Tokens::default() }
    }

    /// The line for a request before anybody asked for one: `None` until the first challenge, or where it is not known
    /// what to ask a token for.
    ///
    /// # Errors
    /// Why no token could be had.
    pub async fn foresee(&self, want: &Want) -> Result<Option<Authorization>, String> {
        let (scheme, learned) = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            (known.scheme.clone(), known.scopes.get(&want.key()).cloned())
        };
        match scheme {
            None => Ok(None),
            Some(Scheme::Basic) => Ok(self.basic_line()),
            Some(Scheme::Bearer(realm)) => {
                match learned.or_else(|| Some(want.scopes.clone()).filter(|s| !s.is_empty())) {
                    Some(scopes) => self.bearer_line(&realm, &scopes, None).await,
                    None => Ok(None),
                }
            }
        }
    }

    /// The line for the repetition of a request that was answered 401 with these challenges; `None` where a repetition
    /// would change nothing. `used` is the line that was refused.
    ///
    /// # Errors
    /// Why no token could be had.
    pub async fn challenged(
        &self,
        want: &Want,
        challenges: &[Challenge],
        answered: &Address,
        used: Option<&Secret>,
    ) -> Result<Option<Authorization>, String> {
        if let Some(bearer) = challenges.iter().find(|c| c.scheme == "bearer") {
            let realm = bearer.parameter("realm").ok_or("the registry's Bearer challenge names no realm")?;
            let url = answered
                .resolve(realm.as_bytes())
                .map_err(|e| format!("the realm of the registry's Bearer challenge is no URL: {e}"))?;
            let realm = Realm { url: url.text(), service: bearer.parameter("service").map(str::to_owned) };
            let scopes = want.scopes.union(&Scopes::of(bearer.parameter("scope")));
            self.learn(Scheme::Bearer(realm.clone()), Some((want.key(), scopes.clone())));
            let rejected = used.and_then(|line| line.0.strip_prefix("Bearer ")).map(|t| Secret(t.to_owned()));
            return self.bearer_line(&realm, &scopes, rejected.as_ref()).await;
        }
        let refused = used.is_some_and(|line| line.0.starts_with("Basic "));
        if refused || !challenges.iter().any(|c| c.scheme == "basic") {
            return Ok(None);
        }
        self.learn(Scheme::Basic, None);
        Ok(self.basic_line())
    }

    /// The door by which tokens are asked for.
    pub fn door(&self) -> &HttpDoor {
        &self.door
    }

    /// A request for a token of somebody's, and the one that takes its place where the endpoint knows no GET.
    ///
    /// # Errors
    /// No challenge has named an endpoint, or credentials would go where they must not.
    pub fn token_calls(&self, who: Who, scopes: &[String]) -> Result<(Call, Option<Call>), String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).scheme.clone();
        let Some(Scheme::Bearer(realm)) = known else {
            return Err("no challenge of the registry has named a token endpoint".into());
        };
        let credentials = match who {
            Who::Ours => self.credentials.clone(),
            Who::Nobody => None,
            Who::Wrong => {
                let (user, password) = self.wrong();
                Some(Credentials::Basic { user, password })
            }
        };
        let (registry, door) = (&self.registry, &self.door);
        let endpoint = Endpoint { realm: &realm, registry, credentials: credentials.as_ref(), door };
        token::calls(&endpoint, &Scopes::as_written(scopes))
    }

    /// Our name, and a password that is not ours.
    pub fn wrong(&self) -> (String, Secret) {
        let user = match &self.credentials {
            Some(Credentials::Basic { user, .. }) => user.clone(),
            Some(Credentials::IdentityToken(_)) | None => "lacuna-nobody".to_owned(),
        };
        (user, Secret("lacuna-wrong-password".to_owned()))
    }

    fn learn(&self, scheme: Scheme, scopes: Option<(String, Scopes)>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.scheme = Some(scheme);
        if known.scopes.len() >= REMEMBERED {
            known.scopes.clear();
        }
        known.scopes.extend(scopes);
    }

    fn basic_line(&self) -> Option<Authorization> {
        match &self.credentials {
            Some(Credentials::Basic { user, password }) => {
                Some(Authorization { value: basic(user, password), requests: 0 })
            }
            Some(Credentials::IdentityToken(_)) | None => None,
        }
    }

    async fn bearer_line(
        &self,
        realm: &Realm,
        scopes: &Scopes,
        rejected: Option<&Secret>,
    ) -> Result<Option<Authorization>, String> {
        let credentials = self.credentials.as_ref();
        let endpoint = Endpoint { realm, registry: &self.registry, credentials, door: &self.door };
        let given = self.tokens.get(&endpoint, scopes, rejected).await?;
        Ok(given
            .map(|Given { token, requests }| Authorization { value: Secret(format!("Bearer {}", token.0)), requests }))
    }
}

/// The value of a Basic line (RFC 7617).
pub(crate) fn basic(user: &str, password: &Secret) -> Secret {
    let pair = format!("{user}:{}", password.0);
    Secret(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}
