//! What a folder holds.

use std::collections::HashSet;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open::Live;
use crate::engine::{Meter, Used};

/// More than so many entries are not counted.
const MOST: u64 = 1_000_000;

impl Live {
    /// Measures its storage.
    pub(super) fn measures(&self) -> Option<Meter> {
        if let Some(meter) = self.reference_meter() {
            return Some(meter);
        }
        let folder = PathBuf::from(self.fill(&self.profile.actions.usage.as_ref()?.folder));
        Some(Arc::new(move || used(&folder)))
    }
}

/// The apparent sizes of all regular files below a folder, which may not be there yet; a file that several names lead to (zot
/// links what two repositories have) counts once, symbolic links are not followed, and what goes meanwhile is not counted.
///
/// # Errors
/// A folder cannot be read, or there are too many entries.
fn used(folder: &Path) -> std::io::Result<Used> {
    let mut used = Used::default();
    let mut seen = 0;
    let mut linked = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        let entries = match std::fs::read_dir(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            seen += 1;
            if seen > MOST {
                return Err(Error::other(format!("more than {MOST} files and folders")));
            }
            let about = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            match about {
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
                Ok((path, about)) if about.is_dir() => folders.push(path),
                Ok((_, about)) if about.nlink() > 1 && !linked.insert((about.dev(), about.ino())) => {}
                Ok((_, about)) if about.is_file() => {
                    used.bytes += about.len();
                    used.files += 1;
                }
                Ok(_) => {}
            }
        }
    }
    Ok(used)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_are_added_up_once_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        std::fs::write(dir.path().join("one"), [0; 10]).unwrap();
        std::fs::write(dir.path().join("a/b/two"), [0; 5]).unwrap();
        std::fs::hard_link(dir.path().join("one"), dir.path().join("a/one-too")).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("endless")).unwrap();
        assert_eq!(used(dir.path()).unwrap(), Used { bytes: 15, files: 2 });
        assert_eq!(used(&dir.path().join("none")).unwrap(), Used::default());
        assert!(used(&dir.path().join("one")).is_err());
    }
}
