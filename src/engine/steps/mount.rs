//! `mount`: a blob from another repository.

use super::{Here, query};
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
    if let Some(session) = session {
        // The upload that was offered instead is not wanted; a registry that cannot cancel it lets it expire.
        let mut cancel = Ask::new("DELETE", &session.0);
        cancel.scopes.clone_from(&question.ask.scopes);
        let (exchange, _) = case.run.sender.send(question.at, &cancel).await;
        case.push_unnamed(&format!("{}: cancel the session", question.label), exchange);
    }
    if mounted || !is_yes(answer.status) {
        case.facts.at(here.nickname()).blob(&node.digest, answer.status);
    }
    Case::must_hold(&[answer])
}
