//! Making processes.

use std::ffi::{c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, ptr};

use nix::unistd::{ForkResult, Pid};

/// On which side of a fork the caller finds itself.
pub enum Side {
    /// The process that forked, with the child's pid.
    Parent(i32),
    /// The new process.
    Child,
}

/// fork(2). The child must not return from the function that called this, and must use nothing that
/// other threads may have locked at this moment: `hap` has one thread, and in a program of many the
/// C library keeps its allocator usable in the child, which is all that the code of `supervisor` needs.
pub fn fork() -> io::Result<Side> {
    // SAFETY: what is said above is upheld by `supervisor`, the only user of this function: its
    // children make system calls, allocate, and end by exec or `exit_now`.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Side::Parent(child.as_raw())),
        ForkResult::Child => Ok(Side::Child),
    }
}

/// The size of the stack that a process made by [`fork_beside`] runs on. Only what is touched costs anything.
const STACK: usize = 512 << 10;

/// Makes a process that shares our memory, while we stand still until it has ended (vfork(2)): for one that
/// forks and ends, whose own copy of our memory would be made for nothing. What it forks has a copy, and a stack of
/// its own on which nothing of ours lies. Returns its pid.
pub fn fork_beside<F: FnMut()>(child: &mut F) -> io::Result<i32> {
    extern "C" fn begin<F: FnMut()>(child: *mut c_void) -> c_int {
        // SAFETY: it is the `child` below, which nobody else touches while we run: the parent stands still.
        unsafe { (*child.cast::<F>())() };
        0
    }
    let (stack, top) = new_stack()?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is new, and grows down from its end; our thread goes on when the child has ended, so
    // the two never run at once, and what the child does to the memory of both is what `child` does. Other threads, which
    // only a user of the library has, run on beside it as they would beside this thread.
    let pid = unsafe { libc::clone(begin::<F>, top, flags, ptr::from_mut(child).cast()) };
    let error = io::Error::last_os_error();
    // SAFETY: nobody runs on it any more: what was forked from there has a copy of it.
    unsafe { libc::munmap(stack, STACK) };
    if pid < 0 { Err(error) } else { Ok(pid) }
}

/// A mapping for a stack and its end. Its first page cannot be touched: it ends what grows beyond, and keeps the
/// kernel from making one mapping of it and whatever lies before.
fn new_stack() -> io::Result<(*mut c_void, *mut c_void)> {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    let guard = rustix::param::page_size();
    // SAFETY: a new mapping, of which nobody else knows (mmap(2), mprotect(2)); the end is its end.
    unsafe {
        let stack = libc::mmap(ptr::null_mut(), STACK, libc::PROT_NONE, kind, -1, 0);
        if stack == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let (usable, length) = (stack.byte_add(guard), STACK - guard);
        if libc::mprotect(usable, length, libc::PROT_READ | libc::PROT_WRITE) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((stack, stack.byte_add(STACK)))
    }
}

/// Ends this process at once: no destructors, no buffers written twice after a fork.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) has no preconditions.
    unsafe { libc::_exit(code) }
}

/// Leaves the session and its terminal for a new one.
pub fn new_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// This process.
pub fn own_pid() -> i32 {
    Pid::this().as_raw()
}

/// Makes this process the parent of every descendant whose own parent dies (`PR_SET_CHILD_SUBREAPER`, prctl(2)).
pub fn adopt_orphans() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::Pid::INIT))?;
    Ok(())
}

/// The name that ps(1) and `/proc/PID/comm` show: at most 15 bytes.
pub fn set_name(name: &std::ffi::CStr) {
    // A name is decoration; a kernel that refuses it is no reason to fail.
    let _ = rustix::thread::set_name(name);
}

/// While one lives, what this process makes is nobody else's business; when the last of them is
/// dropped the mask is what it was before the first. The mask is one for the whole process, so threads
/// that make other files had better not do so then.
#[must_use = "the mask is set only while it lives"]
pub struct PrivateUmask {
    before: u32,
}

/// How many there are, and the mask before the first.
static PRIVATE: Mutex<(usize, u32)> = Mutex::new((0, 0));

/// Sets the mask 077.
pub fn private_umask() -> PrivateUmask {
    let mut private = private();
    if private.0 == 0 {
        private.1 = set_umask(0o077);
    }
    private.0 += 1;
    PrivateUmask { before: private.1 }
}

fn private() -> MutexGuard<'static, (usize, u32)> {
    PRIVATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PrivateUmask {
    /// The mask before.
    pub fn before(&self) -> u32 {
        self.before
    }
}

impl Drop for PrivateUmask {
    fn drop(&mut self) {
        let mut private = private();
        private.0 -= 1;
        if private.0 == 0 {
            set_umask(private.1);
        }
    }
}

/// Sets the file mode creation mask and returns the one before.
pub fn set_umask(mask: u32) -> u32 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask)).as_raw_mode()
}
