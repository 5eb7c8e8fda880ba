//! `lacuna clean`: removes what an interrupted run left.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::exit::Exit;
use super::output;
use super::signals::Signals;
use crate::engine::{Journal, clean as remove, journal};
use crate::record::CleanUp;
use crate::report::clean::line;
use crate::target::argument::TargetSpec;
use crate::target::open::open;

/// How long it may take.
const TIME: Duration = Duration::from_secs(600);

/// Arguments of `lacuna clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// The target of the run: profile file, shipped profile's name, URL or host:port
    target: String,
    /// The run's journal.jsonl
    journal: PathBuf,
}

/// Removes. 0: nothing is left; 1: something stays; 2: arguments or a journal that are refused; 3: no target to ask.
pub async fn clean(args: CleanArgs) -> Exit {
    let spec = match TargetSpec::parse(Some(&args.target)).and_then(TargetSpec::filled) {
        Ok(spec) => spec,
        Err(e) => return output::refuse("clean", &e.to_string()),
    };
    if spec.reference.is_some() || spec.profile.launch.is_some() {
        let text = format!(
            "`{}` is started for each run, and what it holds goes with it; only where lacuna itself was killed (SIGKILL) the \
             registry may go on, and its folder `lacuna-*` stay among the temporary files: end and remove them by hand",
            spec.name
        );
        return output::refuse("clean", &text);
    }
    let leftovers = match journal::read_of(&args.journal, &spec.profile.repositories) {
        Ok(leftovers) => leftovers,
        Err(e) => return output::refuse("clean", &e.to_string()),
    };
    // What is not there counts as removed: on another registry the journal would forget what it was written for.
    if leftovers.header.target != spec.profile.url {
        let (theirs, ours) = (line(&leftovers.header.target), &spec.profile.url);
        return output::refuse("clean", &format!("the journal is of {theirs}, not of {ours}: name that target"));
    }
    if Journal::is_held(&args.journal) {
        return output::refuse("clean", "a run that has not ended writes this journal: wait for its end, or end it");
    }
    match removed(&spec, &args.journal).await {
        Ok(tally) => {
            let written = output::print("clean", &format!("{} of {} removed\n", tally.removed, tally.created));
            tally.left.iter().for_each(|left| output::complain("clean", &format!("left: {left}")));
            if tally.left.is_empty() { Exit::AsExpected } else { Exit::Failed }.if_written(written)
        }
        Err(exit) => exit,
    }
}

async fn removed(spec: &TargetSpec, path: &std::path::Path) -> Result<CleanUp, Exit> {
    let untestable = |text: String| {
        output::complain("clean", &text);
        Exit::Untestable
    };
    let mut signals = Signals::new().map_err(|e| untestable(format!("cannot watch for signals: {e}")))?;
    let cleaning = async {
        let live = open(spec).await.map_err(|e| untestable(e.to_string()))?;
        remove(&live.client, path, &spec.profile.repositories, TIME)
            .await
            .map_err(|e| output::refuse("clean", &e.to_string()))
    };
    // What was removed until then is in the journal.
    tokio::select! {
        tally = cleaning => tally,
        signal = signals.next() => Err(Exit::Signal(signal)),
    }
}
