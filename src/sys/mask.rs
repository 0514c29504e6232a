//! Blocking signals, and undoing all that was ever done to them.

use std::ptr;

/// The kernel's highest signal (signal(7)).
const LAST: libc::c_int = 64;

/// `struct sigaction` as the kernel has it: at most handler, flags, restorer and mask.
#[repr(C)]
#[derive(Default)]
struct KernelAction([usize; 4]);

/// While it lives this thread gets no signal that can be blocked; dropping it restores the mask before.
#[must_use = "the signals are blocked only while it lives"]
pub struct AllBlocked(u64);

/// Blocks every signal that can be blocked: all but SIGKILL and SIGSTOP.
pub fn block_all() -> AllBlocked {
    AllBlocked(set_mask(u64::MAX))
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        set_mask(self.0);
    }
}

/// No signal blocked: what a new command starts with.
pub fn unblock_all() {
    set_mask(0);
}

/// Blocks these and no others, a bit each; returns the mask before. The C libraries leave out the signals that they use
/// themselves, which end a process as well as any other: so the kernel is asked directly.
fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: both point to a set of signals of the kernel's size, which is told; it fails only for bad arguments.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut before, size_of::<u64>())
    };
    before
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
        // As in `set_mask`: those of the C library too may be ignored by who started us.
        let default = KernelAction::default();
        // SAFETY: an action of zeros is the default one, without flags and mask; the fourth argument
        // is the size of the kernel's set of signals. SIGKILL and SIGSTOP fail and stay as they are.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, number, &raw const default, ptr::null::<u8>(), size_of::<u64>())
        };
    }
}
