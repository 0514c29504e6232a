//! `hap logs` and `hap errors`.

use std::io::{self, Write};

use clap::Args;

use super::context::{self, debug, remark};
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::ops::find::Haps;
use crate::ops::logs::{Log, Stream, follow};
use crate::view::message;

const EXAMPLES: &str = "\
Examples:
  hap logs train              all it has written to stdout
  hap logs -f -n 20 train     the last 20 lines, and on as it writes
  hap errors 1                what it has written to stderr";

/// Print the output of a hap
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct LogsArguments {
    /// Print its stderr instead of its stdout
    #[arg(short = 'e', long)]
    stderr: bool,

    #[command(flatten)]
    how: How,
}

/// Print the stderr of a hap (as logs --stderr)
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  hap errors train\n  hap errors -f -n 20 train")]
pub(super) struct ErrorsArguments {
    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug)]
struct How {
    /// Go on printing as it writes, until it has ended
    #[arg(short, long)]
    follow: bool,

    /// Print the last N lines only, or all
    #[arg(short = 'n', long, value_name = "N", value_parser = lines)]
    tail: Option<Lines>,

    /// Id or name of a hap
    alias: String,
}

#[derive(Clone, Copy, Debug)]
enum Lines {
    All,
    Last(usize),
}

fn lines(text: &str) -> Result<Lines, String> {
    match text {
        "all" => Ok(Lines::All),
        _ => text.parse().map(Lines::Last).map_err(|_| "it is neither a number of lines nor `all`".to_owned()),
    }
}

impl ErrorsArguments {
    pub(super) fn into_logs(self) -> LogsArguments {
        LogsArguments { stderr: true, how: self.how }
    }
}

pub(super) fn logs(arguments: &LogsArguments) -> Result<u8> {
    let How { follow: on, tail, alias } = &arguments.how;
    let unknown = || Error::UnknownAlias { alias: alias.clone() };
    let haps: Haps = context::haps()?.ok_or_else(unknown)?;
    let hap = haps.hap(&Alias::from(alias.as_str()))?;
    let stream = if arguments.stderr { Stream::Stderr } else { Stream::Stdout };
    let mut log = Log::open(&haps, &hap, stream)?;
    debug(|| format!("read {}", log.path().display()))?;
    if log.is_empty() {
        remark(&message::no_output_yet(&hap, log.path()));
    }
    if let Some(Lines::Last(count)) = tail {
        log.seek_to_last(*count)?;
    }
    let mut out = io::stdout().lock();
    if *on {
        follow(&haps, &hap, stream, &mut log, &mut out, &mut |event| remark(&message::log_event(event)))?;
    } else {
        log.copy_to(&mut out)?;
    }
    out.flush().map_err(Error::Output)?;
    Ok(0)
}
