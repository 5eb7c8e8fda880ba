//! `upload`: one blob in a named way, and how `push` uploads blobs.
//!
//! An upload is a chain of requests, each at the place that the answer before it named. The last answer is the one that
//! the step's expectations speak of; one on the way that is not what the spec says is reported under the strongest of
//! them.

use std::sync::Arc;

use super::{Here, resume};
use crate::content::digest::Digest;
use crate::content::{Body, Node};
use crate::engine::ask::{Asked, Expected, Question, Sender};
use crate::engine::case::{Answer, Case, Halt};
use crate::engine::expect::Subject;
use crate::engine::journal::{Kind, Thing};
use crate::suite::model::{Upload, UploadHow};
use crate::suite::requirement::Level;
use crate::suite::side::Side;
use crate::wire::{Ask, AskBody};

/// Bytes of a chunk where the step does not say.
const CHUNK: u64 = 64 * 1024;

/// Chunks of one upload at most: a registry's `OCI-Chunk-Min-Length` and the blob decide, within reason.
const MOST_CHUNKS: u64 = 4096;

pub async fn run(case: &mut Case, here: &Here<'_>, what: &Upload) -> Result<(), Halt> {
    let node = case.node(&what.blob)?;
    let claim = what.claim.as_deref().map(|name| case.node(name)).transpose()?;
    let repository = case.repository(here.nickname())?;
    let expect = here.expect_or(case, "blob-pushed")?;
    let way = Way {
        label: format!("upload {}", what.blob),
        claim: claim.map(|node| node.digest.clone()),
        how: what.how,
        chunk: what.chunk,
        stop_after: what.stop_after,
        ..Way::plain(case, here, repository, &node, expect)?
    };
    let from = if what.resume { resume::stands(case, &way).await? } else { None };
    let sent = match from {
        Some(session) => go_on(&case.run.sender, &way, session, Vec::new()).await,
        None => upload(&case.run.sender, &way).await,
    };
    let answer = take(case, &way, sent).await?;
    Case::must_hold(&[answer])
}

/// An upload that is not finished.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine) struct Session {
    /// Where it goes on.
    pub location: String,
    /// Bytes that the registry has.
    pub sent: u64,
    /// Bytes of a chunk at least, but for the last: `OCI-Chunk-Min-Length` (v1.1.1 L336-339).
    pub least: u64,
}

/// What was sent of an upload.
pub(super) struct Sent {
    legs: Vec<Leg>,
    /// Where it was left on purpose.
    open: Option<Session>,
}

/// What is uploaded, where to and how.
#[derive(Clone)]
pub(super) struct Way {
    /// For reports.
    pub label: String,
    /// The repository's nickname.
    pub nickname: String,
    /// The server that is asked.
    pub at: Side,
    /// Its full name.
    pub repository: String,
    /// The blob.
    pub node: Arc<Node>,
    /// A digest to claim instead of its own.
    pub claim: Option<Digest>,
    /// The way.
    pub how: UploadHow,
    /// Bytes of a chunk.
    pub chunk: Option<u64>,
    /// Chunks after which it is left.
    pub stop_after: Option<u64>,
    /// What is expected of the last answer.
    pub expect: Expected,
    /// Header lines of the step, sent with every request.
    pub headers: Vec<(String, String)>,
}

/// One request of the chain.
pub(super) struct Leg {
    question: Question,
    asked: Asked,
    /// Whether it is the one that the expectations speak of.
    is_last: bool,
}

impl Way {
    /// A blob under its own digest, by POST and PUT.
    ///
    /// # Errors
    /// The step's header lines name what the case does not have.
    pub(super) fn plain(
        case: &Case,
        here: &Here<'_>,
        repository: String,
        node: &Arc<Node>,
        expect: Expected,
    ) -> Result<Way, Halt> {
        Ok(Way {
            label: format!("push {}", node.name),
            nickname: here.nickname().to_owned(),
            at: here.step.at,
            repository,
            node: node.clone(),
            claim: None,
            how: UploadHow::PostPut,
            chunk: None,
            stop_after: None,
            expect,
            headers: here.headers(case, Some(node))?,
        })
    }

