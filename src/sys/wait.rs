//! Waiting for children.

use std::io;

use crate::core::record::{Outcome, Usage};

/// A child that has ended and is now gone for good.
#[derive(Clone, Copy, Debug)]
pub struct Reaped {
    /// The pid that was its.
    pub pid: i32,
    /// How it ended.
    pub outcome: Outcome,
    /// What it and the children it waited for used.
    pub usage: Usage,
}

/// Sleeps until any child has ended, and reaps it. `None` when there is no child left.
pub fn wait_any() -> io::Result<Option<Reaped>> {
    wait_for(-1)
}

/// Sleeps until this child has ended, and reaps it.
pub fn wait_for(child: i32) -> io::Result<Option<Reaped>> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live variables of the right types.
        let pid = unsafe { libc::wait4(child, &raw mut status, 0, &raw mut usage) };
        if pid > 0 {
            return Ok(Some(Reaped { pid, outcome: outcome(status), usage: usage_of(&usage) }));
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EINTR) => {}
            error if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
            error => return Err(error),
        }
    }
}

/// Reads a wait status (wait(2)) of something that has ended.
pub fn outcome(status: i32) -> Outcome {
    if libc::WIFSIGNALED(status) {
        Outcome::Signaled(libc::WTERMSIG(status))
    } else {
        let code = libc::WEXITSTATUS(status) & 0xff;
        Outcome::Exited(u8::try_from(code).expect("masked to a byte"))
    }
}

fn usage_of(usage: &libc::rusage) -> Usage {
    let microseconds = |time: libc::timeval| unsigned(time.tv_sec) * 1_000_000 + unsigned(time.tv_usec);
    Usage {
        user_us: microseconds(usage.ru_utime),
        system_us: microseconds(usage.ru_stime),
        max_rss_kib: unsigned(usage.ru_maxrss),
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Outcome, outcome};

    #[test]
    fn every_code_and_signal_is_told_apart() {
        for code in 0..=u8::MAX {
            assert_eq!(outcome(i32::from(code) << 8), Outcome::Exited(code));
        }
        for signal in 1..=64 {
            assert_eq!(outcome(signal), Outcome::Signaled(signal));
            assert_eq!(outcome(signal | 0x80), Outcome::Signaled(signal), "with a core dump");
        }
    }
}
