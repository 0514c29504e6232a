//! `hap top`: looks, draws, sleeps, obeys.
//!
//! One thread and no wait: what takes time is an errand that another process runs.

use std::io::{self, Stdout};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use super::context::{self, Context};
use super::screen::{Screen, Wake};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::record::ProcessId;
use crate::core::stream::Stream;
use crate::ops::hap::{Entry, Hap};
use crate::ops::live::Live;
use crate::ops::load::{Load, load};
use crate::ops::tail::tail;
use crate::supervisor::errand::Errand;
use crate::sys::readiness::{self, Interest};
use crate::view::look::Look;
use crate::view::top::{Model, Verb, Wish, draw};

const INSTEAD: &str = "`hap` prints the list, `hap logs -f ALIAS` follows one log";

const EXAMPLES: &str = "\
Examples:
  hap top        every key it knows stands at the bottom of the screen

Haps that go on come first, then those that ended last. CPU is a percentage of one processor, memory
that of the whole process tree; the lines beside them show the last seconds. Nothing is stopped,
killed or restarted without a question first.";

/// Watch haps and their output on a full screen, and act on them with a key
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct TopArguments {}

/// Runs it until the user has seen enough.
pub(super) fn top(context: &Context) -> Result<u8> {
    let root = context::state_root()?;
    let live = Live::new(&root)?;
    let screen = Screen::take("hap top", INSTEAD)?;
    let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(Error::Output)?;
    Top {
        look: context.look,
        live,
        model: Model::default(),
        log: None,
        is_behind: false,
        errands: Vec::new(),
        since: Instant::now(),
        terminal,
        screen,
    }
    .run()
}

struct Top<'a> {
    look: Look,
    live: Live<'a>,
    model: Model,
    /// The log that is shown, as it is now.
    log: Option<LogId>,
    /// There may be more in it than is shown.
    is_behind: bool,
    errands: Vec<Errand>,
    since: Instant,
    terminal: Terminal<CrosstermBackend<Stdout>>,
    screen: Screen,
}

/// Which log it is: after a restart another one is at the same place.
#[derive(PartialEq, Eq)]
struct LogId {
    process: ProcessId,
    path: PathBuf,
}

impl LogId {
    fn of(hap: &Hap, stream: Stream) -> Self {
        let path = if stream == Stream::Stderr { &hap.stderr_file } else { &hap.stdout_file };
        Self { process: hap.record.process, path: path.clone() }
    }
}

impl Top<'_> {
    fn run(mut self) -> Result<u8> {
        loop {
            self.look()?;
            self.read_log();
            let (model, look) = (&self.model, &self.look);
            self.terminal.draw(|frame| draw(frame, model, look)).map_err(Error::Output)?;
            panic_if_asked();
            if let Some(code) = self.sleep()? {
                return Ok(code);
            }
        }
    }

    fn look(&mut self) -> Result<()> {
        if !self.live.is_old() {
            return Ok(());
        }
        self.live.look()?;
        let entries = self.live.entries().to_vec();
        let loads: Vec<(Id, Load)> = match self.live.haps() {
            Some(haps) => {
                entries.iter().filter(|entry| is_active(entry)).map(|entry| (entry.id(), load(haps, entry))).collect()
            }
            None => Vec::new(),
        };
        self.model.update(entries, &loads, self.since.elapsed());
        self.is_behind = true;
        Ok(())
    }

    /// Reads the end of the selected log, and has the kernel say when there is more.
    fn read_log(&mut self) {
        self.is_behind |= self.live.has_more_log();
        let selected = self.model.selected_hap().map(|hap| LogId::of(hap, self.model.stream()));
        if selected != self.log {
            // Before it is read: what is written meanwhile is told.
            self.live.follow(selected.as_ref().map(|log| log.path.as_path()));
            self.log = selected;
        } else if !self.is_behind || !self.model.follows() {
            return;
        }
        if let (Some(haps), Some(hap)) = (self.live.haps(), self.model.selected_hap()) {
            let tail = tail(haps, hap, self.model.stream()).unwrap_or_default();
            self.model.show_log(&tail);
        }
        self.is_behind = false;
    }

    fn sleep(&mut self) -> Result<Option<u8>> {
        let others: Vec<Interest<'_>> = self.live.hint().into_iter().chain(self.errand_ends()).collect();
        let wake = self.screen.wait(&others, self.live.patience())?;
        self.live.notice();
        self.hear_errands()?;
        match wake {
            Wake::End(code) => return Ok(Some(code)),
            Wake::Redraw => self.forget_screen().map_err(Error::Output)?,
            Wake::Key(key) => match self.model.press(key) {
                Some(Wish::Quit) => return Ok(Some(0)),
                Some(Wish::Act(verb, id)) => self.begin(verb, id),
                None => {}
            },
            Wake::Other => {}
        }
        Ok(None)
    }

    fn errand_ends(&self) -> impl Iterator<Item = Interest<'_>> {
        self.errands.iter().map(|errand| Interest::Readable(errand.as_fd()))
    }

    /// What came of the errands that are over.
    fn hear_errands(&mut self) -> Result<()> {
        let interests: Vec<Interest<'_>> =
            self.errands.iter().map(|errand| Interest::Readable(errand.as_fd())).collect();
        let ready = readiness::wait(&interests, Some(Duration::ZERO)).map_err(Error::system("wait"))?;
        let heard = self.errands.drain(..).zip(ready).collect::<Vec<_>>();
        for (mut errand, is_ready) in heard {
            match if is_ready { errand.hear().map_err(Error::system("wait"))? } else { None } {
                Some(done) => {
                    self.model.say(&done.said, !done.is_done);
                    self.live.hurry();
                }
                None => self.errands.push(errand),
            }
        }
        Ok(())
    }

    /// All is drawn anew. (`Terminal::clear` would ask the terminal where its cursor is, and wait.)
    fn forget_screen(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    fn begin(&mut self, verb: Verb, id: Id) {
        match Errand::start(&[verb.word(), &id.to_string()]) {
            Ok(errand) => {
                self.errands.push(errand);
                self.model.begin(verb, id);
            }
            Err(error) => self.model.say(&format!("{error}\n{}", error.remedy()), true),
        }
    }
}

/// So that a test sees how the terminal is left then. No release has this.
fn panic_if_asked() {
    let is_asked = cfg!(debug_assertions) && std::env::var_os("HAPLESS_PANIC_IN_TOP").is_some();
    assert!(!is_asked, "a test has asked for a panic");
}

fn is_active(entry: &Entry) -> bool {
    matches!(entry, Entry::Whole(hap) if hap.status.is_active())
}
