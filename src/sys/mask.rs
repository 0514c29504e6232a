//! Blocking signals, and undoing all that was ever done to them.

use std::ptr;

use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};

/// The kernel's highest signal and the bytes of its set of them (signal(7)).
const LAST: libc::c_int = 64;
const SET_SIZE: usize = 8;

/// `struct sigaction` as the kernel has it: at most handler, flags, restorer and mask.
#[repr(C)]
#[derive(Default)]
struct KernelAction([usize; 4]);

/// While it lives this process gets no signal that can be blocked; dropping it restores the mask before.
#[must_use = "the signals are blocked only while it lives"]
pub struct AllBlocked(SigSet);

/// Blocks every signal that can be blocked: all but SIGKILL and SIGSTOP.
pub fn block_all() -> AllBlocked {
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))
        .expect("sigprocmask(2) fails only for a bad argument");
    AllBlocked(before)
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.0), None)
            .expect("sigprocmask(2) fails only for a bad argument");
    }
}

/// Lets a write beyond the file size limit fail with `EFBIG` instead of ending this process (setrlimit(2)).
pub fn ignore_file_size_signal() {
    // SAFETY: ignoring a signal runs no code of ours.
    let ignored = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    debug_assert_ne!(ignored, libc::SIG_ERR);
}

/// Whoever ignores SIGCHLD, and whatever was forked from it, is told of no end of a child (wait(2)): not so here.
pub fn hear_of_children() {
    // SAFETY: the default action runs no code of ours.
    let before = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    debug_assert_ne!(before, libc::SIG_ERR);
}

/// Every signal to its default action: what a new command starts with.
pub fn reset_actions() {
    for number in 1..=LAST {
        // The C library refuses to touch two signals that it uses itself, and those too may be ignored
        // by who started us: so the kernel is asked directly.
        let default = KernelAction::default();
        // SAFETY: an action of zeros is the default one, without flags and mask; the fourth argument
        // is the size of the kernel's set of signals. SIGKILL and SIGSTOP fail and stay as they are.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, &raw const default, ptr::null::<u8>(), SET_SIZE) };
    }
}

/// No signal blocked: what a new command starts with.
pub fn unblock_all() {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .expect("sigprocmask(2) fails only for a bad argument");
}
