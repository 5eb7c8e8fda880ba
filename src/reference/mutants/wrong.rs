//! The ways in which an answer can be wrong, of every kind alike.

use std::fmt;

use super::kind::Kind;
use super::witness::Shape;

/// One way in which an answer can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Another status.
    Status(u16),
    /// A header that it has is wrong.
    Header(String, HeaderWrong),
    /// Its body is wrong.
    Body(BodyWrong),
    /// Its error is wrong.
    Error(ErrorWrong),
    /// The list in its body is wrong.
    List(ListWrong),
    /// A key of the list, or of each of its items, is missing.
    Keyless(&'static str),
    /// It is the answer that the same question had the last time.
    Earlier,
    /// It is right, and what it acknowledges was not done.
    Undone,
    /// It is right, and what it acknowledges is done with the next change only.
    Late,
}

/// What can be wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderWrong {
    /// It is missing.
    Dropped,
    /// It has no value.
    Emptied,
    /// It says something else of its kind.
    Other,
    /// It is there twice, with two values.
    Doubled,
}

/// What can be wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyWrong {
    /// No bytes.
    Emptied,
    /// Its second half is missing, and Content-Length fits.
    Cut,
    /// The connection ends in its middle.
    Torn,
    /// One byte is another.
    Changed,
    /// The same JSON, otherwise spaced.
    Reserialised,
    /// The one that the same question had the last time.
    Earlier,
    /// A page of HTML.
    Html,
}

/// What can be wrong with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorWrong {
    /// Another code of the spec's list.
    Swapped,
    /// A code of nobody's.
    Unlisted,
    /// No code.
    Dropped,
    /// No entries.
    None,
    /// An object where the list should be.
    Unlike,
}

/// What can be wrong with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListWrong {
    /// The first item is missing.
    First,
    /// The last one is missing.
    Last,
    /// The first one is there twice.
    Twice,
    /// Nobody pushed one of them.
    Foreign,
    /// They are the other way round.
    Reversed,
    /// There are none.
    Emptied,
    /// It is `null`.
    Null,
}

impl Wrong {
    /// Every way in which answers of a kind can be wrong that look like this.
    pub fn all(kind: &Kind, shape: &Shape) -> Vec<Wrong> {
        let mut all: Vec<Wrong> = statuses(kind.status).iter().copied().map(Wrong::Status).collect();
        for header in &shape.headers {
            use HeaderWrong::{Doubled, Dropped, Emptied, Other};
            all.extend([Dropped, Emptied, Other, Doubled].map(|wrong| Wrong::Header(header.clone(), wrong)));
        }
        if shape.has_body {
            use BodyWrong::{Changed, Cut, Earlier, Emptied, Html, Reserialised, Torn};
            all.extend([Emptied, Cut, Torn, Html].map(Wrong::Body));
            // Of an error a byte could be a letter of the message, which is for people; another one's body is another code.
            if kind.code.is_none() {
                all.extend([Changed, Earlier].map(Wrong::Body));
            }
            if shape.is_json {
                all.push(Wrong::Body(Reserialised));
            }
        }
        if kind.code.is_some() {
            use ErrorWrong::{Dropped, None, Swapped, Unlike, Unlisted};
            all.extend([Swapped, Unlisted, Dropped, None, Unlike].map(Wrong::Error));
        }
        if let Some(list) = list_of(kind).filter(|_| shape.has_body) {
            use ListWrong::{Emptied, First, Foreign, Last, Null, Reversed, Twice};
            all.extend([First, Last, Twice, Foreign, Reversed, Emptied, Null].map(Wrong::List));
            all.extend(keys_of(list).iter().copied().map(Wrong::Keyless));
        }
        all.push(Wrong::Earlier);
        if kind.changes() {
            all.extend([Wrong::Undone, Wrong::Late]);
        }
        all
    }
}

impl Wrong {
    /// What is wrong, in a word.
    pub fn group(&self) -> &'static str {
        match self {
            Wrong::Status(_) => "status",
            Wrong::Header(..) => "header",
            Wrong::Body(_) => "body",
            Wrong::Error(_) => "error",
            Wrong::List(_) | Wrong::Keyless(_) => "list",
            Wrong::Earlier => "answer",
            Wrong::Undone | Wrong::Late => "effect",
        }
    }
}

/// Other statuses, in the right one's class and out of it.
fn statuses(right: u16) -> &'static [u16] {
    match right {
        200 => &[204, 206, 404, 500],
        201 => &[200, 202, 400, 500],
        202 => &[200, 204, 404, 500],
        204 => &[200, 202, 404, 500],
        206 => &[200, 404, 500],
        300..=399 => &[200, 404, 500],
        400 => &[404, 422, 200, 500],
        401 => &[403, 404, 200, 500],
        404 => &[400, 410, 200, 500],
        405 => &[404, 501, 202, 500],
        416 => &[400, 200, 500],
        _ => &[400, 404, 200, 500],
    }
}

/// The list in the answers of a kind.
pub(super) fn list_of(kind: &Kind) -> Option<&'static str> {
    let route = kind.what.split('+').next().unwrap_or_default();
    match (kind.method.as_str(), kind.status, route) {
        ("GET", 200, "tags") => Some("tags"),
        ("GET", 200, "referrers") => Some("manifests"),
        ("GET", 200, "catalog") => Some("repositories"),
        _ => None,
    }
}

/// Keys of such a list's answer, and of its items.
fn keys_of(list: &str) -> &'static [&'static str] {
    match list {
        "tags" => &["name", "tags"],
        "manifests" => &["schemaVersion", "mediaType", "manifests", "digest", "size", "artifactType", "annotations"],
        _ => &["repositories"],
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Status(status) => write!(f, "status/{status}"),
            Wrong::Header(name, wrong) => write!(f, "{name}/{}", word(wrong)),
            Wrong::Body(wrong) => write!(f, "body/{}", word(wrong)),
            Wrong::Error(wrong) => write!(f, "code/{}", word(wrong)),
            Wrong::List(wrong) => write!(f, "list/{}", word(wrong)),
            Wrong::Keyless(key) => write!(f, "list/no-{key}"),
            Wrong::Earlier => f.write_str("answer/earlier"),
            Wrong::Undone => f.write_str("effect/undone"),
            Wrong::Late => f.write_str("effect/late"),
        }
    }
}

/// The word for a variant without values.
fn word(wrong: &impl fmt::Debug) -> String {
    format!("{wrong:?}").to_lowercase()
}
