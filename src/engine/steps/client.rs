//! `client`: a real client copies, fetches or pushes, and ends as it must.
//!
//! A client has faults of its own. Where it does not end as it must, the case is run again up to this step against the
//! reference registry: only where the client ends as it must there, the registry under test is accused.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::walk::Walk;
use super::{DEFAULT_TAG, Here};
use crate::clients::{self, Client, Ended, Places};
use crate::content::{Node, NodeKind};
use crate::engine::case::{Case, Halt};
use crate::engine::journal::{Journal, Kind, Thing};
use crate::engine::outcome::{Mismatch, NotAsked};
use crate::engine::{self, Options};
use crate::reference::{self, Config};
use crate::suite::model::{By, ClientStep, Ends};
use crate::target::profile::Repositories;
use crate::wire::{self, FailureKind, Settings};

/// Processes at once, however many cases are: each has threads of its own.
static PROCESSES: Semaphore = Semaphore::const_new(2);

/// A mismatch of this key is a client's.
const KEY: &str = "client";

pub async fn run(case: &mut Case, here: &Here<'_>, what: &ClientStep) -> Result<(), Halt> {
    let Some(client) = clients::all().get(&what.name) else {
        return Err(case.unusable(format!("there is no client {:?}", what.name)));
    };
    let root = case.node(&what.manifest)?;
    let repository = case.repository(here.nickname())?;
    let source = case.repository(what.from.as_deref().unwrap_or(here.nickname()))?;
    let reference = match what.by {
        By::Tag => format!(":{DEFAULT_TAG}"),
        By::Digest => format!("@{}", root.digest),
    };
    let brought = brought(case, what, &root)?;
    let things = things(&repository, &brought, what);
    for thing in &things {
        case.run.sender.journal.creating(thing).map_err(|error| case.unwritten(&error))?;
    }
    let access = case.run.sender.client.access().clone();
    let dir = folder(case)?;
    let (from, to) = (format!("{source}{reference}"), format!("{repository}{reference}"));
    let places = Places { dir: &dir, access: &access, from, to, platforms: &what.platforms };
    let ended = {
        let _slot = PROCESSES.acquire().await;
        tokio::select! {
            ended = client.run(what.run, &places) => {
                ended.map_err(|e| case.unusable(format!("{} cannot be run: {e}", what.name)))?
            }
            () = case.run.sender.stop.wait() => {
                let text = format!("step {}: {} was interrupted", case.step + 1, what.name);
                return Err(Halt::NotAsked(NotAsked { kind: Some(FailureKind::Interrupted), text }));
            }
        }
    };
    // Of what it did before it gave up, nobody knows.
    case.created.extend(things.iter().filter(|thing| !case.created.contains(thing)).cloned().collect::<Vec<_>>());
    if ended.well {
        for thing in &things {
            case.run.sender.journal.created(thing).map_err(|error| case.unwritten(&error))?;
        }
        note(case, here.nickname(), &brought, what);
    }
    if ended.hung {
        // Whether the registry answers wrongly, or slowly, nobody knows.
        let text = format!("step {}: {} {}: {}", case.step + 1, what.name, what.run.word(), ended.how);
        return Err(Halt::NotAsked(NotAsked { kind: Some(FailureKind::Timeout), text }));
    }
    case.observed.extend(here.expect.iter().map(|expectation| expectation.requirement.clone()));
    if ended.well == (what.ends == Ends::Well) {
        return Ok(());
    }
    let said = said(case, client, &places, &ended).await;
    if let Some(why) = control(case).await.map_err(|why| case.unusable(why))? {
        return Err(case.unusable(format!("{} {}: {why}; here it ended with {said}", what.name, what.run.word())));
    }
    accuse(case, here, what, &ended, said);
    Err(Halt::Meaningless)
}

/// Everything that is in the repository when the client ended well.
fn brought(case: &Case, what: &ClientStep, root: &Arc<Node>) -> Result<Vec<Arc<Node>>, Halt> {
    if !what.run.writes() {
        return Ok(Vec::new());
    }
    let mut walk = Walk::default();
    for name in what.brings.images.iter().chain(&what.brings.graphs) {
        walk.descend(&case.node(name)?, &|node| node.kind != NodeKind::Phantom);
    }
    for name in what.brings.blobs.iter().chain(&what.brings.manifests) {
        walk.add(&case.node(name)?);
    }
    walk.add(root);
    Ok(walk.nodes)
}

