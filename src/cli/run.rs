//! `lacuna run`: the pipeline, each stage one call.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::Exit;
use super::interrupt::Interrupt;
use super::output;
use super::select::SelectArgs;
use crate::plan::Shard;
use crate::reference::Config;
use crate::report::console::{self, View};
use crate::report::files;
use crate::report::paint::Color;
use crate::report::progress::Progress;
use crate::run::{self, NotRun, Pause, Recorded, Request};
use crate::suite::barrier::Barrier;
use crate::suite::requirement::{Level, Spec};
use crate::suite::{self, Library, SuiteSource};
use crate::target::argument::{TargetSpec, is_target};
use crate::target::load;
use crate::verdict::{Ending, exit_code};

/// Arguments of `lacuna run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Where the reports go [default: reports/TARGET'S NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Cases at once [default: the profile's, else 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: Option<u32>,
    /// The content's seed, up to 16 hex digits, as a report prints it [default: a fresh one]
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<u64>,
    /// The edition of the distribution-spec to judge by: 1.1 or dev
    #[arg(long, value_name = "EDITION", value_parser = spec, default_value = "1.1")]
    spec: Spec,
    /// The level from which a mismatch fails: must, should or may
    #[arg(long, value_name = "LEVEL", value_parser = level, default_value = "must")]
    level: Level,
    /// A file of known failures, beside the profile's own
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Only part K of N
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// Runs each case so often; the worst counts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), default_value_t = 1)]
    repeat: u32,
    /// Leaves in the registry what was created
    #[arg(long)]
    keep: bool,
    /// Starts no further case after the first failure
    #[arg(long)]
    fail_fast: bool,
    /// Ends at this barrier, for you to do what it stands for (upgrade, downgrade, gc, restart, ..): go on with --resume
    #[arg(long, value_name = "BARRIER", value_parser = Barrier::parse, conflicts_with = "repeat")]
    pause_at: Option<Barrier>,
    /// Goes on with a run that was paused, by its journal.jsonl; filters select among the cases that wait
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["seed", "shard", "repeat"])]
    resume: Option<PathBuf>,
    /// Shows no progress
    #[arg(long)]
    no_progress: bool,
    /// When the console is coloured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: Color,
}

fn seed(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let valid = (1..=16).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let number = valid.then(|| u64::from_str_radix(digits, 16).ok()).flatten();
    number.ok_or_else(|| "a seed has 1 to 16 hex digits, such as 00c0ffee".to_owned())
}

/// An edition by its name.
///
/// # Errors
/// It is none.
pub fn spec(text: &str) -> Result<Spec, String> {
    match text {
        "1.1" => Ok(Spec::V1_1),
        "dev" => Ok(Spec::Dev),
        _ => Err("the editions are 1.1 and dev".into()),
    }
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "must" => Ok(Level::Must),
        "should" => Ok(Level::Should),
        "may" => Ok(Level::May),
        _ => Err("the levels are must, should and may".into()),
    }
}

/// Runs, writes the reports, prints the console's, and gives the exit code.
pub async fn run(args: RunArgs) -> ExitCode {
    let colour = args.color.painter(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref()).0;
    let request = request(&args, colour);
    // Refused before the reports of a paused run are taken for old ones.
    if let Some(text) = request.as_ref().ok().and_then(run::refusal) {
        return output::refuse("run", &text).into();
    }
    // Whatever fails from here on, nobody may take the reports of an earlier run for this one's. Those of a paused run say that
    // they are of a part: they stay until what goes on with it has its own.
    let out = request.as_ref().ok().map(|request| &request.out).or(args.out.as_ref());
    out.into_iter().filter(|_| args.resume.is_none()).for_each(|out| files::clear(out));
    let request = match request {
        Ok(request) => request,
        Err(text) => return output::refuse("run", &text).into(),
    };
    if let Some(caution) = request.target.caution() {
        output::complain("run", &caution);
    }
    let (signals, stop) = match Interrupt::listen("run") {
        Ok(listening) => listening,
        Err(e) => {
            output::complain("run", &format!("cannot watch for signals: {e}"));
            return Exit::Untestable.into();
        }
    };
    let shown = !args.no_progress && std::io::stderr().is_terminal();
    match run::run(&request, &stop, &|cases| Progress::new(cases, shown, colour)).await {
        Ok(recorded) => report(&args, &request, &recorded, signals.number()),
        Err(why) => {
            output::complain("run", &why.to_string());
            let exit = match why {
                NotRun::Refused(_) => Exit::Refused,
                NotRun::Untestable(_) => Exit::Untestable,
                NotRun::Nothing(_) => Exit::Nothing,
                NotRun::Unwritable(_) | NotRun::Unjournaled(_) => Exit::Unwritable,
            };
            signals.number().map_or(exit, Exit::Signal).into()
        }
    }
}

