//! Files below a directory that is open, and of which nothing is trusted: no symlink is followed,
//! no FIFO is waited for, no more is read than asked.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a directory.
pub fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, DIRECTORY, Mode::empty())?)
}

/// Opens a directory to run a command in: it must exist, it need not be readable.
pub fn open_workdir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Opens a directory below another one, reached without following a link.
pub fn open_directory_at(base: impl AsFd, path: &str) -> io::Result<OwnedFd> {
    open_below(base.as_fd(), path, DIRECTORY)
}

/// Opens a regular file below a directory, reached without following a link.
pub fn open_at(base: impl AsFd, path: &str, access: Access) -> io::Result<OwnedFd> {
    Ok(open_with_length(base, path, access)?.0)
}

/// The same, and how long it is.
pub fn open_with_length(base: impl AsFd, path: &str, access: Access) -> io::Result<(OwnedFd, u64)> {
    let flags = match access {
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::WRONLY,
        Access::Append => OFlags::WRONLY | OFlags::APPEND,
        Access::Change => OFlags::RDWR,
    };
    // NONBLOCK: a FIFO in the place of the file must not make us wait for its other end.
    let file = open_below(base.as_fd(), path, flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC)?;
    let stat = rustix::fs::fstat(&file)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if matches!(access, Access::Append) {
        // Such a file is handed on to a command, which finds it as if it had been opened plainly.
        rustix::fs::fcntl_setfl(&file, OFlags::APPEND)?;
    }
    Ok((file, u64::try_from(stat.st_size).unwrap_or(0)))
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// To read it.
    Read,
    /// To change it in place.
    Write,
    /// To add to its end.
    Append,
    /// To read it and change it in place.
    Change,
}

fn open_below(base: BorrowedFd<'_>, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    match rustix::fs::openat2(base, path, flags, Mode::empty(), resolve) {
        // Linux before 5.6, and sandboxes that do not know the call: the last step at least is checked.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            Ok(rustix::fs::openat(base, path, flags | OFlags::NOFOLLOW, Mode::empty())?)
        }
        Err(rustix::io::Errno::LOOP) => Err(io::Error::other("there is a symbolic link in its place")),
        opened => Ok(opened?),
    }
}

/// Reads a whole regular file below a directory, if it has at most `limit` bytes.
pub fn read_at(base: impl AsFd, path: &str, limit: usize) -> io::Result<Vec<u8>> {
    let (file, length) = open_with_length(base, path, Access::Read)?;
    let far_too_large = || io::Error::other("it is far too large");
    let length = usize::try_from(length).ok().filter(|&length| length <= limit).ok_or_else(far_too_large)?;
    let mut contents = Vec::with_capacity(length + 1);
    loop {
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut contents)) {
            Ok(0) => return Ok(contents),
            // Less than there is room for: that was all (read(2), for a regular file).
            Ok(_) if contents.len() < contents.capacity() => return Ok(contents),
            Ok(_) if contents.len() > limit => return Err(far_too_large()),
            Ok(_) => contents.reserve(contents.len()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes a new file that nobody else may read, with these contents.
pub fn create_at(base: impl AsFd, name: &str, contents: &[&[u8]]) -> io::Result<OwnedFd> {
    create_with(base, name, OFlags::WRONLY, contents)
}

/// Makes a new file that nobody else may read, to be appended to.
pub fn create_log_at(base: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    create_with(base, name, OFlags::WRONLY | OFlags::APPEND, &[])
}

fn create_with(base: impl AsFd, name: &str, access: OFlags, contents: &[&[u8]]) -> io::Result<OwnedFd> {
    let flags = access | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::openat(base, name, flags, Mode::RUSR | Mode::WUSR)?);
    match contents {
        [] => {}
        [all] => file.write_all(all)?,
        parts => file.write_all(&parts.concat())?,
    }
    Ok(file.into())
}

/// Makes a new directory that is nobody else's business.
pub fn create_directory_at(base: impl AsFd, name: &str) -> io::Result<()> {
    Ok(rustix::fs::mkdirat(base, name, Mode::RWXU)?)
}

/// Makes a symbolic link.
pub fn link_at(target: &OsStr, base: impl AsFd, name: &str) -> io::Result<()> {
    Ok(rustix::fs::symlinkat(target, base, name)?)
}

/// Where a symbolic link points to.
pub fn link_target_at(base: impl AsFd, name: &str) -> io::Result<PathBuf> {
    let target: CString = rustix::fs::readlinkat(base, name, Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
}

/// Removes a file or a link; one that is not there is fine.
pub fn remove_at(base: impl AsFd, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(base, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Gives a file or directory another name; fails with `AlreadyExists` if that is taken.
pub fn rename_new_at(from: impl AsFd, name: &str, to: impl AsFd, new_name: &str) -> io::Result<()> {
    match rustix::fs::renameat_with(&from, name, &to, new_name, RenameFlags::NOREPLACE) {
        // File systems that cannot promise it. The caller has the lock, so nobody comes between.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            match rustix::fs::statat(&to, new_name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => Ok(rustix::fs::renameat(from, name, to, new_name)?),
            }
        }
        renamed => Ok(renamed?),
    }
}

/// Gives a file another name and takes the place of the one that had it.
pub fn replace_at(base: impl AsFd, name: &str, new_name: &str) -> io::Result<()> {
    Ok(rustix::fs::renameat(&base, name, &base, new_name)?)
}

/// Moves a file to another directory, and takes the place of the one that had the name there.
pub fn replace_between(from: impl AsFd, name: &str, to: impl AsFd, new_name: &str) -> io::Result<()> {
    Ok(rustix::fs::renameat(from, name, to, new_name)?)
}

/// Gives a file of one directory the same name in another one as well.
pub fn hard_link(from: impl AsFd, name: &str, to: impl AsFd) -> io::Result<()> {
    Ok(rustix::fs::linkat(from, name, to, name, AtFlags::empty())?)
}

/// Removes an empty directory.
pub fn remove_directory_at(base: impl AsFd, path: &str) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(base, path, AtFlags::REMOVEDIR)?)
}

