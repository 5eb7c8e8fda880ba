//! Arguments to one call per verb; no logic.

pub mod check;
pub mod clean;
pub mod coverage;
pub mod diff;
pub mod exit;
mod interrupt;
pub mod list;
pub mod output;
pub mod probe;
pub mod report;
pub mod run;
mod select;
pub mod serve;
pub mod signals;

use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;

/// What does a registry do with a sparse index?
#[derive(Debug, Parser)]
#[command(name = "lacuna", version, about = "Conformance of OCI registries: what do they do with a sparse index?")]
#[command(
    after_help = "Exit codes: 0 as expected, 1 conformance failure, 2 usage or refused files, 3 the target could \
    not be tested,\n4 nothing selected or all skipped, 5 a report could not be written, 128+signal interrupted."
)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run cases, judge them, and write the reports
    Run(run::RunArgs),
    /// List what would run and what would be skipped; a target is asked as by `probe`; without one, every case there is
    List(list::ListArgs),
    /// Load the suites, and report everything that is wrong with them
    Check(check::CheckArgs),
    /// Find out what a target is: stance and capabilities, with evidence
    Probe(probe::ProbeArgs),
    /// Serve the reference registry
    Serve(serve::ServeArgs),
    /// Remove what an interrupted run left in a registry
    Clean(clean::CleanArgs),
    /// Compare two results: regressions, fixes, changes of stance
    Diff(diff::DiffArgs),
    /// Render results again, or join those of shards
    Report(report::ReportArgs),
    /// What is checked: requirements, cases, defects; and whether the checks would notice
    Coverage(coverage::CoverageArgs),
}

/// Parses the arguments, runs the verb, and gives its exit code.
pub fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Run(args) => wait("run", run::run(args)),
        Verb::List(args) => wait("list", list::list(args)),
        Verb::Check(args) => check::check(args).into(),
        Verb::Probe(args) => wait("probe", probe::probe(args)),
        Verb::Serve(args) => wait("serve", serve::serve(args)),
        Verb::Clean(args) => wait("clean", clean::clean(args)),
        Verb::Diff(args) => diff::diff(&args).into(),
        Verb::Report(args) => report::report(&args).into(),
        Verb::Coverage(args) => wait("coverage", coverage::coverage(args)),
    }
}

/// Runs a verb that talks to the network.
fn wait<E: Into<ExitCode>>(verb: &str, work: impl Future<Output = E>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work).into(),
        Err(e) => {
            output::complain(verb, &format!("no threads to work with: {e}"));
            Exit::Untestable.into()
        }
    }
}
