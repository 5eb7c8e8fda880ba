//! `lacuna coverage [--prove]`: what is checked, and whether the checks would notice.

use super::exit::Exit;
use super::output;
use crate::proof::Proof;
use crate::proof::mutants::Fate;
use crate::report::coverage as report;
use crate::run::NotRun;
use crate::suite::{SuiteSource, load};

/// Arguments of `lacuna coverage`.
#[derive(Debug, Clone, clap::Args)]
pub struct CoverageArgs {
    /// Spoils each kind of answer of the reference registry in each systematic way, and tells which of them no case notices
    #[arg(long)]
    pub prove: bool,
    /// With --prove, only mutants whose names begin so: GET/tags
    #[arg(requires = "prove")]
    pub names: Vec<String>,
}

/// Prints the ledger as Markdown, or how the mutants fared. 0; 1 where there is a hole, or a mutant survives; 3 where the
/// reference registry cannot be run.
pub async fn coverage(args: CoverageArgs) -> Exit {
    let library = match load(&SuiteSource::Shipped) {
        Ok(library) => library,
        Err(diagnostics) => {
            output::complain("coverage", &format!("the shipped suites are refused\n{diagnostics}"));
            return Exit::Refused;
        }
    };
    let proof = Proof::new(library);
    let made = if args.prove { proved(&proof, &args.names).await } else { covered(&proof).await };
    match made {
        Ok((text, whole)) => {
            let exit = if whole { Exit::AsExpected } else { Exit::Failed };
            exit.if_written(output::print("coverage", &text))
        }
        Err(why) => {
            output::complain("coverage", &why.to_string());
            Exit::Untestable
        }
    }
}

async fn covered(proof: &Proof) -> Result<(String, bool), NotRun> {
    let covered = proof.coverage().await?;
    Ok((report::ledger(&covered), covered.iter().all(|row| row.hole().is_none())))
}

async fn proved(proof: &Proof, names: &[String]) -> Result<(String, bool), NotRun> {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|begin| name.starts_with(begin.as_str()));
    // Some thousands: who waits sees each as it comes. That nothing can be written is said where the last line cannot be.
    let tell = |fate: &Fate| {
        let _ = output::print("coverage", &report::fate(fate));
    };
    let fates = proof.mutants(wanted, tell).await?;
    Ok((report::mutants(&fates), !fates.iter().any(Fate::is_bad)))
}
