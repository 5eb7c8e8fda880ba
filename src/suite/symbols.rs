//! Names in a step: each must mean a node of the fixture, of a kind that the key can use.

use std::collections::{BTreeMap, BTreeSet};

use super::assertion::{Assertion, Detail, LocationIs, NumberOrNode};
use super::context::Context;
use super::expect::Expected;
use super::fault::shown;
use super::model::{Action, Nodes};
use super::step::Decoded;
use super::template::{self, Piece};
use super::tree::{Kind, Node};
use super::words;
use crate::content::NodeKind;

/// What a key can use.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Image,
    Blob,
    Manifest,
    /// Anything that has bytes.
    Bytes,
    /// Anything that has a digest.
    Any,
}

impl Wanted {
    fn takes(self, kind: NodeKind) -> bool {
        match self {
            Wanted::Image => kind == NodeKind::Image,
            Wanted::Blob => kind == NodeKind::Blob,
            Wanted::Manifest => matches!(kind, NodeKind::Image | NodeKind::Index),
            Wanted::Bytes => kind != NodeKind::Phantom,
            Wanted::Any => true,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Wanted::Image => "an image",
            Wanted::Blob => "a blob",
            Wanted::Manifest => "an image or index",
            Wanted::Bytes => "something that has bytes",
            Wanted::Any => "a node",
        }
    }
}

/// What a node is, in words.
fn word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Blob => "a blob",
        NodeKind::Image => "an image",
        NodeKind::Index => "an index",
        NodeKind::Phantom => "a manifest that nobody has",
    }
}

/// The names that are known, and where to report the others.
struct Names<'a> {
    nodes: &'a BTreeMap<String, NodeKind>,
    context: &'a Context,
}

impl Names<'_> {
    /// Reports a name that means nothing, or nothing that fits. `place` is where it was written.
    fn check(&self, name: &str, wanted: Wanted, place: &Node, key: &str) {
        match self.nodes.get(name) {
            None => self.unknown(name, place, "", &[]),
            Some(kind) if !wanted.takes(*kind) => {
                let fault = place.fault(format!("`{name}` is {}, and `{key}` wants {}", word(*kind), wanted.word()));
                self.context.report(match (wanted, kind) {
                    (Wanted::Image | Wanted::Manifest, NodeKind::Blob) => {
                        fault.help("write it under `blobs`, where the step has that key")
                    }
                    (Wanted::Image, NodeKind::Index) => fault.help("write it under `graphs` or `manifests`"),
                    (Wanted::Blob, NodeKind::Image | NodeKind::Index) => {
                        fault.help("write it under `images`, `graphs` or `manifests`")
                    }
                    _ => fault,
                });
            }
            Some(_) => {}
        }
    }

    /// Reports a name that is neither a node nor one of the words that can stand in its place.
    fn unknown(&self, name: &str, place: &Node, note: &str, words: &[&str]) {
        let fault = place.fault(format!("no node of the fixture is called `{}`{note}", shown(name, 80)));
        let known = words.iter().copied().chain(self.nodes.keys().map(String::as_str));
        self.context.report(fault.choices(name, known, "what can stand here"));
    }
}

/// Checks every name in a step.
pub fn check(decoded: &Decoded, nodes: &BTreeMap<String, NodeKind>, context: &Context) {
    let names = Names { nodes, context };
    action(decoded, &names);
    let has_self = has_self(&decoded.step.action);
    texts(&decoded.node, has_self, &names);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for expected in &decoded.expected {
        // A bundle that needs `self` needs it all over: once is enough.
        if expected.bundle.as_deref().is_none_or(|bundle| !told.contains(bundle)) {
            let before = context.reported();
            assertion(expected, has_self, &decoded.action, &names);
            if context.reported() > before {
                told.extend(expected.bundle.as_deref());
            }
        }
    }
}

/// Whether the step names a node that expectations can call `self`.
fn has_self(action: &Action) -> bool {
    match action {
        Action::Get(read) | Action::Head(read) => read.manifest.is_some(),
        Action::Delete(delete) => delete.manifest.is_some() || delete.blob.is_some(),
        Action::Referrers(referrers) => referrers.of.is_some(),
        Action::Blob(blob) => !blob.of.starts_with('='),
        Action::Raw(raw) => raw.bytes_of.is_some(),
        Action::Session(session) => session.blob.is_some(),
        Action::Tags(_) | Action::Catalog(_) | Action::Client(_) | Action::Usage(_) => false,
        Action::Wait(_) | Action::Token(_) => false,
        Action::Joined(_) | Action::Parallel(_) | Action::Barrier(_) => false,
        _ => true,
    }
}

