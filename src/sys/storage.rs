//! The file system below a path: statfs(2), statvfs(3).

use std::io;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

use crate::core::health::{Room, Storage};

/// What it is.
pub fn kind(path: &Path) -> io::Result<Storage> {
    let magic = rustix::fs::statfs(path)?.f_type;
    // A number of 32 bits in a field that has a sign.
    Ok(Storage::of(magic.cast_unsigned() & 0xffff_ffff))
}

/// What is left on it.
pub fn room(path: &Path) -> io::Result<Room> {
    let found = rustix::fs::statvfs(path)?;
    let files = (found.f_files > 0).then_some(found.f_favail);
    let is_read_only = found.f_flag.contains(StatVfsMountFlags::RDONLY);
    Ok(Room { bytes: found.f_bavail.saturating_mul(found.f_frsize), files, is_read_only })
}
