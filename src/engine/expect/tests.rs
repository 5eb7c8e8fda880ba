//! Tables of responses that do not match, each with everything that must be said of them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod errors;
mod headers;
mod lists;
mod payload;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::lists::{Listing, TagPage, descriptors, no_index};
use super::testing::{content, exchange, response, unnamed, wide};
use super::*;
use crate::content::digest::Digest;
use crate::content::graph::Algorithm;
use crate::suite::model::Source;
use crate::wire::{Failure, FailureKind, Response, Secret};

/// Header lines of a response.
type Headers<'h> = &'h [(&'h str, &'h str)];

/// What a table's row is about.
struct Row {
    method: &'static str,
    content: Content,
    node: Option<&'static str>,
    by_digest: bool,
    range: Option<&'static str>,
    located: Option<Exchange>,
    absent: Vec<Digest>,
    named: BTreeMap<String, Seen>,
    pages: usize,
    /// Whether they are all of the list.
    whole: bool,
    foreign: BTreeSet<String>,
}

impl Default for Row {
    fn default() -> Self {
        Row {
            method: "GET",
            content: content(),
            node: Some("index"),
            by_digest: true,
            range: None,
            located: None,
            absent: Vec::new(),
            named: unnamed(),
            pages: 0,
            whole: true,
            foreign: BTreeSet::new(),
        }
    }
}

fn expectations(value: serde_json::Value) -> Vec<Expectation> {
    let map: BTreeMap<String, Assertion> = serde_json::from_value(value).unwrap();
    let source = Source { file: "t.yaml".into(), line: 1, column: 1 };
    map.into_iter()
        .map(|(requirement, assertion)| Expectation { requirement, assertion, source: source.clone() })
        .collect()
}

fn level(requirement: &str) -> Level {
    match requirement.split('.').next() {
        Some("should") => Level::Should,
        Some("may") => Level::May,
        _ => Level::Must,
    }
}

impl Row {
    /// `requirement key: expected | got`, a line each.
    fn faults(&self, expect: serde_json::Value, response: &Response) -> Vec<String> {
        let expect = expectations(expect);
        let node = self.node.map(|name| self.content.nodes.get(name).expect(name).clone());
        let path_digest = node.as_ref().filter(|_| self.by_digest).map(|node| node.digest.clone());
        let subject = Subject { node, path_digest, range: self.range.map(str::to_owned) };
        let listing = self.listing(response);
        let seen = Observation {
            method: self.method,
            response,
            subject: &subject,
            located: self.located.as_ref(),
            listing: listing.as_ref(),
            page: 0,
        };
        let world = World {
            content: &self.content,
            repository: "a/b",
            absent_children: &self.absent,
            named: &self.named,
            foreign: &self.foreign,
        };
        let judged = judge(&expect, &seen, &world, &level);
        let line = |(e, f): (&Expectation, Fault)| {
            format!("{} {}: {} | {}", f.requirement.unwrap_or(&e.requirement), f.key, f.expected, f.got)
        };
        judged.faults.into_iter().map(line).collect()
    }

    fn listing(&self, response: &Response) -> Option<Listing> {
        match self.pages {
            0 => None,
            1 => Some(Listing::Tags { pages: vec![TagPage::of(response)], whole: self.whole, trail: None }),
            _ => {
                let odd = no_index(response).map(|problem| (0, problem));
                Some(Listing::Referrers { entries: descriptors(response), odd, trail: None })
            }
        }
    }

    /// With one expectation, `r`, on an answer of 200.
    fn ok(&self, assertion: serde_json::Value, headers: &[(&str, &str)], body: &[u8]) -> Vec<String> {
        self.faults(json!({ "r": assertion }), &response(200, headers, body))
    }
}

fn bytes(content: &Content, name: &str) -> Vec<u8> {
    match &content.nodes.get(name).unwrap().body {
        crate::content::Body::Bytes(bytes) => bytes.to_vec(),
        crate::content::Body::Generated(source) => source.pieces(0, source.size).flatten().collect(),
        crate::content::Body::None => Vec::new(),
    }
}

fn digest(content: &Content, name: &str) -> String {
    content.nodes.get(name).unwrap().digest.to_string()
}

const NONE: [&str; 0] = [];
