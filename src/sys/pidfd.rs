//! Signalling a process that is proved to be the one meant: `pidfd_open(2)`, `pidfd_send_signal(2)`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::core::record::{Outcome, ProcessId};
use crate::core::signal::Signal;
use crate::sys::interrupt::Interrupt;
use crate::sys::{proc, wait};

/// `PIDFD_SIGNAL_PROCESS_GROUP` of `<linux/pidfd.h>`, Linux 6.9.
const TO_PROCESS_GROUP: libc::c_uint = 1 << 2;

/// `PIDFD_INFO_EXIT`, Linux 6.15: tells the exit status also to who is not the parent.
const INFO_EXIT: u64 = 1 << 3;

/// `struct pidfd_info` of `<linux/pidfd.h>` in its first version.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    /// pid, tgid, ppid, and the user and group ids.
    ids: [u32; 11],
    exit_code: i32,
}

/// `PIDFD_GET_INFO`: `_IOWR(0xff, 11, struct pidfd_info)`.
const GET_INFO: libc::Ioctl = nix::request_code_readwrite!(0xff, 11, size_of::<Info>());

/// Why a sleep is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The process has ended.
    Ended,
    /// Ctrl-C came.
    Interrupted,
    /// The time was up.
    TimedOut,
}

/// One process, for as long as this lives: its pid can go to another, this cannot.
#[derive(Debug)]
pub struct Handle {
    fd: OwnedFd,
    process: ProcessId,
}

impl Handle {
    /// A handle of exactly this process; `None` if it is gone.
    ///
    /// The pid may change hands between opening and checking. Then either the check sees the
    /// stranger and refuses, or the handle is of a process that ended before, which no signal reaches.
    pub fn open(process: ProcessId) -> io::Result<Option<Self>> {
        let Some(pid) = Pid::from_raw(process.pid).filter(|pid| !pid.is_init() && process.pid > 1) else {
            return Ok(None);
        };
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(proc::stat_of(process).map(|_| Self { fd, process }))
    }

    /// The process.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// Sends it a signal. `false` if it has ended and been reaped.
    pub fn send(&self, signal: Signal) -> io::Result<bool> {
        self.send_with(signal, 0)
    }

    /// Sends a signal to the process group that this process leads. `false` if nobody is in it.
    pub fn send_to_group(&self, signal: Signal) -> io::Result<bool> {
        match self.send_with(signal, TO_PROCESS_GROUP) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => self.killpg(signal),
            sent => sent,
        }
    }

    /// For kernels before 6.9. While the leader is not reaped the number of its group is nobody
    /// else's, and who is seen by its identity was not reaped a moment ago.
    fn killpg(&self, signal: Signal) -> io::Result<bool> {
        match proc::stat_of(self.process) {
            Some(stat) if stat.group == self.process.pid => send_to_group(stat.group, signal),
            Some(_) | None => Ok(false),
        }
    }

    /// Sleeps until it has ended.
    pub fn wait(&self) -> io::Result<()> {
        self.poll(PollFlags::IN, None).map(drop)
    }

    /// Sleeps until it has ended, but no longer than this; says whether it has.
    pub fn wait_at_most(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(limit).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.poll(PollFlags::IN, Some(&limit))
    }

    /// Sleeps until it has ended, the time is up or Ctrl-C comes.
    pub fn wait_or(&self, limit: Option<Duration>, interrupt: Option<&Interrupt>) -> io::Result<Woken> {
        let limit = limit.map(Timespec::try_from).transpose().map_err(|_| io::ErrorKind::InvalidInput)?;
        // Without an interrupt there is nothing but the process to wait for.
        let other = interrupt.map_or(self.as_fd(), AsFd::as_fd);
        let mut descriptors = [PollFd::new(&self.fd, PollFlags::IN), PollFd::from_borrowed_fd(other, PollFlags::IN)];
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut descriptors, limit.as_ref()))?;
        let [ended, other] = descriptors.map(|descriptor| !descriptor.revents().is_empty());
        Ok(match (ended, other) {
            (true, _) => Woken::Ended,
            (false, true) => Woken::Interrupted,
            (false, false) => Woken::TimedOut,
        })
    }

    /// Sleeps until it has ended and its parent has fetched that.
    pub fn wait_until_reaped(&self) -> io::Result<()> {
        self.poll(PollFlags::empty(), None).map(drop)
    }

    /// POLLIN is reported at the end of the process, POLLHUP, which needs no asking, once it is reaped.
    fn poll(&self, events: PollFlags, limit: Option<&Timespec>) -> io::Result<bool> {
        let mut descriptors = [PollFd::new(&self.fd, events)];
        Ok(rustix::io::retry_on_intr(|| rustix::event::poll(&mut descriptors, limit))? > 0)
    }

    /// How it ended, once it is reaped. `None` before that, and on kernels that do not tell (before 6.15).
    pub fn exit_status(&self) -> Option<Outcome> {
        let mut info = Info { mask: INFO_EXIT, ..Info::default() };
        // SAFETY: the request's number says how large the structure is that the kernel fills in.
        let asked = unsafe { libc::ioctl(self.fd.as_raw_fd(), GET_INFO, &raw mut info) };
        (asked == 0 && info.mask & INFO_EXIT != 0).then(|| wait::outcome(info.exit_code))
    }

    /// Whether the kernel can send a signal to a process group by a handle. Tried with the signal 0,
    /// which is none; that nobody is in the group is an answer of who knows what was asked.
    pub fn knows_group_signals(&self) -> bool {
        let answer = self.send_number(0, TO_PROCESS_GROUP);
        !answer.is_err_and(|error| [Some(libc::EINVAL), Some(libc::ENOSYS)].contains(&error.raw_os_error()))
    }

    fn send_with(&self, signal: Signal, flags: libc::c_uint) -> io::Result<bool> {
        self.send_number(signal.number(), flags)
    }

    fn send_number(&self, signal: i32, flags: libc::c_uint) -> io::Result<bool> {
        let no_info = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: the descriptor is open, and a null siginfo_t asks for the one that kill(2) makes.
        let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, self.fd.as_raw_fd(), signal, no_info, flags) };
        reached(sent == 0)
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Becomes readable when this child ends. Nobody may have waited for the child: until then its pid is nobody else's.
pub fn end_of_child(pid: i32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Sends a signal to a process group by its number. The caller has proved that the group is the
/// one meant and that a member of it is still there. `false` if nobody is in it.
pub fn send_to_group(group: i32, signal: Signal) -> io::Result<bool> {
    assert!(group > 1, "a group of 1 or less is everybody");
    // SAFETY: killpg(3) takes any numbers.
    reached(unsafe { libc::killpg(group, signal.number()) } == 0)
}

fn reached(sent: bool) -> io::Result<bool> {
    if sent {
        return Ok(true);
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
        error => Err(error),
    }
}
