//! What a process wrote: its end, for people, without what a terminal would obey.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes that are read of the end: more than is shown, so that no secret is cut in two before it is taken out.
const READ: u64 = 64 << 10;

/// Bytes of a server's output that are kept at most, and how often that is seen to.
const MOST: u64 = 64 << 20;
const LOOK: Duration = Duration::from_millis(500);

/// Bytes and lines that are shown.
const SHOWN: (usize, usize) = (4 << 10, 20);

/// The last bytes of a file, none of those before `from`.
pub(super) fn last(path: &Path, from: u64) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        // One that was emptied meanwhile begins anew.
        let from = if from > length { 0 } else { from };
        file.seek(SeekFrom::Start(length.saturating_sub(READ).max(from)))?;
        let mut bytes = Vec::new();
        file.take(READ).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().unwrap_or_default()
}

/// Empties the files of what goes on writing, whenever there is much in one: a server's log must not fill the disk. It ends when
/// it is dropped.
#[derive(Debug)]
pub(super) struct Bounded(tokio::task::JoinHandle<()>);

impl Bounded {
    /// Of these files, to whose end is written.
    pub(super) fn of(files: Vec<PathBuf>) -> Bounded {
        Bounded(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                for file in &files {
                    if file.metadata().is_ok_and(|there| there.len() > MOST) {
                        // What cannot be emptied is looked at again.
                        let _ = File::options().write(true).open(file).and_then(|file| file.set_len(0));
                    }
                }
            }
        }))
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The last lines of it, printable.
pub(crate) fn tail(bytes: &[u8]) -> String {
    printable(&String::from_utf8_lossy(bytes))
}

/// The last lines of a text without what a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    let (most, lines) = SHOWN;
    let text = text.trim();
    let shown = &text[text.ceil_char_boundary(text.len().saturating_sub(most))..];
    let all: Vec<&str> = shown.lines().collect();
    let plain = |line: &&str| line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    all[all.len().saturating_sub(lines)..].iter().map(plain).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_log_without_end_is_emptied_and_its_end_is_still_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        file.set_len(MOST + 1).unwrap();
        let bounded = Bounded::of(vec![path.clone()]);
        let since = std::time::Instant::now();
        while path.metadata().unwrap().len() > MOST {
            assert!(since.elapsed() < Duration::from_secs(20), "it is not emptied");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        file.write_all(b"and on").unwrap();
        assert_eq!(last(&path, MOST / 2), b"and on");
        drop(bounded);
    }
}
