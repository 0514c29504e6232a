//! `hap signal`.

use clap::Args;

use super::context::{Context, zone};
use super::targets::Format;
use crate::core::error::{Error, Result};
use crate::core::signal::{Signal, Target};
use crate::ops::signal;
use crate::view::json::{self, Deed};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap signal train 15         SIGTERM, by number
  hap signal 1 2 HUP          SIGHUP to haps 1 and 2, by name
  hap signal --group 1 USR1   to all of the command's process group

INT, QUIT, TERM, KILL, STOP, TSTP and CONT go to the command's process group, as a terminal sends them;
all others to the command itself.";

/// Send a signal to haps
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct SignalArguments {
    /// Send it to the command's whole process group
    #[arg(long, conflicts_with = "main")]
    group: bool,

    /// Send it to the command itself alone
    #[arg(long)]
    main: bool,

    #[command(flatten)]
    format: Format,

    /// Id or name of a hap
    #[arg(value_name = "ALIAS", required = true, allow_negative_numbers = true)]
    aliases: Vec<String>,

    /// Number or name: 15, TERM, SIGTERM
    #[arg(required = true, allow_negative_numbers = true)]
    signal: String,
}

pub(super) fn signal(context: &Context, arguments: &SignalArguments) -> Result<u8> {
    let signal =
        Signal::parse(&arguments.signal).ok_or_else(|| Error::NoSuchSignal { text: arguments.signal.clone() })?;
    let target = match (arguments.group, arguments.main) {
        (true, _) => Target::Group,
        (_, true) => Target::Main,
        (false, false) => signal.default_target(),
    };
    let form = arguments.format.form(&arguments.aliases);
    context.for_each(&arguments.aliases, form, |haps, alias| {
        let hap = haps.active(alias)?;
        signal::signal(haps, &hap, signal, target)?;
        if !form.is_json() {
            return Ok(message::signalled(&hap, signal));
        }
        let deed = Deed { sent: Some(&signal.to_string()), ..Deed::default() };
        Ok(json::acted(&haps.again(&hap)?, deed, &zone()))
    })
}
