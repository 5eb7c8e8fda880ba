//! Graph files, and the names that they give to steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::Context;
use super::fault::{At, Fault};
use super::tree::{Kind, Node};
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
