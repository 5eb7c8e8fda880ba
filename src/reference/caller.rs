//! Who asks, and what that lets them do: the facts that decisions about authentication are made from.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::config::AuthConfig;
use super::question::{Asked, View};

/// Whom a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// It does not say.
    Nobody,
    /// A user, whose password is right.
    User,
    /// The bearer of a token that was given out; it may be too old by now.
    Bearer(Grant),
    /// Somebody whose credentials are not known, or cannot be read.
    Stranger,
}

/// What a token lets its bearer do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `repository:NAME:ACTION`, one action each.
    pub scopes: Vec<String>,
    /// When it was given out.
    pub since: Instant,
    /// Until when it is good.
    pub until: Instant,
}

impl Grant {
    /// Whether its time is not over.
    pub fn is_alive(&self) -> bool {
        self.until > Instant::now()
    }

    /// Whether it covers a need, however old it is.
    pub fn covers(&self, need: Option<&Need>) -> bool {
        need.is_none_or(|need| {
            let (exact, all) = (format!("{}:{}", need.resource, need.action), format!("{}:*", need.resource));
            self.scopes.iter().any(|scope| *scope == exact || *scope == all)
        })
    }
}

/// What a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// `repository:NAME`, `registry:catalog`.
    pub resource: String,
    /// `pull`, `push`, `delete`, `*`.
    pub action: &'static str,
}

/// Somebody wants to be let in.
pub struct Entering<'a> {
    /// What the registry holds.
    pub view: View<'a>,
    /// The request.
    pub asked: &'a Asked,
    /// Who may do what.
    pub auth: &'a AuthConfig,
    /// Whom it comes from.
    pub caller: &'a Caller,
    /// What it needs; `None`: to be somebody.
    pub need: Option<&'a Need>,
}

/// Somebody is given a token.
pub struct Granting<'a> {
    /// Whether a user asks, or nobody in particular.
    pub user: bool,
    /// What is asked for: `repository:NAME:ACTION`, one action each.
    pub wanted: &'a [String],
}

/// The scheme of a request's credentials, as it is written, and the credentials.
pub fn credentials(asked: &Asked) -> Option<(&str, &str)> {
    let line = asked.header("authorization")?.trim();
    Some(line.split_once(' ').map_or((line, ""), |(scheme, rest)| (scheme, rest.trim())))
}

/// The text of Basic credentials: a name, a colon and a password, where they are what they should be.
pub fn basic(asked: &Asked) -> Option<String> {
    let (scheme, encoded) = credentials(asked)?;
    let plain = STANDARD.decode(encoded).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    String::from_utf8(plain).ok()
}

/// A Bearer's token.
pub fn bearer(asked: &Asked) -> Option<&str> {
    credentials(asked).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token)
}
