//! The `hap` command.
#![no_main]

hapless::program!(hapless::cli::main);
