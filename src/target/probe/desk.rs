//! The probe's desk: every request goes over it, is counted, journaled where it creates something, and answered with a
//! line of evidence.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Pace;
use super::answer::Answer;
use super::asks::{algorithm, blob, body_of, manifest, with_digest};
use crate::content::digest::Digest;
use crate::content::{Node, NodeKind};
use crate::engine::ask::{busy, is_answered};
use crate::engine::journal::{Journal, Kind, Thing};
use crate::wire::{Ask, Client, Exchange, FailureKind, Secret, Who};

/// Pauses between two looks at something that is still in its old state.
const PAUSE: Duration = Duration::from_millis(25);

/// How often a registry that has no time is asked again: many a one counts requests, and the probe's come at once.
const BUSY: usize = 4;

/// What a late answer is late after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// A write.
    Read,
    /// A delete.
    Delete,
}

impl Window {
    /// Whether an answer shows that the write, or the delete, was done.
    fn shows(self, answer: &Answer) -> bool {
        match self {
            Window::Read => answer.is_success(),
            Window::Delete => answer.is(404),
        }
    }
}

/// Why something could not be pushed that a question needs to be there.
#[derive(Debug)]
pub(super) struct NotPushed {
    pub(super) evidence: String,
    /// Whether the registry refused it, rather than failed.
    pub(super) refused: bool,
}

impl From<String> for NotPushed {
    fn from(evidence: String) -> NotPushed {
        NotPushed { evidence, refused: false }
    }
}

impl From<NotPushed> for String {
    fn from(not: NotPushed) -> String {
        not.evidence
    }
}

fn acknowledged(answer: &Answer) -> Result<(), NotPushed> {
    if answer.is_success() { Ok(()) } else { Err(NotPushed { evidence: answer.say(), refused: answer.is_refusal() }) }
}

