//! The logs of a hap, of this run and of those before.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use super::hap_dir::HapDir;
use super::layout::{RUNS, log_name, times_name};
use super::log_times::Times;
use crate::core::stream::Stream;
use crate::sys::file::{self, Access};

impl HapDir<'_> {
    /// Where a log is; `run` is the number of a run that a restart has replaced.
    pub fn log_path(&self, stream: Stream, run: Option<u32>) -> PathBuf {
        self.path().join(below(run, log_name(stream)))
    }

    /// Opens a log to read it.
    pub fn open_log(&self, stream: Stream, run: Option<u32>) -> io::Result<OwnedFd> {
        self.open(&below(run, log_name(stream)), Access::Read)
    }

    /// When which part of this open log was written, if that was noted.
    pub fn times(&self, stream: Stream, run: Option<u32>, log: impl AsFd) -> Option<Times> {
        let directory = self.open_directory().ok()?;
        Times::read(directory, &below(run, times_name(stream)), file::inode(log).ok()?)
    }
}

/// Opens a log to free its beginning. For who holds the hap's lock.
pub fn open_log_to_free(directory: BorrowedFd<'_>, stream: Stream) -> io::Result<OwnedFd> {
    file::open_at(directory, log_name(stream), Access::Write)
}

fn below(run: Option<u32>, name: &str) -> String {
    run.map_or_else(|| name.to_owned(), |number| format!("{RUNS}/{number}/{name}"))
}