fn request(args: &RunArgs, colour: bool) -> Result<Request, String> {
    let selected = args.select.read(colour)?;
    let target = selected.target.unwrap_or_else(|| TargetSpec::reference(Config::default()));
    let target = target.filled().map_err(|e| e.to_string())?;
    let known = args.known.as_deref().map(load::known).transpose().map_err(|e| e.to_string())?.unwrap_or_default();
    // What a profile knows of shipped cases is told from a mistake by their ids alone.
    let knows = !target.profile.known.is_empty() || !known.is_empty();
    let shipped = match args.select.suites.is_some() && knows {
        true => suite::load(&SuiteSource::Shipped).map_err(|diagnostics| diagnostics.render(colour))?,
        false => Library::default(),
    };
    let elsewhere = shipped.instances.into_iter().map(|case| case.id).collect();
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("reports").join(&target.name));
    let command = command(args, &out);
    Ok(Request {
        out,
        known,
        filters: selected.filters,
        library: selected.library,
        elsewhere,
        target,
        jobs: args.jobs.map(|jobs| jobs as usize),
        seed: args.seed.unwrap_or_else(run::fresh),
        spec: args.spec,
        level: args.level,
        shard: args.shard,
        repeat: args.repeat,
        keep: args.keep,
        fail_fast: args.fail_fast,
        pause: Pause { at: args.pause_at, resume: args.resume.clone(), command },
    })
}

/// The command that goes on, up to its journal: target and suites as typed, and a folder of its own, since what failed before
/// the pause stands in the first one's reports alone.
fn command(args: &RunArgs, out: &Path) -> String {
    let target = args.select.target.as_deref().filter(|target| is_target(target)).unwrap_or("TARGET");
    let suites = args.select.suites.as_ref().map(|suites| format!(" --suites {}", suites.display()));
    format!("lacuna run {target}{} --out {}-resumed", suites.unwrap_or_default(), out.display())
}

/// Writes the reports, and what of them cannot be written, somewhere else.
fn report(args: &RunArgs, request: &Request, recorded: &Recorded, signal: Option<i32>) -> ExitCode {
    let record = &recorded.record;
    let faults = files::write(record, &recorded.bodies, &request.out);
    let view = View { paint: output::painter(args.color), out: request.out.display().to_string() };
    let written = output::print("run", &console::render(record, &view));
    for fault in &faults {
        output::complain("run", &format!("cannot write {fault}"));
    }
    if !faults.is_empty() {
        match files::rescue(record) {
            Some(path) => output::complain("run", &format!("the results are in {}", path.display())),
            None => output::complain("run", "the results could not be saved anywhere"),
        }
    }
    if recorded.mute {
        output::complain("run", "no case got an answer: the target could not be tested, whatever the verdicts say");
    }
    exit_code(&Ending {
        totals: &record.totals,
        complete: record.complete,
        paused: recorded.paused,
        refused: false,
        untestable: false,
        mute: recorded.mute,
        unwritten: !written || !faults.is_empty(),
        signal,
    })
    .into()
}
