//! Who may do what: Basic, and Bearer with the registry's own token endpoint.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::caller::{self, Caller, Entering, Grant, Granting, Need};
use super::config::{AuthConfig, Scheme};
use super::fresh;
use super::problem::Problem;
use super::question::Asked;
use super::registry::Registry;
use super::route::{Query, Route};

/// The service that tokens are for.
const SERVICE: &str = "lacuna";

/// A token is remembered for so long after its end: it is another thing than one that was never given out.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Tokens that were given out.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<BTreeMap<String, Grant>>);

impl Tokens {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Grant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, scopes: Vec<String>, lifetime: Duration) -> String {
        let token = fresh::secret();
        let now = Instant::now();
        let mut tokens = self.lock();
        tokens.retain(|_, grant| grant.until + REMEMBERED > now);
        tokens.insert(token.clone(), Grant { scopes, since: now, until: now + lifetime });
        token
    }

    fn grant(&self, token: &str) -> Option<Grant> {
        self.lock().get(token).cloned()
    }
}

/// What a request needs; `None`: only to be somebody.
fn needed(asked: &Asked) -> Option<Need> {
    let action = match asked.method {
        Method::GET | Method::HEAD if !matches!(asked.route, Route::Upload { .. }) => "pull",
        Method::DELETE if !matches!(asked.route, Route::Upload { .. }) => "delete",
        _ => "push",
    };
    match &asked.route {
        Route::Catalog => Some(Need { resource: "registry:catalog".into(), action: "*" }),
        route => route.repository().map(|name| Need { resource: format!("repository:{name}"), action }),
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
        let caller = self.caller(config, asked);
        if self.lets_in(config, asked, &caller, need.as_ref()) {
            return None;
        }
        let text = match config.scheme {
            Scheme::Basic => format!("Basic realm=\"{SERVICE}\""),
            Scheme::Bearer => bearer_challenge(asked, need.as_ref(), &caller),
        };
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required", Value::Null);
        Some(Answer::from(problem).with("www-authenticate", &text))
    }

    /// Whether the request may read from this repository: what a mount needs of its source.
    pub fn may_pull(&self, asked: &Asked, repository: &str) -> bool {
        let Some(config) = &self.config.auth else { return true };
        let need = Need { resource: format!("repository:{repository}"), action: "pull" };
        self.lets_in(config, asked, &self.caller(config, asked), Some(&need))
    }

    /// Whether somebody is let in.
    fn lets_in(&self, config: &AuthConfig, asked: &Asked, caller: &Caller, need: Option<&Need>) -> bool {
        let open = config.anonymous_pull && need.is_some_and(|need| need.action == "pull");
        let right = open
            || match caller {
                Caller::User => config.scheme == Scheme::Basic,
                Caller::Bearer(grant) => grant.is_alive() && grant.covers(need),
                Caller::Nobody | Caller::Stranger => false,
            };
        self.enters(config, asked, caller, need, right)
    }

    fn enters(&self, auth: &AuthConfig, asked: &Asked, caller: &Caller, need: Option<&Need>, right: bool) -> bool {
        let state = self.state();
        let entering = Entering { view: self.view(&state), asked, auth, caller, need };
        self.policy.enter(&entering, right)
    }

    /// Whom a request comes from.
    fn caller(&self, config: &AuthConfig, asked: &Asked) -> Caller {
        if asked.header("authorization").is_none() {
            return Caller::Nobody;
        }
        if let Some(token) = caller::bearer(asked).filter(|_| config.scheme == Scheme::Bearer) {
            return self.tokens.grant(token).map_or(Caller::Stranger, Caller::Bearer);
        }
        match caller::basic(asked) {
            Some(text) if text.split_once(':').is_some_and(|(user, password)| knows(config, user, password)) => {
                Caller::User
            }
            _ => Caller::Stranger,
        }
    }

    /// GET or POST of `/token`: a token for the scopes that are asked for.
    pub fn token(&self, asked: &Asked, form: &str) -> Result<Answer, Problem> {
        let config = self.config.auth.as_ref().filter(|config| config.scheme == Scheme::Bearer);
        let config = config.ok_or_else(|| Problem::name_unknown("token"))?;
        let (query, caller) = match asked.method {
            Method::GET => (asked.query.clone(), self.caller(config, asked)),
            Method::POST => {
                let form = Query::parse(form);
                let caller = self.by_form(config, &form)?;
                (form, caller)
            }
            _ => return Err(Problem::unsupported("a token has GET and POST")),
        };
        let user = caller == Caller::User;
        let right = user || (caller == Caller::Nobody && config.anonymous_pull);
        if !self.enters(config, asked, &caller, None, right) {
            let message = "name and password are not known here";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message, Value::Null));
        }
        let wanted: Vec<String> =
            query.all("scope").flat_map(|scope| scope.split(' ')).flat_map(single_actions).collect();
        let right = wanted.iter().filter(|scope| user || scope.ends_with(":pull")).cloned().collect();
        let scopes = self.policy.grant(&Granting { user, wanted: &wanted }, right);
        let token = self.tokens.give(scopes, config.token_lifetime);
        let mut body = json!({
            "token": token, "access_token": token, "expires_in": config.token_lifetime.as_secs(),
        });
        if let (Some(map), true) = (body.as_object_mut(), user && query.get("offline_token") == Some("true")) {
            map.insert("refresh_token".into(), json!(self.tokens.give(Vec::new(), Duration::from_secs(86_400))));
        }
        Ok(Answer::json(StatusCode::OK, &body).with("cache-control", "no-store"))
    }

    /// Whom a form comes from that asks for a token.
    fn by_form(&self, config: &AuthConfig, form: &Query) -> Result<Caller, Problem> {
        let field = |key: &str| form.get(key).unwrap_or_default();
        let known = match form.get("grant_type") {
            Some("password") => knows(config, field("username"), field("password")),
            Some("refresh_token") => self.tokens.grant(field("refresh_token")).is_some_and(|grant| grant.is_alive()),
            _ => return Err(Problem::bad_request("grant_type is `password` or `refresh_token`")),
        };
        Ok(if known { Caller::User } else { Caller::Stranger })
    }
}

fn bearer_challenge(asked: &Asked, need: Option<&Need>, caller: &Caller) -> String {
    let host = asked.header("host").unwrap_or("localhost");
    let mut text = format!("Bearer realm=\"http://{host}/token\",service=\"{SERVICE}\"");
    if let Some(Need { resource, action }) = need {
        let actions = if *action == "push" { "pull,push" } else { action };
        text.push_str(&format!(",scope=\"{resource}:{actions}\""));
    }
    match caller {
        Caller::Bearer(grant) if grant.is_alive() => text.push_str(",error=\"insufficient_scope\""),
        Caller::Bearer(_) | Caller::Stranger => text.push_str(",error=\"invalid_token\""),
        Caller::Nobody | Caller::User => {}
    }
    text
}

/// `repository:a:pull,push` as `repository:a:pull` and `repository:a:push`.
fn single_actions(scope: &str) -> Vec<String> {
    match scope.rsplit_once(':') {
        Some((resource, actions)) => actions.split(',').map(|action| format!("{resource}:{action}")).collect(),
        None => Vec::new(),
    }
}

fn knows(config: &AuthConfig, user: &str, password: &str) -> bool {
    config.users.get(user).is_some_and(|known| known == password)
}
