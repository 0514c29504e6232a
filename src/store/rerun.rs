//! A hap that is started again: what was stays readable in `runs/N`, its place is taken file by file.
//!
//! Until the new record is there nothing has changed. Whoever is killed before that leaves an archive
//! that nobody asks for, and after it logs that are still those of the run before: no output is lost.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::hap_dir::HapDir;
use super::layout::{RECORD, RUNS, STDERR, STDOUT, TIMES};
use super::record_file;
use super::staging::RunFiles;
use crate::core::error::{Error, Result};
use crate::core::record::Record;
use crate::sys::file;
use crate::sys::lock;

/// The logs of the run to come, while those of the run before have their names.
const NEW_STDOUT: &str = "stdout.new";
const NEW_STDERR: &str = "stderr.new";

/// A run that is being prepared. Its hap's lock is ours.
pub struct Rerun<'a> {
    hap: HapDir<'a>,
    files: RunFiles,
    /// `runs/N` of the run before.
    archive: OwnedFd,
    number: u32,
    merge: bool,
}

impl<'a> HapDir<'a> {
    /// Keeps the run before, which had this record, and makes logs for the next.
    pub fn prepare_rerun(self, lock: lock::Held, before: &Record) -> Result<Rerun<'a>> {
        let failed = |name: &str| Error::file("create", self.path().join(name));
        let number = before.restarts + 1;
        let directory = self.open_directory().map_err(Error::file("open", self.path()))?;
        let archive = archive(&directory, number, before).map_err(failed(RUNS))?;
        let stdout = fresh_log(&directory, NEW_STDOUT).map_err(failed(NEW_STDOUT))?;
        let stderr = if before.merge { stdout.try_clone() } else { fresh_log(&directory, NEW_STDERR) };
        let stderr = stderr.map_err(failed(NEW_STDERR))?;
        let files = RunFiles { directory, lock, stdout, stderr };
        Ok(Rerun { hap: self, files, archive, number, merge: before.merge })
    }
}

impl Rerun<'_> {
    /// What supervisor and command inherit.
    pub fn files(&self) -> &RunFiles {
        &self.files
    }

    /// From now on this is the hap's run.
    pub fn commit(&self, record: &Record) -> Result<()> {
        self.take_place(record).map_err(Error::file("write", self.hap.path().join(RECORD)))
    }

    fn take_place(&self, record: &Record) -> io::Result<()> {
        let directory = self.files.directory.as_fd();
        record_file::replace(directory, record)?;
        file::replace_at(directory, NEW_STDOUT, STDOUT)?;
        if self.merge { Ok(()) } else { file::replace_at(directory, NEW_STDERR, STDERR) }
    }

    /// Puts the run before back into its place.
    pub fn roll_back(self) -> Result<()> {
        self.restore().map_err(Error::file("restore", self.hap.path()))
    }

    fn restore(&self) -> io::Result<()> {
        let directory = self.files.directory.as_fd();
        // The record comes last: while it is the new one, the archive is what the logs are taken from.
        for name in self.archived() {
            file::replace_between(&self.archive, name, directory, name)?;
            // Two names of one file are both left by rename(2): so it is if the place was not yet taken.
            file::remove_at(&self.archive, name)?;
        }
        for name in [NEW_STDOUT, NEW_STDERR] {
            file::remove_at(directory, name)?;
        }
        for name in TIMES {
            file::remove_at(&self.archive, name)?;
        }
        file::remove_directory_at(directory, &format!("{RUNS}/{}", self.number))
    }

    fn archived(&self) -> impl Iterator<Item = &'static str> {
        [STDOUT, STDERR, RECORD].into_iter().filter(|&name| name != STDERR || !self.merge)
    }
}

/// Makes `runs/N` with other names for the files of the run before. One that is there already is
/// of a restart that was killed before it had changed anything.
fn archive(directory: &OwnedFd, number: u32, before: &Record) -> io::Result<OwnedFd> {
    record_file::replace(directory, before)?;
    make_directory(directory, RUNS)?;
    let name = format!("{RUNS}/{number}");
    make_directory(directory, &name)?;
    let archive = file::open_directory_at(directory, &name)?;
    for name in [RECORD, STDOUT, STDERR].into_iter().chain(TIMES) {
        file::remove_at(&archive, name)?;
        match file::hard_link(directory, name, &archive) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && name != RECORD => {}
            linked => linked?,
        }
    }
    Ok(archive)
}

fn make_directory(directory: &OwnedFd, name: &str) -> io::Result<()> {
    match file::create_directory_at(directory, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn fresh_log(directory: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    file::remove_at(directory, name)?;
    file::create_log_at(directory, name)
}
