//! `hap wait`.

use std::cell::Cell;
use std::time::{Duration, Instant};

use clap::Args;

use super::context::{Context, zone};
use super::settings::seconds;
use super::targets::Aliases;
use crate::core::error::{Error, Result};
use crate::core::record::Outcome;
use crate::ops::hap::Hap;
use crate::ops::wait::{self, Waited};
use crate::view::json::{self, Deed};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap wait train && hap run ./evaluate
  hap wait -t 3600 1 2 3

Exit code: that of the last hap named, 128+N if signal N ended it; 124 if the time was up first;
1 if nobody can know how it ended.";

/// Wait until haps have ended
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct WaitArguments {
    /// Give up after this many seconds, for all of them together
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    #[command(flatten)]
    which: Aliases,
}

pub(super) fn wait(context: &Context, arguments: &WaitArguments) -> Result<u8> {
    let which = &arguments.which;
    let deadline = arguments.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let last_code = Cell::new(0);
    let failures = context.for_each(&which.aliases, which.form(), |haps, alias| {
        let hap = haps.hap(alias)?;
        let hap = ended(wait::wait(haps, &hap, deadline, None)?)?;
        last_code.set(code(&hap));
        let json = which.form().is_json();
        Ok(if json { json::acted(&hap, Deed::default(), &zone()) } else { message::ended(&hap) })
    })?;
    Ok(if failures == 0 { last_code.get() } else { failures })
}

/// The hap, if it has ended.
pub(super) fn ended(waited: Waited) -> Result<Box<Hap>> {
    match waited {
        Waited::Ended(hap) => Ok(hap),
        Waited::TimedOut(hap) => Err(Error::TimedOut { hap: hap.title(), status: hap.status.kind().word() }),
        Waited::Interrupted(hap) => Err(Error::Interrupted { hap: hap.title() }),
    }
}

/// The exit code with which a hap's own end is told.
pub(super) fn code(hap: &Hap) -> u8 {
    hap.status.outcome().map_or(1, Outcome::shell_code)
}
