//! Steps: each turns into questions, sends them, and writes down what was acknowledged. One file for each kind.

mod absent;
mod blob;
mod catalog;
mod client;
mod delete;
mod joined;
mod mount;
mod pages;
mod pull;
mod push;
mod put;
mod raw;
mod read;
mod referrers;
mod resume;
mod session;
mod settled;
mod tags;
mod token;
pub(super) mod upload;
mod usage;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ask::{Expected, MANIFEST_TYPES, Question};
use super::case::{Case, Halt};
use crate::content::Node;
use crate::suite::model::{Action, Step};
use crate::target::units::Time;
use crate::wire::Ask;

/// The longest that a `wait` lasts.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The tag where a step names none.
const DEFAULT_TAG: &str = "latest";

/// Runs one step.
pub async fn run(case: &mut Case, step: &Step) -> Result<(), Halt> {
    let here = Here { step, expect: step.expect.clone().into() };
    match &step.action {
        Action::Push(what) => push::run(case, &here, what).await,
        Action::Put(what) => put::run(case, &here, what).await,
        Action::Head(what) => read::run(case, &here, what, "HEAD").await,
        Action::Get(what) => read::run(case, &here, what, "GET").await,
        Action::Pull(what) => pull::run(case, &here, what).await,
        Action::Absent(what) => absent::run(case, &here, what).await,
        Action::Settled(what) => settled::run(case, &here, what).await,
        Action::Delete(what) => delete::run(case, &here, what).await,
        Action::Tags(what) => tags::run(case, &here, what).await,
        Action::Referrers(what) => referrers::run(case, &here, what).await,
        Action::Catalog(what) => catalog::run(case, &here, what).await,
        Action::Blob(what) => blob::run(case, &here, what).await,
        Action::Mount(what) => mount::run(case, &here, what).await,
        Action::Upload(what) => upload::run(case, &here, what).await,
        Action::Session(what) => session::run(case, &here, what).await,
        Action::Raw(what) => raw::run(case, &here, what).await,
        Action::Token(what) => token::run(case, &here, what).await,
        Action::Client(what) => client::run(case, &here, what).await,
        Action::Usage(what) => usage::run(case, &here, what).await,
        Action::Wait(what) => wait(case, &what.time).await,
        Action::Joined(what) => joined::run(case, &here, what).await,
        // A step of a lane is one of these again.
        Action::Parallel(what) => Box::pin(case.race(what)).await,
        // The case stops before it, and is taken past it when its action has happened.
        Action::Barrier(_) => Ok(()),
    }
}

async fn wait(case: &Case, time: &str) -> Result<(), Halt> {
    let time = Time::try_from(time.to_owned()).map_err(|problem| case.unusable(problem))?;
    tokio::select! {
        () = tokio::time::sleep(time.0.min(LONGEST_WAIT)) => {}
        () = case.run.sender.stop.wait() => {}
    }
    Ok(())
}

/// A step, and what all its questions share.
pub(super) struct Here<'s> {
    /// The step.
    pub step: &'s Step,
    /// What it expects itself.
    pub expect: Expected,
}

