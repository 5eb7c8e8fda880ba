//! `lacuna check [DIR]`: loads everything, reports every diagnostic.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use super::exit::Exit;
use super::output;
use crate::suite::{Diagnostics, Library, SuiteSource, load};

/// Arguments of `lacuna check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// A folder of suites (AREA/TOPIC.yaml, requirements.yaml, expectations.yaml, content/), or one case file; without it
    /// the suites that are compiled in.
    pub dir: Option<PathBuf>,
}

/// Loads the suites and prints what is wrong with them, or what is in them. 0; 2 where anything is wrong; 5 where it cannot be said.
pub fn check(args: CheckArgs) -> Exit {
    let source = args.dir.map_or(SuiteSource::Shipped, SuiteSource::Folder);
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (text, exit) = match load(&source) {
        Ok(library) => (summary(&library), Exit::AsExpected),
        Err(diagnostics) => (report(&diagnostics, colour), Exit::Refused),
    };
    exit.if_written(output::print("check", &text))
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
