//! Sleeping until one of several descriptors has something to say (poll(2)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};

/// What of a descriptor is waited for.
#[derive(Clone, Copy, Debug)]
pub enum Interest<'a> {
    /// It can be read.
    Readable(BorrowedFd<'a>),
    /// Nobody is left at its other end.
    Abandoned(BorrowedFd<'a>),
}

/// Sleeps until one of them is ready or the time is up: which ones are.
pub fn wait(interests: &[Interest<'_>], limit: Option<Duration>) -> io::Result<Vec<bool>> {
    let limit = limit.map(Timespec::try_from).transpose().map_err(|_| io::ErrorKind::InvalidInput)?;
    let descriptors = interests.iter().map(|interest| match *interest {
        Interest::Readable(fd) => PollFd::from_borrowed_fd(fd, PollFlags::IN),
        // POLLERR and POLLHUP need no asking.
        Interest::Abandoned(fd) => PollFd::from_borrowed_fd(fd, PollFlags::empty()),
    });
    let mut descriptors: Vec<PollFd<'_>> = descriptors.collect();
    match rustix::event::poll(&mut descriptors, limit.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(descriptors.iter().map(|descriptor| !descriptor.revents().is_empty()).collect())
}

/// What one thread rings and another one waits for (eventfd(2)).
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    /// One that has not rung.
    pub fn new() -> io::Result<Self> {
        Ok(Self(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Rings: it is readable until it is silenced.
    pub fn ring(&self) {
        // It fails only for a bell that has rung 2^64 times.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Makes it as if it had not rung.
    pub fn silence(&self) {
        let mut count = [0; size_of::<u64>()];
        let _ = rustix::io::read(&self.0, &mut count);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
