//! The library's front door: what the `hap` command does, as typed data for other programs.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::core::alias::Alias;
use crate::core::error::{Error, Result};
use crate::core::signal::Signal;
use crate::core::stream::Stream;
use crate::ops::clean::{self, Cleaned};
use crate::ops::find::Haps;
use crate::ops::hap::{Entry, Hap};
use crate::ops::kill::{self, Ended};
use crate::ops::run::{self, Request};
use crate::ops::wait::{self, Waited};
use crate::ops::{pause, restart, signal};
use crate::store::{self, StateDir};

/// The haps of one state directory. It holds nothing open and remembers nothing: each call sees what
/// is there now, and any number of programs may use the same directory at once.
///
/// `run`, `restart` and whatever meets a command that lost its supervisor fork a supervisor off the
/// calling process. While they do, the process's umask is 077 for a moment: other threads had better
/// not make files then.
#[derive(Clone, Debug)]
pub struct Hapless {
    root: PathBuf,
}

impl Hapless {
    /// Those that the `hap` command shows: in `HAPLESS_DIR`, else in the user's state home.
    pub fn new() -> Result<Self> {
        Ok(Self { root: store::locate()? })
    }

    /// Those of another state directory, which is made when something is run.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Starts a command. It has been executed when this returns; on an error nothing is left of it.
    pub fn run(&self, request: &Request) -> Result<Hap> {
        let published = run::run(&self.root, request)?;
        self.find(published.id)
    }

    /// All haps by ascending id, also those whose record cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>> {
        self.haps()?.map_or_else(|| Ok(Vec::new()), |haps| haps.all())
    }

    /// The hap with this id or name.
    pub fn find(&self, alias: impl Into<Alias>) -> Result<Hap> {
        let alias = alias.into();
        let unknown = || Error::UnknownAlias { alias: alias.to_string() };
        self.haps()?.ok_or_else(unknown)?.hap(&alias)
    }

    /// What it has written so far, from the beginning.
    pub fn logs(&self, hap: &Hap, stream: Stream) -> Result<File> {
        let haps = self.haps_of(hap)?;
        let directory = haps.state().hap(hap.id);
        let stream = if hap.record.merge { Stream::Stdout } else { stream };
        let opened = directory.open_log(stream, None).map_err(Error::file("read", directory.log_path(stream, None)))?;
        Ok(File::from(opened))
    }

    /// Sends a signal to an active hap: to its process group what a terminal sends to a job, else to
    /// the command alone.
    pub fn signal(&self, hap: &Hap, signal: Signal) -> Result<()> {
        let haps = self.haps_of(hap)?;
        signal::signal(&haps, &haps.active(&Alias::Id(hap.id))?, signal, signal.default_target())
    }

    /// Sleeps until it has ended, or for so long at most.
    pub fn wait(&self, hap: &Hap, limit: Option<Duration>) -> Result<Waited> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        wait::wait(&self.haps_of(hap)?, hap, deadline, None)
    }

    /// Stops all of its processes until it is resumed.
    pub fn pause(&self, hap: &Hap) -> Result<()> {
        pause::pause(&self.haps_of(hap)?, hap).map(drop)
    }

    /// Lets a paused one go on.
    pub fn resume(&self, hap: &Hap) -> Result<()> {
        pause::resume(&self.haps_of(hap)?, hap).map(drop)
    }

    /// Asks all of its processes to end, and kills what is left when the time is up.
    pub fn stop(&self, hap: &Hap, timeout: Duration) -> Result<Ended> {
        kill::stop(&self.haps_of(hap)?, hap.clone(), timeout)
    }

    /// Kills all of its processes, also those that left its session.
    pub fn kill(&self, hap: &Hap) -> Result<Ended> {
        kill::kill(&self.haps_of(hap)?, hap.clone())
    }

    /// Starts the same command once more under the same id and name; stops it first if it is active.
    pub fn restart(&self, hap: &Hap, timeout: Duration) -> Result<Hap> {
        restart::restart(&self.haps_of(hap)?, hap, timeout)?;
        self.find(hap.id)
    }

    /// Removes what has ended.
    pub fn clean(&self) -> Result<Cleaned> {
        self.haps()?.map_or_else(|| Ok(Cleaned::default()), |haps| clean::clean(&haps, clean::Extent::default()))
    }

    fn haps(&self) -> Result<Option<Haps>> {
        StateDir::open(&self.root)?.map(Haps::new).transpose()
    }

    fn haps_of(&self, hap: &Hap) -> Result<Haps> {
        self.haps()?.ok_or_else(|| Error::UnknownAlias { alias: hap.id.to_string() })
    }
}
