//! Removing what was created: tags, then manifests (parents before children), then blobs. Whatever stays is said, and fails
//! no case.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::journal::{self, Journal, JournalError, Kind, Thing};
use crate::record::CleanUp;
use crate::wire::{Ask, Client, FailureKind};

/// Requests under way at once.
const TOGETHER: usize = 8;

/// How often what was refused is tried again, as long as something else could be removed meanwhile: a registry may refuse a
/// manifest until all that name it are gone.
const PASSES: u32 = 8;

/// Why nothing was tried.
const UNABLE: &str = "the registry does not delete such things";

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
    work.left.iter().for_each(|thing| journal.left(thing, &why));
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
        let stubborn = match can.tags {
            true => self.tries(Kind::Tag).await?,
            false => self.of(Kind::Tag).into_iter().map(|tag| (tag, UNABLE.to_owned())).collect(),
        };
        for kind in [Kind::Manifest, Kind::Blob] {
            let stay = match can.of(kind) {
                true => self.tries(kind).await?,
                false => self.of(kind).into_iter().map(|thing| (thing, UNABLE.to_owned())).collect(),
            };
            stay.into_iter().for_each(|(thing, why)| self.stays(thing, &why));
        }
        // Many a tag that cannot be deleted goes with its manifest.
        let asking: Vec<_> = stubborn.iter().map(|(tag, _)| ask(self.client, "HEAD", tag)).collect();
        let answers: Vec<Gone> = futures_util::stream::iter(asking).buffered(TOGETHER).collect().await;
        for ((tag, why), answer) in stubborn.into_iter().zip(answers) {
            match answer {
                Gone::Yes => self.gone(tag),
                Gone::No(_) => self.stays(tag, &why),
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
        for pass in 1.. {
            let asking: Vec<_> = these.iter().map(|thing| ask(self.client, "DELETE", thing)).collect();
            let answers: Vec<Gone> = futures_util::stream::iter(asking).buffered(at_once).collect().await;
            let mut refused = Vec::new();
            for (thing, answer) in these.iter().zip(answers) {
                match answer {
                    Gone::Yes => self.gone(thing),
                    Gone::No(why) => refused.push((*thing, why)),
                    Gone::Lost(why) => return Err(why),
                }
            }
            if refused.is_empty() || refused.len() == these.len() || pass == PASSES {
                return Ok(refused);
            }
            these = refused.into_iter().map(|(thing, _)| thing).collect();
        }
        Ok(Vec::new())
    }
}

/// Deletes a thing, or asks whether it is there.
async fn ask(client: &Client, method: &str, thing: &Thing) -> Gone {
    let what = if thing.kind == Kind::Blob { "blobs" } else { "manifests" };
    let target = format!("/v2/{}/{what}/{}", thing.repository, super::steps::literal(&thing.reference));
    let exchange = client.send(Ask::new(method, &target).header("Accept", super::ask::MANIFEST_TYPES)).await;
    match &exchange.result {
        // What is not there is gone, whoever removed it.
        Ok(response) if response.status == 404 => Gone::Yes,
        Ok(response) if (200..300).contains(&response.status) && method == "DELETE" => Gone::Yes,
        Ok(response) => Gone::No(format!("{method} was answered with status {}", response.status)),
        Err(failure)
            if matches!(failure.kind, FailureKind::Connect | FailureKind::Timeout | FailureKind::Interrupted) =>
        {
            Gone::Lost(format!("no answer ({})", failure.kind.word()))
        }
        Err(failure) => Gone::No(format!("no answer ({})", failure.kind.word())),
    }
}

/// Removes what an interrupted run left, by its journal, to which the removals are added.
///
/// # Errors
/// The journal cannot be read, or not be written.
pub async fn clean(client: &Client, path: &Path, time: Duration) -> Result<CleanUp, JournalError> {
    let leftovers = journal::read(path)?;
    let journal =
        Journal::append(path).map_err(|source| JournalError::Write { path: path.display().to_string(), source })?;
    remove(client, &journal, &leftovers.things, Removal::ALL, time).await;
    let created = leftovers.things.len() as u64;
    Ok(CleanUp { created, ..journal.tally() })
}

#[cfg(test)]
mod tests;
