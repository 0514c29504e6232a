//! Removing haps: first out of sight by a rename, then for good. What a crash left half-made or
//! half-removed is swept up on the way.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::hap_dir::LockRefused;
use super::layout::{LOCK, STAGING_PREFIX, TRASH};
use super::state_dir::StateDir;
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::core::record::Record;
use crate::sys::file::{self, Access};
use crate::sys::random::random;
use crate::sys::{clock, lock, proc};

impl StateDir {
    /// Removes a hap, if its record, read again under its lock, still is one to be removed.
    /// `None` if it is not, or if somebody holds its lock.
    pub fn remove(&self, id: Id, is_to_go: impl Fn(&Record) -> bool) -> Result<Option<Record>> {
        let hap = self.hap(id);
        let deadline = clock::soon();
        loop {
            let lock = hap.lock();
            let Some(record) = hap.newest_record().ok().filter(&is_to_go) else { return Ok(None) };
            match lock {
                // Who has recorded the end has nothing left to do but to go.
                Err(LockRefused::Held) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                Err(LockRefused::Held) if !is_idle(&record) => return Ok(None),
                // Without a lock file the record alone says that nobody is there.
                Ok(_) | Err(_) => {
                    self.bury(id, &record)?;
                    return Ok(Some(record));
                }
            }
        }
    }

    /// Removes a hap of which nothing can be told from here, if its record, read again under its lock, still is one of
    /// those. `None` if it is not, or if that lock cannot be had: wherever that is, somebody watches over it.
    pub fn remove_unwatched(&self, id: Id, is_to_go: impl Fn(&Record) -> bool) -> Result<Option<Record>> {
        let hap = self.hap(id);
        let Ok(_lock) = hap.lock() else { return Ok(None) };
        let Some(record) = hap.newest_record().ok().filter(is_to_go) else { return Ok(None) };
        self.bury(id, &record)?;
        Ok(Some(record))
    }

    /// Removes a hap whose command could not be started. Its lock is the caller's.
    pub fn withdraw(&self, id: Id, record: &Record) -> Result<()> {
        self.bury(id, record)?;
        self.restart_numbers_if_empty()
    }

    fn bury(&self, id: Id, record: &Record) -> Result<()> {
        let trash = self.side_directory(TRASH)?;
        let grave = format!("{id}-{:016x}", random::<u64>());
        let failed = Error::file("remove", self.hap(id).path());
        let registry = self.registry()?;
        file::rename_new_at(self.haps(), &id.to_string(), &trash, &grave).map_err(failed)?;
        self.unbind(&registry, &record.name, id)?;
        self.forget_rename(&registry, id)?;
        drop(registry);
        remove_all(&self.root().join(TRASH).join(&grave))
    }

    /// Sweeps up after commands that were killed, and lets the numbers begin again if no hap is left.
    pub fn sweep(&self) -> Result<()> {
        for name in self.entries()?.iter().filter(|name| name.starts_with(STAGING_PREFIX)) {
            if self.is_abandoned(name) {
                remove_all(&self.haps_path().join(name))?;
            }
        }
        let trash = self.side_directory(TRASH)?;
        for name in file::names_in(&trash).map_err(Error::file("list", self.root().join(TRASH)))? {
            remove_all(&self.root().join(TRASH).join(name))?;
        }
        self.restart_numbers_if_empty()
    }

    /// How many things lie about that [`StateDir::sweep`] would remove.
    pub fn litter(&self) -> Result<usize> {
        let is_abandoned = |name: &&String| name.starts_with(STAGING_PREFIX) && self.is_abandoned(name);
        let half_made = self.entries()?.iter().filter(is_abandoned).count();
        let half_removed = file::open_directory_at(self.root_fd(), TRASH).and_then(file::names_in);
        Ok(half_made + half_removed.map_or(0, |names| names.len()))
    }

    fn restart_numbers_if_empty(&self) -> Result<()> {
        let registry = self.registry()?;
        if self.ids()?.is_empty() {
            self.set_last_id(&registry, 0);
        }
        self.keep_last_id(&registry);
        Ok(())
    }

    /// Whether nobody is making this hap any more: the lock is free, or there is none yet and the
    /// process that would make it is gone.
    fn is_abandoned(&self, staged: &str) -> bool {
        match file::open_at(self.haps(), &format!("{staged}/{LOCK}"), Access::Write) {
            Ok(lock) => lock::Held::take(lock).is_ok_and(|held| held.is_some()),
            Err(_) => maker(staged).is_none_or(|pid| proc::identify(pid).is_none()),
        }
    }
}

/// The supervisor lives and has recorded the end: it writes nothing more, and stays only for processes
/// of another hap that came to it when that one's supervisor was killed.
fn is_idle(record: &Record) -> bool {
    record.end.is_some() && proc::stat_of(record.supervisor).is_some_and(|stat| !stat.is_zombie())
}

fn maker(staged: &str) -> Option<i32> {
    staged.strip_prefix(STAGING_PREFIX)?.split('-').next()?.parse().ok()
}

/// Removes a directory and all that is in it, unless somebody else just does.
fn remove_all(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            fs::remove_file(path).map_err(Error::file("remove", path))
        }
        removed => removed.map_err(Error::file("remove", path)),
    }
}
