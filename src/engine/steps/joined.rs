//! `joined`: whatever was answered so far, also to requests that were under way at once, the registry keeps to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pages::{self, Of};
use super::pull::about;
use super::{Here, blob, literal};
use crate::content::{Node, NodeKind};
use crate::engine::ask::{Expected, Question};
use crate::engine::case::{Answer, Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::facts::{May, is_yes};
use crate::suite::assertion::ReferrersAre;
use crate::suite::model::{Expectation, Joined, TagSet};
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Joined) -> Result<(), Halt> {
    content(case, here).await?;
    let tags: Vec<(String, May)> = case
        .facts
        .of(here.nickname())
        .into_iter()
        .flat_map(|known| known.may_name())
        .map(|(tag, may)| (tag.to_owned(), may))
        .collect();
    let mut questions = Vec::new();
    for (tag, may) in &tags {
        questions.push(by_tag(case, here, tag, may)?);
    }
    let answers = case.ask(questions).await?;
    list(case, here, &tags, &answers).await?;
    for name in &what.referrers {
        referrers(case, here, name).await?;
    }
    Ok(())
}

/// Every manifest and blob that was written or deleted.
async fn content(case: &mut Case, here: &Here<'_>) -> Result<(), Halt> {
    let known: Vec<(Arc<Node>, Option<bool>)> = {
        let facts = case.facts.of(here.nickname());
        // By digest: the same content may have several names.
        let nodes = case.content.nodes.values().map(|node| ((node.kind == NodeKind::Blob, &node.digest), node));
        let nodes: BTreeMap<_, &Arc<Node>> = nodes.collect();
        let there = |node: &Node| facts.and_then(|facts| facts.is_there(node));
        // A blob that only a deleted manifest named is garbage, which a registry may collect at once.
        let named_by = |blob: &Arc<Node>, of: Option<bool>| {
            let names = |node: &&Arc<Node>| node.children.iter().any(|child| child.digest == blob.digest);
            case.content.nodes.values().filter(names).any(|node| there(node).is_some_and(|is| is == of))
        };
        let is = |node: &Arc<Node>, is: Option<bool>| {
            let left = node.kind == NodeKind::Blob && is == Some(true) && !named_by(node, Some(true));
            if left && (named_by(node, Some(false)) || named_by(node, None)) { None } else { is }
        };
        nodes.into_values().filter_map(|node| Some((node.clone(), is(node, there(node)?)))).collect()
    };
    let mut questions = Vec::new();
    for (node, there) in known {
        let is_blob = node.kind == NodeKind::Blob;
        let expect = case.bundle(match (there, is_blob) {
            (Some(true), false) => "joined-served",
            (Some(true), true) => "joined-served-blob",
            (Some(false), _) => "joined-gone",
            (None, false) => "joined-either",
            (None, true) => "joined-either-blob",
        })?;
        let label = format!("get {}", node.name);
        questions.push(if is_blob {
            blob::question(case, here, "GET", node.digest.as_str(), about(&node), label, expect)?
        } else {
            let ask = here.manifest_ask(case, Some(&node), "GET", node.digest.as_str())?;
            let label = format!("{label} by digest");
            Question { subject: about(&node), expect, ..here.question(label, ask) }
        });
    }
    case.ask(questions).await.map(|_| ())
}

/// A tag gives one of what it may name.
fn by_tag(case: &Case, here: &Here<'_>, tag: &str, may: &May) -> Result<Question, Halt> {
    let names: Vec<String> = may.name.iter().map(|node| node.name.clone()).collect();
    let bundle = match (names.is_empty(), may.be_gone) {
        (true, _) => "joined-untagged",
        (false, false) => "joined-tagged",
        (false, true) => "joined-tagged-or-not",
    };
    let expect = with(&case.bundle(bundle)?, |expectation| {
        // The bundle says `self`, and whatever was acknowledged is meant.
        expectation.assertion.one_of.iter_mut().for_each(|one_of| one_of.clone_from(&names));
    });
    let ask = here.manifest_ask(case, None, "GET", tag)?;
    let subject = Subject { node: may.name.first().cloned(), ..Subject::default() };
    Ok(Question { subject, expect, ..here.question(format!("get tag {tag}"), ask) })
}

