//! `hap clean` and `hap cleanall`.

use clap::Args;

use super::context::{self, Context};
use crate::core::error::Result;
use crate::ops::clean;
use crate::view::{json, message};

/// Forget the haps that have ended, with their logs
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hap clean\n  hap clean --skip-failed     keep the failed and lost ones to look into"
)]
pub(super) struct CleanArguments {
    /// Keep the failed and lost ones
    #[arg(long)]
    skip_failed: bool,

    /// Print JSON: what was removed
    #[arg(long)]
    json: bool,

    /// All that have ended, which is the default
    #[arg(short, long, conflicts_with = "skip_failed")]
    #[allow(dead_code)] // accepted so that what hapless users type works
    all: bool,
}

pub(super) fn clean(context: &Context, arguments: &CleanArguments) -> Result<u8> {
    let cleaned = match context::haps()? {
        Some(haps) => clean::clean(&haps, arguments.skip_failed)?,
        None => clean::Cleaned::default(),
    };
    context.print(&if arguments.json { json::cleaned(&cleaned) } else { message::cleaned(&cleaned) })?;
    Ok(0)
}