impl Here<'_> {
    /// The repository's nickname.
    pub fn nickname(&self) -> &str {
        &self.step.repository
    }

    /// One that reads and expects nothing yet, of the step's repository, at its server.
    pub fn question(&self, label: impl Into<String>, ask: Ask) -> Question {
        Question::new(label, self.nickname(), self.step.at, ask)
    }

    /// The tag, digests put in; [`DEFAULT_TAG`] where none is written.
    ///
    /// # Errors
    /// It names a node that the case does not have.
    pub fn tag(&self, case: &Case, written: Option<&str>) -> Result<String, Halt> {
        expand(case, self.nickname(), None, written.unwrap_or(DEFAULT_TAG))
    }

    /// What the step expects itself, else a bundle.
    ///
    /// # Errors
    /// There is no such bundle.
    pub fn expect_or(&self, case: &Case, bundle: &str) -> Result<Expected, Halt> {
        if self.expect.is_empty() { case.bundle(bundle) } else { Ok(self.expect.clone()) }
    }

    /// A manifest read, with the step's Accept, or all types that lacuna pushes.
    pub fn manifest_ask(
        &self,
        case: &Case,
        own: Option<&Arc<Node>>,
        method: &str,
        reference: &str,
    ) -> Result<Ask, Halt> {
        let repository = case.repository(self.nickname())?;
        let ask = Ask::new(method, &format!("/v2/{repository}/manifests/{}", literal(reference)));
        let ask = if self.step.accept.is_none() { ask.header("Accept", MANIFEST_TYPES) } else { ask };
        self.finish(case, own, ask, &["pull"])
    }

    /// The step's header lines, words put in.
    ///
    /// # Errors
    /// They name what the case does not have.
    pub fn headers(&self, case: &Case, own: Option<&Arc<Node>>) -> Result<Vec<(String, String)>, Halt> {
        let lines = self.step.headers.iter();
        lines.map(|(name, value)| Ok((name.clone(), expand(case, self.nickname(), own, value)?))).collect()
    }

    /// Adds the step's Accept and headers, and what a token is asked for.
    pub fn finish(&self, case: &Case, own: Option<&Arc<Node>>, mut ask: Ask, actions: &[&str]) -> Result<Ask, Halt> {
        for line in self.step.accept.iter().flatten() {
            ask.headers.push(("Accept".into(), expand(case, self.nickname(), own, line)?));
        }
        // What the step says replaces what lacuna would say; a name that the step repeats stays repeated.
        ask.headers.retain(|(name, _)| !self.step.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
        ask.headers.extend(self.headers(case, own)?);
        if !actions.is_empty() {
            ask.scopes = vec![format!("repository:{}:{}", case.repository(self.nickname())?, actions.join(","))];
        }
        Ok(ask)
    }
}

/// Puts `{repo}`, `{repo:NICK}`, `{digest:NODE}`, `{hex:NODE}` (what follows its colon), `{encoded:NODE}` (the digest as
/// clients write it in a query), `{size:NODE}` (in bytes), `{type:NODE}` and `{tag:NODE}` in, where NODE may be `self`, and what a
/// header says who asks with: `{token:NAME}`, `{wrong-password}`. Any other brace stays.
pub(super) fn expand(case: &Case, nickname: &str, own: Option<&Arc<Node>>, text: &str) -> Result<String, Halt> {
    let node = |name: &str| match own {
        Some(own) if name == "self" => Ok(own.clone()),
        _ => case.node(name),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after_brace)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        if name == "repo" {
            out.push_str(&case.repository(nickname)?);
        } else if let Some(nickname) = name.strip_prefix("repo:") {
            out.push_str(&case.repository(nickname)?);
        } else if name == "wrong-password" {
            out.push_str(&case.run.sender.client.wrong_password().0);
        } else if let Some(name) = name.strip_prefix("token:") {
            let token = case.tokens.get(name);
            let unknown = || case.unusable(format!("no token is called {name:?} here"));
            out.push_str(&token.ok_or_else(unknown)?.0);
        } else if let Some(name) = name.strip_prefix("digest:") {
            out.push_str(node(name)?.digest.as_str());
        } else if let Some(name) = name.strip_prefix("encoded:") {
            out.push_str(&query(node(name)?.digest.as_str()));
        } else if let Some(name) = name.strip_prefix("hex:") {
            out.push_str(node(name)?.digest.hex());
        } else if let Some(name) = name.strip_prefix("type:") {
            out.push_str(&node(name)?.media_type);
        } else if let Some(name) = name.strip_prefix("size:") {
            out.push_str(&node(name)?.size.to_string());
        } else if let Some(name) = name.strip_prefix("tag:") {
            out.push_str(&node(name)?.digest.as_tag());
        } else {
            out.push('{');
            rest = after;
            continue;
        }
        rest = after_brace;
    }
    out.push_str(rest);
    Ok(out)
}

/// A literal reference, as it can stand in a path: only what would end the path or the request line is encoded.
pub(super) fn literal(reference: &str) -> String {
    const BREAKING: &AsciiSet = &CONTROLS.add(b' ').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>');
    utf8_percent_encode(reference, BREAKING).to_string()
}

/// A value, as it can stand in a query.
pub(super) fn query(value: &str) -> String {
    const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, SAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_what_a_path_can_hold() {
        assert_eq!(literal("sha256:zz"), "sha256:zz");
        assert_eq!(literal("a/../b%2e"), "a/../b%2e");
        assert_eq!(literal("a b?c#d\r\n"), "a%20b%3Fc%23d%0D%0A");
    }

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(query("a+b&c=d e/é"), "a%2Bb%26c%3Dd%20e%2F%C3%A9");
        assert_eq!(query("v1.2-a_b~"), "v1.2-a_b~");
    }
}
