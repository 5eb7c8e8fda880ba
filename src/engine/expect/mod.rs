//! Expectations: pure functions from what came to what did not hold.
//!
//! [`judge`] evaluates all expectations of one response. It sends nothing, knows no step, and reports every key that
//! does not hold at once. What a key needs beside the response - the node it is about, a second answer, the pages of a
//! list - is in the [`Observation`] and the [`World`].

pub mod diff;
pub mod errors;
mod etag;
pub mod headers;
pub mod lists;
mod one_of;
mod parts;
pub mod payload;
mod referrers;
pub mod repositories;
mod same;
mod schema1;
mod warnings;
mod who;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::content::digest::Digest;
use crate::content::{Content, Node};
use crate::suite::assertion::Assertion;
use crate::suite::model::Expectation;
use crate::suite::requirement::Level;
use crate::wire::{Exchange, Response};

/// What a request was about.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The node that the step names: `self`.
    pub node: Option<Arc<Node>>,
    /// The digest in the path or the query, where there is one.
    pub path_digest: Option<Digest>,
    /// The `Range` header that was sent.
    pub range: Option<String>,
}

/// One response, and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The response.
    pub response: &'a Response,
    /// What it was about.
    pub subject: &'a Subject,
    /// What a GET of `Location` gave, where it was asked.
    pub located: Option<&'a Exchange>,
    /// The list that this response begins; later pages carry none.
    pub listing: Option<&'a lists::Listing>,
    /// Number of the page, from 0.
    pub page: usize,
}

/// What is known beside the response.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The case's content.
    pub content: &'a Content,
    /// The repository's full name.
    pub repository: &'a str,
    /// Digests of self's children that are not there, each once.
    pub absent_children: &'a [Digest],
    /// Responses that earlier steps named with `as`.
    pub named: &'a BTreeMap<String, Seen>,
    /// Tags that somebody else left in the repository.
    pub foreign: &'a BTreeSet<String>,
}

/// What `same-as`, `same-headers` and `same-etag` compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Status.
    pub status: u16,
    /// `Content-Length`.
    pub length: Option<String>,
    /// `Docker-Content-Digest`.
    pub digest: Option<String>,
    /// The first code of an error in the spec's form.
    pub code: Option<String>,
    /// `Content-Type`, without its parameters.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl Seen {
    /// Of a response.
    pub fn of(response: &Response) -> Seen {
        Seen {
            status: response.status,
            length: response.header("content-length"),
            digest: response.header(headers::DIGEST),
            code: errors::first_code(response),
            media_type: headers::own_type(response),
            etag: response.header("etag"),
        }
    }
}

/// One key that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The requirement, where it is not the expectation's own.
    pub requirement: Option<&'static str>,
    /// The assertion's key.
    pub key: &'static str,
    /// What was expected.
    pub expected: String,
    /// What came; the same in every run.
    pub got: String,
    /// Where they differ.
    pub diff: Option<String>,
    /// The page of a list that shows it, from 0.
    pub page: usize,
}

impl Fault {
    /// A fault without a diff.
    pub fn new(key: &'static str, expected: impl Into<String>, got: impl Into<String>) -> Fault {
        Fault { requirement: None, key, expected: expected.into(), got: got.into(), diff: None, page: 0 }
    }

    /// The same, shown by this page of a list.
    fn on(self, page: Option<usize>) -> Fault {
        Fault { page: page.unwrap_or(0), ..self }
    }
}

/// What came of a response's expectations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged<'a> {
    /// What did not hold, each with the expectation that it breaks.
    pub faults: Vec<(&'a Expectation, Fault)>,
    /// Requirements that were evaluated, in order.
    pub observed: Vec<&'a str>,
}

/// How an expectation's status went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatusIs {
    /// It names none.
    Unsaid,
    /// As expected.
    Held,
    /// Another one of the same kind: what else is expected of such an answer still has a meaning.
    Near,
    /// Of another kind (a success instead of a refusal), or the server's fault.
    Far,
}