    fn digest(&self) -> &Digest {
        self.claim.as_ref().unwrap_or(&self.node.digest)
    }

    pub(super) fn question(&self, part: &str, method: &str, target: &str, body: AskBody) -> Question {
        let label = if part.is_empty() { self.label.clone() } else { format!("{}: {part}", self.label) };
        let mut ask = Ask::new(method, target).body(body);
        ask.scopes = vec![format!("repository:{}:pull,push", self.repository)];
        ask.headers.clone_from(&self.headers);
        if !matches!(ask.body, AskBody::Empty) {
            set(&mut ask, "Content-Type", "application/octet-stream");
        }
        Question {
            subject: Subject { node: Some(self.node.clone()), path_digest: None, range: None },
            expect: self.expect.clone(),
            reads: false,
            ..Question::new(label, &self.nickname, self.at, ask)
        }
    }

    /// Makes a question the one by which the blob comes into being.
    pub(super) fn closing(&self, mut question: Question) -> Question {
        let thing = |digest: &Digest| Thing {
            kind: Kind::Blob,
            repository: self.repository.clone(),
            reference: digest.to_string(),
        };
        question.subject.path_digest = Some(self.digest().clone());
        question.creates = vec![thing(&self.node.digest)];
        if let Some(claim) = &self.claim {
            question.creates.push(thing(claim));
        }
        question
    }

    pub(super) fn body(&self, offset: u64, length: u64) -> AskBody {
        match &self.node.body {
            Body::Generated(source) => AskBody::Generated { source: source.clone(), offset, length },
            Body::Bytes(bytes) => {
                let end = usize::try_from(offset + length).unwrap_or(usize::MAX).min(bytes.len());
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(end);
                AskBody::Bytes(bytes.slice(start..end))
            }
            Body::None => AskBody::Empty,
        }
    }
}

pub(super) fn set(ask: &mut Ask, name: &str, value: &str) {
    if !ask.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
        ask.headers.push((name.into(), value.into()));
    }
}

/// `location` with the digest in its query.
fn with_digest(location: &str, digest: &Digest) -> String {
    with_query(location, &format!("digest={digest}"))
}

/// `location` with more in its query.
pub(super) fn with_query(location: &str, query: &str) -> String {
    let joint = match location.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{location}{joint}{query}")
}

/// Uploads a blob, as far as the answers lead on.
///
/// # Errors
/// The journal cannot be written.
pub(super) async fn upload(sender: &Sender, way: &Way) -> std::io::Result<Sent> {
    let mut legs = Vec::new();
    let mut post = format!("/v2/{}/blobs/uploads/", way.repository);
    let start = if way.how == UploadHow::Post {
        post = with_digest(&post, way.digest());
        way.closing(way.question("POST", "POST", &post, way.body(0, way.node.size)))
    } else {
        way.question("open a session", "POST", &post, AskBody::Empty)
    };
    let asked = sender.ask(&start).await?;
    // A registry without single POST answers with a session (L310).
    if way.how == UploadHow::Post && asked.status() != Some(202) {
        legs.push(Leg { question: start, asked, is_last: true });
        return Ok(Sent { legs, open: None });
    }
    let least = asked.exchange.response().and_then(|r| r.header("oci-chunk-min-length")?.trim().parse::<u64>().ok());
    let Some(location) = lead(&mut legs, start, asked) else { return Ok(Sent { legs, open: None }) };
    go_on(sender, way, Session { location, sent: 0, least: least.unwrap_or(0) }, legs).await
}

