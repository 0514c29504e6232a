//! The open files of another process: `/proc/PID/fd`, `/proc/PID/fdinfo`, `pidfd_getfd(2)`; and handing one
//! of ours to it (`SCM_RIGHTS`, unix(7)).

use std::fs;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use crate::sys::pidfd::Handle;

/// The two kinds of the other side of a pseudo-terminal, `/dev/ptmx` and the old ones (devices.txt of Linux).
const MASTER: (u32, u32) = (5, 2);
const OLD_MASTER: u32 = 128;

/// `/dev/pts`, also where a container hides the list of drivers.
const SLAVE: u32 = 136;

/// An open file of another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// Its number there.
    pub number: i32,
    /// It can only be read from.
    pub is_read_only: bool,
    /// It is closed when that process executes another program.
    pub closes_on_exec: bool,
    /// The terminal that it is, if it is one.
    pub terminal: Option<Terminal>,
}

/// A terminal, as the program on it sees it: the number of its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal(pub u64);

impl Terminal {
    /// `/dev/tty`: the terminal of whoever opened it.
    pub const CONTROLLING: Self = Self(libc::makedev(5, 0));
}

/// The numbers of all its open files, in ascending order.
pub fn numbers(pid: i32) -> io::Result<Vec<i32>> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let mut numbers: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// All its open files, in ascending order.
pub fn all(pid: i32) -> io::Result<Vec<OpenFile>> {
    Ok(numbers(pid)?.into_iter().filter_map(|number| look(pid, number)).collect())
}

fn look(pid: i32, number: i32) -> Option<OpenFile> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
    let flags = info.lines().find_map(|line| i32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok())?;
    Some(OpenFile {
        number,
        is_read_only: flags & libc::O_ACCMODE == libc::O_RDONLY,
        closes_on_exec: flags & libc::O_CLOEXEC != 0,
        terminal: terminal(pid, number),
    })
}

/// Which terminal it is: asked of the number of its device, since a terminal that was closed answers nothing.
fn terminal(pid: i32, number: i32) -> Option<Terminal> {
    let file = fs::metadata(format!("/proc/{pid}/fd/{number}")).ok()?;
    let device = file.rdev();
    let numbers = (libc::major(device), libc::minor(device));
    if !file.file_type().is_char_device() || numbers == MASTER || numbers.0 == OLD_MASTER {
        return None;
    }
    let drivers = fs::read_to_string("/proc/tty/drivers").unwrap_or_default();
    let is_driven = numbers.0 == SLAVE || drivers.lines().any(|line| drives(line, numbers));
    is_driven.then_some(Terminal(device))
}

/// Whether a line of `/proc/tty/drivers` is about this device: `pty_slave /dev/pts 136 0-1048575 pty:slave`.
fn drives(line: &str, (major, minor): (u32, u32)) -> bool {
    // Counted from the end: the name of a driver may have spaces in it.
    let mut fields = line.split_ascii_whitespace().rev().skip(1);
    let (Some(minors), Some(number)) = (fields.next(), fields.next()) else { return false };
    let (first, last) = minors.split_once('-').unwrap_or((minors, minors));
    let range = first.parse::<u32>().ok().zip(last.parse::<u32>().ok());
    number.parse() == Ok(major) && range.is_some_and(|(first, last)| (first..=last).contains(&minor))
}

/// Another descriptor of ours for an open file of that process.
pub fn fetch(process: &Handle, number: i32) -> io::Result<OwnedFd> {
    Ok(pidfd_getfd(process, number, PidfdGetfdFlags::empty())?)
}

/// Hands a file to whoever reads from the other end of this socket.
pub fn hand_over(socket: BorrowedFd<'_>, file: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    let files = [file];
    if !message.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let payload = [IoSlice::new(b"f")];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    rustix::net::sendmsg(socket.as_fd(), &payload, &mut message, flags)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{all, drives, hand_over};
    use std::os::fd::{AsFd, AsRawFd};

    #[test]
    fn a_driver_is_known_by_its_numbers() {
        let slaves = "pty_slave            /dev/pts      136 0-1048575 pty:slave";
        assert!(drives(slaves, (136, 0)) && drives(slaves, (136, 300)) && !drives(slaves, (137, 0)));
        let console = "/dev/console         /dev/console    5       1 system:console";
        assert!(drives(console, (5, 1)) && !drives(console, (5, 2)));
        let serial = "serial               /dev/ttyS       4 64-67 serial";
        assert!(drives(serial, (4, 64)) && !drives(serial, (4, 63)));
        assert!(!drives("", (0, 0)));
    }

    #[test]
    fn our_own_files_are_seen() {
        let own = i32::try_from(std::process::id()).expect("fits");
        let null = crate::sys::descriptor::null_for_reading().expect("there is one");
        let number = null.as_raw_fd();
        let files = all(own).expect("readable");
        let file = files.iter().find(|file| file.number == number).expect("open");
        assert!(file.is_read_only && file.closes_on_exec && file.terminal.is_none());
    }

    #[test]
    fn a_file_that_is_handed_over_is_accepted() {
        let (one, _other) = rustix::net::socketpair(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .expect("two sockets");
        let null = crate::sys::descriptor::null().expect("there is one");
        hand_over(one.as_fd(), null.as_fd()).expect("sent");
    }
}
