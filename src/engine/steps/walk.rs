//! Which nodes a step means: walks below the named ones, each node once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::content::digest::Digest;
use crate::content::{Node, NodeKind};

/// Nodes in the order in which they are met, each once: by digest, and apart as blob and as manifest.
#[derive(Debug, Default)]
pub struct Walk {
    /// The nodes.
    pub nodes: Vec<Arc<Node>>,
    met: BTreeSet<(bool, Digest)>,
}

impl Walk {
    /// Adds a node; whether it was not there yet.
    pub fn add(&mut self, node: &Arc<Node>) -> bool {
        let is_new = self.met.insert((node.kind == NodeKind::Blob, node.digest.clone()));
        if is_new {
            self.nodes.push(node.clone());
        }
        is_new
    }

    /// Adds a node and all below it for which `enter` holds: of others neither they nor, by this way, what is below them.
    pub fn descend(&mut self, root: &Arc<Node>, enter: &dyn Fn(&Node) -> bool) {
        let mut waiting = vec![root.clone()];
        while let Some(node) = waiting.pop() {
            if enter(&node) && self.add(&node) {
                waiting.extend(node.children.iter().rev().cloned());
            }
        }
    }
}

/// Manifests in groups: those of a group name only what is in the groups before it, so that a group may be put at once.
pub fn by_height(manifests: &[Arc<Node>]) -> Vec<Vec<Arc<Node>>> {
    let mut heights: std::collections::BTreeMap<Digest, usize> = std::collections::BTreeMap::new();
    let among: BTreeSet<&Digest> = manifests.iter().map(|node| &node.digest).collect();
    // Each node twice on the stack: first to look below it, then to take its height from what is below.
    let mut waiting: Vec<(Arc<Node>, bool)> = manifests.iter().rev().map(|node| (node.clone(), false)).collect();
    while let Some((node, below_done)) = waiting.pop() {
        if heights.contains_key(&node.digest) {
            continue;
        }
        if below_done {
            let below = node.children.iter().filter_map(|child| heights.get(&child.digest)).max();
            let own = usize::from(among.contains(&node.digest));
            heights.insert(node.digest.clone(), below.copied().unwrap_or(0) + own);
        } else {
            waiting.push((node.clone(), true));
            waiting.extend(node.children.iter().filter(|c| c.kind == NodeKind::Index).map(|c| (c.clone(), false)));
            waiting.extend(node.children.iter().filter(|c| c.kind == NodeKind::Image).map(|c| (c.clone(), false)));
        }
    }
    let height = |node: &Node| heights.get(&node.digest).copied().unwrap_or(0);
    let highest = manifests.iter().map(|node| height(node)).max().unwrap_or(0);
    let group = |h: usize| manifests.iter().filter(move |node| height(node) == h).cloned().collect::<Vec<_>>();
    (0..=highest).map(group).filter(|group| !group.is_empty()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing;

    #[test]
    fn a_walk_meets_each_node_once_and_stops_where_it_is_told() {
        let content = testing::content();
        let index = content.nodes.get("index").unwrap();
        let mut walk = Walk::default();
        walk.descend(index, &|node| node.kind != NodeKind::Phantom);
        let all = walk.nodes.len();
        walk.descend(index, &|_| true);
        assert_eq!(walk.nodes.len(), all, "what was met is not entered again");
        let mut walk = Walk::default();
        walk.descend(index, &|node| node.name != "amd64");
        assert!(walk.nodes.iter().all(|node| !node.name.starts_with("amd64")));
    }

    #[test]
    fn what_is_named_is_put_before_what_names_it() {
        let content = testing::content();
        let node = |name: &str| content.nodes.get(name).unwrap().clone();
        let groups = by_height(&[node("outer"), node("index"), node("amd64"), node("arm64")]);
        let names: Vec<Vec<&str>> = groups.iter().map(|g| g.iter().map(|n| n.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["amd64", "arm64"], vec!["index"], vec!["outer"]]);
        assert!(by_height(&[]).is_empty());
    }
}
