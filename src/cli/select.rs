//! The arguments that `run` and `list` share: whom to ask, and which cases.

use std::path::PathBuf;

use clap::Args;

use crate::plan::Filter;
use crate::suite::{Library, SuiteSource, load};
use crate::target::argument::{First, TargetSpec, parse_first};

/// `[TARGET] [FILTER..]` and where the cases come from.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    /// Profile file, shipped profile's name, URL or host:port; none: the embedded reference registry. A first argument
    /// with `*` or `/` is a filter
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// Case ids or their beginnings; `*` stands for anything within a component, `**` for any number of components
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// A folder of suites instead of those compiled in
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
}

/// What the arguments mean.
#[derive(Debug)]
pub struct Selected {
    /// Whom to ask; `None`: nobody was named.
    pub target: Option<TargetSpec>,
    /// The filters; none select everything.
    pub filters: Vec<Filter>,
    /// All cases.
    pub library: Library,
}

impl SelectArgs {
    /// Reads the arguments and loads the cases.
    ///
    /// # Errors
    /// What is wrong with them, for the person who typed them: exit 2.
    pub fn read(&self, colour: bool) -> Result<Selected, String> {
        let mut filters = Vec::new();
        let target = match self.target.as_deref().map(parse_first).transpose().map_err(|e| e.to_string())? {
            None => None,
            Some(First::Target(text)) => Some(TargetSpec::parse(Some(&text)).map_err(|e| e.to_string())?),
            Some(First::Filter(text)) => {
                filters.push(Filter::parse(&text)?);
                None
            }
        };
        for text in &self.filters {
            filters.push(Filter::parse(text)?);
        }
        let source = self.suites.clone().map_or(SuiteSource::Shipped, SuiteSource::Folder);
        let library =
            load(&source).map_err(|diagnostics| format!("the suites are refused\n{}", diagnostics.render(colour)))?;
        Ok(Selected { target, filters, library })
    }
}
