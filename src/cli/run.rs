//! `hap run`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::context::{Context, debug, say, state_root};
use super::run_then::Then;
use super::settings;
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::name::{InvalidName, Name};
use crate::core::title::Title;
use crate::ops::find::Haps;
use crate::ops::logout;
use crate::ops::run::{Request, run as start};
use crate::store::{Published, StateDir};
use crate::view::json::Deed;
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap run python train.py --epochs 90       all after the command's first word belongs to it
  hap run -n train -d ~/model -e GPU=1 make train
  hap run 'make && ./report > out.txt'      one argument of shell text goes to $SHELL -c
  id=$(hap run -q sleep 60)                 for scripts: the id alone
  hap run --log-limit 100M --timestamps ./server
  hap run --unbuffered python train.py      its lines are in the log as it prints them
  hap run --check ./server                  fails here if it fails within 5 seconds

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
    #[arg(short = 'd', long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    workdir: Option<PathBuf>,

    /// Set a variable in its environment (repeatable)
    #[arg(short, long, value_name = "KEY=VALUE")]
    env: Vec<OsString>,

    #[command(flatten)]
    logging: Logging,

    /// Wait `HAPLESS_FAILFAST_TIMEOUT` seconds (5): if it fails by then show its stderr, exit with 1
    #[arg(long, conflicts_with = "wait")]
    check: bool,

    /// Wait until it has ended and exit with its exit code; Ctrl-C ends the waiting alone
    #[arg(long)]
    wait: bool,

    #[command(flatten)]
    output: Output,

    /// The command and its arguments, or one argument of shell text
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

/// How its output is kept.
#[derive(Args, Debug)]
struct Logging {
    /// Write its stderr into the stdout log, in order
    #[arg(long)]
    merge: bool,

    /// Keep so much of each log on the disk and free what is older, as in 100M (`HAPLESS_LOG_LIMIT`)
    #[arg(long, value_name = "SIZE")]
    log_limit: Option<String>,

    /// Note when which part of its output was written, for `hap logs -t` and `--since`
    #[arg(long)]
    timestamps: bool,

    /// Ask Python, and what writes through the C library, not to keep its output back
    #[arg(long)]
    unbuffered: bool,
}

impl Logging {
    /// The size to which each log is to be kept.
    fn limit(&self) -> Result<Option<u64>> {
        match &self.log_limit {
            Some(size) => settings::limit_of_log(size),
            None => settings::log_limit(),
        }
    }
}

/// What is printed of it.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Output {
    /// Print the id alone
    #[arg(short, long, conflicts_with = "json")]
    pub(super) quiet: bool,

    /// Print it as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(context: &Context, arguments: RunArguments) -> Result<u8> {
    let RunArguments { name, workdir, env, logging, check, wait, output, command } = arguments;
    let merge = logging.merge || settings::redirect_stderr()?;
    let log_limit = logging.limit()?;
    // Also where it is not needed: a value that makes no sense is told at once.
    let limit = settings::failfast_timeout()?;
    let watched = check.then_some(limit);
    let name = name.map(read_name).transpose()?;
    let root = state_root()?;
    let Logging { timestamps, unbuffered, .. } = logging;
    let request = Request { command, name, workdir, environment: env, merge, log_limit, timestamps, unbuffered };
    debug(|| format!("start {:?}", request.command))?;
    let started = start(&root, &request)?;
    debug(|| format!("pid {}, supervisor {}", started.record.process.pid, started.record.supervisor.pid))?;
    if log_limit.is_some() && started.record.log_limit.is_none() {
        say(&message::unlimited(started.id, &started.record.name));
    }
    if output.quiet {
        context.print(&format!("{}\n", started.id))?;
    } else if !output.json {
        context.print(&message::started(started.id, &started.record.name, started.record.process.pid))?;
    }
    context.flush().map_err(|error| untold(error, &started))?;
    warn_of_logout(context, &root)?;
    if !(output.json || check || wait) {
        return Ok(0);
    }
    let haps = Haps::new(StateDir::create(&root)?)?;
    let hap = haps.hap(&Alias::Id(started.id))?;
    let then = Then { context, haps: &haps, output };
    match watched {
        Some(limit) => then.check(&hap, limit),
        None if wait => then.wait(&hap),
        None => then.report(&hap, Deed::default(), "").map(|()| 0),
    }
}

/// The command runs although nobody could be told: who tries again would start it twice.
fn untold(error: Error, started: &Published) -> Error {
    match error {
        Error::Output(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            let hap = Title { id: started.id, name: started.record.name.clone() };
            Error::Untold { hap, source }
        }
        error => error,
    }
}

/// Only to who sits at a terminal of a login session: nobody else logs out.
fn warn_of_logout(context: &Context, root: &Path) -> Result<()> {
    if !(context.is_watched() && settings::is_login_session()) {
        return Ok(());
    }
    logout::warning(root).map_or(Ok(()), |fate| context.warn_of_logout(fate))
}

pub(super) fn read_name(text: OsString) -> Result<Name> {
    let invalid = |name: String, reason| Error::InvalidName { name, reason };
    let text = text.into_string().map_err(|text| invalid(text.to_string_lossy().into_owned(), InvalidName::NotUtf8))?;
    Name::new(text.as_str()).map_err(|reason| invalid(text, reason))
}
