//! `hap clean` and `hap cleanall`.

use clap::Args;

use super::context::{self, Context};
use crate::core::error::Result;
use crate::ops::clean::{self, Extent};
use crate::view::{json, message};

/// Forget the haps that have ended, with their logs
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  hap clean\n  hap clean --skip-failed     keep the failed and lost ones to look into\n  hap clean --elsewhere       also those of machines and containers that are no more"
)]
#[allow(clippy::struct_excessive_bools)] // each is an option of its own
pub(super) struct CleanArguments {
    /// Keep the failed and lost ones
    #[arg(long)]
    skip_failed: bool,

    /// Also those of other machines and containers, unless somebody there watches over them
    #[arg(long)]
    elsewhere: bool,

    /// Print JSON: what was removed
    #[arg(long)]
    json: bool,

    /// All that have ended, which is the default
    #[arg(short, long, conflicts_with = "skip_failed")]
    #[allow(dead_code)] // accepted so that what hapless users type works
    all: bool,
}

pub(super) fn clean(context: &Context, arguments: &CleanArguments) -> Result<u8> {
    let extent = Extent { keep_failed: arguments.skip_failed, elsewhere: arguments.elsewhere };
    let cleaned = match context::haps()? {
        Some(haps) => clean::clean(&haps, extent)?,
        None => clean::Cleaned::default(),
    };
    context.print(&if arguments.json { json::cleaned(&cleaned) } else { message::cleaned(&cleaned) })?;
    Ok(0)
}
