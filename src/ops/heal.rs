//! A command whose supervisor was killed gets a new one, from whoever meets it first.

use std::os::fd::AsFd;

use crate::core::id::Id;
use crate::core::record::{Place, Record};
use crate::core::signal::Signal;
use crate::core::status::Watch;
use crate::ops::hap::Hap;
use crate::store::{StateDir, adoption_file};
use crate::supervisor::{self, Ward};
use crate::sys::pidfd::Handle;
use crate::sys::{fork, tree};

/// Sees to it that somebody waits for the command's end. Says whether anything changed.
/// What cannot be healed now is tried again by the next `hap`.
pub fn heal(state: &StateDir, hap: &Hap, here: &Place) -> bool {
    match hap.watch {
        Watch::Kept => false,
        Watch::Stopped => tree::send(hap.record.supervisor, Signal::CONT).is_ok(),
        Watch::Missing => watch_over(state, hap.id, here).is_some(),
    }
}

fn watch_over(state: &StateDir, id: Id, here: &Place) -> Option<()> {
    let hap = state.hap(id);
    let lock = hap.lock().ok()?;
    let directory = hap.open_directory().ok()?;
    let record = hap.record().ok().filter(|record| is_unsupervised(record, here))?;
    if adoption_file::unfinished(&directory).is_some_and(|adoption| adoption.failed) {
        return state.withdraw(id, &record).ok();
    }
    let command = Handle::open(record.process).ok().flatten()?;
    let _private = fork::private_umask();
    let ward = Ward { directory: directory.as_fd(), lock: lock.as_fd(), command: &command, record: &record };
    supervisor::guard(&ward).ok().map(drop)
}

fn is_unsupervised(record: &Record, here: &Place) -> bool {
    super::hap::facts(record, here).watch() == Watch::Missing
}
