//! `hap doctor`.

use clap::Args;

use super::context::{Context, state_root};
use crate::core::error::Result;
use crate::core::health::{Verdict, worst};
use crate::ops::doctor::checkup;
use crate::view::doctor;

const EXAMPLES: &str = "\
Examples:
  hap doctor
  hap doctor --json | jq -r '.findings[] | select(.verdict != \"ok\") | .remedy'

Exit code: 1 if there is a problem, which needs attention; 0 if all is ok or there are warnings at most.";

/// Look whether anything keeps haps from being safe here
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArguments {
    /// Print JSON: an object with all findings
    #[arg(long)]
    json: bool,
}

pub(super) fn doctor(context: &Context, arguments: &DoctorArguments) -> Result<u8> {
    let checkup = checkup(&state_root()?)?;
    context.print(&if arguments.json { doctor::json(&checkup) } else { doctor::text(&checkup, &context.look) })?;
    Ok(u8::from(worst(&checkup.findings) == Verdict::Problem))
}
