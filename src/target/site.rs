//! Where a process has its place: a folder and ports, and what stands for them in a profile's texts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::launch::LaunchError;
use super::ports::{free_port, release};
use super::profile::Launch;

/// The folder of a process within its temporary one, beside what it writes to its outputs.
const DIR: &str = "dir";

/// A folder and ports. The ports are free for others when it is dropped, and the folder is removed, if nobody else is in it.
#[derive(Debug)]
pub(super) struct Site {
    folder: Arc<TempDir>,
    port: u16,
    /// Ports by what stands for them: its own, and those of who was in the folder before.
    named: BTreeMap<String, u16>,
    /// Those that are its own.
    own: Vec<u16>,
}

impl Site {
    /// A fresh folder, and free ports.
    pub fn fresh(launch: &Launch) -> Result<Site, LaunchError> {
        let io = |what: String| move |source| LaunchError::Io { what, source };
        let folder = tempfile::Builder::new()
            .prefix("lacuna-")
            .tempdir()
            .map_err(io("a temporary folder cannot be made".into()))?;
        let dir = folder.path().join(DIR);
        std::fs::create_dir(&dir).map_err(io(format!("{} cannot be made", dir.display())))?;
        Site::within(launch, Arc::new(folder), BTreeMap::new())
    }

    /// The same folder, and ports of its own.
    pub fn beside(&self, launch: &Launch) -> Result<Site, LaunchError> {
        Site::within(launch, self.folder.clone(), self.named.clone())
    }

    fn within(launch: &Launch, folder: Arc<TempDir>, named: BTreeMap<String, u16>) -> Result<Site, LaunchError> {
        let free = || free_port().map_err(|source| LaunchError::Io { what: "no free port".into(), source });
        let port = free()?;
        let mut site = Site { folder, port, named, own: vec![port] };
        for name in &launch.ports {
            let port = free()?;
            site.own.push(port);
            site.named.insert(name.clone(), port);
        }
        Ok(site)
    }

    /// Writes a launch's files.
    pub fn write(&self, launch: &Launch) -> Result<(), LaunchError> {
        let io = |what: String| move |source| LaunchError::Io { what, source };
        let dir = self.dir();
        for (path, text) in &launch.files {
            let path = dir.join(path);
            let parent = path.parent().unwrap_or(&dir);
            std::fs::create_dir_all(parent).map_err(io(format!("{} cannot be made", parent.display())))?;
            std::fs::write(&path, self.fill(text)).map_err(io(format!("{} cannot be written", path.display())))?;
        }
        Ok(())
    }

    /// What is all its own, and goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `{dir}`.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join(DIR)
    }

    /// `{port}`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `{port-NAME}`.
    pub fn named(&self, name: &str) -> Option<u16> {
        self.named.get(name).copied()
    }

    /// Puts the placeholders in.
    pub fn fill(&self, text: &str) -> String {
        let text = text.replace("{port}", &self.port.to_string()).replace("{dir}", &self.dir().display().to_string());
        self.named.iter().fold(text, |text, (name, port)| text.replace(&format!("{{port-{name}}}"), &port.to_string()))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.own.iter().copied().for_each(release);
    }
}