/// What one read of a file brings, which is all of a short one in `/proc`. Rust's library would make two calls to open it.
pub fn read_once(path: &str, room: &mut [u8]) -> io::Result<usize> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::io::read(&file, room)?)
}

/// The entries of a directory.
pub fn names_in(directory: impl AsFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        // No name of ours is anything but UTF-8.
        if let Ok(name) = entry?.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// How many entries of a directory are not hidden (begin with a dot).
pub fn count_in(directory: impl AsFd) -> io::Result<usize> {
    let mut count = 0;
    for entry in rustix::fs::Dir::read_from(directory)? {
        count += usize::from(!entry?.file_name().to_bytes().starts_with(b"."));
    }
    Ok(count)
}

/// The length of a file or directory entry, without following a link.
pub fn length_at(base: impl AsFd, path: &str) -> io::Result<u64> {
    let stat = rustix::fs::statat(base, path, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// The length of an open file.
pub fn length(file: impl AsFd) -> io::Result<u64> {
    Ok(u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0))
}

/// The number of an open file's inode.
pub fn inode(file: impl AsFd) -> io::Result<u64> {
    Ok(rustix::fs::fstat(file)?.st_ino)
}

/// The room that a file takes on the disk, bytes, without following a link. Its length may say more
/// (holes) or less (the last block).
pub fn room_at(base: impl AsFd, path: &str) -> io::Result<u64> {
    // stat(2): whatever the block size of the file system is, this counts in 512 bytes.
    const UNIT: u64 = 512;
    let stat = rustix::fs::statat(base, path, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(UNIT))
}

/// Whether two open files are one and the same.
pub fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// Where an open directory is now, wherever it was moved to.
pub fn path_of(directory: impl AsFd) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd;
    fs::read_link(format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd()))
}

/// Writes all of it at this place of the file. Allocates nothing.
pub fn write_at(file: impl AsFd, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(&file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Asks the disk for the file's data to be on it.
pub fn sync(file: impl AsFd) -> io::Result<()> {
    Ok(rustix::fs::fdatasync(file)?)
}

/// The directory that this process is in, also if it was deleted.
pub fn own_workdir() -> io::Result<PathBuf> {
    let link: CString = rustix::fs::readlinkat(CWD, "/proc/self/cwd", Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(link.as_bytes())))
}

/// Goes to `/`, so that no other directory is kept from being unmounted.
pub fn enter_root() -> io::Result<()> {
    Ok(rustix::process::chdir("/")?)
}

/// Goes to this directory.
pub fn enter(directory: impl AsFd) -> io::Result<()> {
    Ok(rustix::process::fchdir(directory)?)
}

/// Whether there is anything at this path, seen from a directory.
pub fn exists_at(base: BorrowedFd<'_>, path: &std::ffi::CStr) -> bool {
    rustix::fs::accessat(base, path, rustix::fs::Access::EXISTS, AtFlags::empty()).is_ok()
}

/// Whether this is a file that we may execute.
pub fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
