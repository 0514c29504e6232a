//! Memory that a process no longer needs, and what others read in it.

use std::ffi::c_void;
use std::fs;
use std::ptr;

/// Kept below the place where we are: what is called from here needs some stack itself.
const STACK_IN_USE: usize = 16 << 10;

/// Gives pages back that a forked process has inherited and will not use: the free parts of the
/// heap, and the stack below this function that its parent once needed.
pub fn give_back() {
    // SAFETY: malloc_trim(3) has no preconditions.
    unsafe { libc::malloc_trim(0) };
    let Some(stack) = mapping("[stack]") else { return };
    let here = ptr::from_ref(&stack).addr();
    let page = rustix::param::page_size();
    let end = here.saturating_sub(STACK_IN_USE) & !(page - 1);
    if let Some(length) = end.checked_sub(stack.0) {
        // SAFETY: all below what is in use of the stack is dead; the kernel makes fresh zero pages
        // of it when the stack grows into it again (madvise(2)).
        unsafe { libc::madvise(ptr::without_provenance_mut::<c_void>(stack.0), length, libc::MADV_DONTNEED) };
    }
}

/// Overwrites the arguments of this process, as ps(1) and pkill(1) see them, with this text. As much
/// of it as fits: the arguments lie where exec put them (`proc_pid_stat(5)`, fields 48 and 49).
pub fn set_title(text: &[u8]) {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return };
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = after_name.split_ascii_whitespace().skip(45).map(str::parse::<usize>);
    let (Some(Ok(first)), Some(Ok(end))) = (fields.next(), fields.next()) else { return };
    let Some(length) = end.checked_sub(first).filter(|&length| first > 0 && length > 0) else { return };
    // SAFETY: the kernel says that the arguments are there. They are ours to write (execve(2) put
    // them on our stack), and nobody reads them again: this is for a process that was forked to
    // stay, whose arguments were parsed before. The last byte stays the NUL that ends them.
    unsafe {
        let arguments = ptr::with_exposed_provenance_mut::<u8>(first);
        ptr::write_bytes(arguments, 0, length);
        ptr::copy_nonoverlapping(text.as_ptr(), arguments, text.len().min(length - 1));
    }
}

/// Where a mapping of this process begins and ends.
fn mapping(name: &str) -> Option<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with(name))?;
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}
