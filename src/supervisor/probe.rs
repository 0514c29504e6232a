//! What the kernel can do with a process that it is asked about by a handle: tried on a child, since
//! a version says little of kernels that are patched, sandboxed or emulated.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::core::record::Outcome;
use crate::sys::fork::{self, Side};
use crate::sys::pidfd::Handle;
use crate::sys::{descriptor, proc, wait};

/// With this the child ends, so that the answer can be told from nothing at all.
const CODE: u8 = 7;

/// Each is what the kernel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// `pidfd_open`, Linux 5.3.
    pub handles: bool,
    /// `PIDFD_INFO_EXIT`, Linux 6.15.
    pub exit_status: bool,
    /// `PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9.
    pub group_signals: bool,
}

/// Tries it on a child that waits for the end of a pipe and then ends.
pub fn probe() -> io::Result<Abilities> {
    let (from, to) = descriptor::pipe()?;
    match fork::fork()? {
        Side::Child => end_with_pipe(&from, &to),
        Side::Parent(child) => {
            let handle = proc::identify(child).and_then(|process| Handle::open(process).ok().flatten());
            let group_signals = handle.as_ref().is_some_and(Handle::knows_group_signals);
            drop(to);
            wait::wait_for(child)?;
            let exit_status = handle.as_ref().is_some_and(|handle| handle.exit_status() == Some(Outcome::Exited(CODE)));
            Ok(Abilities { handles: handle.is_some(), exit_status, group_signals })
        }
    }
}

fn end_with_pipe(from: &OwnedFd, to: &OwnedFd) -> ! {
    descriptor::close(to.as_raw_fd());
    // Nobody ever writes: it returns when our parent has closed its end.
    let _ = rustix::io::retry_on_intr(|| rustix::io::read(from, &mut [0; 1]));
    fork::exit_now(i32::from(CODE))
}

#[cfg(test)]
mod tests {
    use super::probe;

    #[test]
    fn a_kernel_that_can_run_hap_has_handles() {
        let abilities = probe().expect("a child can be made");
        assert!(abilities.handles);
        assert!(
            !abilities.exit_status || abilities.group_signals,
            "the younger one comes with the older: {abilities:?}"
        );
    }
}
