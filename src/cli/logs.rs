//! `hap logs` and `hap errors`.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::context::{self, Context, debug, say, zone};
use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::since;
use crate::core::stream::Stream;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::ops::logs::{Followed, Lines, Log, Run, Show, follow, own_streams};
use crate::ops::unbuffered;
use crate::store::Times;
use crate::sys::clock;
use crate::view::mark::{Marked, marks};
use crate::view::{message, time};

const EXAMPLES: &str = "\
Examples:
  hap logs train              all it has written to stdout
  hap logs -f -n 20 train     the last 20 lines, and on as it writes
  hap logs -f --all train     stdout and stderr as they come
  hap logs -f web worker      several haps, each line with the name of its hap
  hap logs --since 10m train  what it has written in the last ten minutes (run --timestamps)
  hap logs --previous train   the run before the last restart
  hap errors 1                what it has written to stderr";

/// Print the output of haps
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct LogsArguments {
    /// Print its stderr instead of its stdout
    #[arg(short = 'e', long)]
    stderr: bool,

    /// Print its stdout and its stderr
    #[arg(long, conflicts_with = "stderr")]
    all: bool,

    #[command(flatten)]
    how: How,
}

/// Print the stderr of haps (as logs --stderr)
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

    /// With --follow: go on when it has ended, in case that it is restarted
    #[arg(long, requires = "follow")]
    retry: bool,

    /// Print the last N lines only, or all
    #[arg(short = 'n', long, value_name = "N", value_parser = lines)]
    tail: Option<Last>,

    /// Begin each line with the time when it was written (needs run --timestamps)
    #[arg(short, long)]
    timestamps: bool,

    /// Print what was written since then: 10m, 2h, 14:30, RFC 3339 (needs run --timestamps)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    #[command(flatten)]
    which: WhichRun,

    /// Id or name of a hap
    #[arg(value_name = "ALIAS", required = true)]
    aliases: Vec<String>,
}

#[derive(Args, Clone, Copy, Debug)]
struct WhichRun {
    /// Print the run before the last restart
    #[arg(long, conflicts_with = "run")]
    previous: bool,

    /// Print the run with this number; the first one is 1
    #[arg(long, value_name = "N")]
    run: Option<u32>,
}

