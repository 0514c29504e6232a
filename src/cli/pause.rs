//! `hap pause`, `hap suspend` and `hap resume`.

use clap::Args;

use super::context::{Context, debug, zone};
use super::targets::Targets;
use crate::core::error::Result;
use crate::core::status::Status;
use crate::ops::pause;
use crate::view::json::{self, Deed};
use crate::view::message;

/// Let haps wait: nothing of their process trees runs until they are resumed
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap pause train\n  hap pause 1 2 3\n  hap pause --all")]
pub(super) struct PauseArguments {
    #[command(flatten)]
    which: Targets,
}

/// Let paused haps go on
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap resume train\n  hap resume --all")]
pub(super) struct ResumeArguments {
    #[command(flatten)]
    which: Targets,
}

pub(super) fn pause(context: &Context, arguments: &PauseArguments) -> Result<u8> {
    let which = &arguments.which;
    let chosen = which.chosen(context, "running", |hap| hap.status == Status::Running)?;
    context.for_each(&chosen, which.form(), |haps, alias| {
        let hap = haps.active(alias)?;
        let count = pause::pause(haps, &hap)?;
        debug(|| format!("{count} processes stopped"))?;
        let json = which.form().is_json();
        Ok(if json { json::acted(&haps.again(&hap)?, Deed::default(), &zone()) } else { message::paused(&hap) })
    })
}

pub(super) fn resume(context: &Context, arguments: &ResumeArguments) -> Result<u8> {
    let which = &arguments.which;
    let chosen = which.chosen(context, "paused", |hap| hap.status == Status::Paused)?;
    context.for_each(&chosen, which.form(), |haps, alias| {
        let hap = haps.active(alias)?;
        let count = pause::resume(haps, &hap)?;
        debug(|| format!("{count} processes continued"))?;
        let json = which.form().is_json();
        Ok(if json { json::acted(&haps.again(&hap)?, Deed::default(), &zone()) } else { message::resumed(&hap) })
    })
}
