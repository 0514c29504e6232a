//! `hap run`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::{Context, debug, state_root, zone};
use super::settings;
use crate::core::error::{Error, Result};
use crate::core::name::{InvalidName, Name};
use crate::ops::find::Haps;
use crate::ops::run::{Request, run as start};
use crate::store::StateDir;
use crate::view::{json, message};

const EXAMPLES: &str = "\
Examples:
  hap run python train.py --epochs 90       all after the command's first word belongs to it
  hap run -n train -d ~/model -e GPU=1 make train
  hap run 'make && ./report > out.txt'      one argument of shell text goes to $SHELL -c
  id=$(hap run -q sleep 60)                 for scripts: the id alone

Exit code: 0 once the command is running; 127 if it is not found, 126 if it cannot be executed.";

/// Start a command in the background
///
/// Returns as soon as the command is executed. It goes on when the terminal is closed or the
/// connection lost. Its stdin is empty, stdout and stderr go to log files.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArguments {
    /// Call it NAME instead of a generated name
    #[arg(short, long)]
    name: Option<OsString>,

    /// Run it in DIR
    #[arg(short = 'd', long, value_name = "DIR")]
    workdir: Option<PathBuf>,

    /// Set a variable in its environment (repeatable)
    #[arg(short, long, value_name = "KEY=VALUE")]
    env: Vec<OsString>,

    /// Write its stderr into the stdout log, in order
    #[arg(long)]
    merge: bool,

    /// Print the id alone
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print its record as JSON
    #[arg(long)]
    json: bool,

    /// The command and its arguments, or one argument of shell text
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

pub(super) fn run(context: &Context, arguments: RunArguments) -> Result<u8> {
    let RunArguments { name, workdir, env, merge, quiet, json, command } = arguments;
    let merge = merge || settings::redirect_stderr()?;
    let name = name.map(read_name).transpose()?;
    let root = state_root()?;
    let request = Request { command, name, workdir, environment: env, merge };
    debug(|| format!("start {:?}", request.command))?;
    let started = start(&root, &request)?;
    debug(|| format!("pid {}, supervisor {}", started.record.process.pid, started.record.supervisor.pid))?;
    if quiet {
        context.print(&format!("{}\n", started.id))?;
    } else if json {
        context.print(&as_json(&root, &started)?)?;
    } else {
        context.print(&message::started(started.id, &started.record.name, started.record.process.pid))?;
    }
    Ok(0)
}

fn as_json(root: &Path, started: &crate::store::Published) -> Result<String> {
    let unknown = || Error::UnknownAlias { alias: started.id.to_string() };
    let haps = Haps::new(StateDir::open(root)?.ok_or_else(unknown)?)?;
    let entry = haps.entry(&crate::core::alias::Alias::Id(started.id))?;
    Ok(json::one(&entry, None, &zone()))
}

fn read_name(text: OsString) -> Result<Name> {
    let invalid = |name: String, reason| Error::InvalidName { name, reason };
    let text = text.into_string().map_err(|text| invalid(text.to_string_lossy().into_owned(), InvalidName::NotUtf8))?;
    Name::new(text.as_str()).map_err(|reason| invalid(text, reason))
}
