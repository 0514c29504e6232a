//! The signals that a program gets which has the terminal to itself, as something to wait for:
//! signalfd(2). So it is never interrupted half-way, and leaves the terminal as it found it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What the signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The window has another size.
    Resized,
    /// The user wants the shell back for a while.
    Suspend,
    /// It is to end, for the signal with this number.
    End(i32),
}

/// While it lives, these signals do nothing but make it readable.
/// Processes that are started meanwhile must have their mask reset.
#[derive(Debug)]
pub struct Notices(SignalFd);

const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

impl Notices {
    /// Holds the signals back from now on.
    pub fn hold() -> io::Result<Self> {
        let signals = held();
        signals.thread_block()?;
        Ok(Self(SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// The next one that came.
    pub fn next(&self) -> Option<Notice> {
        let signal = self.0.read_signal().ok().flatten()?;
        let number = i32::try_from(signal.ssi_signo).ok()?;
        Some(match number {
            libc::SIGWINCH => Notice::Resized,
            libc::SIGTSTP => Notice::Suspend,
            _ => Notice::End(number),
        })
    }

    /// Stops this process, as Ctrl-Z does, and returns when it goes on.
    pub fn suspend(&self) -> io::Result<()> {
        let stop = SigSet::from(Signal::SIGTSTP);
        raise(Signal::SIGTSTP)?;
        stop.thread_unblock()?;
        stop.thread_block()?;
        Ok(())
    }
}

fn held() -> SigSet {
    [Signal::SIGWINCH, Signal::SIGTSTP].into_iter().chain(ENDING).collect()
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        while self.next().is_some() {}
        let _ = held().thread_unblock();
    }
}
