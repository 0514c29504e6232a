//! File descriptors: which ones a process keeps.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// A pipe, close-on-exec at both ends: (to read from, to write to).
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// Opens /dev/null for reading and writing.
pub fn null() -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

/// Opens /dev/null as a stdin that is empty.
pub fn null_for_reading() -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Makes `number` (0, 1 or 2) another name of this open file, kept across exec.
pub fn put_on(file: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
    // SAFETY: dup2(2) takes any two numbers; 0 to 2 are owned by nobody in this process.
    if unsafe { libc::dup2(file.as_raw_fd(), number) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Closes a descriptor whose owner is never dropped, as in [`close_all_but`].
pub fn close(number: RawFd) {
    close_range(number, number);
}

/// Closes every descriptor above 2 but these. Owners of the closed ones must never drop them:
/// this is for a process that was just forked and that will never return to its caller.
pub fn close_all_but<const N: usize>(mut kept: [RawFd; N]) {
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        close_range(first, fd - 1);
        first = fd + 1;
    }
    close_range(first, RawFd::MAX);
}

/// Where the search ends on kernels that have no `close_range(2)`.
const HIGHEST_TRIED: RawFd = 65_535;

fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: the caller's contract: nobody uses a descriptor of this range again. Linux 5.9.
    let failed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0;
    if failed {
        for fd in first..=last.min(HIGHEST_TRIED) {
            // SAFETY: as above; closing a number that is not open does nothing.
            unsafe { libc::close(fd) };
        }
    }
}
