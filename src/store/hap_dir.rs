//! Reading one hap.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::layout::{CMDLINE, ENVIRON, LOCK, RUNS, SPARE_RECORD, STDERR, STDOUT};
use super::record_file::{self, Flaw};
use super::staging;
use super::state_dir::StateDir;
use crate::core::id::Id;
use crate::core::record::Record;
use crate::sys::file::{self, Access};
use crate::sys::lock;

/// Arguments and environment of a program are at most some megabytes (execve(2)).
const LIMIT: usize = 32 << 20;

/// The directory of one hap, which may not exist or be anything.
#[derive(Clone, Copy, Debug)]
pub struct HapDir<'a> {
    state: &'a StateDir,
    id: Id,
}

/// Why a hap's lock is not ours.
#[derive(Debug)]
pub enum LockRefused {
    /// Somebody has it.
    Held,
    /// There is no such file, or it cannot be used.
    Unusable(io::Error),
}

impl<'a> HapDir<'a> {
    pub(super) fn new(state: &'a StateDir, id: Id) -> Self {
        Self { state, id }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.state.hap_path(self.id)
    }

    /// Its record.
    pub fn record(&self) -> Result<Record, Flaw> {
        record_file::read(self.state.haps(), &self.id.to_string()).map(|record| self.renamed(record))
    }

    /// Its record, with the end that its supervisor may just be bringing to the disk.
    pub fn newest_record(&self) -> Result<Record, Flaw> {
        let directory = self.id.to_string();
        let read = || record_file::read(self.state.haps(), &directory);
        let record = read()?;
        let newest = match record.end {
            Some(_) => record,
            None => match record_file::about_to_be_replaced(self.state.haps(), &directory, &record) {
                Some(next) => next,
                // It may have taken its place meanwhile.
                None => read()?,
            },
        };
        Ok(self.renamed(newest))
    }

    fn renamed(&self, record: Record) -> Record {
        match self.state.renamed(self.id) {
            Some(name) => Record { name, ..record },
            None => record,
        }
    }

    /// The spare record, if it could take the place of the record as it is.
    pub fn whole_spare(&self) -> Option<PathBuf> {
        let is_whole = record_file::is_spare_whole(self.state.haps(), &self.id.to_string());
        is_whole.then(|| self.path().join(SPARE_RECORD))
    }

    /// The numbers of the runs that restarts have replaced, in ascending order.
    pub fn runs(&self) -> Vec<u32> {
        let directory = file::open_directory_at(self.state.haps(), &format!("{}/{RUNS}", self.id));
        let names = directory.and_then(file::names_in).unwrap_or_default();
        let mut numbers: Vec<u32> = names.iter().filter_map(|name| Some(Id::from_canonical(name)?.number())).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The record of a run that a restart has replaced.
    pub fn record_of_run(&self, number: u32) -> Result<Record, Flaw> {
        record_file::read(self.state.haps(), &format!("{}/{RUNS}/{number}", self.id))
    }

    /// Its arguments, byte for byte.
    pub fn arguments(&self) -> Result<Vec<CString>, Flaw> {
        self.strings(CMDLINE)
    }

    /// Its environment, byte for byte.
    pub fn environment(&self) -> Result<Vec<CString>, Flaw> {
        self.strings(ENVIRON)
    }

    /// Its working directory.
    pub fn workdir(&self) -> io::Result<PathBuf> {
        staging::workdir(self.state.haps(), &self.id.to_string())
    }

    /// The file that is locked by who may write here.
    pub fn lock_path(&self) -> PathBuf {
        self.path().join(LOCK)
    }

    /// The file that its stdout goes to.
    pub fn stdout_path(&self) -> PathBuf {
        let mut path = self.path();
        path.push(STDOUT);
        path
    }

    /// The file that its stderr goes to, unless that is merged into stdout.
    pub fn stderr_path(&self) -> PathBuf {
        let mut path = self.path();
        path.push(STDERR);
        path
    }

    /// Opens the log of stdout to read it.
    pub fn open_stdout(&self) -> io::Result<OwnedFd> {
        self.open(STDOUT, Access::Read)
    }

    /// Opens the log of stderr to read it.
    pub fn open_stderr(&self) -> io::Result<OwnedFd> {
        self.open(STDERR, Access::Read)
    }

    /// The room that the logs of the current run take on the disk, bytes.
    pub fn log_room(&self) -> u64 {
        let room = |log| file::room_at(self.state.haps(), &format!("{}/{log}", self.id)).unwrap_or(0);
        room(STDOUT).saturating_add(room(STDERR))
    }

    /// Opens its directory.
    pub fn open_directory(&self) -> io::Result<OwnedFd> {
        file::open_directory_at(self.state.haps(), &self.id.to_string())
    }

    /// Takes its lock: from now on only the caller writes it.
    pub fn lock(&self) -> Result<lock::Held, LockRefused> {
        let file = self.open(LOCK, Access::Write).map_err(LockRefused::Unusable)?;
        let held = lock::Held::take(file).map_err(LockRefused::Unusable)?.ok_or(LockRefused::Held)?;
        // It may have been moved to the trash between opening and locking.
        let current = self.open(LOCK, Access::Write).map_err(LockRefused::Unusable)?;
        if file::is_same(&held, &current).map_err(LockRefused::Unusable)? { Ok(held) } else { Err(LockRefused::Held) }
    }

    pub(super) fn open(&self, name: &str, access: Access) -> io::Result<OwnedFd> {
        file::open_at(self.state.haps(), &format!("{}/{name}", self.id), access)
    }

    fn strings(&self, name: &'static str) -> Result<Vec<CString>, Flaw> {
        let flaw = |reason: String| Flaw { file: name, reason };
        let path = format!("{}/{name}", self.id);
        let bytes = file::read_at(self.state.haps(), &path, LIMIT).map_err(|error| flaw(error.to_string()))?;
        let strings =
            bytes.split_inclusive(|&byte| byte == 0).map(|string| CString::from_vec_with_nul(string.to_vec()));
        strings.collect::<Result<_, _>>().map_err(|_| flaw("its last line has no end".into()))
    }
}
