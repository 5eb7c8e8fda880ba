//! Removing what was created: tags, then manifests (parents before children), then blobs. Whatever stays is said, and fails
//! no case.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::journal::{self, Journal, JournalError, Kind, Thing};
use crate::record::CleanUp;
use crate::target::profile::Repositories;
use crate::wire::{Ask, Client, FailureKind};

/// Requests under way at once.
const TOGETHER: usize = 8;

/// How often what was refused is tried again, as long as something else could be removed meanwhile: a registry may refuse a
/// manifest until all that name it are gone.
const PASSES: u32 = 8;

/// Why nothing was tried.
const UNABLE: &str = "the registry does not delete such things";

/// What is encoded of a reference: whatever it is, its path must not lead out of the repository.
const LEADING_ELSEWHERE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'?').add(b'#').add(b'"').add(b'<').add(b'>').add(b'/').add(b'\\').add(b'%');

/// What the registry is known to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Tags.
    pub tags: bool,
    /// Manifests by digest.
    pub manifests: bool,
    /// Blobs.
    pub blobs: bool,
}

impl Removal {
    /// Everything is tried.
    pub const ALL: Removal = Removal { tags: true, manifests: true, blobs: true };

    fn of(self, kind: Kind) -> bool {
        match kind {
            Kind::Tag => self.tags,
            Kind::Manifest => self.manifests,
            Kind::Blob => self.blobs,
        }
    }
}

/// What came of trying to remove a thing.
enum Gone {
    Yes,
    No(String),
    /// No answer: there is nobody to ask further.
    Lost(String),
}

/// Removes things, given in the order of their creation, within `time`.
pub async fn remove(client: &Client, journal: &Journal, things: &[Thing], can: Removal, time: Duration) {
    let mut work = Work { client, journal, things, left: things.iter().collect() };
    let why = match tokio::time::timeout(time, work.all(can)).await {
        Ok(Ok(())) => return,
        Ok(Err(lost)) => lost,
        Err(_) => "there was no time to remove it".into(),
    };
    things.iter().filter(|thing| work.left.contains(thing)).for_each(|thing| journal.left(thing, &why));
}

struct Work<'w> {
    client: &'w Client,
    journal: &'w Journal,
    /// In the order of creation.
    things: &'w [Thing],
    /// What nothing was said of yet.
    left: HashSet<&'w Thing>,
}

