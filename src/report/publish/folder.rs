//! The folder of what is published: a folder for each summary, and the index of all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{SCHEMA, Summary, page};
use crate::input;
use crate::record::join::join;
use crate::record::store::{self, Unwritable};
use crate::record::{RunRecord, Selection};

/// A summary's file in its folder.
pub const SUMMARY: &str = "summary.json";
/// The page beside it, and the index above.
pub const PAGE: &str = "README.md";

/// Why nothing is published, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A run that cannot stand for its target.
    #[error("{0}")]
    Run(String),
    /// What is published already cannot be read as it was written.
    #[error("{}: {problem}; publish the run again", path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system refuses.
    #[error("cannot write {0}")]
    Unwritable(#[from] Unwritable),
}

/// Publishes runs under a folder, the shards of one run together, and writes the index of all that is published there.
/// Gives the folders that were written.
///
/// # Errors
/// Nothing is written where a run is only a part of one; the system's reason, where it refuses.
pub fn publish(records: Vec<RunRecord>, under: &Path) -> Result<Vec<PathBuf>, Refused> {
    let mut targets: BTreeMap<String, Vec<RunRecord>> = BTreeMap::new();
    for record in records {
        targets.entry(record.target.name.clone()).or_default().push(record);
    }
    let mut all: BTreeMap<String, Summary> = BTreeMap::new();
    for (name, records) in targets {
        let record = join(records).map_err(|e| Refused::Run(e.to_string()))?;
        whole(&record)?;
        let summary = Summary::of(&record);
        if let Some(other) = all.insert(summary.folder(), summary) {
            let folder = other.folder();
            return Err(Refused::Run(format!("{} and {name} would both be published as {folder}", other.profile)));
        }
    }
    let mut written = Vec::new();
    for (name, summary) in all {
        let folder = under.join(name);
        store::write(&folder.join(PAGE), page::page(&summary).as_bytes())?;
        store::write(&folder.join(SUMMARY), &json(&summary))?;
        written.push(folder);
    }
    store::write(&under.join(PAGE), page::index(&summaries(under)?).as_bytes())?;
    Ok(written)
}

/// Only a run that came to its end, of all cases, says what a registry is.
fn whole(record: &RunRecord) -> Result<(), Refused> {
    let name = &record.target.name;
    let Selection { filters, shard, .. } = &record.selection;
    let part = if !record.complete {
        "did not come to its end"
    } else if !filters.is_empty() {
        "is of some cases only"
    } else if shard.is_some() {
        "is one shard; give all of them"
    } else {
        return Ok(());
    };
    Err(Refused::Run(format!("the run of {name} {part}: it is not published")))
}

/// Every summary under a folder, by the name of its own.
///
/// # Errors
/// One that is not, byte for byte, what would be written.
pub fn summaries(under: &Path) -> Result<BTreeMap<String, Summary>, Refused> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path().join(SUMMARY);
        if !path.is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let refuse = |problem: String| Refused::Summary { path: path.clone(), problem };
        let bytes = input::read(&path, input::MOST).map_err(|e| refuse(e.to_string()))?;
        let summary: Summary = serde_json::from_slice(&bytes).map_err(|e| refuse(input::plain(&e)))?;
        if summary.schema != SCHEMA {
            return Err(refuse(format!("format {}; this version of lacuna reads format {SCHEMA}", summary.schema)));
        }
        if json(&summary) != bytes || summary.folder() != name {
            return Err(refuse("it is not as lacuna writes it, or not where".into()));
        }
        all.insert(name, summary);
    }
    Ok(all)
}

/// As it is written.
fn json(summary: &Summary) -> Vec<u8> {
    // Text, whole numbers and a time that is finite: nothing that JSON has no form for.
    let mut bytes = serde_json::to_vec_pretty(summary).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::summary;
    use super::*;

    #[test]
    fn what_somebody_wrote_by_hand_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let one = summary("olareg", Some("0.2.2"), "olareg");
        let path = dir.path().join("olareg-0.2.2").join(SUMMARY);
        store::write(&path, &json(&one)).unwrap();
        assert_eq!(summaries(dir.path()).unwrap()["olareg-0.2.2"], one);
        for (from, to) in
            [("\"seconds\"", "\"secs\""), ("  ", " "), ("0.2.2", "0.2.3"), ("\"schema\": 1", "\"schema\": 9")]
        {
            let text = String::from_utf8(json(&one)).unwrap().replacen(from, to, 1);
            std::fs::write(&path, text).unwrap();
            assert!(summaries(dir.path()).unwrap_err().to_string().contains(SUMMARY), "{from}");
        }
    }
}
