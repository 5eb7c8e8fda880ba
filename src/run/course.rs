//! What makes a run this one: its id, its seed, its journal.

use std::path::PathBuf;

use super::pause::Earlier;
use super::{NotRun, Request, settings};
use crate::engine::Journal;
use crate::engine::names::Names;
use crate::target::open::Live;

/// A pool of so many repositories is enough for a probe.
const PROBED: usize = 1;

/// A new run, or one that goes on.
pub(super) struct Course {
    /// A part of repository names.
    pub id: String,
    /// The content's seed.
    pub seed: u64,
    /// Where the journal is.
    pub path: PathBuf,
    /// What is created.
    pub journal: Journal,
    /// Repositories for the probe.
    pub names: Names,
    /// The seed of what the probe pushes.
    pub probe: u64,
    /// What is to be said of an earlier run.
    pub note: Option<String>,
}

impl Course {
    /// Begins the journal, or goes on with it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn of(request: &Request, live: &Live, earlier: Option<&Earlier>) -> Result<Course, NotRun> {
        let repositories = &live.profile.repositories;
        let Some(earlier) = earlier else {
            let (id, path) = (settings::run_id(), request.out.join("journal.jsonl"));
            let header = settings::header(request, live, &id);
            let aside = if live.is_ours() { Ok(None) } else { Journal::set_aside(&path) };
            let note = aside.map_err(|e| unwritable(&path, &e))?.map(|aside| {
                let (target, aside) = (&request.target.name, aside.display());
                format!("an earlier run did not come to its end: `lacuna clean {target} {aside}` removes what it left")
            });
            let journal = Journal::create(&path, &header).map_err(|e| unwritable(&path, &e))?;
            let names = Names::new(repositories, &id);
            return Ok(Course { id, seed: request.seed, path, journal, names, probe: request.seed, note });
        };
        let path = earlier.path.clone();
        let journal = Journal::append(&path, &earlier.leftovers).map_err(|e| unwritable(&path, &e))?;
        let id = earlier.leftovers.header.run.clone();
        // What the probe pushed the last time is still there: it must not answer for what this one never pushed.
        let mut repositories = repositories.clone();
        let held = earlier.leftovers.held();
        let free: Vec<String> = repositories.pool.iter().filter(|name| !held.contains(*name)).cloned().collect();
        if free.len() >= PROBED {
            repositories.pool = free;
        }
        let names = Names::new(&repositories, &format!("{id}-{}", settings::run_id()));
        Ok(Course { id, seed: earlier.seed, path, journal, names, probe: settings::fresh(), note: None })
    }
}

fn unwritable(path: &std::path::Path, error: &std::io::Error) -> NotRun {
    NotRun::Unwritable(format!("{}: {error}", path.display()))
}
