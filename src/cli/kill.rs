//! `hap kill` and `hap stop`.

use std::time::Duration;

use clap::Args;

use super::context::{self, Context};
use crate::core::error::{Error, Result};
use crate::ops::hap::Entry;
use crate::ops::kill::{self, Ended};
use crate::view::message;

/// End haps at once: SIGKILL to all of their process trees
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap kill train\n  hap kill --all\n\nReturns when nothing of them is left.")]
pub(super) struct KillArguments {
    #[command(flatten)]
    which: Which,
}

/// End haps: SIGTERM first, SIGKILL for what is left after a while
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap stop train\n  hap stop -t 60 1 2\n\nReturns when nothing of them is left.")]
pub(super) struct StopArguments {
    /// Kill what is left after this many seconds
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    which: Which,
}

#[derive(Args, Debug)]
struct Which {
    /// Every hap that is active
    #[arg(short, long, conflicts_with = "aliases")]
    all: bool,

    /// Id or name of a hap
    #[arg(value_name = "ALIAS", required_unless_present = "all")]
    aliases: Vec<String>,
}

impl Which {
    /// What is said of one that has ended. That one ended by itself is no failure to end all.
    fn tolerate(&self, ended: Result<Ended>, say: impl FnOnce(&Ended) -> String) -> Result<String> {
        match ended {
            Err(Error::NotActive { .. }) if self.all => Ok(String::new()),
            ended => ended.map(|ended| say(&ended)),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(super) fn kill(context: &Context, arguments: &KillArguments) -> Result<u8> {
    context.for_each(&chosen(context, &arguments.which)?, |haps, alias| {
        let ended = kill::kill(haps, &haps.hap(alias)?);
        arguments.which.tolerate(ended, |ended| message::killed(&ended.hap, ended.killed))
    })
}

pub(super) fn stop(context: &Context, arguments: &StopArguments) -> Result<u8> {
    context.for_each(&chosen(context, &arguments.which)?, |haps, alias| {
        let ended = kill::stop(haps, &haps.hap(alias)?, arguments.timeout);
        arguments.which.tolerate(ended, |ended| message::stopped(&ended.hap, ended.killed))
    })
}

/// The named ones, or all of which anything is alive.
fn chosen(context: &Context, which: &Which) -> Result<Vec<String>> {
    if !which.all {
        return Ok(which.aliases.clone());
    }
    let entries = context::haps()?.map(|haps| haps.all()).transpose()?.unwrap_or_default();
    let active = entries.iter().filter(|entry| match entry {
        Entry::Whole(hap) => hap.status.is_active() || hap.leftover > 0,
        Entry::Broken(_) => false,
    });
    let ids: Vec<String> = active.map(|entry| entry.id().to_string()).collect();
    if ids.is_empty() {
        context.print(&message::nothing_active())?;
    }
    Ok(ids)
}
