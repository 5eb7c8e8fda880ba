//! `pull`: every present node below the named ones, to the last byte.

use std::sync::Arc;

use super::walk::Walk;
use super::{Here, blob};
use crate::content::{Node, NodeKind};
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::suite::barrier::Barrier;
use crate::suite::model::Nodes;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Nodes) -> Result<(), Halt> {
    let mut walk = Walk::default();
    let present = |case: &Case, node: &Node| case.facts.is_present(here.nickname(), node);
    for name in what.images.iter().chain(&what.graphs) {
        let root = case.node(name)?;
        // An index may be gone and its children still there; what an image names may go with it.
        let enter = |node: &Node| node.kind == NodeKind::Index || present(case, node);
        walk.descend(&root, &enter);
    }
    for name in what.blobs.iter().chain(&what.manifests) {
        walk.add(&case.node(name)?);
    }
    let nodes: Vec<Arc<Node>> = walk.nodes.into_iter().filter(|node| present(case, node)).collect();
    let names_any = [&what.images, &what.graphs, &what.blobs, &what.manifests].iter().any(|names| !names.is_empty());
    if nodes.is_empty() && names_any {
        return Err(case.unusable("there is nothing to pull: none of it was pushed".into()));
    }
    let mut questions = Vec::new();
    for node in &nodes {
        if node.kind == NodeKind::Blob {
            let subject = about(node);
            let expect = match named_by_index_only(node, &nodes, what, case.older_than(here.nickname(), node)) {
                true => case.bundle("gc-served-index-blob")?,
                false => case.bundle_of(here.nickname(), node, "served-blob")?,
            };
            let label = format!("pull {}", node.name);
            questions.push(blob::question(case, here, "GET", node.digest.as_str(), subject, label, expect)?);
        } else {
            for (method, bundle) in [("GET", "served"), ("HEAD", "served-head")] {
                let expect = case.bundle_of(here.nickname(), node, bundle)?;
                questions.push(Question { expect, ..manifest(case, here, node, method, bundle)? });
            }
        }
    }
    case.ask(questions).await.map(|_| ())
}

/// Whether a blob is met only as the child of an index, behind a collection: the image-spec's children are manifests, so that
/// no sentence makes a collector follow others (image-index.md, `manifests`).
fn named_by_index_only(blob: &Node, met: &[Arc<Node>], what: &Nodes, passed: Option<Barrier>) -> bool {
    let image =
        |node: &&Arc<Node>| node.kind == NodeKind::Image && node.children.iter().any(|c| c.digest == blob.digest);
    passed == Some(Barrier::Gc) && !what.blobs.contains(&blob.name) && met.iter().find(image).is_none()
}

/// A question about a node, asked for by its digest.
pub(super) fn about(node: &Arc<Node>) -> Subject {
    Subject { node: Some(node.clone()), path_digest: Some(node.digest.clone()), range: None }
}

/// A read of a manifest by digest that expects a bundle.
pub(super) fn manifest(
    case: &Case,
    here: &Here<'_>,
    node: &Arc<Node>,
    method: &str,
    bundle: &str,
) -> Result<Question, Halt> {
    let verb = method.to_ascii_lowercase();
    Ok(Question {
        subject: about(node),
        expect: here.expect_or(case, bundle)?,
        ..here.question(
            format!("{verb} {} by digest", node.name),
            here.manifest_ask(case, Some(node), method, node.digest.as_str())?,
        )
    })
}
