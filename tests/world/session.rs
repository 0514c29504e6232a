//! Terminals, and what runs on them.
#![allow(unsafe_code)] // `pre_exec` is the one way to start a process in a new session

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

use super::Companion;

/// A command as the leader of a new session on a new terminal, whose other end is returned.
pub fn on_terminal(command: &mut Command) -> (Companion, OwnedFd) {
    // Close-on-exec from birth: a child of another test that kept it would keep the terminal alive.
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("our own terminal");
    let name = ptsname_r(&master).expect("it has a name");
    let slave =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(name).expect("its other end");
    let copy = || Stdio::from(slave.try_clone().expect("a descriptor"));
    command.stdin(copy()).stdout(copy()).stderr(copy());
    // SAFETY: setsid(2) and ioctl(2) are system calls that may be made after a fork.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            if libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    let shell = Companion::start(std::mem::replace(command, Command::new("true")));
    (shell, master.into())
}
