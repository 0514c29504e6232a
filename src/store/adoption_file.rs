//! `adoption.json`: an adoption that is under way, noted down so that whoever comes next can finish it
//! if the one that does it is killed. It is there before the record is, and goes when all is done.
//!
//! A power cut takes the process with it, so nothing is synced.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::layout::{ADOPTION, STDERR, STDOUT};
use crate::core::adoption::Adoption;
use crate::sys::file;

const NEW: &str = "adoption.new";
const LIMIT: usize = 4 << 20;

/// Notes it down, in place of what was noted before.
pub fn note(directory: impl AsFd, adoption: &Adoption) -> io::Result<()> {
    file::remove_at(&directory, NEW)?;
    file::create_at(&directory, NEW, &[&serde_json::to_vec(adoption)?])?;
    file::replace_at(&directory, NEW, ADOPTION)
}

/// The adoption that was not finished, if there is one.
pub fn unfinished(directory: impl AsFd) -> Option<Adoption> {
    serde_json::from_slice(&file::read_at(directory, ADOPTION, LIMIT).ok()?).ok()
}

/// It is finished.
pub fn forget(directory: impl AsFd) -> io::Result<()> {
    file::remove_at(directory, ADOPTION)
}

/// The logs of stdout and stderr, to be appended to by a process that did not inherit them.
pub fn open_logs(directory: impl AsFd) -> io::Result<(OwnedFd, OwnedFd)> {
    let open = |name| file::open_at(&directory, name, file::Access::Append);
    Ok((open(STDOUT)?, open(STDERR)?))
}