impl<'w> Work<'w> {
    /// # Errors
    /// Nobody answers any more: why.
    async fn all(&mut self, can: Removal) -> Result<(), String> {
        let mut stubborn = Vec::new();
        for kind in [Kind::Tag, Kind::Manifest, Kind::Blob] {
            let stay = match can.of(kind) {
                true => self.tries(kind).await?,
                false => self.of(kind).into_iter().map(|thing| (thing, UNABLE.to_owned())).collect(),
            };
            for (thing, why) in stay {
                // Many a tag that cannot be deleted goes with its manifest, and what was never acknowledged may never have
                // been there.
                if kind == Kind::Tag || !self.journal.acknowledged(thing) {
                    stubborn.push((thing, why));
                } else {
                    self.stays(thing, &why);
                }
            }
        }
        let asking: Vec<_> = stubborn.iter().map(|(thing, _)| self.ask("HEAD", thing)).collect();
        let answers: Vec<Gone> = futures_util::stream::iter(asking).buffered(TOGETHER).collect().await;
        for ((thing, why), answer) in stubborn.into_iter().zip(answers) {
            match answer {
                Gone::Yes => self.gone(thing),
                Gone::No(_) if self.journal.acknowledged(thing) => self.stays(thing, &why),
                Gone::No(seen) => self.stays(thing, &format!("it was never acknowledged; {why}, {seen}")),
                Gone::Lost(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// What is left of a kind; what was created last names what was created before it, so it comes first.
    fn of(&self, kind: Kind) -> Vec<&'w Thing> {
        self.things.iter().rev().filter(|thing| thing.kind == kind && self.left.contains(thing)).collect()
    }

    fn gone(&mut self, thing: &'w Thing) {
        self.journal.removed(thing);
        self.left.remove(&thing);
    }

    fn stays(&mut self, thing: &'w Thing, why: &str) {
        self.journal.left(thing, why);
        self.left.remove(&thing);
    }

    /// Deletes what is left of a kind, and says what would not go, and why.
    async fn tries(&mut self, kind: Kind) -> Result<Vec<(&'w Thing, String)>, String> {
        let mut these = self.of(kind);
        let at_once = if kind == Kind::Manifest { 1 } else { TOGETHER };
        let mut refused = Vec::new();
        for _ in 0..PASSES {
            let asking: Vec<_> = these.iter().map(|thing| self.ask("DELETE", thing)).collect();
            let answers: Vec<Gone> = futures_util::stream::iter(asking).buffered(at_once).collect().await;
            refused = Vec::new();
            for (thing, answer) in these.iter().zip(answers) {
                match answer {
                    Gone::Yes => self.gone(thing),
                    Gone::No(why) => refused.push((*thing, why)),
                    Gone::Lost(why) => return Err(why),
                }
            }
            if refused.is_empty() || refused.len() == these.len() {
                break;
            }
            these = refused.iter().map(|(thing, _)| *thing).collect();
        }
        Ok(refused)
    }

    /// Deletes a thing, or asks whether it is there.
    async fn ask(&self, method: &str, thing: &Thing) -> Gone {
        let what = if thing.kind == Kind::Blob { "blobs" } else { "manifests" };
        let target =
            format!("/v2/{}/{what}/{}", thing.repository, utf8_percent_encode(&thing.reference, LEADING_ELSEWHERE));
        let exchange = self.client.send(Ask::new(method, &target).header("Accept", super::ask::MANIFEST_TYPES)).await;
        match &exchange.result {
            // What is not there is gone, whoever removed it.
            Ok(response) if response.status == 404 => Gone::Yes,
            Ok(response) if (200..300).contains(&response.status) && method == "DELETE" => Gone::Yes,
            // Of what was never acknowledged a refusal says enough; a DELETE's may be of the verb.
            Ok(response) if denies(response.status) && method == "HEAD" && !self.journal.acknowledged(thing) => {
                Gone::Yes
            }
            Ok(response) => Gone::No(format!("{method} was answered with status {}", response.status)),
            Err(failure)
                if matches!(failure.kind, FailureKind::Connect | FailureKind::Timeout | FailureKind::Interrupted) =>
            {
                Gone::Lost(format!("no answer ({})", failure.kind.word()))
            }
            Err(failure) => Gone::No(format!("no answer ({})", failure.kind.word())),
        }
    }
}

/// Whether a status says that a thing is not there, or that there can be none; not who may ask, or how often.
fn denies(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 403 | 407 | 408 | 429)
}

/// Removes what an interrupted run left, by its journal, to which the removals are added.
///
/// # Errors
/// The journal cannot be read, or not be written, or names what is not of its run.
pub async fn clean(
    client: &Client,
    path: &Path,
    repositories: &Repositories,
    time: Duration,
) -> Result<CleanUp, JournalError> {
    last(client, path, repositories, time, true).await
}

/// The same for what cases left that have ended: what others wait with stays.
///
/// # Errors
/// As [`clean`].
pub async fn clean_ended(
    client: &Client,
    path: &Path,
    repositories: &Repositories,
    time: Duration,
) -> Result<CleanUp, JournalError> {
    last(client, path, repositories, time, false).await
}

async fn last(
    client: &Client,
    path: &Path,
    repositories: &Repositories,
    time: Duration,
    all: bool,
) -> Result<CleanUp, JournalError> {
    let mut leftovers = journal::read_of(path, repositories)?;
    let unwritten = |source| JournalError::Write { path: path.display().to_string(), source };
    let journal = Journal::append(path, &leftovers).map_err(unwritten)?;
    if all && !leftovers.waiting.is_empty() {
        // Half cleaned up they cannot go on either.
        journal.given_up().map_err(unwritten)?;
    } else {
        let waiting = leftovers.held();
        leftovers.things.retain(|thing| !waiting.contains(&thing.repository));
    }
    remove(client, &journal, &leftovers.things, Removal::ALL, time).await;
    let created = leftovers.things.len() as u64;
    Ok(CleanUp { created, ..journal.tally() })
}

#[cfg(test)]
mod tests;
