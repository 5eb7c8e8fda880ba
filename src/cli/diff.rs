//! `lacuna diff`: two records, and what differs.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::output;
use crate::plan::Filter;
use crate::record::{RunRecord, store};
use crate::report::diff;
use crate::report::paint::Color;

/// Arguments of `lacuna diff`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 nothing is worse; 1 a case fails or could not be asked and did neither before, a stance \
    or a capability\nbecame broken, or something changed outside of --only-in; 2 results that cannot be read; 5 the \
    answer could not be written.\n\nTimes are not compared. A change of stance, and the cases that it asks or does not \
    ask any more, are no regression."
)]
pub struct DiffArgs {
    /// The results.json of the run before, or the folder that holds it
    pub old: PathBuf,
    /// The results.json of the run after, or the folder that holds it
    pub new: PathBuf,
    /// Only these cases may differ, and what concerns the stance; may repeat. A filter as `run` takes it;
    /// `stance/claims/NAME` stands for a capability
    #[arg(long, value_name = "PATTERN")]
    pub only_in: Vec<String>,
    /// Print everything that differs as JSON
    #[arg(long)]
    pub json: bool,
    /// When to colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
}

/// Compares. 0: nothing is worse; 1: something is, or differs where nothing should; 2: results that cannot be read;
/// 5: the answer could not be written.
pub fn diff(args: &DiffArgs) -> Exit {
    let (old, new, patterns) = match read(args) {
        Ok(read) => read,
        Err(text) => return output::refuse("diff", &text),
    };
    let diff = diff::compare(&old, &new, &patterns);
    let text = if args.json { diff::json(&diff) } else { diff::render(&diff, output::painter(args.color)) };
    let written = output::print("diff", &text);
    if diff.fails() { Exit::Failed } else { Exit::AsExpected }.if_written(written)
}

fn read(args: &DiffArgs) -> Result<(RunRecord, RunRecord, Vec<Filter>), String> {
    let patterns = args.only_in.iter().map(|text| Filter::parse(text)).collect::<Result<_, _>>()?;
    let record = |path: &Path| store::read(path).map_err(|e| e.to_string());
    Ok((record(&args.old)?, record(&args.new)?, patterns))
}
