//! The reports of a record as files in one folder.

use std::path::{Path, PathBuf};

use super::{html, junit};
use crate::record::RunRecord;
use crate::record::build::Bodies;
use crate::record::store::{self, RESULTS, Unwritable};

/// The reports' names in their folder; `results.json` is the last that is written.
const REPORTS: [&str; 3] = ["junit.xml", "report.html", RESULTS];

/// Takes away the reports of an earlier run: should this one fail or be killed, nobody may take them for its own.
pub fn clear(out: &Path) {
    for name in REPORTS {
        // What cannot be removed cannot be replaced either, and is told then.
        let _ = std::fs::remove_file(out.join(name));
    }
}

/// Writes every report, whatever becomes of the others; `results.json` goes last, so that whoever waits for it finds the
/// rest. Gives what could not be written.
pub fn write(record: &RunRecord, bodies: &Bodies, out: &Path) -> Vec<Unwritable> {
    if let Err(reason) = std::fs::create_dir_all(out) {
        return vec![Unwritable { path: out.to_owned(), reason }];
    }
    let mut faults = Vec::new();
    let mut note = |result: Result<(), Unwritable>| faults.extend(result.err());
    note(store::write_bodies(out, bodies));
    note(rendered(junit::render(record), out.join(REPORTS[0])));
    note(store::write(&out.join(REPORTS[1]), html::render(record).as_bytes()));
    note(rendered(store::to_json(record), out.join(REPORTS[2])));
    faults
}

fn rendered<E: std::fmt::Display>(bytes: Result<Vec<u8>, E>, path: PathBuf) -> Result<(), Unwritable> {
    match bytes {
        Ok(bytes) => store::write(&path, &bytes),
        Err(e) => Err(Unwritable { path, reason: std::io::Error::other(e.to_string()) }),
    }
}

/// Saves the record where it may still be possible: a fresh file in the system's folder for temporary ones.
pub fn rescue(record: &RunRecord) -> Option<PathBuf> {
    use std::io::Write as _;
    let bytes = store::to_json(record).ok()?;
    let mut file = tempfile::Builder::new().prefix("lacuna-results-").suffix(".json").tempfile().ok()?;
    file.write_all(&bytes).ok()?;
    file.keep().ok().map(|(_, path)| path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_told_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("taken");
        std::fs::write(&file, "a file, no folder").unwrap();
        let fault = store::write(&file.join("junit.xml"), b"x").unwrap_err();
        assert!(fault.to_string().contains("taken"), "{fault}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a file, no folder");
    }

    #[test]
    fn bodies_of_an_earlier_run_go_and_other_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(store::EXCHANGES);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("0123456789abcdef.json"), "old").unwrap();
        std::fs::write(folder.join("mine.txt"), "not lacuna's").unwrap();
        let bodies = Bodies::from([("fedcba9876543210.bin".to_owned(), bytes::Bytes::from_static(b"new"))]);
        store::write_bodies(dir.path(), &bodies).unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["fedcba9876543210.bin", "mine.txt"]);
    }
}
