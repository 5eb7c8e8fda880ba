//! Who may do what: Basic, and Bearer with the registry's own token endpoint.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::Answer;
use super::config::{AuthConfig, Scheme};
use super::fresh;
use super::problem::Problem;
use super::question::Asked;
use super::registry::Registry;
use super::route::{Query, Route};

/// The service that tokens are for.
const SERVICE: &str = "lacuna";

/// Tokens that were given out.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<BTreeMap<String, Grant>>);

/// What a token lets its bearer do.
#[derive(Debug, Clone)]
struct Grant {
    /// `repository:NAME:ACTION`, one action each.
    scopes: Vec<String>,
    until: Instant,
}

impl Tokens {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Grant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, scopes: Vec<String>, lifetime: Duration) -> String {
        let token = fresh::secret();
        let now = Instant::now();
        let mut tokens = self.lock();
        tokens.retain(|_, grant| grant.until > now);
        tokens.insert(token.clone(), Grant { scopes, until: now + lifetime });
        token
    }

    fn grant(&self, token: &str) -> Option<Grant> {
        self.lock().get(token).filter(|grant| grant.until > Instant::now()).cloned()
    }
}

/// What a request needs: a repository and an action, or only to be somebody.
fn needed(asked: &Asked) -> Option<(String, &'static str)> {
    let action = match asked.method {
        Method::GET | Method::HEAD if !matches!(asked.route, Route::Upload { .. }) => "pull",
        Method::DELETE if !matches!(asked.route, Route::Upload { .. }) => "delete",
        _ => "push",
    };
    match &asked.route {
        Route::Catalog => Some(("registry:catalog".into(), "*")),
        route => route.repository().map(|name| (format!("repository:{name}"), action)),
    }
}

impl Registry {
    /// `None` where the request may go on; else the answer that refuses it.
    pub fn refuse(&self, asked: &Asked) -> Option<Answer> {
        let config = self.config.auth.as_ref()?;
        if asked.route == Route::Token {
            return None;
        }
        let need = needed(asked);
        if config.anonymous_pull && need.as_ref().is_some_and(|(_, action)| *action == "pull") {
            return None;
        }
        match config.scheme {
            Scheme::Basic if basic(config, asked) => None,
            Scheme::Basic => Some(challenge(&format!("Basic realm=\"{SERVICE}\""))),
            Scheme::Bearer => {
                let granted = bearer(asked).and_then(|token| self.tokens.grant(token));
                let enough = granted.as_ref().is_some_and(|grant| match &need {
                    None => true,
                    Some((resource, action)) => covers(grant, resource, action),
                });
                (!enough).then(|| challenge(&self.bearer_challenge(asked, need, granted.is_some())))
            }
        }
    }

    /// Whether the request may read from this repository: what a mount needs of its source.
    pub fn may_pull(&self, asked: &Asked, repository: &str) -> bool {
        let Some(config) = &self.config.auth else { return true };
        if config.anonymous_pull || config.scheme == Scheme::Basic {
            return true;
        }
        let granted = bearer(asked).and_then(|token| self.tokens.grant(token));
        granted.is_some_and(|grant| covers(&grant, &format!("repository:{repository}"), "pull"))
    }

    fn bearer_challenge(&self, asked: &Asked, need: Option<(String, &str)>, known: bool) -> String {
        let host = asked.header("host").unwrap_or("localhost");
        let mut text = format!("Bearer realm=\"http://{host}/token\",service=\"{SERVICE}\"");
        if let Some((resource, action)) = need {
            let actions = if action == "push" { "pull,push" } else { action };
            text.push_str(&format!(",scope=\"{resource}:{actions}\""));
        }
        if known {
            text.push_str(",error=\"insufficient_scope\"");
        }
        text
    }

    /// GET or POST of `/token`: a token for the scopes that are asked for.
    pub fn token(&self, asked: &Asked, form: &str) -> Result<Answer, Problem> {
        let unauthorized = || {
            Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "name and password are not known here", Value::Null)
        };
        let config = self.config.auth.as_ref().filter(|config| config.scheme == Scheme::Bearer);
        let config = config.ok_or_else(|| Problem::name_unknown("token"))?;
        let (query, user) = match asked.method {
            Method::GET => {
                let user = basic(config, asked);
                if !user && asked.header("authorization").is_some() {
                    return Err(unauthorized());
                }
                (asked.query.clone(), user)
            }
            Method::POST => {
                let form = Query::parse(form);
                let field = |key: &str| form.get(key).unwrap_or_default().to_owned();
                let user = match form.get("grant_type") {
                    Some("password") => knows(config, &field("username"), &field("password")),
                    Some("refresh_token") => self.tokens.grant(&field("refresh_token")).is_some(),
                    _ => return Err(Problem::bad_request("grant_type is `password` or `refresh_token`")),
                };
                if !user {
                    return Err(unauthorized());
                }
                (form, user)
            }
            _ => return Err(Problem::unsupported("a token has GET and POST")),
        };
        if !user && !config.anonymous_pull {
            return Err(unauthorized());
        }
        let wanted = query.all("scope").flat_map(|scope| scope.split(' ')).flat_map(single_actions);
        let scopes: Vec<String> = wanted.filter(|scope| user || scope.ends_with(":pull")).collect();
        let token = self.tokens.give(scopes, config.token_lifetime);
        let mut body = json!({
            "token": token, "access_token": token, "expires_in": config.token_lifetime.as_secs(),
        });
        if let (Some(map), true) = (body.as_object_mut(), user && query.get("offline_token") == Some("true")) {
            map.insert("refresh_token".into(), json!(self.tokens.give(Vec::new(), Duration::from_secs(86_400))));
        }
        Ok(Answer::json(StatusCode::OK, &body))
    }
}

/// `repository:a:pull,push` as `repository:a:pull` and `repository:a:push`.
fn single_actions(scope: &str) -> Vec<String> {
    match scope.rsplit_once(':') {
        Some((resource, actions)) => actions.split(',').map(|action| format!("{resource}:{action}")).collect(),
        None => Vec::new(),
    }
}

fn covers(grant: &Grant, resource: &str, action: &str) -> bool {
    let (exact, all) = (format!("{resource}:{action}"), format!("{resource}:*"));
    grant.scopes.iter().any(|scope| *scope == exact || *scope == all)
}

fn challenge(text: &str) -> Answer {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required", Value::Null);
    Answer::from(problem).with("www-authenticate", text)
}

fn bearer(asked: &Asked) -> Option<&str> {
    let (scheme, token) = asked.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn basic(config: &AuthConfig, asked: &Asked) -> bool {
    let read = || {
        let (scheme, encoded) = asked.header("authorization")?.split_once(' ')?;
        let plain = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let plain = String::from_utf8(plain).ok()?;
        let (user, password) = plain.split_once(':')?;
        Some(knows(config, user, password))
    };
    read().unwrap_or(false)
}

fn knows(config: &AuthConfig, user: &str, password: &str) -> bool {
    config.users.get(user).is_some_and(|known| known == password)
}
