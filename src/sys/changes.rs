//! What happens in directories and to files, as something to wait for: inotify(7).
//!
//! What is told is only a hint to look again. Network file systems tell nothing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// Watches what it was told to.
#[derive(Debug)]
pub struct Changes(Inotify);

/// One thing that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watched(WatchDescriptor);

/// What there is to look at again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Happened {
    /// Which names there are and what they stand for; or events were lost.
    pub names: bool,
    /// What is in the one file.
    pub contents: bool,
}

impl Changes {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?))
    }

    /// Watches which names are in a directory, and which of them get another file. Not what is written
    /// to the files: a busy log must not wake who does not read it.
    pub fn watch_names(&self, directory: &Path) -> io::Result<()> {
        let what = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVE;
        self.0.add_watch(directory, what | AddWatchFlags::IN_ONLYDIR)?;
        Ok(())
    }

    /// Watches what is written to a file.
    pub fn watch_contents(&self, file: &Path) -> io::Result<Watched> {
        Ok(Watched(self.0.add_watch(file, AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_DONT_FOLLOW)?))
    }

    /// Watches this no longer.
    pub fn forget(&self, watched: Watched) {
        // The file may be gone, and the watch with it.
        let _ = self.0.rm_watch(watched.0);
    }

    /// Takes note of all that has happened, apart for the contents of this file.
    pub fn take(&self, contents: Option<Watched>) -> Happened {
        let mut happened = Happened::default();
        while let Ok(events) = self.0.read_events()
            && !events.is_empty()
        {
            for event in events {
                match contents {
                    Some(Watched(wd)) if event.wd == wd => happened.contents = true,
                    _ => happened.names = true,
                }
            }
        }
        happened
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
