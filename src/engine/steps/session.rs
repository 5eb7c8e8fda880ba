//! `session`: an upload request by request.

use super::raw::in_chunks;
use super::upload::{self, Way};
use super::{Here, expand};
use crate::content::Body;
use crate::engine::ask::{Asked, Expected, Question};
use crate::engine::case::{Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::facts::is_yes;
use crate::suite::model::{SessionRequest, SessionStep};
use crate::wire::{Ask, AskBody, Failure, FailureKind};

pub async fn run(case: &mut Case, here: &Here<'_>, what: &SessionStep) -> Result<(), Halt> {
    let repository = case.repository(here.nickname())?;
    let key = (here.nickname().to_owned(), what.name.clone());
    let query = what.query.as_ref().map(|text| expand(case, here.nickname(), None, text)).transpose()?;
    let place = match (what.r#do, case.uploads.get(&key)) {
        (SessionRequest::Open, _) => format!("/v2/{repository}/blobs/uploads/"),
        (_, Some(location)) => location.clone(),
        // It was not begun, which was said where it was.
        (_, None) => return Err(Halt::Meaningless),
    };
    let question = match (what.r#do, &what.blob) {
        (SessionRequest::Chunk | SessionRequest::Close, Some(blob)) => {
            let node = case.node(blob)?;
            let way = Way::plain(case, here, repository, &node, here.expect.clone())?;
            sent(&way, what, &place, query.as_deref()).map_err(|problem| case.unusable(problem))?
        }
        _ => {
            let (method, label, reads) = match what.r#do {
                SessionRequest::Ask => ("GET", "ask where the upload stands", true),
                SessionRequest::Cancel => ("DELETE", "cancel the upload", false),
                _ => ("POST", "begin an upload", false),
            };
            let target = query.map_or(place.clone(), |query| upload::with_query(&place, &query));
            let ask = here.finish(case, None, Ask::new(method, &target), &["pull", "push"])?;
            let subject = Subject { node: None, path_digest: None, range: None };
            Question { subject, expect: here.expect.clone(), reads, ..here.question(label, ask) }
        }
    };
    let asked = case.run.sender.ask(&question).await.map_err(|error| case.unwritten(&error))?;
    if is_unanswered(&question, &asked) {
        case.remember(&question, &asked);
        case.push_unnamed(&question.label, asked.exchange);
        return Ok(());
    }
    let answered = asked.exchange.response().filter(|response| (200..300).contains(&response.status));
    let next = answered.and_then(|response| response.location.clone());
    let answer = case.take(&question, asked).await?;
    match (what.r#do, next) {
        // What follows is for an upload that is over.
        (SessionRequest::Close | SessionRequest::Cancel, _) => {}
        (_, Some(location)) => drop(case.uploads.insert(key, location.0)),
        (SessionRequest::Open, None) => drop(case.uploads.remove(&key)),
        (_, None) => {}
    }
    if what.r#do == SessionRequest::Close
        && let Some(digest) = &question.subject.path_digest
    {
        case.facts.at(here.nickname()).blob(digest, answer.status);
    }
    if what.r#do != SessionRequest::Ask {
        Case::must_hold(&[answer])?;
    }
    // Refused where that is lawful: what follows speaks of an upload that is not there.
    let refused = is_hoped_for(&here.expect) && !is_yes(answer.status) && !question.ask.is_cut_short();
    if refused { Err(Halt::Meaningless) } else { Ok(()) }
}

/// Whether the registry closed the connection on a request that ended before its Content-Length: nobody owes an answer to that.
fn is_unanswered(question: &Question, asked: &Asked) -> bool {
    let ended = |failure: &Failure| matches!(failure.kind, FailureKind::Closed | FailureKind::Timeout);
    question.ask.is_cut_short() && asked.exchange.result.as_ref().is_err_and(ended)
}

/// Whether a success is among the answers that the step lets pass.
fn is_hoped_for(expect: &Expected) -> bool {
    let mut statuses = expect.iter().filter_map(|expectation| expectation.assertion.status.as_ref());
    statuses.any(|allowed| (200..300).any(|status| allowed.contains(status)))
}

/// A request that sends bytes of a blob, or ends its upload.
fn sent(way: &Way, what: &SessionStep, place: &str, query: Option<&str>) -> Result<Question, String> {
    let span = what.span()?;
    let whole = if what.r#do == SessionRequest::Chunk { (0, way.node.size) } else { (0, 0) };
    let (first, length) = span.unwrap_or(whole);
    if first.checked_add(length).is_none_or(|end| end > way.node.size) {
        return Err(format!("{} has {} bytes", way.node.name, way.node.size));
    }
    if matches!(way.node.body, Body::None) {
        return Err(format!("{} has no bytes to be sent", way.node.name));
    }
    let mut body = if length == 0 { AskBody::Empty } else { way.body(first, length) };
    if let Some(size) = what.chunks {
        body = AskBody::Bytes(in_chunks(&body, size));
    }
    let mut question = match what.r#do {
        SessionRequest::Chunk => way.question("a chunk", "PATCH", place, body),
        _ => {
            let digest = format!("digest={}", way.node.digest);
            let query = query.unwrap_or(&digest);
            let target = if query.is_empty() { place.to_owned() } else { upload::with_query(place, query) };
            way.closing(way.question("close", "PUT", &target, body))
        }
    };
    let says = match &what.says {
        Some(text) => Some(text.clone()).filter(|text| text != "none"),
        None if length > 0 && (span.is_some() || what.r#do == SessionRequest::Chunk) => {
            Some(format!("{first}-{}", first + length - 1))
        }
        None => None,
    };
    if what.chunks.is_some() {
        upload::set(&mut question.ask, "Transfer-Encoding", "chunked");
        question.ask.as_written = true;
    }
    if let Some(says) = says {
        upload::set(&mut question.ask, "Content-Range", &says);
    }
    Ok(question)
}
