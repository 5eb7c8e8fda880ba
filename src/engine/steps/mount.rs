//! `mount`: a blob from another repository.
//!
//! A registry may leave any mount to an upload (v1.1.1 L451). Where the step lets the mount be done, the blob is wanted: what
//! was not mounted is uploaded, as clients do, and the case goes on.

use std::sync::Arc;

use super::upload::{self, Session, Way};
use super::{Here, query};
use crate::content::Node;
use crate::engine::ask::Question;
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::facts::is_yes;
use crate::engine::journal::{Kind, Thing};
use crate::suite::model::Mount;
use crate::wire::Ask;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Mount) -> Result<(), Halt> {
    let node = case.node(&what.blob)?;
    let repository = case.repository(here.nickname())?;
    let mut target = format!("/v2/{repository}/blobs/uploads/?mount={}", node.digest);
    let mut label = format!("mount {}", what.blob);
    let mut scopes = vec![format!("repository:{repository}:pull,push")];
    if let Some(from) = &what.from {
        let source = case.repository(from)?;
        target.push_str(&format!("&from={}", query(&source)));
        scopes.push(format!("repository:{source}:pull"));
        label.push_str(&format!(" from {from}"));
    }
    let mut ask = here.finish(case, Some(&node), Ask::new("POST", &target), &[])?;
    ask.scopes = scopes;
    let thing = Thing { kind: Kind::Blob, repository, reference: node.digest.to_string() };
    let question = Question {
        subject: Subject { node: Some(node.clone()), path_digest: Some(node.digest.clone()), range: None },
        expect: here.expect.clone(),
        reads: false,
        creates: vec![thing],
        ..here.question(label, ask)
    };
    let asked = case.run.sender.ask(&question).await.map_err(|error| case.unwritten(&error))?;
    let session = asked.exchange.response().filter(|r| r.status == 202).and_then(|r| r.location.clone());
    let mounted = asked.status() == Some(201);
    let answer = case.take(&question, asked).await?;
    if mounted || !is_yes(answer.status) {
        case.facts.at(here.nickname()).blob(&node.digest, answer.status);
    }
    Case::must_hold(&[answer])?;
    if mounted {
        return Ok(());
    }
    if is_wanted(&question) {
        return instead(case, here, &node, &question, session.map(|session| session.0)).await;
    }
    if let Some(session) = session {
        // The upload that was offered instead is not wanted; a registry that cannot cancel it lets it expire.
        let mut cancel = Ask::new("DELETE", &session.0);
        cancel.scopes.clone_from(&question.ask.scopes);
        let (exchange, _) = case.run.sender.send(question.at, &cancel).await;
        case.push_unnamed(&format!("{}: cancel the session", question.label), exchange);
    }
    Ok(())
}

/// Whether the step lets the mount be done.
fn is_wanted(question: &Question) -> bool {
    question.expect.iter().filter_map(|e| e.assertion.status.as_ref()).all(|statuses| statuses.contains(201))
}

/// Uploads what was not mounted: in the session that was offered, or in one of its own.
async fn instead(
    case: &mut Case,
    here: &Here<'_>,
    node: &Arc<Node>,
    question: &Question,
    session: Option<String>,
) -> Result<(), Halt> {
    let way = Way {
        label: format!("{}: upload instead", question.label),
        ..Way::plain(case, here, case.repository(here.nickname())?, node, case.bundle("blob-pushed")?)?
    };
    let sender = case.run.sender.clone();
    let sent = match session {
        Some(location) => upload::go_on(&sender, &way, Session { location, sent: 0, least: 0 }, Vec::new()).await,
        None => upload::upload(&sender, &way).await,
    };
    let answer = upload::take(case, &way, sent).await?;
    Case::must_hold(&[answer])
}
