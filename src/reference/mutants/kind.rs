//! Kinds of answers: what was asked, and how it ended.

use axum::http::Method;

use super::super::answer::Answer;
use super::super::question::{Asked, Change, Reference, Target};
use super::super::route::Route;

/// What was asked, and how it ended: route and outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Method.
    pub method: String,
    /// What the path and the query name: `manifest-by-tag`, `tags+n`.
    pub what: String,
    /// Status.
    pub status: u16,
    /// The first code of an error in the spec's form.
    pub code: Option<String>,
}

impl Kind {
    /// Of a right answer.
    pub fn of(asked: &Asked, answer: &Answer) -> Kind {
        let status = answer.status.as_u16();
        let code = (status >= 400).then(|| answer.value()?["errors"][0]["code"].as_str().map(str::to_owned)).flatten();
        Kind { method: asked.method.to_string(), what: what(asked), status, code }
    }

    /// What was asked alone: `GET tags+n`.
    pub fn question(&self) -> String {
        format!("{} {}", self.method, self.what)
    }

    /// Whether it acknowledges a change.
    pub fn changes(&self) -> bool {
        let what = ["manifest-by-tag", "manifest-by-digest", "blob", "upload", "single-post", "mount"];
        let method = match self.method.as_str() {
            "PUT" | "POST" => self.status == 201,
            "DELETE" => self.status == 202,
            _ => false,
        };
        method && what.contains(&self.what.as_str())
    }

    /// Whether it acknowledges this change.
    pub(super) fn is_of(&self, cause: &Change) -> bool {
        let (method, what) = match cause {
            Change::Put(_, Err(_)) => return false,
            Change::Put(push, Ok(())) => match push.reference {
                Reference::Tag(_) => ("PUT", "manifest-by-tag"),
                _ => ("PUT", "manifest-by-digest"),
            },
            Change::Delete(removal) => match removal.target {
                Target::Tag(_) => ("DELETE", "manifest-by-tag"),
                Target::Manifest(_) => ("DELETE", "manifest-by-digest"),
                Target::Blob(_) => ("DELETE", "blob"),
            },
            // How an upload was sent is not known where it is closed.
            Change::Upload(_) => return self.changes() && matches!(self.what.as_str(), "upload" | "single-post"),
            Change::Mount(_) => ("POST", "mount"),
        };
        self.changes() && self.method == method && self.what == what
    }
}

/// What a path and a query name, in a word.
fn what(asked: &Asked) -> String {
    let word = match &asked.route {
        Route::Base => "base",
        Route::Manifest { reference, .. } => match Reference::parse(reference) {
            Reference::Tag(_) => "manifest-by-tag",
            Reference::Digest(_) => "manifest-by-digest",
            Reference::Other(_) => "manifest-by-other",
        },
        Route::Blob { .. } => "blob",
        Route::Uploads { .. } if asked.query.get("mount").is_some() => "mount",
        Route::Uploads { .. } if asked.query.get("digest").is_some() => "single-post",
        Route::Uploads { .. } => "uploads",
        Route::Upload { .. } => "upload",
        Route::Tags { .. } => "tags",
        Route::Referrers { .. } => "referrers",
        Route::Catalog => "catalog",
        Route::Token => "token",
        Route::Collect => "collect",
        Route::Unknown => "unknown",
    };
    let mut word = word.to_owned();
    if matches!(asked.route, Route::Tags { .. } | Route::Referrers { .. }) && asked.method == Method::GET {
        for key in ["n", "last", "artifactType"] {
            if asked.query.get(key).is_some() {
                word.push('+');
                word.push_str(key);
            }
        }
    }
    word
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.method, self.what, self.status)?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, "-{code}"))
    }
}
