//! `pull`: every present node below the named ones, to the last byte.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::walk::Walk;
use super::{Here, blob};
use crate::content::digest::Digest;
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
    let images = nodes.iter().filter(|node| node.kind == NodeKind::Image);
    let of_images: BTreeSet<&Digest> = images.flat_map(|image| &image.children).map(|child| &child.digest).collect();
    let mut questions = Vec::new();
    for node in &nodes {
        if node.kind == NodeKind::Blob {
            let subject = about(node);
            // The image-spec's children of an index are manifests (image-index.md, `manifests`): no sentence makes a collector
            // follow a blob that only an index names.
            let of_index = !what.blobs.contains(&node.name) && !of_images.contains(&node.digest);
            let expect = match case.older_than(here.nickname(), node) {
                Some(Barrier::Gc) if of_index => case.bundle("gc-served-index-blob")?,
                _ => case.bundle_of(here.nickname(), node, "served-blob")?,
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
