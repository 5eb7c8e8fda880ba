//! Arguments to one call per verb; no logic.

pub mod serve;

/// Parses the arguments, runs the verb, and gives its exit code.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
