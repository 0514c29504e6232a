//! Ctrl-C as something to wait for, beside whatever else is waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Ends this process as Ctrl-C ends one that does nothing about it: a shell goes on with its script after any exit
/// code, but not after this. Returns where SIGINT is ignored.
pub fn end_by_it() {
    // It fails only for what is no signal.
    let _ = nix::sys::signal::raise(Signal::SIGINT);
}

/// While it lives, SIGINT does not end this process but makes a descriptor readable (signalfd(2)).
/// Processes that are started meanwhile must have their mask reset.
#[derive(Debug)]
pub struct Interrupt(SignalFd);

impl Interrupt {
    /// Holds SIGINT back from now on.
    pub fn hold() -> io::Result<Self> {
        let signals = SigSet::from(Signal::SIGINT);
        signals.thread_block()?;
        Ok(Self(SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// One that came is as good as handled.
impl Drop for Interrupt {
    fn drop(&mut self) {
        while let Ok(Some(_)) = self.0.read_signal() {}
        let _ = SigSet::from(Signal::SIGINT).thread_unblock();
    }
}
