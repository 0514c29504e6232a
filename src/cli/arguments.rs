//! The command line as clap reads it: one definition gives parsing, help and everything generated.

use std::ffi::OsString;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Style};
use clap::{Args, Command as Definition, Parser, Subcommand};

use super::{
    adopt, clean, complete, completions, doctor, kill, logs, man, pause, rename, restart, run, signal, status, top,
    wait,
};

/// Prose in longer lines is hard to read.
const WIDEST: usize = 100;

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

/// Bold is readable on every background; clap's own yellow and green are not on white.
const STYLES: Styles =
    Styles::styled().invalid(AnsiColor::Red.on_default()).valid(Style::new().bold()).context(Style::new());

/// Run any command in the background and keep track of it: no daemon, no configuration.
#[derive(Debug, Parser)]
#[command(
    name = "hap",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
    max_term_width = WIDEST,
    styles = STYLES
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
    Adopt(adopt::AdoptArguments),
    #[command(visible_alias = "show")]
    Status(status::StatusArguments),
    Top(top::TopArguments),
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

/// Reads a command line. Clap builds its definitions anew at every start, which for all verbs takes longer
/// than anything else before the work begins: so what the first word decides is read by its definition alone.
pub(super) fn read(words: Vec<OsString>) -> Result<Arguments, clap::Error> {
    let first = words.get(1).map(|word| word.as_encoded_bytes());
    match first {
        None => Ok(Arguments::list(false)),
        Some(b"--version" | b"-V") if words.len() == 2 => Ok(Arguments { version: true, ..Arguments::list(false) }),
        Some(b"--json") if words.len() == 2 => Ok(Arguments::list(true)),
        Some(b"run") => alone(words, Verb::Run),
        Some(b"status") => alone(words, Verb::Status),
        Some(b"logs") => alone(words, Verb::Logs),
        Some(b"errors") => alone(words, Verb::Errors),
        Some(b"pause") => alone(words, Verb::Pause),
        Some(b"resume") => alone(words, Verb::Resume),
        Some(b"signal") => alone(words, Verb::Signal),
        Some(b"kill") => alone(words, Verb::Kill),
        Some(b"stop") => alone(words, Verb::Stop),
        Some(b"wait") => alone(words, Verb::Wait),
        Some(b"restart") => alone(words, Verb::Restart),
        Some(b"rename") => alone(words, Verb::Rename),
        Some(b"clean") => alone(words, Verb::Clean),
        Some(_) => Arguments::try_parse_from(words),
    }
}

/// Reads `hap VERB ...` as if `hap VERB` were a program of its own.
fn alone<T: Args>(words: Vec<OsString>, verb: fn(T) -> Verb) -> Result<Arguments, clap::Error> {
    let name = format!("hap {}", words[1].to_string_lossy());
    let mut definition = T::augment_args(Definition::new("hap").bin_name(name).max_term_width(WIDEST).styles(STYLES));
    let mut matches = definition.try_get_matches_from_mut(words.into_iter().skip(1))?;
    let arguments = T::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))?;
    Ok(Arguments { verb: Some(verb(arguments)), ..Arguments::list(false) })
}

impl Arguments {
    /// What no verb at all means.
    fn list(json: bool) -> Self {
        Self { version: false, list: status::How::plain(json), verb: None }
    }
}
