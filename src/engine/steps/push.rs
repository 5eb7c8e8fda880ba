//! `push`: blobs first, then manifests by digest, what is named before what names it; referrers one after the other, since
//! some registries keep their list in one file and lose what comes at the same moment (olareg 0.2.2 now and then). Must succeed.

use std::sync::Arc;

use futures_util::StreamExt as _;

use super::Here;
use super::put::{self, Reference};
use super::upload::{self, Way};
use super::walk::{Walk, by_height};

use crate::content::{Node, NodeKind, UnknownNode};
use crate::engine::case::{Case, Halt, TOGETHER};
use crate::suite::model::Push;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Push) -> Result<(), Halt> {
    let mut walk = Walk::default();
    for node in wanted(case, what).map_err(|unknown| case.unusable(unknown.to_string()))? {
        // Nobody has a phantom.
        if node.kind != NodeKind::Phantom {
            walk.add(&node);
        }
    }
    let (blobs, manifests): (Vec<_>, Vec<_>) = walk.nodes.into_iter().partition(|node| node.kind == NodeKind::Blob);
    push_blobs(case, here, &blobs).await?;
    let groups = by_height(&manifests).into_iter().flat_map(|group| {
        let (referrers, others): (Vec<_>, Vec<_>) = group.into_iter().partition(|node| node.subject.is_some());
        std::iter::once(others).chain(referrers.into_iter().map(|node| vec![node]))
    });
    for group in groups.filter(|group| !group.is_empty()) {
        let mut questions = Vec::with_capacity(group.len());
        for node in &group {
            let expect = here.expect_or(case, "manifest-pushed")?;
            let under = Reference::Digest(node.digest.clone());
            let label = format!("push {}", node.name);
            questions.push(put::question(case, here, node, &under, Some(&node.media_type), label, expect)?);
        }
        let answers = case.ask(questions).await?;
        for (node, answer) in group.iter().zip(&answers) {
            put::note(case, here.nickname(), node, &Reference::Digest(node.digest.clone()), answer.status);
        }
        Case::must_hold(&answers)?;
    }
    Ok(())
}

fn wanted(case: &Case, what: &Push) -> Result<Vec<Arc<Node>>, UnknownNode> {
    let mut nodes = case.content.images(&what.images)?;
    for name in what.blobs.iter().chain(&what.manifests) {
        nodes.push(case.content.node(name)?.clone());
    }
    nodes.extend(case.content.reachable_except(&what.graphs, &what.except)?);
    nodes.extend(case.content.below(&what.children, &what.except)?);
    Ok(nodes)
}

async fn push_blobs(case: &mut Case, here: &Here<'_>, blobs: &[Arc<Node>]) -> Result<(), Halt> {
    let expect = here.expect_or(case, "blob-pushed")?;
    let repository = case.repository(here.nickname())?;
    let way = |node| Way::plain(case, here, repository.clone(), node, expect.clone());
    let ways: Vec<Way> = blobs.iter().map(way).collect::<Result<_, _>>()?;
    let sender = &case.run.sender;
    let uploading: Vec<_> = ways.iter().map(|way| upload::upload(sender, way)).collect();
    let legs: Vec<_> = futures_util::stream::iter(uploading).buffered(TOGETHER).collect().await;
    let mut answers = Vec::new();
    let mut halt = None;
    for (way, legs) in ways.iter().zip(legs) {
        match upload::take(case, way, legs).await {
            Ok(answer) => answers.push(answer),
            Err(why) => halt = halt.or(Some(why)),
        }
    }
    halt.map_or_else(|| Case::must_hold(&answers), Err)
}