impl WhichRun {
    fn run(self) -> Run {
        match self.run {
            _ if self.previous => Run::Previous,
            Some(number) => Run::Number(number),
            None => Run::Current,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Last {
    All,
    Lines(usize),
}

fn lines(text: &str) -> Result<Last, String> {
    match text {
        "all" => Ok(Last::All),
        _ => text.parse().map(Last::Lines).map_err(|_| "it is neither a number of lines nor `all`".to_owned()),
    }
}

impl ErrorsArguments {
    pub(super) fn into_logs(self) -> LogsArguments {
        LogsArguments { stderr: true, all: false, how: self.how }
    }
}

/// What is asked of the logs, understood.
struct Wish<'a> {
    arguments: &'a LogsArguments,
    run: Run,
    /// Nanoseconds since 1970-01-01 UTC.
    since: Option<i64>,
    zone: TimeZone,
}

/// The logs of one hap, each at the place from which it is shown.
struct Chosen {
    hap: Hap,
    logs: Vec<(Log, Times)>,
}

pub(super) fn logs(context: &Context, arguments: &LogsArguments) -> Result<u8> {
    let how = &arguments.how;
    let wish = Wish::of(arguments)?;
    let haps = context::haps()?;
    let choose = |alias: &String| match &haps {
        Some(haps) => wish.choose(haps, &Alias::from(alias.as_str())),
        None => Err(Error::UnknownAlias { alias: alias.clone() }),
    };
    if let ([alias], false) = (how.aliases.as_slice(), how.follow) {
        return wish.print(context, choose(alias)?).map(|()| 0);
    }
    let mut code = 0;
    let mut is_first = true;
    let mut chosen = Vec::new();
    for alias in &how.aliases {
        match choose(alias) {
            Ok(one) if how.follow => chosen.push(one),
            Ok(one) => {
                context.print(&message::header(&one.hap, is_first)).and_then(|()| context.flush())?;
                wish.print(context, one)?;
                is_first = false;
            }
            Err(error) => {
                context.explain(&error);
                code = error.exit_code().max(code);
            }
        }
    }
    if let Some(haps) = haps.filter(|_| !chosen.is_empty()) {
        wish.follow(context, haps, chosen)?;
    }
    Ok(code)
}

impl<'a> Wish<'a> {
    fn of(arguments: &'a LogsArguments) -> Result<Self> {
        let how = &arguments.how;
        let zone = zone();
        let now = Timestamp::from_nanosecond(i128::from(clock::now().unix_ns)).expect("64 bits end in 2262");
        let since = how.since.as_ref().map(|text| moment(text, &now.to_zoned(zone.clone()))).transpose()?;
        Ok(Self { arguments, run: how.which.run(), since, zone })
    }

    /// Finds the logs, and the place in each where it is to begin.
    fn choose(&self, haps: &Haps, alias: &Alias) -> Result<Chosen> {
        let hap = haps.hap(alias)?;
        let run = self.run.kept_as(&hap)?;
        let LogsArguments { stderr, all, .. } = *self.arguments;
        let streams = match (all, stderr) {
            (true, _) => own_streams(&hap),
            (false, true) => vec![Stream::Stderr],
            (false, false) => vec![Stream::Stdout],
        };
        let logs = streams.into_iter().map(|stream| self.open(haps, &hap, stream, run)).collect::<Result<Vec<_>>>()?;
        if logs.iter().all(|(log, _)| log.is_empty()) {
            explain_emptiness(haps, &hap, &logs, run);
        }
        Ok(Chosen { hap, logs })
    }

    fn open(&self, haps: &Haps, hap: &Hap, stream: Stream, run: Option<u32>) -> Result<(Log, Times)> {
        let how = &self.arguments.how;
        let mut log = Log::open(haps, hap, stream, run)?;
        debug(|| format!("read {}", log.path().display()))?;
        let wants_times = how.timestamps || self.since.is_some();
        let times = if wants_times { log.known_times(haps, hap)? } else { Times::default() };
        let dropped = log.seek_to_first()?;
        if let Some(since) = self.since {
            log.seek_to_line_at(times.since(since))?;
        }
        if let Some(Last::Lines(count)) = how.tail {
            log.seek_to_last(count)?;
        }
        // Of what was not asked for nothing is said.
        if dropped > 0 && log.position() == dropped {
            say(&message::dropped(hap, dropped));
        }
        Ok((log, times))
    }

    /// Writes what there is of one hap.
    fn print(&self, context: &Context, chosen: Chosen) -> Result<()> {
        let Chosen { hap, logs } = chosen;
        let marks = self.marks(context, &[(&hap, logs.iter().map(|(log, _)| log.stream()).collect())]);
        let mut lines = Lines::new(self.show()?, marks);
        let is_plain = !(self.arguments.how.timestamps || self.arguments.all && is_marked());
        for (voice, (mut log, times)) in logs.into_iter().enumerate() {
            let dropped = if is_plain { log.copy_to(lines.out())? } else { log.say_to(&mut lines, voice, &times)? };
            if dropped > 0 {
                say(&message::dropped(&hap, dropped));
            }
        }
        Ok(())
    }

    fn follow(&self, context: &Context, haps: Haps, chosen: Vec<Chosen>) -> Result<()> {
        let streams = |one: &Chosen| one.logs.iter().map(|(log, _)| log.stream()).collect();
        let marks = self.marks(context, &chosen.iter().map(|one| (&one.hap, streams(one))).collect::<Vec<_>>());
        let lines = Lines::new(self.show()?, marks);
        let mut voices = 0..;
        let followed = chosen.into_iter().map(|Chosen { hap, logs }| {
            Followed::new(hap, voices.by_ref().zip(logs.into_iter().map(|(log, _)| log)).collect())
        });
        let followed = followed.collect();
        let tell = Box::new(|hap: &Hap, told| say(&message::told(hap, told)));
        follow(haps, followed, lines, self.arguments.how.retry, tell)
    }

    fn show(&self) -> Result<Show> {
        let zone = self.zone.clone();
        let write = move |time| time::of_line(time, &zone);
        let time: Option<Box<dyn Fn(Option<i64>) -> String + Send>> =
            if self.arguments.how.timestamps { Some(Box::new(write)) } else { None };
        Ok(Show { out: io::stdout().as_fd().try_clone_to_owned().map_err(Error::Output)?, time })
    }

    /// Names where there are several haps; streams where there are several, for people.
    fn marks(&self, context: &Context, haps: &[(&Hap, Vec<Stream>)]) -> Vec<String> {
        let is_one = self.arguments.how.aliases.len() == 1 || !self.arguments.how.follow;
        let logs = haps.iter().flat_map(|(hap, streams)| streams.iter().map(move |stream| (*hap, *stream)));
        let marked = logs.map(|(hap, stream)| Marked {
            name: Some(hap.record.name.as_str()).filter(|_| !is_one),
            stream: Some(stream).filter(|_| self.arguments.all && is_marked()),
        });
        marks(&marked.collect::<Vec<_>>(), &context.look)
    }
}

fn moment(text: &str, now: &Zoned) -> Result<i64> {
    since::parse(text, now).ok_or_else(|| Error::NoSuchTime { text: text.to_owned() })
}

/// Which stream a line is of is shown to people; a program gets the lines alone.
fn is_marked() -> bool {
    io::stdout().is_terminal()
}

/// Says, to a person, where the output may be that is not there.
fn explain_emptiness(haps: &Haps, hap: &Hap, logs: &[(Log, Times)], run: Option<u32>) {
    if !io::stderr().is_terminal() {
        return;
    }
    for (log, _) in logs {
        say(&message::no_output_yet(hap, log.path()));
    }
    let is_shown = |stream| logs.iter().any(|(log, _)| log.stream() == stream);
    let others = own_streams(hap).into_iter().filter(|&stream| !is_shown(stream));
    let mut others = others.filter_map(|stream| Log::open(haps, hap, stream, run).ok());
    if let Some(log) = others.find(|log| !log.is_empty()) {
        say(&message::there_is_the_other_log(hap, log.stream()));
    } else if hap.status.is_active() && run.is_none() && !unbuffered::was_asked(haps, hap) {
        say(&message::may_be_buffered());
    }
}
