//! `hap restart`.

use std::time::Duration;

use clap::Args;

use super::context::{Context, zone};
use super::settings::seconds;
use super::targets::Aliases;
use crate::core::error::Result;
use crate::ops::restart;
use crate::view::json::{self, Deed};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap restart train               stops it first if it is still running
  hap restart -t 60 web worker
  hap logs --previous train       the output of the run before";

/// Start haps again: the same command, environment and directory, the same id and name
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RestartArguments {
    /// Kill what has not ended after this many seconds
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    which: Aliases,
}

pub(super) fn restart(context: &Context, arguments: &RestartArguments) -> Result<u8> {
    let form = arguments.which.form();
    context.for_each(&arguments.which.aliases, form, |haps, alias| {
        let hap = haps.hap(alias)?;
        let record = restart::restart(haps, &hap, arguments.timeout)?;
        let json = || Ok(json::acted(&haps.again(&hap)?, Deed::default(), &zone()));
        if form.is_json() { json() } else { Ok(message::restarted(hap.id, &record)) }
    })
}
