//! Files with holes: parts that have no blocks on the disk and read as zeros (lseek(2), fallocate(2)).

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;

/// Punches keep to whole blocks of any file system in use: what is less than one is only overwritten.
pub const BLOCK: u64 = 64 << 10;

const FREE: FallocateFlags = FallocateFlags::PUNCH_HOLE.union(FallocateFlags::KEEP_SIZE);

/// Where the next data begin, here or later; `None` if there are none up to the file's end.
/// Moves the position of the descriptor.
pub fn data_from(file: impl AsFd, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NXIO) => Ok(None),
        // A file system that knows nothing of holes.
        Err(Errno::INVAL) => Ok(Some(offset)),
        Err(error) => Err(error.into()),
    }
}

/// Where the data that are here end: at a hole or at the file's end. Moves the position of the descriptor.
pub fn hole_from(file: impl AsFd, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Hole(offset)) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NXIO | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives the blocks between two places of a file back to the file system. The file stays as long as it is.
pub fn free(file: impl AsFd, from: u64, to: u64) -> io::Result<()> {
    Ok(rustix::fs::fallocate(file, FREE, from, to.saturating_sub(from))?)
}

/// Whether the file system can do that. For a file in which nothing is yet.
pub fn can_free(file: impl AsFd) -> bool {
    free(file, 0, BLOCK).is_ok()
}
