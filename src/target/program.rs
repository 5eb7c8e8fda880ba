//! Where a program is.

use std::path::{Path, PathBuf};

/// The program by its path, or by its name on PATH, else where `go install` and `cargo install` put it.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name))
            .filter(|path| is_program(path))
            .and_then(|path| std::path::absolute(path).ok());
    }
    let list = |variable: &str, below: &str| -> Vec<PathBuf> {
        let value = std::env::var_os(variable).unwrap_or_default();
        std::env::split_paths(&value).filter(|p| !p.as_os_str().is_empty()).map(|p| p.join(below)).collect()
    };
    [("PATH", ""), ("GOBIN", ""), ("GOPATH", "bin"), ("HOME", "go/bin"), ("HOME", ".cargo/bin")]
        .iter()
        .flat_map(|(variable, below)| list(variable, below))
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
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
