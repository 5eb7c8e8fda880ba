//! Where a program is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where programs are looked for: PATH, then where `go install` and `cargo install` put them.
const PLACES: &[(&str, &str)] = &[
    ("PATH", ""),
    ("GOBIN", ""),
    ("GOPATH", "bin"),
    ("HOME", "go/bin"),
    ("CARGO_HOME", "bin"),
    ("HOME", ".cargo/bin"),
];

/// The folders in which programs are looked for, in order.
fn folders() -> impl Iterator<Item = PathBuf> {
    PLACES.iter().flat_map(|(variable, below)| {
        let value = std::env::var_os(variable).unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect();
        folders.into_iter().map(move |path| if below.is_empty() { path } else { path.join(below) })
    })
}

/// The same as PATH, for scripts: what they start is found where we find it.
pub(crate) fn path() -> OsString {
    std::env::join_paths(folders()).or_else(|_| std::env::var_os("PATH").ok_or(())).unwrap_or_default()
}

/// The program by its path, or by its name in one of these folders.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name))
            .filter(|path| is_program(path))
            .and_then(|path| std::path::absolute(path).ok());
    }
    folders().map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// Whether this is a file that may be run.
fn is_program(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    let runs = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let runs = true;
    metadata.is_file() && runs
}
