//! `lacuna report`: renders records again, and joins those of shards.

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

/// Arguments of `lacuna report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// A results.json, or the folder that holds one; several: the shards of one run
    #[arg(required = true, value_name = "RESULTS")]
    pub results: Vec<PathBuf>,
    /// Where the reports go
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// When the console is coloured
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
}

/// Renders. 0: done; 2: results that cannot be read or do not belong together; 5: a report could not be written.
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
    let record = match join(records) {
        Ok(record) => record,
        Err(e) => return output::refuse("report", &e.to_string()),
    };
    let faults = files::write(&record, &bodies, &args.out);
    let view = View { paint: output::painter(args.color), out: args.out.display().to_string() };
    let written = output::print("report", &console::render(&record, &view));
    for fault in &faults {
        output::complain("report", &format!("cannot write {fault}"));
    }
    Exit::AsExpected.if_written(written && faults.is_empty())
}