/// The list has the tags that lead somewhere, and no others.
async fn list(case: &mut Case, here: &Here<'_>, tags: &[(String, May)], answers: &[Answer]) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    let (mut including, mut excluding) = (Vec::new(), Vec::new());
    for ((tag, may), answer) in tags.iter().zip(answers) {
        // Of a tag that may be there or not the registry has just said which.
        let there = if may.name.is_empty() || may.be_gone { is_yes(answer.status) } else { true };
        if there && !may.name.is_empty() { including.push(tag.clone()) } else { excluding.push(tag.clone()) }
    }
    let bundle = if including.is_empty() { "joined-no-tags" } else { "joined-tags" };
    let expect = with(&case.bundle(bundle)?, |expectation| {
        if let Some(tags) = &mut expectation.assertion.tags {
            tags.including = (!including.is_empty()).then(|| TagSet::Named(including.clone()));
            tags.excluding = (!excluding.is_empty()).then(|| TagSet::Named(excluding.clone()));
        }
    });
    let ask = here.finish(case, None, Ask::new("GET", &format!("/v2/{repository}/tags/list")), &["pull"])?;
    let question = Question { expect, ..here.question("list tags", ask) };
    let before = case.mismatches.len();
    let taken = pages::take(case, &question, None, Of::Tags { n: None }, true).await;
    steady(case, before, "tags");
    taken
}

/// The list of referrers has those that are there, and none that are gone.
async fn referrers(case: &mut Case, here: &Here<'_>, name: &str) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    let subject = case.node(name)?;
    let facts = case.facts.of(here.nickname());
    let names = |there: bool| -> Vec<String> {
        let refers = |node: &&Arc<Node>| node.subject.as_ref().is_some_and(|s| s.digest == subject.digest);
        let is = |node: &&Arc<Node>| facts.and_then(|facts| facts.is_there(node)).flatten() == Some(there);
        case.content.nodes.values().filter(refers).filter(is).map(|node| node.name.clone()).collect()
    };
    let are = ReferrersAre { including: Some(names(true)), excluding: Some(names(false)), ..ReferrersAre::default() };
    let expect = with(&case.bundle("joined-referrers")?, |expectation| {
        expectation.assertion.referrers.iter_mut().for_each(|expected| expected.clone_from(&are));
    });
    let target = format!("/v2/{repository}/referrers/{}", literal(subject.digest.as_str()));
    let ask = here.finish(case, Some(&subject), Ask::new("GET", &target), &["pull"])?;
    let label = format!("referrers of {name}");
    let question = Question { subject: about(&subject), expect, ..here.question(label, ask) };
    let before = case.mismatches.len();
    let taken = pages::take(case, &question, None, Of::Referrers, true).await;
    steady(case, before, "referrers");
    taken
}

/// A bundle, each expectation changed.
fn with(bundle: &Expected, change: impl Fn(&mut Expectation)) -> Expected {
    let mut expectations = bundle.to_vec();
    expectations.iter_mut().for_each(change);
    expectations.into()
}

/// Which of many are lost in a race is another thing in each run, and known failures must match: that is detail. What is
/// missing is said once.
fn steady(case: &mut Case, from: usize, key: &str) {
    let mut told: Vec<String> = Vec::new();
    let found = case.mismatches.split_off(from.min(case.mismatches.len()));
    for mut mismatch in found {
        if mismatch.key == key {
            let detail = format!("expected {}, got {}", mismatch.expected, mismatch.got);
            let got = mismatch.got.split_once(": ").map_or(mismatch.got.as_str(), |(kind, _)| kind).to_owned();
            if told.contains(&got) {
                continue;
            }
            told.push(got.clone());
            mismatch.expected = format!("the {key} that were acknowledged");
            mismatch.got = got;
            mismatch.diff = Some(detail);
        }
        case.mismatches.push(mismatch);
    }
}
