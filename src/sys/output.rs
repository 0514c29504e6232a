//! Writing to a descriptor that is somebody else's: a terminal, a pipe, a file, blocking or not.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags};

/// Writes all of it.
pub fn write_all(out: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&out, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => wait_for_room(&out)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Who shares the descriptor may have made it non-blocking: then nobody waits for room but us.
pub(super) fn wait_for_room(out: impl AsFd) -> io::Result<()> {
    let mut descriptors = [PollFd::new(&out, PollFlags::OUT)];
    rustix::io::retry_on_intr(|| rustix::event::poll(&mut descriptors, None))?;
    Ok(())
}