fn things(repository: &str, brought: &[Arc<Node>], what: &ClientStep) -> Vec<Thing> {
    let thing =
        |kind, reference: &str| Thing { kind, repository: repository.to_owned(), reference: reference.to_owned() };
    let kind = |node: &Node| if node.kind == NodeKind::Blob { Kind::Blob } else { Kind::Manifest };
    let mut things: Vec<Thing> = brought.iter().map(|node| thing(kind(node), node.digest.as_str())).collect();
    if what.run.writes() && what.by == By::Tag {
        things.push(thing(Kind::Tag, DEFAULT_TAG));
    }
    things
}

/// Writes down what the client was told is there.
fn note(case: &mut Case, nickname: &str, brought: &[Arc<Node>], what: &ClientStep) {
    let facts = case.facts.at(nickname);
    for node in brought {
        if node.kind == NodeKind::Blob {
            facts.blob(&node.digest, Some(201));
        } else {
            let is_root = node.name == what.manifest && what.by == By::Tag;
            facts.put(node, is_root.then_some(DEFAULT_TAG), Some(201));
        }
    }
}

/// The folder of the case's clients.
fn folder(case: &mut Case) -> Result<std::path::PathBuf, Halt> {
    if case.folder.is_none() {
        let made = tempfile::Builder::new().prefix("lacuna-client-").tempdir();
        case.folder = Some(made.map_err(|e| case.unusable(format!("no folder for a client: {e}")))?);
    }
    Ok(case.folder.as_ref().map(|folder| folder.path().to_owned()).unwrap_or_default())
}

/// Version, end and last words, without secrets and without the folder's name.
async fn said(case: &Case, client: &Client, places: &Places<'_>, ended: &Ended) -> String {
    let version = client.says_version(places).await;
    let text = format!("{} ({version})\n{}", ended.how, ended.output);
    without(&case.run.sender.client.redacted(&text), places.dir)
}

fn without(text: &str, dir: &Path) -> String {
    text.replace(&dir.display().to_string(), "FOLDER")
}

fn accuse(case: &mut Case, here: &Here<'_>, what: &ClientStep, ended: &Ended, said: String) {
    let label = format!("{} {}", what.name, what.run.word());
    let expected = match what.ends {
        Ends::Well => format!("{label} ends well, as against the reference registry"),
        Ends::Badly => format!("{label} ends badly, as against the reference registry"),
    };
    for expectation in here.expect.iter() {
        case.mismatches.push(Mismatch {
            requirement: expectation.requirement.clone(),
            step: case.step,
            label: label.clone(),
            key: KEY.to_owned(),
            expected: expected.clone(),
            got: ended.how.clone(),
            diff: Some(said.clone()),
            source: expectation.source.clone(),
            exchange: None,
            late: None,
        });
    }
}

/// Runs the case up to this step against the reference registry; why nobody can be accused, where the client does not end
/// there as it must either. A type of its own: that run has steps, of which this is one.
fn control(case: &Case) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send>> {
    let run = case.run.clone();
    let mut instance = (*case.instance).clone();
    instance.steps.truncate(case.step + 1);
    Box::pin(async move {
        let Some(stance) = &run.options.control else { return Ok(None) };
        let config = Config { stance: stance(instance.format), ..Config::default() };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let started = reference::start(config, listen).await;
        let running = started.map_err(|e| format!("there is no reference registry to compare with: {e}"))?;
        let mut ground = wire::Client::new(Settings::new(&running.url))?;
        let options = Options {
            control: None,
            removal: None,
            resume: None,
            pause_at: None,
            repositories: Repositories::default(),
            ..run.options.clone()
        };
        let bundles = run.bundles.iter().map(|(name, expect)| (name.clone(), expect.to_vec())).collect();
        let (cases, journal, stop) = (vec![Arc::new(instance)], Journal::unwritten(), run.sender.stop.clone());
        let ran = engine::run(cases, &bundles, &mut ground, &journal, &options, |_| {}, stop).await;
        running.stop().await;
        let Some(there) = ran.outcomes.first() else { return Err("the reference registry was not asked".into()) };
        if let Some(error) = &there.error {
            return Err(format!("against the reference registry: {}", error.text));
        }
        let same = |m: &Mismatch| format!("against the reference registry it is {} too, so nobody is accused", m.got);
        Ok(there.mismatches.first().map(same))
    })
}
