//! Copying a part of a file to another descriptor inside the kernel, and by hand where it cannot.
//!
//! Into a pipe go the pages of the file themselves (splice(2)): whoever shortens or punches the file
//! before they are read changes what is read. It is not for files whose beginning may be freed.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::pipe::SpliceFlags;

use super::output;

/// So much at a time: a signal is seen in between.
const STEP: u64 = 16 << 20;

/// Half of what a pipe holds: one half is filled while the other is read.
const BY_HAND: usize = 128 << 10;

/// As large as an unprivileged user may make a pipe (pipe(7)).
const PIPE: usize = 1 << 20;

/// On which side a copy failed.
#[derive(Debug)]
pub enum Failure {
    /// The file cannot be read.
    Read(io::Error),
    /// The output cannot be written.
    Write(io::Error),
}

/// How the kernel gets it there.
enum Way {
    /// `copy_file_range(2)`.
    Range,
    /// splice(2).
    Splice,
    /// sendfile(2).
    Send,
}

/// Copies the bytes from `offset` up to `end`, or up to where the file ends by now.
pub fn transfer(file: BorrowedFd<'_>, offset: u64, end: u64, out: BorrowedFd<'_>) -> Result<(), Failure> {
    let mut offset = offset;
    let way = Way::to(out);
    while offset < end {
        let most = (end - offset).min(STEP);
        match way.step(file, &mut offset, most, out) {
            Ok(1..) | Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => output::wait_for_room(out).map_err(Failure::Write)?,
            // The end, or the kernel cannot: then the plain way does, or says why it cannot either.
            Ok(0) | Err(_) => break,
        }
    }
    by_hand(file, offset, end, out)
}

impl Way {
    fn to(out: BorrowedFd<'_>) -> Self {
        let kind = rustix::fs::fstat(out).map(|stat| FileType::from_raw_mode(stat.st_mode));
        match kind {
            Ok(FileType::RegularFile) => Self::Range,
            Ok(FileType::Fifo) => {
                // A large pipe needs fewer turns. One that may not grow is fine as it is.
                let _ = rustix::pipe::fcntl_setpipe_size(out, PIPE);
                Self::Splice
            }
            Ok(_) | Err(_) => Self::Send,
        }
    }

    fn step(&self, file: BorrowedFd<'_>, offset: &mut u64, most: u64, out: BorrowedFd<'_>) -> Result<usize, Errno> {
        let length = usize::try_from(most).unwrap_or(usize::MAX);
        match self {
            Self::Range => rustix::fs::copy_file_range(file, Some(offset), out, None, length),
            Self::Splice => rustix::pipe::splice(file, Some(offset), out, None, length, SpliceFlags::empty()),
            Self::Send => rustix::fs::sendfile(out, file, Some(offset), length),
        }
    }
}

fn by_hand(file: BorrowedFd<'_>, mut offset: u64, end: u64, out: BorrowedFd<'_>) -> Result<(), Failure> {
    let mut block = if offset < end { vec![0; BY_HAND] } else { Vec::new() };
    while offset < end {
        let room = usize::try_from(end - offset).unwrap_or(BY_HAND).min(BY_HAND);
        match read_at(file, &mut block[..room], offset).map_err(Failure::Read)? {
            0 => break,
            length => {
                output::write_all(out, &block[..length]).map_err(Failure::Write)?;
                offset += length as u64;
            }
        }
    }
    Ok(())
}

/// Reads what is there at this place of the file.
pub fn read_at(file: BorrowedFd<'_>, block: &mut [u8], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut *block, offset))?)
}