/// Evaluates all expectations of one response.
///
/// A status that does not hold is said once: by each expectation that speaks of nothing else, else by the strongest one.
/// The others only name the condition under which they speak. What an expectation says of an answer of another kind
/// (the body of a manifest, of a 404) is a consequence and not reported; a body that must never be served is looked for
/// in any answer.
pub fn judge<'a>(
    expectations: &'a [Expectation],
    seen: &Observation,
    world: &World,
    level: &dyn Fn(&str) -> Level,
) -> Judged<'a> {
    let mut judged = Judged::default();
    let statuses: Vec<StatusIs> = expectations.iter().map(|e| status_is(&e.assertion, seen.response.status)).collect();
    let all_near = !statuses.contains(&StatusIs::Far);
    for (expectation, status) in expectations.iter().zip(&statuses) {
        let assertion = &expectation.assertion;
        let mut faults = Vec::new();
        if speaks(expectation, *status, expectations, &statuses, level) {
            let expected = assertion.status.as_ref().map_or_else(String::new, |s| format!("status {s}"));
            faults.push(Fault::new("status", expected, format!("status {}", seen.response.status)));
        }
        let foreign = payload::foreign_body(assertion, seen, world);
        let about_errors = assertion.code.is_some()
            || assertion.not_code.is_some()
            || assertion.form.is_some()
            || assertion.detail.is_some();
        let evaluated = match status {
            StatusIs::Held | StatusIs::Near => true,
            StatusIs::Far => false,
            StatusIs::Unsaid => all_near || about_errors,
        };
        if evaluated || !faults.is_empty() || !foreign.is_empty() {
            judged.observed.push(&expectation.requirement);
        }
        faults.extend(foreign);
        if evaluated {
            faults.extend(errors::check(assertion, seen, world));
            faults.extend(headers::check(assertion, seen, world));
            faults.extend(who::check(assertion, seen, world));
            faults.extend(same::check(assertion, seen, world));
            faults.extend(etag::check(assertion, seen, world));
            faults.extend(payload::check(assertion, seen, world));
            faults.extend(lists::check(assertion, seen, world));
            faults.extend(assertion.one_of.as_ref().and_then(|names| one_of::check(names, seen, world)));
        }
        judged.faults.extend(faults.into_iter().map(|fault| (expectation, fault)));
    }
    judged
}

fn status_is(assertion: &Assertion, came: u16) -> StatusIs {
    match &assertion.status {
        None => StatusIs::Unsaid,
        Some(expected) if expected.contains(came) => StatusIs::Held,
        Some(expected) => {
            let same_kind = came < 500 && (100..600).any(|s: u16| s / 100 == came / 100 && expected.contains(s));
            if same_kind { StatusIs::Near } else { StatusIs::Far }
        }
    }
}

/// Whether this expectation reports that the status did not hold.
fn speaks(
    expectation: &Expectation,
    status: StatusIs,
    all: &[Expectation],
    statuses: &[StatusIs],
    level: &dyn Fn(&str) -> Level,
) -> bool {
    if !matches!(status, StatusIs::Near | StatusIs::Far) {
        return false;
    }
    let is_bare =
        |e: &Expectation| e.assertion == Assertion { status: e.assertion.status.clone(), ..Assertion::default() };
    let same = || {
        let failing = all.iter().zip(statuses).filter(|(_, s)| matches!(s, StatusIs::Near | StatusIs::Far));
        failing.map(|(e, _)| e).filter(|e| e.assertion.status == expectation.assertion.status)
    };
    if is_bare(expectation) {
        return true;
    }
    let own = level(&expectation.requirement);
    // A bare one of a weaker level must not hide a stronger one.
    if same().any(|e| is_bare(e) && level(&e.requirement) >= own) {
        return false;
    }
    let strongest = same().map(|e| level(&e.requirement)).max();
    let first = same().find(|e| !is_bare(e) && Some(level(&e.requirement)) == strongest);
    first.is_some_and(|e| std::ptr::eq(e, expectation))
}

/// The node that an assertion names: `self`, or a name.
fn node<'a>(name: &str, seen: &'a Observation, world: &'a World) -> Option<&'a Arc<Node>> {
    if name == "self" { seen.subject.node.as_ref() } else { world.content.nodes.get(name) }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
