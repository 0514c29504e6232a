//! `hap adopt`.

use std::ffi::OsString;

use clap::Args;

use super::context::{Context, debug, state_root, zone};
use super::run::{Output, read_name};
use crate::core::adoption::Capture;
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::ops::adopt::{Adoptee, adopt as take};
use crate::ops::find::Haps;
use crate::store::StateDir;
use crate::view::json::{self, Deed};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap adopt 4242                  the process with this pid, with its whole job
  hap adopt -n train $(jobs -p %1)  the job that Ctrl-Z has just stopped
  hap adopt --only 4242           without the others of its pipeline
  hap adopt --capture 4242        its stdout and stderr even if they are files or pipes

From then on it is a hap: `hap logs -f`, `hap pause`, `hap kill`, `hap wait`, and its exit code at the end.
What it has written before stays where it was written.";

/// Make a hap of a command that is running already
///
/// Its output goes to log files from now on, its stdin is empty, and it goes on when its terminal is closed.
/// If it was stopped by Ctrl-Z it is continued.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct AdoptArguments {
    /// Call it NAME instead of a generated name
    #[arg(short, long)]
    name: Option<OsString>,

    /// Take its stdout and stderr wherever they lead, also from files and pipes
    #[arg(long, conflicts_with = "no_capture")]
    capture: bool,

    /// Leave its stdin, stdout and stderr as they are
    #[arg(long)]
    no_capture: bool,

    /// Take this one process, not the others of its job (process group)
    #[arg(long)]
    only: bool,

    #[command(flatten)]
    output: Output,

    /// Its process id
    #[arg(allow_negative_numbers = true)]
    pid: String,
}

pub(super) fn adopt(context: &Context, arguments: AdoptArguments) -> Result<u8> {
    let AdoptArguments { name, capture, no_capture, only, output, pid } = arguments;
    let name = name.map(read_name).transpose()?;
    let pid = read_pid(&pid)?;
    let capture = match (capture, no_capture) {
        (true, _) => Capture::Everything,
        (_, true) => Capture::Nothing,
        (false, false) => Capture::Terminal,
    };
    let root = state_root()?;
    debug(|| format!("adopt process {pid}"))?;
    let adopted = take(&root, &Adoptee { pid, name, capture, only })?;
    if output.quiet {
        context.print(&format!("{}\n", adopted.id))?;
    } else if output.json {
        let haps = Haps::new(StateDir::create(&root)?)?;
        let hap = haps.hap(&Alias::Id(adopted.id))?;
        context.print(&json::acted(&hap, Deed::default(), &zone()))?;
    } else {
        context.print(&message::adopted(adopted.id, &adopted.record))?;
    }
    Ok(0)
}

fn read_pid(text: &str) -> Result<i32> {
    let pid = text.parse().ok().filter(|&pid: &i32| pid > 0);
    pid.ok_or_else(|| Error::BadPid { text: text.to_owned() })
}
