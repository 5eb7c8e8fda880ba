//! `settled`: whatever the last put was answered, the registry keeps to it.

use std::sync::Arc;

use super::pull::{about, manifest};
use super::{Here, blob};
use crate::content::{Node, NodeKind};
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::facts::{is_no, is_yes};
use crate::suite::barrier::Barrier;
use crate::suite::model::{Nodes, Settled};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Settled) -> Result<(), Halt> {
    let node = case.node(&what.manifest)?;
    let Some(put) = case.facts.last_put(here.nickname(), &node).cloned() else {
        return Err(case.unusable(format!("{} was never put, so there is nothing to keep to", what.manifest)));
    };
    let tag = &*here.tag(case, what.tag.as_deref())?;
    let by_tag = put.tag.as_deref() == Some(tag);
    let mut questions = Vec::new();
    let both = |by: By<'_>, of: &Arc<Node>, law: Law| -> Result<[Question; 2], Halt> {
        Ok([question(case, here, "GET", by, of, law)?, question(case, here, "HEAD", by, of, law)?])
    };
    if is_yes(put.status) {
        questions.extend(both(By::Digest, &node, Law::Kept)?);
        if by_tag {
            questions.extend(both(By::Tag(tag), &node, Law::Kept)?);
        }
        // What was there after the acknowledgement is named by what was acknowledged.
        let seen =
            |child: &&Arc<Node>| case.facts.of(here.nickname()).is_some_and(|known| known.was_seen(&child.digest));
        for child in node.children.iter().filter(|_| what.children).filter(seen) {
            questions.push(match child.kind {
                NodeKind::Blob => {
                    let (label, expect) = (format!("get blob {}", child.name), case.bundle("named-blob")?);
                    blob::question(case, here, "GET", child.digest.as_str(), about(child), label, expect)?
                }
                _ => Question { expect: case.bundle("named")?, ..manifest(case, here, child, "GET", "named")? },
            });
        }
    } else if is_no(put.status) {
        let law = if put.stored_before { Law::Kept } else { Law::NotStored };
        questions.extend(both(By::Digest, &node, law)?);
        match &put.older {
            Some(older) if by_tag => questions.push(question(case, here, "GET", By::Tag(tag), older, Law::Untouched)?),
            None if by_tag => questions.extend(both(By::Tag(tag), &node, Law::NotStored)?),
            _ => {}
        }
    }
    case.ask(questions).await?;
    if what.graph && by_tag && is_yes(put.status) {
        let below = Nodes { graphs: vec![what.manifest.clone()], ..Nodes::default() };
        super::pull::run(case, here, &below).await?;
    }
    Ok(())
}

/// What holds of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    Kept,
    NotStored,
    Untouched,
}

impl Law {
    /// The bundle by which it is asked; of what was acknowledged before a barrier that of the barrier, as in `pull`.
    fn bundle(self, method: &str, by: By<'_>, passed: Option<Barrier>) -> String {
        let head = if method == "HEAD" { "-head" } else { "" };
        match (self, passed, by) {
            (Law::NotStored, ..) => format!("not-stored{head}"),
            (_, Some(barrier), By::Tag(_)) => format!("{}-tagged{head}", barrier.law()),
            (_, Some(barrier), By::Digest) => format!("{}-served{head}", barrier.law()),
            (Law::Kept, None, _) => format!("kept{head}"),
            (Law::Untouched, None, _) => "tag-untouched".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum By<'a> {
    Tag(&'a str),
    Digest,
}

fn question(
    case: &Case,
    here: &Here<'_>,
    method: &str,
    by: By<'_>,
    node: &Arc<Node>,
    law: Law,
) -> Result<Question, Halt> {
    let verb = method.to_ascii_lowercase();
    let (label, reference, subject) = match by {
        By::Digest => (format!("{verb} {} by digest", node.name), node.digest.as_str(), about(node)),
        By::Tag(tag) => {
            let subject = Subject { node: Some(node.clone()), ..Subject::default() };
            (format!("{verb} {} by tag {tag}", node.name), tag, subject)
        }
    };
    let passed = case.older_than(here.nickname(), node);
    Ok(Question {
        subject,
        expect: here.expect_or(case, &law.bundle(method, by, passed))?,
        ..here.question(label, here.manifest_ask(case, Some(node), method, reference)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_before_a_barrier_is_asked_by_its_law() {
        let gc = Some(Barrier::Gc);
        assert_eq!(Law::Kept.bundle("GET", By::Tag("a"), None), "kept");
        assert_eq!(Law::Kept.bundle("HEAD", By::Digest, None), "kept-head");
        assert_eq!(Law::Kept.bundle("GET", By::Tag("a"), gc), "gc-tagged");
        assert_eq!(Law::Kept.bundle("HEAD", By::Digest, Some(Barrier::Kill)), "restart-served-head");
        assert_eq!(Law::NotStored.bundle("HEAD", By::Digest, gc), "not-stored-head");
        assert_eq!(Law::Untouched.bundle("GET", By::Tag("a"), None), "tag-untouched");
        assert_eq!(Law::Untouched.bundle("GET", By::Tag("a"), gc), "gc-tagged");
    }
}
