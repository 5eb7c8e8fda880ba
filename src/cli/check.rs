//! `lacuna check [DIR]`: loads everything, reports every diagnostic.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::suite::{Diagnostics, Library, SuiteSource, load};

/// Arguments of `lacuna check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// A folder of suites (AREA/TOPIC.yaml, requirements.yaml, expectations.yaml, content/), or one case file; without it
    /// the suites that are compiled in.
    pub dir: Option<PathBuf>,
}

/// Loads the suites and prints what is wrong with them, or what is in them. Exit code 0, or 2 where anything is wrong.
pub fn check(args: CheckArgs) -> ExitCode {
    let source = args.dir.map_or(SuiteSource::Shipped, SuiteSource::Folder);
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (text, code) = match load(&source) {
        Ok(library) => (summary(&library), ExitCode::SUCCESS),
        Err(diagnostics) => (report(&diagnostics, colour), ExitCode::from(2)),
    };
    // A reader that has seen enough (`| head`) closes the pipe: the exit code says the rest.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    code
}

/// Every diagnostic, and how many there are.
fn report(diagnostics: &Diagnostics, colour: bool) -> String {
    let count = diagnostics.0.len();
    let files = diagnostics.files();
    format!("{}\n{} in {}\n", diagnostics.render(colour), many(count, "diagnostic"), many(files, "file"))
}

/// What was loaded, in a line.
fn summary(library: &Library) -> String {
    format!(
        "{} of {}, {}, {}, {}: nothing to complain of\n",
        many(library.instances.len(), "case instance"),
        many(library.topics, "topic"),
        many(library.requirements.len(), "requirement"),
        many(library.bundles.len(), "bundle"),
        many(library.graphs.len(), "graph"),
    )
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
