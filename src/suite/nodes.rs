//! Graph files, and the names that they give to steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::context::Context;
use super::fault::{At, Fault};
use super::tree::{Kind, Node};
use super::yaml;
use crate::content::graph::{Format, Graph};
use crate::content::{Content, NodeKind};

/// A fixture, and what it is made of.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The graph.
    pub graph: Arc<Graph>,
    /// Its nodes by name.
    pub nodes: BTreeMap<String, NodeKind>,
}

/// Fixtures by name.
#[derive(Debug, Default)]
pub struct Fixtures {
    /// Those that were read; `None` where one is there and faulty, of which its own diagnostics speak.
    read: BTreeMap<String, Option<Arc<Fixture>>>,
    /// Shipped ones that a folder's cases can name: each is made when the first case does.
    shipped: BTreeMap<String, String>,
}

/// Shipped fixtures that were made, for every load of this process.
static MADE: Mutex<BTreeMap<String, Option<Arc<Fixture>>>> = Mutex::new(BTreeMap::new());

impl Fixtures {
    /// Adds one that was read.
    pub fn add(&mut self, name: &str, fixture: Option<Fixture>) {
        self.shipped.remove(name);
        self.read.insert(name.to_owned(), fixture.map(Arc::new));
    }

    /// Adds a shipped one, by its file's text.
    pub fn add_shipped(&mut self, name: &str, text: &str) {
        self.shipped.insert(name.to_owned(), text.to_owned());
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        let names: BTreeSet<&String> = self.read.keys().chain(self.shipped.keys()).collect();
        names.into_iter().map(String::as_str).collect()
    }

    /// The fixture of this name; `None` where there is no such one, `Some(None)` where it is faulty.
    pub fn get(&self, name: &str) -> Option<Option<Arc<Fixture>>> {
        if let Some(read) = self.read.get(name) {
            return Some(read.clone());
        }
        let text = self.shipped.get(name)?;
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || yaml::parse(text).ok().and_then(|root| fixture(&root, &Context::default())).map(Arc::new);
        Some(made.entry(name.to_owned()).or_insert_with(make).clone())
    }

    /// Every graph that was read, and those shipped ones that a case named.
    pub fn into_graphs(self) -> BTreeMap<String, Arc<Graph>> {
        let made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let named = self.shipped.into_keys().filter_map(|name| Some((name.clone(), made.get(&name)?.clone()?)));
        let read = self.read.into_iter().filter_map(|(name, fixture)| Some((name, fixture?)));
        named.chain(read).map(|(name, fixture)| (name, fixture.graph.clone())).collect()
    }
}

/// Decodes and checks a graph file.
pub fn fixture(node: &Node, context: &Context) -> Option<Fixture> {
    let graph: Graph = context.decode(node)?;
    if graph.title.trim().is_empty() {
        context.report(Fault::new(node.at, "the graph has no title").help("say what it is: `title: ...`"));
    }
    match Content::outline(&graph, Format::Oci) {
        Ok(content) => {
            let nodes = content.nodes.values().map(|node| (node.name.clone(), node.kind)).collect();
            Some(Fixture { graph: Arc::new(graph), nodes })
        }
        Err(errors) => {
            for error in errors {
                context.report(Fault::new(place(node, &error.path), error.problem));
            }
            None
        }
    }
}

/// Where a dotted path leads (names may have dots of their own): a scalar's or item's place, else the key's.
fn place(root: &Node, path: &str) -> At {
    let (mut node, mut rest, mut at) = (root, path, root.at);
    while !rest.is_empty() {
        let follow = |key: &str| rest.strip_prefix(key).filter(|after| after.is_empty() || after.starts_with('.'));
        let (next, after) = match &node.kind {
            Kind::Map(entries) => {
                let found = entries.iter().filter_map(|entry| Some((entry, follow(&entry.key.text)?)));
                let Some((entry, after)) = found.min_by_key(|(_, after)| after.len()) else { break };
                at = if matches!(entry.value.kind, Kind::Scalar { .. }) { entry.value.at } else { entry.key.at };
                (&entry.value, after)
            }
            Kind::List(items) => {
                let index = rest.split('.').next().unwrap_or_default();
                let Some(item) = index.parse().ok().and_then(|i: usize| items.get(i)) else { break };
                at = item.at;
                (item, &rest[index.len()..])
            }
            Kind::Scalar { .. } => break,
        };
        node = next;
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    at
}
