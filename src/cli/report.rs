//! `lacuna report`: renders records again, joins those of shards, and publishes.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output;
use crate::record::build::Bodies;
use crate::record::join::join;
use crate::record::store;
use crate::report::console::{self, View};
use crate::report::files;
use crate::report::paint::Color;
use crate::report::publish::{self, Refused};

/// Arguments of `lacuna report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// A results.json, or the folder that holds one; several: the shards of one run, or runs to be published
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<PathBuf>,
    /// Where the reports go
    #[arg(long, value_name = "DIR", required_unless_present = "publish")]
    pub out: Option<PathBuf>,
    /// Write a summary of each run into a folder of its own under DIR, and the index of all that are there
    #[arg(long, value_name = "DIR")]
    pub publish: Option<PathBuf>,
    /// When the console is coloured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
}

/// Renders. 0: done; 2: results that cannot be read, do not belong together or are only a part of a run that is to be
/// published; 5: a report could not be written.
pub fn report(args: &ReportArgs) -> Exit {
    let mut records = Vec::new();
    let mut bodies = Bodies::new();
    for path in &args.results {
        match store::read(path) {
            Ok(record) => {
                bodies.extend(store::read_bodies(&record, path));
                records.push(record);
            }
            Err(e) => return output::refuse("report", &e.to_string()),
        }
    }
    let mut printed = true;
    if let Some(under) = &args.publish {
        match publish::publish(records.clone(), under) {
            Ok(written) => {
                let lines: String = written.iter().map(|folder| format!("published {}\n", folder.display())).collect();
                printed = output::print("report", &lines);
            }
            Err(e @ Refused::Unwritable(_)) => {
                output::complain("report", &e.to_string());
                return Exit::Unwritable;
            }
            Err(e) => return output::refuse("report", &e.to_string()),
        }
    }
    let Some(out) = &args.out else { return Exit::AsExpected.if_written(printed) };
    let record = match join(records) {
        Ok(record) => record,
        Err(e) => return output::refuse("report", &e.to_string()),
    };
    let faults = files::write(&record, &bodies, out);
    let view = View { paint: output::painter(args.color), out: out.display().to_string() };
    let written = output::print("report", &console::render(&record, &view));
    for fault in &faults {
        output::complain("report", &format!("cannot write {fault}"));
    }
    Exit::AsExpected.if_written(printed && written && faults.is_empty())
}
