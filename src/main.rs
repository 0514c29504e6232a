//! The `hap` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hapless::cli::main()
}
