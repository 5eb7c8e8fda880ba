//! Removing what was created: tags, then manifests (parents before children), then blobs. Whatever stays is said, and fails
//! no case.

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
const PASSES: usize = 8;

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
    let mut left: Vec<&Thing> = things.iter().collect();
    let late = tokio::time::timeout(time, passes(client, journal, &mut left, can)).await.is_err();
    if late {
        for thing in left {
            journal.left(thing, "there was no time to remove it");
        }
    }
}

async fn passes(client: &Client, journal: &Journal, left: &mut Vec<&Thing>, can: Removal) {
    for kind in [Kind::Tag, Kind::Manifest, Kind::Blob] {
        // What was created last names what was created before it.
        let mut these: Vec<&Thing> = left.iter().rev().filter(|thing| thing.kind == kind).copied().collect();
        if !can.of(kind) {
            these.iter().for_each(|thing| journal.left(thing, "the registry does not delete such things"));
            left.retain(|thing| thing.kind != kind);
            continue;
        }
        for pass in 1..=PASSES {
            let deleting: Vec<_> = these.iter().map(|thing| delete(client, thing)).collect();
            let at_once = if kind == Kind::Manifest { 1 } else { TOGETHER };
            let gone: Vec<Gone> = futures_util::stream::iter(deleting).buffered(at_once).collect().await;
            let tried: Vec<(&Thing, Gone)> = these.iter().copied().zip(gone).collect();
            let before = these.len();
            these.clear();
            let mut reasons = Vec::new();
            for (thing, gone) in tried {
                match gone {
                    Gone::Yes => {
                        journal.removed(thing);
                        left.retain(|other| *other != thing);
                    }
                    Gone::No(why) => {
                        these.push(thing);
                        reasons.push(why);
                    }
                    Gone::Lost(why) => {
                        left.iter().for_each(|thing| journal.left(thing, &why));
                        left.clear();
                        return;
                    }
                }
            }
            if these.is_empty() || these.len() == before || pass == PASSES {
                these.iter().zip(&reasons).for_each(|(thing, why)| journal.left(thing, why));
                left.retain(|thing| thing.kind != kind);
                break;
            }
        }
    }
}

async fn delete(client: &Client, thing: &Thing) -> Gone {
    let what = if thing.kind == Kind::Blob { "blobs" } else { "manifests" };
    let target = format!("/v2/{}/{what}/{}", thing.repository, super::steps::literal(&thing.reference));
    let exchange = client.send(Ask::new("DELETE", &target)).await;
    match &exchange.result {
        // What is not there is gone, whoever removed it.
        Ok(response) if (200..300).contains(&response.status) || response.status == 404 => Gone::Yes,
        Ok(response) => Gone::No(format!("DELETE was answered with status {}", response.status)),
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
