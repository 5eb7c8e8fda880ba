//! `lacuna probe`: what a target is, with evidence.

use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::output;
use super::signals::Signals;
use crate::record::TargetRecord;
use crate::report;
use crate::report::paint::Color;
use crate::target::argument::TargetSpec;
use crate::target::claims::{self, ClaimCheck};
use crate::target::findings::Findings;
use crate::target::open::open;
use crate::target::visit;

/// Arguments of `lacuna probe`.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// Profile file, shipped profile's name, URL or host:port; none: the embedded reference registry
    pub target: Option<String>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Leave what was pushed
    #[arg(long)]
    pub keep: bool,
    /// Seed of the content, up to 16 hex digits; a fresh one where nothing is said
    #[arg(long, value_name = "HEX", value_parser = seed)]
    pub seed: Option<u64>,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

fn seed(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| "up to 16 hex digits".into())
}

/// The findings of one target, as `--json` prints them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Probed<'a> {
    target: &'a TargetRecord,
    #[serde(flatten)]
    findings: &'a Findings,
    claims: &'a [ClaimCheck],
}

/// Runs the verb: 0, 2 for an argument that names no target, 3 for a target that cannot be tested.
pub async fn probe(args: ProbeArgs) -> Exit {
    let spec = match TargetSpec::parse(args.target.as_deref()).and_then(TargetSpec::filled) {
        Ok(spec) => spec,
        Err(error) => return output::refuse("probe", &error.to_string()),
    };
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return untestable(&format!("signals cannot be heard: {error}")),
    };
    // Dropping what is not open yet ends its process.
    let live = tokio::select! {
        live = open(&spec) => live,
        signal = signals.next() => return Exit::Signal(signal),
    };
    let live = match live {
        Ok(live) => live,
        Err(error) => return untestable(&error.to_string()),
    };
    let mut signal = None;
    let visit = visit::visit(&live, args.seed, args.keep, async { signal = Some(signals.next().await) }).await;
    let visit = match visit {
        Ok(visit) => visit,
        Err(error) => return untestable(&error),
    };
    for line in &visit.left {
        output::complain("probe", &format!("left behind: {line}"));
    }
    let Some(findings) = visit.findings else { return Exit::Signal(signal.unwrap_or(2)) };
    let target = live.record();
    let claims = claims::compare(&live.profile.claims, &findings);
    let text = if args.json {
        let probed = Probed { target: &target, findings: &findings, claims: &claims };
        serde_json::to_string_pretty(&probed).unwrap_or_default() + "\n"
    } else {
        report::probe::render(&target, &findings, &claims, output::painter(args.color))
    };
    Exit::AsExpected.if_written(output::print("probe", &text))
}

fn untestable(text: &str) -> Exit {
    output::complain("probe", text);
    Exit::Untestable
}
