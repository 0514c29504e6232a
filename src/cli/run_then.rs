//! What `hap run` does after the start: `--check` and `--wait`.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::context::{Context, zone};
use super::run::Output;
use super::{settings, wait};
use crate::core::error::{Error, Result};
use crate::core::status::Kind;
use crate::core::stream::Stream;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::ops::logs::Log;
use crate::ops::wait::{Waited, wait as wait_for};
use crate::sys::interrupt::Interrupt;
use crate::view::json::{self, Deed};
use crate::view::message;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// A command that was started just now, and how to report on it.
pub(super) struct Then<'a> {
    pub(super) context: &'a Context,
    pub(super) haps: &'a Haps,
    pub(super) output: Output,
}

impl Then<'_> {
    /// Says in the end how it went, in JSON or in this sentence.
    pub(super) fn report(&self, hap: &Hap, deed: Deed<'_>, sentence: &str) -> Result<()> {
        if self.output.json {
            self.context.print(&json::acted(hap, deed, &zone()))
        } else if self.output.quiet {
            Ok(())
        } else {
            self.context.print(sentence)
        }
    }

    /// Waits for the end: returns its exit code.
    pub(super) fn wait(&self, hap: &Hap) -> Result<u8> {
        let interrupt = hold_interrupt()?;
        let hap = wait::ended(wait_for(self.haps, hap, None, Some(&interrupt))?)?;
        self.report(&hap, Deed::default(), &message::ended(&hap))?;
        Ok(wait::code(&hap))
    }

    /// Looks for so long whether it fails: then shows its stderr and returns 1.
    pub(super) fn check(&self, hap: &Hap, limit: Duration) -> Result<u8> {
        let (hap, is_healthy) = match self.look(hap, limit)? {
            Waited::Ended(hap) => {
                let is_success = hap.status.kind() == Kind::Success;
                (hap, is_success)
            }
            Waited::TimedOut(hap) => (hap, true),
            Waited::Interrupted(hap) => return Err(Error::Interrupted { hap: hap.title() }),
        };
        let deed = Deed { healthy: Some(is_healthy), ..Deed::default() };
        let sentence = match (is_healthy, hap.status.is_active()) {
            (true, true) => message::healthy(&hap, limit),
            (true, false) => message::finished(&hap),
            (false, _) => message::unhealthy(&hap),
        };
        self.report(&hap, deed, &sentence)?;
        if is_healthy {
            return Ok(0);
        }
        self.context.flush()?;
        Log::open(self.haps, &hap, Stream::Stderr, None)?.copy_to(io::stderr().as_fd())?;
        Ok(1)
    }

    fn look(&self, hap: &Hap, limit: Duration) -> Result<Waited> {
        let interrupt = hold_interrupt()?;
        let deadline = Instant::now().checked_add(limit);
        if !io::stderr().is_terminal() || settings::is_dumb() {
            return wait_for(self.haps, hap, deadline, Some(&interrupt));
        }
        let spinner = Spinner { since: Instant::now() };
        loop {
            let now = Instant::now();
            let left = deadline.map_or(limit, |deadline| deadline.saturating_duration_since(now));
            spinner.show(&message::watching(hap, left));
            let turn = now + TURN.min(left);
            match wait_for(self.haps, hap, Some(turn), Some(&interrupt))? {
                Waited::TimedOut(_) if left > TURN => {}
                waited => return Ok(waited),
            }
        }
    }
}

fn hold_interrupt() -> Result<Interrupt> {
    Interrupt::hold().map_err(Error::system("hold Ctrl-C back"))
}

/// A line on the terminal that goes when it is dropped.
struct Spinner {
    since: Instant,
}

impl Spinner {
    fn show(&self, text: &str) {
        const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
        let turn = self.since.elapsed().as_millis() / TURN.as_millis();
        let frame = FRAMES[usize::try_from(turn).unwrap_or(0) % FRAMES.len()];
        redraw(&format!("{frame} {text}"));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        redraw("");
    }
}

/// From the line's beginning, and whatever stood there before goes.
fn redraw(text: &str) {
    let _ = write!(io::stderr(), "\r\x1b[K{text}");
}