/// Goes on with a session, to its end or to where it is left.
///
/// # Errors
/// The journal cannot be written.
pub(super) async fn go_on(sender: &Sender, way: &Way, session: Session, mut legs: Vec<Leg>) -> std::io::Result<Sent> {
    let Session { mut location, sent: mut offset, least } = session;
    let mut chunks = 0;
    if way.how == UploadHow::Chunked {
        let even = way.node.size.div_ceil(MOST_CHUNKS);
        let chunk = way.chunk.unwrap_or(CHUNK).max(least).max(even).max(1);
        while offset < way.node.size {
            let length = chunk.min(way.node.size - offset);
            let mut patch = way.question("a chunk", "PATCH", &location, way.body(offset, length));
            set(&mut patch.ask, "Content-Range", &format!("{offset}-{}", offset + length - 1));
            let asked = sender.ask(&patch).await?;
            let Some(next) = lead(&mut legs, patch, asked) else { return Ok(Sent { legs, open: None }) };
            location = next;
            offset += length;
            chunks += 1;
            if way.stop_after == Some(chunks) {
                legs.iter_mut().last().into_iter().for_each(|leg| leg.is_last = true);
                return Ok(Sent { legs, open: Some(Session { location, sent: offset, least }) });
            }
        }
    }
    let body = if way.how == UploadHow::Chunked { AskBody::Empty } else { way.body(0, way.node.size) };
    let close = way.closing(way.question("", "PUT", &with_digest(&location, way.digest()), body));
    let asked = sender.ask(&close).await?;
    legs.push(Leg { question: close, asked, is_last: true });
    Ok(Sent { legs, open: None })
}

/// Takes an answer on the way; where it leads on, the place that it names.
fn lead(legs: &mut Vec<Leg>, question: Question, asked: Asked) -> Option<String> {
    let response = asked.exchange.response().filter(|r| r.status == 202);
    let location = response.and_then(|r| Some(r.location.as_ref()?.0.clone()));
    legs.push(Leg { question, asked, is_last: false });
    location
}

/// Judges an upload, and writes down what was acknowledged.
pub(super) async fn take(case: &mut Case, way: &Way, sent: std::io::Result<Sent>) -> Result<Answer, Halt> {
    let Sent { legs, open } = sent.map_err(|error| case.unwritten(&error))?;
    if let Some(session) = open {
        case.sessions.insert((way.nickname.clone(), way.node.digest.clone()), session);
    }
    let mut last = Answer { status: None, broken: None };
    for Leg { question, asked, is_last } in legs {
        if is_last || is_allowed(&question.expect, asked.status()) {
            last = case.take(&question, asked).await?;
            // An upload that was left has no blob yet.
            if !question.creates.is_empty() {
                case.facts.at(&way.nickname).blob(way.digest(), last.status);
            }
        } else {
            last = Answer { status: None, broken: on_the_way(case, &question, &asked)? };
        }
    }
    Ok(last)
}

/// Whether a refusal on the way is one that the step allows of the last answer: then it is that.
fn is_allowed(expect: &Expected, status: Option<u16>) -> bool {
    let mut statuses = expect.iter().filter_map(|expectation| expectation.assertion.status.as_ref()).peekable();
    let Some(status) = status.filter(|status| *status >= 400) else { return false };
    statuses.peek().is_some() && statuses.all(|allowed| allowed.contains(status))
}

/// Records an answer on the way: 202 and a Location, or it ends here.
fn on_the_way(case: &mut Case, question: &Question, asked: &Asked) -> Result<Option<Level>, Halt> {
    case.remember(question, asked);
    case.push_unnamed(&question.label, asked.exchange.clone());
    if let Some(halt) = case.no_answer(question, asked) {
        return Err(halt);
    }
    Ok(match asked.exchange.response() {
        None => case.detour(question, "status", "status 202", asked.wrong.clone().unwrap_or_default()),
        Some(r) if r.status != 202 => case.detour(question, "status", "status 202", format!("status {}", r.status)),
        Some(r) if r.location.is_none() => case.detour(question, "location", "a Location", "no Location".into()),
        Some(_) => None,
    })
}
