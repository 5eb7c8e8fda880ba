//! What a process wrote: its end, for people, without what a terminal would obey.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are read of the end: more than is shown, so that no secret is cut in two before it is taken out.
const READ: u64 = 64 << 10;

/// Bytes and lines that are shown.
const SHOWN: (usize, usize) = (4 << 10, 20);

/// The last bytes of a file, none of those before `from`.
pub(super) fn last(path: &Path, from: u64) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(READ).max(from)))?;
        let mut bytes = Vec::new();
        file.take(READ).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().unwrap_or_default()
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
