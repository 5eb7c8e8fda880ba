//! Who sees which answers a run gets, and what they look like.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::super::answer::Answer;
use super::super::question::Asked;
use super::kind::Kind;

/// Bytes from which a body is content, and not looked at.
const MOST_JSON: u64 = 64 * 1024;

/// What the answers of one kind have.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Names of their headers.
    pub headers: BTreeSet<String>,
    /// Whether any has a body; that of HEAD is never seen.
    pub has_body: bool,
    /// Whether each body is JSON.
    pub is_json: bool,
    /// Repositories whose requests they answered; empty where the path names none.
    pub repositories: BTreeSet<String>,
}

/// Who sees every answer before anybody spoils it.
#[derive(Debug, Default)]
pub struct Witness(Mutex<BTreeMap<Kind, Shape>>);

impl Witness {
    /// An answer was given.
    pub(in crate::reference) fn see(&self, asked: &Asked, answer: &Answer) {
        let kind = Kind::of(asked, answer);
        let mut shapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !shapes.contains_key(&kind);
        let shape = shapes.entry(kind).or_default();
        shape.headers.extend(answer.headers.keys().map(|name| name.as_str().to_owned()));
        if answer.body.length() > 0 {
            shape.has_body = true;
            let is_json = answer.body.length() < MOST_JSON && answer.value().is_some();
            shape.is_json = is_json && (is_first || shape.is_json);
        }
        shape.repositories.extend(asked.repository().map(str::to_owned));
    }

    /// What was seen, by kind.
    pub fn shapes(&self) -> BTreeMap<Kind, Shape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
