//! Records on disk: written whole or not at all, read with a reason where that fails.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::build::Bodies;
use super::{RunRecord, SCHEMA, totals};
use crate::input;

/// The record's file in a folder of reports.
pub const RESULTS: &str = "results.json";
/// The folder of request bodies beside it.
pub const EXCHANGES: &str = "exchanges";

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Unwritable {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub reason: std::io::Error,
}

/// A record that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// It holds no record.
    #[error("{}:{}:{}: not a results.json of lacuna: {}", path.display(), reason.line(), reason.column(), fault(reason))]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: serde_json::Error,
    },
    /// It is of a format that this version does not know.
    #[error("{}: format {found}; this version of lacuna reads format {SCHEMA}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its `schema`.
        found: u32,
    },
}

/// `results.json` as it is written: pretty, a newline at the end, `complete` the last key.
///
/// # Errors
/// A number that JSON has no form for; a record has none.
pub fn to_json(record: &RunRecord) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(record)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes a file so that a reader sees the old bytes or all of the new ones, never a part.
///
/// # Errors
/// The system's reason, with the path.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Unwritable> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || {
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".lacuna-").permissions(readable()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    attempt().map_err(|reason| Unwritable { path: path.to_owned(), reason })
}

/// A report is for others to read; a temporary file's own mode would hide it from them.
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o644)
}

/// Writes the request bodies under `out`. Bodies of an earlier run go first: they belong to no record any more.
///
/// # Errors
/// The first file that cannot be written.
pub fn write_bodies(out: &Path, bodies: &Bodies) -> Result<(), Unwritable> {
    let folder = out.join(EXCHANGES);
    std::fs::create_dir_all(&folder).map_err(|reason| Unwritable { path: folder.clone(), reason })?;
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        // Only what has the form of our names: the folder may hold what is not ours.
        if entry.file_name().to_str().is_some_and(is_body) {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|reason| Unwritable { path, reason })?;
        }
    }
    for (name, bytes) in bodies {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|reason| Unwritable { path, reason })?;
    }
    Ok(())
}

/// `0123456789abcdef.json`: the form of a body's file name, and never a path out of its folder.
pub fn is_body(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hex, end)| {
        hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(end, "json" | "bin")
    })
}

/// Reads a record; a folder means the `results.json` in it.
///
/// # Errors
/// What cannot be read, and why.
pub fn read(path: &Path) -> Result<RunRecord, Unreadable> {
    let path = if path.is_dir() { path.join(RESULTS) } else { path.to_owned() };
    let bytes = input::read(&path, input::MOST).map_err(|reason| Unreadable::File { path: path.clone(), reason })?;
    match serde_json::from_slice::<RunRecord>(&bytes) {
        // Counted, not believed: a record may come from anywhere.
        Ok(record) if record.schema == SCHEMA => Ok(RunRecord { totals: totals(&record.cases), ..record }),
        Ok(record) => Err(Unreadable::Version { path, found: record.schema }),
        // Another format may well lack what this one has: that it is another is the better answer.
        Err(reason) => Err(match serde_json::from_slice::<Format>(&bytes) {
            Ok(Format { schema }) if schema != SCHEMA => Unreadable::Version { path, found: schema },
            _ => Unreadable::Form { path, reason },
        }),
    }
}

/// All that any format of the file is known to have.
#[derive(serde::Deserialize)]
struct Format {
    schema: u32,
}

/// What is wrong, without the place, which stands before it.
fn fault(reason: &serde_json::Error) -> String {
    let text = input::plain(reason);
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// Reads the request bodies that a record names, from the folder that it stands in; those that are gone are left out.
pub fn read_bodies(record: &RunRecord, results: &Path) -> Bodies {
    let folder = if results.is_dir() { results } else { results.parent().unwrap_or(Path::new(".")) }.join(EXCHANGES);
    let named = record.cases.iter().flat_map(|c| &c.exchanges).filter_map(|x| x.request.body_file.as_deref());
    named
        // A record may come from anywhere: a name is a body of that folder, never a path out of it.
        .filter(|name| is_body(name))
        .filter_map(|name| {
            input::read(&folder.join(name), input::MOST).ok().map(|bytes| (name.to_owned(), bytes.into()))
        })
        .collect()
}
