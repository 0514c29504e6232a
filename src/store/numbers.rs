//! Giving out ids: `last-id` has the highest one given out since the list was last empty.
//!
//! The file may be lost, garbled, or older than the haps after a power cut. Then the ids in the
//! list say where to go on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::layout::LAST_ID;
use super::state_dir::{Registry, StateDir};
use crate::core::error::{Error, Result};
use crate::core::id::Id;
use crate::sys::file::{self, Access};

/// Length of the file: a number of at most ten digits, padded, and a line end.
const LENGTH: usize = 11;

impl StateDir {
    /// The next id, not yet marked as given out.
    pub(super) fn next_id(&self, registry: &Registry) -> Result<Id> {
        let last = match self.read_last_id(registry) {
            Some(last) => last,
            None => self.highest_id()?,
        };
        after(last)
    }

    /// Whether a hap once had this id, since the list was last empty.
    pub fn was_given_out(&self, id: Id) -> bool {
        let file = file::open_at(self.root_fd(), LAST_ID, Access::Read);
        file.ok().and_then(number_in).is_some_and(|last| id.number() <= last)
    }

    /// The id after the highest in the list, for when the next one is taken.
    pub(super) fn id_after_all(&self, _: &Registry) -> Result<Id> {
        after(self.highest_id()?)
    }

    /// Marks an id as given out.
    pub(super) fn set_last_id(&self, registry: &Registry, last: u32) {
        // Failing here costs only speed: the id that is given out again is found taken.
        let text = format!("{last:>10}\n");
        let _ = self.last_id_file(registry).and_then(|file| file::write_at(file, text.as_bytes(), 0));
    }

    /// Marks the last id as given out for good, also through a power cut.
    pub(super) fn keep_last_id(&self, registry: &Registry) {
        let _ = self.last_id_file(registry).and_then(file::sync);
    }

    fn last_id_file<'a>(&self, registry: &'a Registry) -> io::Result<&'a OwnedFd> {
        if let Some(file) = registry.last_id.get() {
            return Ok(file);
        }
        let file = match file::open_at(self.root_fd(), LAST_ID, Access::Change) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => file::create_at(self.root_fd(), LAST_ID, &[])?,
            opened => opened?,
        };
        Ok(registry.last_id.get_or_init(|| file))
    }

    fn read_last_id(&self, registry: &Registry) -> Option<u32> {
        number_in(self.last_id_file(registry).ok()?)
    }

    fn highest_id(&self) -> Result<u32> {
        Ok(self.ids()?.last().map_or(0, |id| id.number()))
    }
}

fn number_in(file: impl AsFd) -> Option<u32> {
    // One that is longer was not written by us.
    let mut text = [0; LENGTH + 1];
    let length = rustix::io::pread(file, &mut text, 0).ok()?;
    let text = text.get(..length).filter(|text| text.len() <= LENGTH)?;
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn after(last: u32) -> Result<Id> {
    let used_up = || Error::system("give out an id")(io::Error::other("all four thousand million are used up"));
    last.checked_add(1).and_then(Id::new).ok_or_else(used_up)
}
