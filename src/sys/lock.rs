//! Locks on files and directories: flock(2). They belong to the open file, so a child that inherits
//! the descriptor shares the lock, and the kernel lets go of it when the last holder is gone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FlockOperation, flock};

/// Takes the exclusive lock if nobody else has it; says whether it did.
pub fn try_lock(file: impl AsFd) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// An open file whose lock is ours for as long as this, or a copy that a child inherited, is open.
#[derive(Debug)]
pub struct Held(OwnedFd);

impl Held {
    /// Takes the lock of this file, unless somebody has it.
    pub fn take(file: OwnedFd) -> io::Result<Option<Self>> {
        Ok(try_lock(&file)?.then_some(Self(file)))
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
