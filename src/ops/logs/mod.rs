//! `logs`: a hap's output, byte for byte, and on as it grows.

mod copy;
mod follow;
mod lines;
mod news;
mod reading;
mod tail;

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

pub use follow::{Followed, Told, follow};
pub use lines::{Lines, Show, Voice};

use crate::core::error::{Error, Result};
use crate::core::stream::Stream;
use crate::ops::find::Haps;
use crate::ops::hap::Hap;
use crate::store::Times;
use reading::Seen;

/// Which run of a hap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The present one.
    Current,
    /// The one before the last restart.
    Previous,
    /// Counted from 1.
    Number(u32),
}

impl Run {
    /// The number under which a restart has kept it; `None` if it is the present one.
    pub fn kept_as(self, hap: &Hap) -> Result<Option<u32>> {
        let restarts = hap.record.restarts;
        match self {
            Self::Current => Ok(None),
            Self::Previous if restarts == 0 => Err(Error::NoRunBefore { hap: hap.title() }),
            Self::Previous => Ok(Some(restarts)),
            Self::Number(run) if run > 0 && run <= restarts => Ok(Some(run)),
            Self::Number(run) if Some(run) == restarts.checked_add(1) => Ok(None),
            Self::Number(run) => Err(Error::NoSuchRun { hap: hap.title(), run, last: restarts.saturating_add(1) }),
        }
    }
}

/// The streams of a hap that have a log of their own: with stderr merged into stdout there is only one.
pub fn own_streams(hap: &Hap) -> Vec<Stream> {
    if hap.record.merge { vec![Stream::Stdout] } else { vec![Stream::Stdout, Stream::Stderr] }
}

/// A log that is read from somewhere on.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    /// Which one it is; `None` of the present run.
    stream: Stream,
    run: Option<u32>,
    /// Where it is read on.
    position: u64,
    seen: Seen,
    /// Its beginning may be freed while it is read.
    is_limited: bool,
}

impl Log {
    /// Opens a log of a hap at its beginning.
    pub fn open(haps: &Haps, hap: &Hap, stream: Stream, run: Option<u32>) -> Result<Self> {
        let directory = haps.state().hap(hap.id);
        let stream = if hap.record.merge { Stream::Stdout } else { stream };
        let path = directory.log_path(stream, run);
        let file = directory.open_log(stream, run).map_err(Error::file("read", &path))?;
        let is_limited = hap.record.log_limit.is_some();
        Ok(Self { path, file: File::from(file), stream, run, position: 0, seen: Seen::default(), is_limited })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which one it is.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Where it is read on.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// When which part of it was written, as far as that is known by now.
    pub fn known_times(&self, haps: &Haps, hap: &Hap) -> Result<Times> {
        match self.times(haps, hap) {
            Some(times) => Ok(times),
            None if hap.record.timestamps && (self.is_empty() || hap.status.is_active()) => Ok(Times::default()),
            None => Err(Error::NoTimes { hap: hap.title() }),
        }
    }

    fn times(&self, haps: &Haps, hap: &Hap) -> Option<Times> {
        haps.state().hap(hap.id).times(self.stream, self.run, &self.file)
    }

    fn length(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(Error::file("read", &self.path))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
