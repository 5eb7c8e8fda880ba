//! `absent`: everything below the named nodes that was never pushed here, or was deleted, is asked for by GET and HEAD.

use std::sync::Arc;

use super::pull::{about, manifest};
use super::walk::Walk;
use super::{Here, blob};
use crate::content::{Node, NodeKind};
use crate::engine::case::{Case, Halt};
use crate::suite::model::Nodes;
use crate::suite::side;

/// Of manifests that nobody has (an index may name thousands), so many are asked for: the first, the middle, the last, and
/// some between them.
const PHANTOMS: usize = 16;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Nodes) -> Result<(), Halt> {
    let mut walk = Walk::default();
    for name in what.images.iter().chain(&what.graphs) {
        walk.descend(&case.node(name)?, &|_| true);
    }
    for name in what.blobs.iter().chain(&what.manifests) {
        walk.add(&case.node(name)?);
    }
    let absent = walk.nodes.into_iter().filter(|node| case.facts.is_absent(here.nickname(), node));
    let (phantoms, others): (Vec<_>, Vec<_>) = absent.partition(|node| node.kind == NodeKind::Phantom);
    // Of two servers on one storage it is not the spec that says so.
    let skewed = side::is_skewed(&case.instance);
    let law = |name: &'static str| if skewed { "skew-gone" } else { name };
    let mut questions = Vec::new();
    for node in others.iter().chain(&sample(&phantoms)) {
        if node.kind == NodeKind::Blob {
            for (method, bundle) in [("GET", "missing-blob"), ("HEAD", "missing-blob-head")] {
                let expect = here.expect_or(case, law(bundle))?;
                let label = format!("{} blob {}", method.to_ascii_lowercase(), node.name);
                questions.push(blob::question(case, here, method, node.digest.as_str(), about(node), label, expect)?);
            }
        } else {
            questions.push(manifest(case, here, node, "GET", law("missing"))?);
            questions.push(manifest(case, here, node, "HEAD", law("missing-head"))?);
        }
    }
    case.ask(questions).await.map(|_| ())
}

/// At most [`PHANTOMS`] of them, evenly spread, the first and the last among them.
fn sample(nodes: &[Arc<Node>]) -> Vec<Arc<Node>> {
    if nodes.len() <= PHANTOMS {
        return nodes.to_vec();
    }
    let last = nodes.len() - 1;
    (0..PHANTOMS).filter_map(|i| nodes.get(i * last / (PHANTOMS - 1)).cloned()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::expect::testing;

    #[test]
    fn a_sample_has_both_ends() {
        let content = testing::wide(1000);
        let index = content.nodes.get("wide").unwrap();
        let some = sample(&index.children);
        assert_eq!(some.len(), PHANTOMS);
        assert_eq!(some.first().unwrap().digest, index.children.first().unwrap().digest);
        assert_eq!(some.last().unwrap().digest, index.children.last().unwrap().digest);
        assert_eq!(sample(&index.children[..3]).len(), 3);
    }
}
