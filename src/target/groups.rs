//! Processes that lacuna started, each with all that it started itself: none of them outlives lacuna.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those that run, by the process that leads them, with the folder that goes with them.
static RUNNING: Mutex<BTreeMap<u32, Option<PathBuf>>> = Mutex::new(BTreeMap::new());

/// A process that leads a group of its own, and all that it started. Dropping it kills them.
#[derive(Debug)]
pub struct Group {
    leader: Option<u32>,
}

impl Group {
    /// The group that a process leads, and the folder that is removed with it where nobody else can any more.
    pub fn of(leader: u32, folder: Option<&Path>) -> Group {
        running().insert(leader, folder.map(Path::to_owned));
        Group { leader: Some(leader) }
    }

    /// Lets them go on: they are not ours any more.
    pub fn leave(&mut self) {
        if let Some(leader) = self.leader.take() {
            running().remove(&leader);
        }
    }

    /// Kills them. All may have ended by themselves: then there is nothing to be killed.
    pub fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            kill(leader);
            running().remove(&leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills all that runs, and removes their folders: for an end that drops nothing.
pub fn kill_all() {
    end(std::mem::take(&mut *running()));
}

fn end(all: BTreeMap<u32, Option<PathBuf>>) {
    for (leader, folder) in all {
        kill(leader);
        if let Some(folder) = folder {
            // What cannot be removed lies in the folder for temporary files.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn running() -> MutexGuard<'static, BTreeMap<u32, Option<PathBuf>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(leader: u32) {
    #[cfg(unix)]
    if let Some(leader) = i32::try_from(leader).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

    use super::*;

    #[test]
    fn an_end_that_drops_nothing_kills_and_removes_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("sleep").arg("300").process_group(0).spawn().unwrap();
        end([(child.id(), Some(folder.path().to_owned()))].into());
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!folder.path().exists());
    }
}
