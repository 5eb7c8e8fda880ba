//! What verbs print: the answer on standard output, complaints on standard error. A reader that is gone is no error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use super::exit::Exit;
use crate::report::paint::{Color, Painter};

/// Prints a verb's text, lines ended, on standard output. False, and a complaint, where that cannot be written.
#[must_use]
pub fn print(verb: &str, text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            complain(verb, &format!("cannot write to standard output: {e}"));
            false
        }
        _ => true,
    }
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