/// The names in the action's own keys.
fn action(decoded: &Decoded, names: &Names<'_>) {
    use Wanted::{Any, Blob, Bytes, Image, Manifest};
    let node = &decoded.node;
    let one = |key: &str, name: Option<&String>, wanted: Wanted| {
        if let Some(name) = name {
            names.check(name, wanted, node.find([key]), key);
        }
    };
    let list_of = |node: &Node, key: &str, list: &[String], wanted: Wanted| {
        for (i, name) in list.iter().enumerate() {
            names.check(name, wanted, node.find([key, i.to_string().as_str()]), key);
        }
    };
    let list = |key: &str, names: &[String], wanted: Wanted| list_of(node, key, names, wanted);
    let all = |node: &Node, nodes: &Nodes, image: Wanted, graph: Wanted, blob: Wanted, manifest: Wanted| {
        list_of(node, "images", &nodes.images, image);
        list_of(node, "graphs", &nodes.graphs, graph);
        list_of(node, "blobs", &nodes.blobs, blob);
        list_of(node, "manifests", &nodes.manifests, manifest);
    };
    match &decoded.step.action {
        Action::Push(push) => {
            list("images", &push.images, Image);
            list("blobs", &push.blobs, Blob);
            list("graphs", &push.graphs, Bytes);
            list("manifests", &push.manifests, Manifest);
            list("children", &push.children, Manifest);
            list("except", &push.except, Any);
        }
        Action::Put(put) => {
            one("manifest", Some(&put.manifest), Manifest);
            one("under", put.under.as_ref(), Any);
        }
        Action::Get(read) | Action::Head(read) => one("manifest", read.manifest.as_ref(), Any),
        Action::Pull(nodes) => all(node, nodes, Image, Bytes, Blob, Manifest),
        Action::Absent(nodes) => all(node, nodes, Any, Any, Any, Any),
        Action::Settled(settled) => one("manifest", Some(&settled.manifest), Manifest),
        Action::Delete(delete) => {
            one("manifest", delete.manifest.as_ref(), Any);
            one("blob", delete.blob.as_ref(), Any);
        }
        Action::Referrers(referrers) => one("of", referrers.of.as_ref(), Any),
        Action::Blob(blob) if !blob.of.starts_with('=') => one("of", Some(&blob.of), Any),
        Action::Mount(mount) => one("blob", Some(&mount.blob), Any),
        Action::Upload(upload) => {
            one("blob", Some(&upload.blob), Bytes);
            one("claim", upload.claim.as_ref(), Any);
        }
        Action::Session(session) => one("blob", session.blob.as_ref(), Bytes),
        Action::Client(client) => {
            one("manifest", Some(&client.manifest), Manifest);
            let brings = node.entry("brings").map_or(node, |entry| &entry.value);
            all(brings, &client.brings, Image, Bytes, Blob, Manifest);
        }
        Action::Usage(usage) => {
            let holds = node.entry("holds").map_or(node, |entry| &entry.value);
            all(holds, &usage.holds, Image, Bytes, Blob, Manifest);
        }
        Action::Raw(raw) => one("bytes-of", raw.bytes_of.as_ref(), Bytes),
        Action::Joined(joined) => list("referrers", &joined.referrers, Any),
        Action::Blob(_) | Action::Tags(_) | Action::Catalog(_) | Action::Token(_) | Action::Wait(_) => {}
        Action::Parallel(_) | Action::Barrier(_) => {}
    }
}

