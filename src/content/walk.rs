//! Finding one's way through built content: nodes by name, and what they reach, in the order of a push.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Body, Content, Node, NodeKind};
use crate::near::nearest;

/// A name that no node has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no node of the fixture is named `{name}`{}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct UnknownNode {
    /// The name.
    pub name: String,
    /// The nearest name that there is, where one is near.
    pub near: Option<String>,
}

impl Content {
    /// The node of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, name: &str) -> Result<&Arc<Node>, UnknownNode> {
        self.nodes
            .get(name)
            .ok_or_else(|| UnknownNode { name: name.to_owned(), near: self.nearest(name).map(str::to_owned) })
    }

    /// The name that is nearest to `name`, where one is near at all.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.nodes.values().filter(|node| node.kind != NodeKind::Phantom).map(|node| node.name.as_str()))
    }

    /// The named nodes and all that they name, each once, what is named before what names it: the order of a push.
    /// Phantoms are among them; subjects are not, unless they are children too.
    ///
    /// # Errors
    /// A name that no node has.
    pub fn reachable<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<Arc<Node>>, UnknownNode> {
        self.reachable_except::<S, S>(names, &[])
    }

    /// As [`Content::reachable`], without the nodes of `except` and what only they reach.
    ///
    /// # Errors
    /// A name that no node has, in either list.
    pub fn reachable_except<S: AsRef<str>, E: AsRef<str>>(
        &self,
        names: &[S],
        except: &[E],
    ) -> Result<Vec<Arc<Node>>, UnknownNode> {
        let mut walk = Walk::without(self, except)?;
        for name in names {
            walk.down(self.node(name.as_ref())?);
        }
        Ok(walk.found)
    }

    /// Everything below the named nodes, but not these themselves (unless another one names them), without the nodes of
    /// `except` and what only they reach; in the order of a push.
    ///
    /// # Errors
    /// A name that no node has, in either list.
    pub fn below<S: AsRef<str>, E: AsRef<str>>(
        &self,
        names: &[S],
        except: &[E],
    ) -> Result<Vec<Arc<Node>>, UnknownNode> {
        let mut walk = Walk::without(self, except)?;
        for name in names {
            for child in &self.node(name.as_ref())?.children {
                walk.down(child);
            }
        }
        Ok(walk.found)
    }

    /// The named images, each behind its config and layers; everything once. Of an index: itself, and the blobs that it
    /// names directly, not its manifests.
    ///
    /// # Errors
    /// A name that no node has.
    pub fn images<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<Arc<Node>>, UnknownNode> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for name in names {
            let image = self.node(name.as_ref())?;
            for node in image.children.iter().filter(|child| child.kind == NodeKind::Blob).chain([image]) {
                if seen.insert(node.name.as_str()) {
                    found.push(Arc::clone(node));
                }
            }
        }
        Ok(found)
    }
}

struct Walk<'c> {
    seen: BTreeSet<&'c str>,
    found: Vec<Arc<Node>>,
}

impl<'c> Walk<'c> {
    /// A walk that passes by `except` as if it had been there already.
    fn without<E: AsRef<str>>(content: &'c Content, except: &[E]) -> Result<Walk<'c>, UnknownNode> {
        let seen = except.iter().map(|name| content.node(name.as_ref()).map(|node| node.name.as_str()));
        Ok(Walk { seen: seen.collect::<Result<_, _>>()?, found: Vec::new() })
    }

    /// Recursion is as deep as the graph, which has a limit.
    fn down(&mut self, node: &'c Arc<Node>) {
        if self.seen.insert(&node.name) {
            for child in &node.children {
                self.down(child);
            }
            self.found.push(Arc::clone(node));
        }
    }
}

impl Node {
    /// Whether it is put to `/manifests/`: an image or an index. A phantom is none, since nobody can put it.
    pub fn is_manifest(&self) -> bool {
        matches!(self.kind, NodeKind::Image | NodeKind::Index)
    }

    /// The bytes where they are held in memory: of manifests and configs.
    pub fn bytes(&self) -> Option<&bytes::Bytes> {
        match &self.body {
            Body::Bytes(bytes) => Some(bytes),
            Body::Generated(_) | Body::None => None,
        }
    }
}

/// The blobs among `nodes`, in their order.
pub fn blobs(nodes: &[Arc<Node>]) -> impl Iterator<Item = &Arc<Node>> {
    nodes.iter().filter(|node| node.kind == NodeKind::Blob)
}

/// The images and indexes among `nodes`, in their order.
pub fn manifests(nodes: &[Arc<Node>]) -> impl Iterator<Item = &Arc<Node>> {
    nodes.iter().filter(|node| node.is_manifest())
}

/// The phantoms among `nodes`, in their order.
pub fn phantoms(nodes: &[Arc<Node>]) -> impl Iterator<Item = &Arc<Node>> {
    nodes.iter().filter(|node| node.kind == NodeKind::Phantom)
}
