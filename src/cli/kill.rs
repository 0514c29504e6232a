//! `hap kill` and `hap stop`.

use std::time::Duration;

use clap::Args;

use super::context::{self, Context, zone};
use super::settings::seconds;
use super::targets::Targets;
use crate::core::error::{Error, Result};
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::ops::kill::{self, Ended, Ending};
use crate::view::json::{self, Deed};
use crate::view::message;

/// End haps at once: SIGKILL to all of their process trees
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap kill train\n  hap kill --all\n\nReturns when nothing of them is left.")]
pub(super) struct KillArguments {
    #[command(flatten)]
    which: Targets,
}

/// End haps: SIGTERM first, SIGKILL for what is left after a while
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hap stop train\n  hap stop -t 60 1 2\n\nAll of them are asked at once. Returns when nothing of them is left."
)]
pub(super) struct StopArguments {
    /// Kill what is left after this many seconds
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    which: Targets,
}

pub(super) fn kill(context: &Context, arguments: &KillArguments) -> Result<u8> {
    end(context, &arguments.which, message::killed, kill::begin_kill)
}

pub(super) fn stop(context: &Context, arguments: &StopArguments) -> Result<u8> {
    end(context, &arguments.which, message::stopped, |haps, hap| kill::begin_stop(haps, hap, arguments.timeout))
}

fn end(
    context: &Context,
    which: &Targets,
    say: fn(&Hap, usize) -> String,
    begin: impl Fn(&Haps, Hap) -> Result<Ending>,
) -> Result<u8> {
    let chosen = which.chosen(context, "active", |hap| hap.status.is_active() || hap.leftover > 0)?;
    let mut endings = context::begin_each(&chosen, |haps, alias| begin(haps, haps.hap(alias)?))?.into_iter();
    let mut next = || endings.next().expect("each was begun");
    context.for_each(&chosen, which.form(), |haps, _| match next().and_then(|ending| ending.finish(haps)) {
        // One that has ended by itself meanwhile is no failure to end all.
        Err(Error::NotActive { .. }) if which.all => Ok(String::new()),
        Err(error) => Err(error),
        Ok(Ended { hap, killed }) if which.form().is_json() => {
            Ok(json::acted(&hap, Deed { killed: Some(killed), ..Deed::default() }, &zone()))
        }
        Ok(Ended { hap, killed }) => Ok(say(&hap, killed)),
    })
}
