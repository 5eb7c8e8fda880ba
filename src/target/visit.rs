//! A probe on its own, outside a run: a journal for the time that it takes, and everything removed after.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::time::Duration;

use super::findings::Findings;
use super::open::Live;
use super::probe::{self, Pace, Setup};
use crate::engine::journal::{Header, Journal};
use crate::engine::names::Names;

/// The longest that the removal may take.
const REMOVAL: Duration = Duration::from_secs(60);

/// The same where the target acknowledged nothing: it is tried all the same, for an answer may have been lost.
const REMOVAL_OF_NOTHING: Duration = Duration::from_secs(5);

/// What a visit came to.
#[derive(Debug)]
pub struct Visit {
    /// What was found; `None` where it was interrupted.
    pub findings: Option<Findings>,
    /// What stays in the registry and why, a line each.
    pub left: Vec<String>,
}

/// Probes a target, and removes what was pushed, unless the target goes anyway or `keep` is set.
///
/// # Errors
/// The journal cannot be written: then nothing is pushed. Or the target answers no question.
pub async fn visit(
    live: &Live,
    seed: Option<u64>,
    keep: bool,
    interrupted: impl Future<Output = ()>,
) -> Result<Visit, String> {
    let fresh = || RandomState::new().build_hasher().finish();
    let seed = seed.unwrap_or_else(fresh);
    let run = format!("{:08x}", fresh() >> 32);
    let names = Names::new(&live.profile.repositories, &run);
    let trouble = |e: std::io::Error| format!("the journal cannot be written: {e}");
    let folder = tempfile::Builder::new().prefix("lacuna-probe-").tempdir().map_err(trouble)?;
    let path = folder.path().join("journal.jsonl");
    let removes = !live.is_ours() && !keep;
    let journal = if removes {
        let lacuna = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { run, seed: format!("{seed:016x}"), target: live.url.clone(), lacuna };
        Journal::create(&path, &header).map_err(trouble)?
    } else {
        Journal::unwritten()
    };
    let pace = Pace::of(&live.profile);
    let setup = Setup { client: &live.client, names: &names, journal: &journal, seed, pace };
    let findings = tokio::select! {
        findings = probe::probe(setup) => Some(findings),
        () = interrupted => None,
    };
    let acknowledged = journal.tally().created > 0;
    let left = match removes {
        true if acknowledged => remove(live, &path, folder).await,
        true => {
            // What was never acknowledged is not left behind.
            let _ = crate::engine::clean(&live.client, &path, &live.profile.repositories, REMOVAL_OF_NOTHING).await;
            Vec::new()
        }
        false => Vec::new(),
    };
    let mut findings = findings.transpose().map_err(|unknown| unknown.to_string())?;
    findings.iter_mut().for_each(|findings| findings.declare(&live.profile.claims));
    Ok(Visit { findings, left })
}

/// Removes what the journal names. Where something stays, so does the journal.
async fn remove(live: &Live, path: &Path, folder: tempfile::TempDir) -> Vec<String> {
    let (mut left, says_why) = match crate::engine::clean(&live.client, path, &live.profile.repositories, REMOVAL).await
    {
        Ok(clean_up) => (clean_up.left, true),
        Err(error) => (vec![error.to_string()], false),
    };
    if !left.is_empty() && says_why {
        let kept = folder.keep();
        left.push(format!("the journal is kept: {}", kept.join("journal.jsonl").display()));
    }
    left
}
