//! The command line as clap reads it: one definition gives parsing, help and everything generated.

use clap::{Parser, Subcommand};

use super::{clean, complete, completions, doctor, kill, logs, man, pause, rename, restart, run, signal, status, wait};

const EXAMPLES: &str = "\
Examples:
  hap run python train.py       start something long
  hap                           see all haps
  hap logs -f 1                 follow the output of hap 1
  hap pause 1, hap resume 1     let it wait, let it go on
  hap signal 1 15               ask it to end
  hap clean                     forget what has ended

A hap is one command that hap runs in the background and remembers. Verbs take its number or its name.
State lies in $HAPLESS_DIR, else in $XDG_STATE_HOME/hapless (~/.local/state/hapless).";

/// Run any command in the background and keep track of it: no daemon, no configuration.
#[derive(Debug, Parser)]
#[command(
    name = "hap",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub(super) struct Arguments {
    /// Print the version
    #[arg(long, short = 'V')]
    pub(super) version: bool,

    #[command(flatten)]
    pub(super) list: status::How,

    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Run(run::RunArguments),
    #[command(visible_alias = "show")]
    Status(status::StatusArguments),
    Logs(logs::LogsArguments),
    Errors(logs::ErrorsArguments),
    #[command(visible_alias = "suspend")]
    Pause(pause::PauseArguments),
    Resume(pause::ResumeArguments),
    Signal(signal::SignalArguments),
    Kill(kill::KillArguments),
    Stop(kill::StopArguments),
    Wait(wait::WaitArguments),
    Restart(restart::RestartArguments),
    Rename(rename::RenameArguments),
    #[command(visible_alias = "cleanall")]
    Clean(clean::CleanArguments),
    Doctor(doctor::DoctorArguments),
    Completions(completions::CompletionsArguments),
    Man(man::ManArguments),
    #[command(name = "__complete", hide = true)]
    Complete(complete::CompleteArguments),
}
