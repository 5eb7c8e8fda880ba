//! From a profile's text to a profile, or to everything that is wrong with it.

use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::check::check;
use super::profile::{Known, Profile};
use crate::input;
use crate::suite::context::Context;
use crate::suite::fault::{At, Diagnostic, Diagnostics, Fault};
use crate::suite::tree::Node;
use crate::suite::yaml;
use crate::wire::redact;

/// The profiles that are compiled in.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/targets");

/// Reads a profile from its bytes; `file` is what faults are reported under.
///
/// # Errors
/// What is not YAML, else what is no profile, else every fault of sense.
pub fn parse(bytes: &[u8], file: &str) -> Result<Profile, Diagnostics> {
    let (profile, root) = decode::<Profile>(bytes, file)?;
    let faults = check(&profile, &root);
    if faults.is_empty() { Ok(profile) } else { Err(refused(file, bytes, faults)) }
}

/// Decodes a file, and gives what it was decoded from.
fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8], file: &str) -> Result<(T, Node), Diagnostics> {
    let refuse = |faults: Vec<Fault>| refused(file, bytes, faults);
    let text = yaml::text(bytes).map_err(|fault| refuse(vec![fault]))?;
    let root = yaml::parse(text).map_err(|fault| refuse(vec![fault]))?;
    let context = Context::default();
    match context.decode(&root) {
        Some(value) => Ok((value, root)),
        None => Err(refuse(context.into_faults())),
    }
}

/// Puts faults into their file, each with its line.
fn refused(file: &str, bytes: &[u8], faults: Vec<Fault>) -> Diagnostics {
    let file: Arc<str> = file.into();
    let text = String::from_utf8_lossy(bytes);
    // A URL may have been written with the credentials in it.
    let shown = |line: &str| if line.contains('@') { redact::urls_within(line) } else { line.to_owned() };
    let line = |at: At| text.lines().nth((at.line as usize).saturating_sub(1)).map(shown);
    Diagnostics(
        faults
            .into_iter()
            .map(|fault| {
                let line = line(fault.at);
                Diagnostic::new(&file, fault, line.as_deref())
            })
            .collect(),
    )
}

/// Reads a profile file.
///
/// # Errors
/// What is wrong with it, or why it cannot be read.
pub fn file(path: &Path) -> Result<Profile, Diagnostics> {
    let (bytes, shown) = read(path)?;
    parse(&bytes, &shown)
}

/// Reads a list of known failures, as a profile has it under `known`.
///
/// # Errors
/// What is wrong with it, or why it cannot be read.
pub fn known(path: &Path) -> Result<Vec<Known>, Diagnostics> {
    let (bytes, shown) = read(path)?;
    Ok(decode(&bytes, &shown)?.0)
}

/// A file's bytes, and its name for faults.
fn read(path: &Path) -> Result<(Vec<u8>, String), Diagnostics> {
    let shown = path.display().to_string();
    match input::read(path, yaml::MAX_FILE as u64) {
        Ok(bytes) => Ok((bytes, shown)),
        Err(e) => Err(refused(&shown, b"", vec![Fault::new(At::START, format!("it cannot be read: {e}"))])),
    }
}

/// A profile that is compiled in, by name.
///
/// # Errors
/// What is wrong with it (a test sees to it that nothing is).
pub fn shipped(name: &str) -> Option<Result<Profile, Diagnostics>> {
    let file = SHIPPED.get_file(format!("{name}.yaml"))?;
    Some(parse(file.contents(), &format!("fixtures/targets/{name}.yaml")))
}

/// The names of all profiles that are compiled in, sorted.
pub fn shipped_names() -> Vec<&'static str> {
    let stem = |path: &'static Path| path.file_name()?.to_str()?.strip_suffix(".yaml");
    let mut names: Vec<&str> = SHIPPED.files().filter_map(|file| stem(file.path())).collect();
    names.sort_unstable();
    names
}
