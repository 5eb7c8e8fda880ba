//! Files that a user names: regular ones, and of these no more than makes sense. A pipe may never end, a device never does.

use std::fs::{File, metadata};
use std::io::{Error, Read as _, Result};
use std::path::Path;

/// The most that is read of what lacuna itself has written: results, journals.
pub const MOST: u64 = 256 << 20;

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// It is none, is larger, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let size = size(path, most)?;
    let mut bytes = Vec::new();
    // Not to its end, but as much as it says: files that the system makes up have none, and say that they are empty.
    File::open(path)?.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What is wrong with a file's JSON, without the names that our types have.
pub fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once("expected struct ") {
        Some((before, after)) => {
            let place = after.find(" at line ").map_or("", |at| &after[at..]);
            format!("{before}expected a map{place}")
        }
        None => text,
    }
}

fn size(path: &Path, most: u64) -> Result<u64> {
    let metadata = metadata(path)?;
    match metadata.len() {
        _ if !metadata.is_file() => Err(Error::other("it is no regular file")),
        size if size > most => Err(Error::other(format!("it has {size} bytes; at most {most} are read"))),
        size => Ok(size),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_some_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, fifo) = (folder.path().join("file"), folder.path().join("fifo"));
        std::fs::write(&file, "four").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert_eq!(read(&file, 4).unwrap(), b"four");
        for (path, most, said) in [
            (file.as_path(), 3, "it has 4 bytes; at most 3 are read"),
            (&fifo, 4, "no regular file"),
            (folder.path(), 4, "no regular file"),
            (Path::new("/dev/zero"), 4, "no regular file"),
            (&folder.path().join("none"), 4, "No such file"),
        ] {
            let error = read(path, most).unwrap_err();
            assert!(error.to_string().contains(said), "{}: {error}", path.display());
        }
    }

    #[test]
    fn json_is_complained_of_without_our_types() {
        #[derive(Debug, serde::Deserialize)]
        struct Secret {
            #[allow(dead_code)]
            of: u8,
        }
        let said = |text: &str| plain(&serde_json::from_str::<Secret>(text).unwrap_err());
        assert_eq!(said("[]"), "invalid length 0, expected a map at line 1 column 2");
        assert_eq!(said("7"), "invalid type: integer `7`, expected a map at line 1 column 1");
        assert_eq!(said("{}"), "missing field `of` at line 1 column 2");
    }

    #[test]
    fn a_file_that_the_system_makes_up_is_empty() {
        let made_up = Path::new("/proc/self/stat");
        if made_up.exists() {
            assert_eq!(read(made_up, 9).unwrap(), b"");
        }
    }
}
