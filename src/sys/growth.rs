//! Being woken when a file is written to (inotify(7)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

/// Readable once a file that it is armed for is written to.
#[derive(Debug)]
pub struct Growth(OwnedFd);

impl Growth {
    /// Armed for nothing.
    pub fn new() -> io::Result<Self> {
        Ok(Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    /// The next write to this file wakes, and no other one after it: who writes pays for one.
    /// The file is meant, wherever it was moved to.
    pub fn arm(&self, file: impl AsFd) -> io::Result<()> {
        let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
        inotify::add_watch(&self.0, path, WatchFlags::MODIFY | WatchFlags::ONESHOT)?;
        Ok(())
    }

    /// Forgets what has woken.
    pub fn settle(&self) {
        let mut room = [MaybeUninit::<u8>::uninit(); 512];
        while rustix::io::read(&self.0, &mut room).is_ok_and(|(events, _)| !events.is_empty()) {}
    }
}

impl AsFd for Growth {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
