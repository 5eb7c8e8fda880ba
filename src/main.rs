//! The binary: arguments in, an exit code out.

fn main() -> std::process::ExitCode {
    lacuna::cli::main()
}