/// Sends the probe's requests.
pub(super) struct Desk<'a> {
    client: &'a Client,
    journal: &'a Journal,
    patience: Duration,
    /// Turns of questions.
    turns: Semaphore,
    requests: AtomicU64,
    /// Whether any answer said something of the registry.
    answered: AtomicBool,
    /// Why nothing can be created any more, where the journal says so.
    unwritable: Mutex<Option<String>>,
    windows: Mutex<[Option<f64>; 2]>,
    /// Repository and digest of what was acknowledged: to push a thing twice is a question that nobody asked.
    there: Mutex<BTreeSet<(String, String)>>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(client: &'a Client, journal: &'a Journal, pace: Pace) -> Desk<'a> {
        Desk {
            client,
            journal,
            patience: pace.patience,
            turns: Semaphore::new(pace.together.max(1)),
            requests: AtomicU64::new(0),
            answered: AtomicBool::new(false),
            unwritable: Mutex::default(),
            windows: Mutex::default(),
            there: Mutex::default(),
        }
    }

    /// A question's turn: as many are asked at once as the profile allows. `None`: never, since turns are not closed.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether any answer came but that there is no time (429, 503).
    pub(super) fn answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// The longest delay that was seen, in seconds; `None` where nothing was seen to change.
    pub(super) fn window(&self, window: Window) -> Option<f64> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)[window as usize]
    }

    /// Sends a request; again where the registry has no time (429, 503), after the pause that it asks for, and once more where it
    /// closes the connection before it answers: it may have closed an idle one at that moment.
    pub(super) async fn send(&self, label: impl Into<String>, ask: Ask) -> Answer {
        let mut exchange = self.once(ask.clone()).await;
        let times = if busy(&exchange).is_some() { BUSY } else { 1 };
        for _ in 0..times {
            let Some(pause) = pause_before_again(&exchange) else { break };
            tokio::time::sleep(pause).await;
            exchange = self.once(ask.clone()).await;
        }
        Answer { label: label.into(), exchange }
    }

    /// A token of somebody's for these scopes.
    ///
    /// # Errors
    /// Nobody can be asked for it.
    pub(super) async fn token(&self, who: Who, scopes: &[String]) -> Result<(Exchange, Option<Secret>), String> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.client.token(who, scopes).await
    }

    async fn once(&self, ask: Ask) -> Exchange {
        // Counted before: a question that is given up has been asked all the same.
        self.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.client.send(ask).await;
        self.requests.fetch_add(u64::from(exchange.requests), Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::Relaxed);
        if is_answered(&exchange) {
            self.answered.store(true, Ordering::Relaxed);
        }
        exchange
    }

    /// Asks until the answer is no longer `old`, at once first, for as long as the probe has patience; measures how long
    /// it took.
    pub(super) async fn until(&self, window: Window, label: &str, ask: Ask, old: impl Fn(&Answer) -> bool) -> Answer {
        let start = Instant::now();
        let mut answer = self.send(label, ask.clone()).await;
        let mut waited = false;
        while old(&answer) && start.elapsed() < self.patience {
            waited = true;
            tokio::time::sleep(PAUSE).await;
            answer = self.send(label, ask.clone()).await;
        }
        if old(&answer) && waited {
            answer.label = format!("{label} (for {:.0?})", self.patience);
        } else if waited || window.shows(&answer) {
            let late = if waited { start.elapsed().as_secs_f64() } else { 0.0 };
            let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            let longest = &mut windows[window as usize];
            *longest = Some(longest.map_or(late, |longest| longest.max(late)));
        }
        answer
    }

    /// Says that something is about to be there.
    ///
    /// # Errors
    /// The journal cannot be written: then it must not be.
    fn creating(&self, kind: Kind, repository: &str, reference: &str) -> Result<Thing, String> {
        let thing = Thing { kind, repository: repository.to_owned(), reference: reference.to_owned() };
        self.journal.creating(&thing).map_err(|e| {
            let why = format!("the journal cannot be written: {e}");
            *self.unwritable.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
            why
        })?;
        Ok(thing)
    }

    /// Why something could not be created that is none of the registry's doing.
    pub(super) fn unwritable(&self) -> Option<String> {
        self.unwritable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A created thing that the registry acknowledged is written down; it is removed after the probe either way.
    fn created(&self, thing: &Thing, answer: &Answer) {
        if answer.is_success() {
            // What is about to be created stands in the journal already: a lost second line loses nothing.
            let _ = self.journal.created(thing);
            self.there().insert((thing.repository.clone(), thing.reference.clone()));
        }
    }

    fn there(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that the probe itself saw go.
    pub(super) fn gone(&self, kind: Kind, repository: &str, reference: &str) {
        self.there().remove(&(repository.to_owned(), reference.to_owned()));
        self.journal.removed(&Thing { kind, repository: repository.to_owned(), reference: reference.to_owned() });
    }

    /// Uploads a blob by POST and PUT.
    ///
    /// # Errors
    /// Evidence, where that does not succeed.
    pub(super) async fn push_blob(&self, repository: &str, node: &Node) -> Result<(), NotPushed> {
        acknowledged(&self.upload(repository, node).await?)
    }

    /// As [`Desk::push_blob`], but gives the closing PUT's answer, whatever it is.
    pub(super) async fn upload(&self, repository: &str, node: &Node) -> Result<Answer, String> {
        let start = self.open_upload(repository).await?;
        let ask = Ask::new("PUT", &with_digest(&start.1, &node.digest))
            .header("content-type", "application/octet-stream")
            .body(body_of(node, 0, node.size));
        let label = format!("PUT blobs/uploads/..?digest=<{}>", algorithm(&node.digest));
        self.create_blob(repository, &node.digest, &label, ask).await
    }

    /// Sends a request that makes a blob be there.
    pub(super) async fn create_blob(
        &self,
        repository: &str,
        digest: &Digest,
        label: &str,
        ask: Ask,
    ) -> Result<Answer, String> {
        let thing = self.creating(Kind::Blob, repository, digest.as_str())?;
        let answer = self.send(label, ask).await;
        if !answer.is(202) {
            self.created(&thing, &answer);
        }
        Ok(answer)
    }

    /// Begins an upload: the answer, and where it goes on.
    ///
    /// # Errors
    /// Evidence, where no session began.
    pub(super) async fn open_upload(&self, repository: &str) -> Result<(Answer, String), String> {
        let ask = Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/"));
        let answer = self.send("POST blobs/uploads/", ask).await;
        match answer.response().and_then(|r| r.location.clone()) {
            Some(location) if answer.is(202) => Ok((answer, location.0)),
            _ if answer.is(202) => Err(format!("{} without Location", answer.say())),
            _ => Err(answer.say()),
        }
    }

    /// Puts a manifest under a reference.
    pub(super) async fn put(
        &self,
        repository: &str,
        reference: &str,
        node: &Node,
        what: &str,
    ) -> Result<Answer, String> {
        let thing = self.creating(Kind::Manifest, repository, node.digest.as_str())?;
        let by_tag = (reference != node.digest.as_str()).then_some(reference);
        let tag = by_tag.map(|tag| self.creating(Kind::Tag, repository, tag)).transpose()?;
        let ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/{reference}"))
            .header("content-type", &node.media_type)
            .body(body_of(node, 0, node.size));
        let by = match algorithm(&node.digest) {
            _ if tag.is_some() => "by tag",
            "sha512" => "by sha512 digest",
            _ => "by digest",
        };
        let answer = self.send(format!("PUT {what} {by}"), ask).await;
        for thing in std::iter::once(thing).chain(tag) {
            self.created(&thing, &answer);
        }
        Ok(answer)
    }

    /// Puts an image by digest, with a tag in the query.
    pub(super) async fn put_tagged(&self, repository: &str, image: &Node, tag: &str) -> Result<Answer, String> {
        let things = [
            self.creating(Kind::Manifest, repository, image.digest.as_str())?,
            self.creating(Kind::Tag, repository, tag)?,
        ];
        let ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/{}?tag={tag}", image.digest))
            .header("content-type", &image.media_type)
            .body(body_of(image, 0, image.size));
        let answer = self.send("PUT an image by digest with ?tag=", ask).await;
        for thing in things {
            self.created(&thing, &answer);
        }
        Ok(answer)
    }

    /// Pushes everything that these nodes need, children first, and them by digest; what goes together goes at once.
    ///
    /// # Errors
    /// Evidence of the first step that did not succeed: what was asked could not be.
    pub(super) async fn push(&self, repository: &str, nodes: &[&Node]) -> Result<(), NotPushed> {
        let mut levels: Vec<Vec<&Node>> = Vec::new();
        for node in nodes {
            collect(node, &mut levels);
        }
        for level in levels {
            let new = |node: &&Node| !self.there().contains(&(repository.to_owned(), node.digest.to_string()));
            let pushes = level.into_iter().filter(new).map(|node| async move {
                if node.kind == NodeKind::Blob {
                    return self.push_blob(repository, node).await;
                }
                let what = if node.kind == NodeKind::Index { "an index" } else { "an image" };
                acknowledged(&self.put(repository, node.digest.as_str(), node, what).await?)
            });
            futures_util::future::try_join_all(pushes).await?;
        }
        Ok(())
    }

    /// GET of a manifest, asked until it is there.
    pub(super) async fn read(&self, repository: &str, reference: &str, what: &str) -> Answer {
        self.until(Window::Read, &format!("GET {what}"), manifest("GET", repository, reference), |a| a.is(404)).await
    }

    /// GET of a manifest, once.
    pub(super) async fn look(&self, repository: &str, reference: &str, what: &str) -> Answer {
        self.send(format!("GET {what}"), manifest("GET", repository, reference)).await
    }

    /// HEAD of a blob, asked until it is there.
    pub(super) async fn read_blob(&self, repository: &str, digest: &Digest) -> Answer {
        let label = format!("HEAD blobs/<{}>", algorithm(digest));
        self.until(Window::Read, &label, blob("HEAD", repository, digest), |a| a.is(404)).await
    }
}

/// How long to wait before a request is repeated; `None` where the answer stands.
fn pause_before_again(exchange: &Exchange) -> Option<Duration> {
    let closed = matches!(&exchange.result, Err(failure) if failure.kind == FailureKind::Closed);
    busy(exchange).or(closed.then_some(Duration::ZERO))
}

/// Sorts a node and all below it into levels, deepest first, each node once. Gives the node's own level.
fn collect<'n>(node: &'n Node, levels: &mut Vec<Vec<&'n Node>>) -> usize {
    let below = node.children.iter().map(|child| collect(child, levels) + 1).max().unwrap_or(0);
    if levels.len() <= below {
        levels.resize(below + 1, Vec::new());
    }
    if node.kind != NodeKind::Phantom && !levels.iter().flatten().any(|known| known.digest == node.digest) {
        levels[below].push(node);
    }
    below
}
