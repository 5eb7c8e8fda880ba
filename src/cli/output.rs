//! What verbs print: the answer on standard output, complaints on standard error. A reader that is gone is no error.

use std::io::{IsTerminal as _, Write as _};

use super::exit::Exit;
use crate::report::paint::{Color, Painter};

/// Prints text, lines ended, on standard output.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a complaint of a verb on standard error.
pub fn complain(verb: &str, text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "lacuna {verb}: {}", crate::report::clean::lines(text));
}

/// Complains, and is exit 2.
pub fn refuse(verb: &str, text: &str) -> Exit {
    complain(verb, text);
    Exit::Refused
}

/// The painter for standard output.
pub fn painter(color: Color) -> Painter {
    color.painter(std::io::stdout().is_terminal(), std::env::var_os("NO_COLOR").as_deref())
}
