//! `hap pause`, `hap suspend` and `hap resume`.

use clap::Args;

use super::arguments::Aliases;
use super::context::{Context, debug};
use crate::core::error::Result;
use crate::ops::pause;
use crate::view::message;

/// Let haps wait: nothing of their process trees runs until they are resumed
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap pause train\n  hap pause 1 2 3")]
pub(super) struct PauseArguments {
    #[command(flatten)]
    aliases: Aliases,
}

/// Let paused haps go on
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap resume train")]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    aliases: Aliases,
}

pub(super) fn pause(context: &Context, arguments: &PauseArguments) -> Result<u8> {
    context.for_each(&arguments.aliases.aliases, |haps, alias| {
        let hap = haps.active(alias)?;
        let count = pause::pause(haps, &hap)?;
        debug(|| format!("{count} processes stopped"))?;
        Ok(message::paused(&hap))
    })
}

pub(super) fn resume(context: &Context, arguments: &ResumeArguments) -> Result<u8> {
    context.for_each(&arguments.aliases.aliases, |haps, alias| {
        let hap = haps.active(alias)?;
        let count = pause::resume(haps, &hap)?;
        debug(|| format!("{count} processes continued"))?;
        Ok(message::resumed(&hap))
    })
}
