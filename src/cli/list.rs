//! `lacuna list`: what there is to ask, and what would be skipped.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;

use super::exit::Exit;
use super::output;
use super::select::{SelectArgs, Selected};
use super::signals::Signals;
use crate::plan::{self, Planned};
use crate::report::list;
use crate::report::paint::Color;
use crate::suite::requirement::Spec;
use crate::target::argument::TargetSpec;
use crate::target::open::open;
use crate::target::visit;

/// Arguments of `lacuna list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// List the defects that the reference registry can be given
    #[arg(long, conflicts_with_all = ["variations", "requirements"])]
    defects: bool,
    /// List the lawful differences that the reference registry can be given
    #[arg(long, conflicts_with = "requirements")]
    variations: bool,
    /// List the requirements
    #[arg(long)]
    requirements: bool,
    /// The edition of the distribution-spec that settles levels: 1.1 or dev
    #[arg(long, value_name = "EDITION", value_parser = super::run::spec, default_value = "1.1")]
    spec: Spec,
}

/// Lists. Without a target nobody is asked, and every case is listed. 0; 2 usage or refused files; 3 the target cannot be
/// tested; 4 nothing selected, or all skipped.
pub async fn list(args: ListArgs) -> ExitCode {
    if args.defects {
        return Exit::AsExpected.if_written(output::print("list", &list::defects(args.json))).into();
    }
    if args.variations {
        return Exit::AsExpected.if_written(output::print("list", &list::variations(args.json))).into();
    }
    let colour = Color::Auto.painter(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref()).0;
    let selected = match args.select.read(colour) {
        Ok(selected) => selected,
        Err(text) => return output::refuse("list", &text).into(),
    };
    if args.requirements {
        let text = list::requirements(&selected.library, args.spec, args.json);
        return Exit::AsExpected.if_written(output::print("list", &text)).into();
    }
    if let Some(caution) = selected.target.as_ref().and_then(TargetSpec::caution) {
        output::complain("list", &caution);
    }
    // A registry that nobody has named cannot be asked.
    let target = selected.target.clone().map(TargetSpec::filled).transpose().unwrap_or_else(|why| {
        output::complain("list", &format!("{why}; nobody is asked, and nothing skipped"));
        None
    });
    let planned = match &target {
        Some(target) => match planned(&selected, target).await {
            Ok(planned) => planned,
            Err(exit) => return exit.into(),
        },
        None => plan::select(&selected.library.instances, &selected.filters, None)
            .map(|(case, _)| Planned { case, skip: None })
            .collect(),
    };
    let unmatched = plan::unmatched(&selected.filters, &selected.library.instances);
    if !unmatched.is_empty() {
        output::complain("list", &unmatched.join("\n"));
        return Exit::Nothing.into();
    }
    let written = output::print("list", &list::cases(&selected.library, &planned, args.json));
    let runs = planned.iter().filter(|plan| plan.skip.is_none()).count();
    if !args.json {
        let skipped = planned.len() - runs;
        output::complain(
            "list",
            &match target {
                Some(_) => format!("{runs} run, {skipped} skipped"),
                None => format!("{runs} cases; which of them are skipped a target would say"),
            },
        );
    }
    if runs == 0 { Exit::Nothing } else { Exit::AsExpected }.if_written(written).into()
}

/// Probes the target, and plans by what it is.
async fn planned(selected: &Selected, target: &TargetSpec) -> Result<Vec<Planned>, Exit> {
    let untestable = |text: &str| {
        output::complain("list", text);
        Exit::Untestable
    };
    let mut signals = Signals::new().map_err(|e| untestable(&format!("cannot watch for signals: {e}")))?;
    let live = tokio::select! {
        live = open(target) => live.map_err(|e| untestable(&e.to_string()))?,
        signal = signals.next() => return Err(Exit::Signal(signal)),
    };
    let mut signal = None;
    let visit = visit::visit(&live, None, false, async { signal = Some(signals.next().await) }).await;
    let visit = visit.map_err(|text| untestable(&text))?;
    for line in &visit.left {
        output::complain("list", &format!("left behind: {line}"));
    }
    match visit.findings {
        Some(findings) => {
            Ok(plan::plan(&selected.library.instances, &findings, &live.barriers(), &selected.filters, None))
        }
        None => Err(signal.map_or(Exit::Untestable, Exit::Signal)),
    }
}