/// `{digest:NODE}`, `{encoded:NODE}`, `{hex:NODE}`, `{size:NODE}`, `{type:NODE}` and `{tag:NODE}` anywhere in the step.
fn texts(node: &Node, has_self: bool, names: &Names<'_>) {
    match &node.kind {
        Kind::Scalar { text, .. } if text.contains('{') => {
            for piece in template::pieces(text) {
                if let Piece::Filled("digest" | "encoded" | "hex" | "size" | "type" | "tag", name) = piece
                    && !names.nodes.contains_key(name)
                    && !(name == "self" && has_self)
                {
                    names.unknown(name, node, &format!(", as `{}` wants", shown(text, 60)), &[]);
                }
            }
        }
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| texts(item, has_self, names)),
        Kind::Map(entries) => entries.iter().for_each(|entry| texts(&entry.value, has_self, names)),
    }
}

/// The names in an assertion; those of a bundle are reported where the bundle is named.
fn assertion(expected: &Expected, has_self: bool, action: &str, names: &Names<'_>) {
    for (path, name) in named(&expected.expectation.assertion) {
        let key = path.first().map_or("", String::as_str);
        let place = match expected.bundle {
            Some(_) => &expected.node,
            None => expected.node.find(path.iter().map(String::as_str)),
        };
        let from = expected.bundle.as_ref().map(|bundle| format!(", as `{key}` of the bundle `{bundle}` wants"));
        if name == "self" && !has_self {
            let what = from.unwrap_or_else(|| format!(", as `{key}` wants"));
            let fault = place.fault(format!("there is no `self`{what}: this `{action}` names no node"));
            names.context.report(fault.help("name the node in the step, or expect what needs none"));
        } else if name != "self" && !names.nodes.contains_key(name) {
            let (note, words): (String, &[&str]) = match (from, key) {
                (Some(from), _) => (from, &[]),
                (None, "type") => (", and it is no media type".into(), &["self"]),
                (None, "digest") => (String::new(), &["self", "self-or-absent", "body", "body-or-absent", "absent"]),
                (None, "body") => (String::new(), &["self", "empty", "range"]),
                (None, "length") => (String::new(), &["self"]),
                (None, _) => (String::new(), &[]),
            };
            names.unknown(name, place, &note, words);
        }
    }
}

/// Every node that an assertion means, `self` too, with the path to where it is written.
fn named(assertion: &Assertion) -> Vec<(Vec<String>, &str)> {
    let mut out: Vec<(Vec<String>, &str)> = Vec::new();
    let mut one = |key: &str, name| out.push((vec![key.to_owned()], name));
    match assertion.digest.as_deref() {
        None | Some("body" | "absent" | "body-or-absent") => {}
        Some("self-or-absent") => one("digest", "self"),
        Some(name) => one("digest", name),
    }
    match assertion.media_type.as_deref() {
        Some("self-or-general") => one("type", "self"),
        Some(name) if !words::is_media_type(name) => one("type", name),
        _ => {}
    }
    if let Some(NumberOrNode::Node(name)) = &assertion.length {
        one("length", name);
    }
    match assertion.body.as_deref() {
        None | Some("empty") => {}
        Some("range") => one("body", "self"),
        Some(name) => one("body", name),
    }
    if assertion.location == Some(LocationIs::Resolves) {
        one("location", "self");
    }
    if assertion.detail == Some(Detail::AbsentChildren) {
        one("detail", "self");
    }
    if assertion.content_range.is_some() {
        one("content-range", "self");
    }
    for (path, names) in lists(assertion) {
        for (i, name) in names.iter().enumerate() {
            let path = path.iter().map(|part| (*part).to_owned()).chain([i.to_string()]).collect();
            out.push((path, name));
        }
    }
    out
}

/// The lists of nodes in an assertion.
fn lists(assertion: &Assertion) -> Vec<(&'static [&'static str], &Vec<String>)> {
    let mut out: Vec<(&'static [&'static str], &Vec<String>)> = Vec::new();
    for (path, names) in [
        (&["type-among"] as &[&str], &assertion.type_among),
        (&["not-body"], &assertion.not_body),
        (&["one-of"], &assertion.one_of),
    ] {
        out.extend(names.as_ref().map(|names| (path, names)));
    }
    if let Some(referrers) = &assertion.referrers {
        for (path, names) in [
            (&["referrers", "exactly"] as &[&str], &referrers.exactly),
            (&["referrers", "including"], &referrers.including),
            (&["referrers", "excluding"], &referrers.excluding),
            (&["referrers", "unfiltered"], &referrers.unfiltered),
        ] {
            if let Some(names) = names {
                out.push((path, names));
            }
        }
    }
    out
}
