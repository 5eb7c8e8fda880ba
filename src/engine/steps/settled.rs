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
use crate::suite::model::Settled;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Settled) -> Result<(), Halt> {
    let node = case.node(&what.manifest)?;
    let Some(put) = case.facts.last_put(here.nickname(), &node).cloned() else {
        return Err(case.unusable(format!("{} was never put, so there is nothing to keep to", what.manifest)));
    };
    let tag = &*here.tag(case, what.tag.as_deref())?;
    let by_tag = put.tag.as_deref() == Some(tag);
    let mut questions = Vec::new();
    let mut add = |by: By<'_>, node: &Arc<Node>, get: &str, head: &str| -> Result<(), Halt> {
        questions.push(question(case, here, "GET", by, node, get)?);
        questions.push(question(case, here, "HEAD", by, node, head)?);
        Ok(())
    };
    if is_yes(put.status) {
        match case.older_than(here.nickname(), &node).map(Barrier::law) {
            // What must outlast a barrier no sentence about the push says.
            Some(law) => {
                let (served, head) = (format!("{law}-served"), format!("{law}-served-head"));
                add(By::Digest, &node, &served, &head)?;
                if by_tag {
                    add(By::Tag(tag), &node, &format!("{law}-tagged"), &head)?;
                }
            }
            None => {
                add(By::Digest, &node, "kept", "kept-head")?;
                if by_tag {
                    add(By::Tag(tag), &node, "kept", "kept-head")?;
                }
            }
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
        if put.stored_before {
            add(By::Digest, &node, "kept", "kept-head")?;
        } else {
            add(By::Digest, &node, "not-stored", "not-stored-head")?;
        }
        match &put.older {
            Some(older) if by_tag => questions.push(question(case, here, "GET", By::Tag(tag), older, "tag-untouched")?),
            None if by_tag => add(By::Tag(tag), &node, "not-stored", "not-stored-head")?,
            _ => {}
        }
    }
    case.ask(questions).await.map(|_| ())
}

#[derive(Clone, Copy)]
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
    bundle: &str,
) -> Result<Question, Halt> {
    let verb = method.to_ascii_lowercase();
    let (label, reference, subject) = match by {
        By::Digest => (format!("{verb} {} by digest", node.name), node.digest.as_str(), about(node)),
        By::Tag(tag) => {
            let subject = Subject { node: Some(node.clone()), ..Subject::default() };
            (format!("{verb} {} by tag {tag}", node.name), tag, subject)
        }
    };
    Ok(Question {
        subject,
        expect: here.expect_or(case, bundle)?,
        ..here.question(label, here.manifest_ask(case, Some(node), method, reference)?)
    })
}
