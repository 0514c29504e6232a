//! Memory that a process no longer needs, and what others read in it.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr;

use rustix::fs::{Mode, OFlags};

use super::heap;

/// Below the place where we are: what is called from here needs some stack itself.
const STACK_IN_USE: usize = 1 << 10;

const MAPS_FILE: &str = "/proc/self/maps";
const MAPS: usize = 16 << 10;

/// So far from errno the C library's and Rust's notes about the only thread may be: in a static program they lie
/// where the heap begins, or in a mapping of their own.
const THREAD_NOTES: usize = 2800;

/// Gives pages back that a forked process has inherited and will not use: the free parts of the
/// heap, and the stack below this function that its parent once needed.
pub fn give_back() {
    // SAFETY: malloc_trim(3) has no preconditions.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
    let here = here();
    forget_below(find_start_of_stack(here), here);
}

/// Gives everything back that was allocated, and the whole stack of the process that this one was forked
/// from, with its environment. What is allocated from now on is this process's own.
///
/// The process must have one thread, and use nothing again that it has allocated or that lies on a stack other
/// than the one it is on: this is for a supervisor whose command has been executed. Its title stays.
pub fn forget(title: &Range<usize>) {
    if !heap::is_in_charge() {
        return give_back();
    }
    let here = here();
    let own_stack = forget_others(here, title);
    forget_below(own_stack, here);
}

/// All but our own stack, the title, and what the C library has to know: that is in the variables of the
/// program, which are not touched, and in the notes about the thread. Returns where our own stack begins.
#[inline(never)]
fn forget_others(here: usize, title: &Range<usize>) -> Option<usize> {
    let mut room = [0; MAPS];
    let maps = read_own(MAPS_FILE, &mut room);
    let own_stack = start_of_stack(maps, here);
    let notes = thread_notes();
    let Some(room) = heap::leave() else { return own_stack };
    // SAFETY: what `forget` says is upheld by `supervisor::watch`, the only user of it.
    unsafe { discard(room) };
    let mut is_above_heap = false;
    let variables = end_of_variables();
    let others = maps.lines().filter_map(mapping).filter(|(range, _)| !range.contains(&here));
    for (range, name) in others {
        is_above_heap |= name == "[heap]";
        // In a static program only allocations have no name there, and where the C library makes its heap of them.
        let is_allocated = name == "[heap]" || is_above_heap && name.is_empty() && cfg!(target_feature = "crt-static");
        // SAFETY: what `forget` says is upheld by `supervisor::watch`, the only user of it.
        unsafe {
            if is_allocated {
                discard_around(&notes, range.start.max(variables)..range.end);
            } else if name == "[stack]" {
                discard_around(title, range);
            }
        }
    }
    own_stack
}

/// Where the program's own variables end. The heap lies above them, on older kernels right above them and in one
/// mapping with them.
fn end_of_variables() -> usize {
    unsafe extern "C" {
        /// The linker's (end(3)).
        static _end: u8;
    }
    page_of((&raw const _end).addr() + page_size() - 1)
}

/// What the stack was used for before lies below where we are now.
fn forget_below(own_stack: Option<usize>, here: usize) {
    let end = page_of(here - STACK_IN_USE);
    // SAFETY: all below what is in use of the stack is dead.
    unsafe { discard(own_stack.unwrap_or(end)..end) };
}

#[inline(never)]
fn find_start_of_stack(here: usize) -> Option<usize> {
    let mut room = [0; MAPS];
    start_of_stack(read_own(MAPS_FILE, &mut room), here)
}

fn start_of_stack(maps: &str, here: usize) -> Option<usize> {
    maps.lines().filter_map(mapping).find_map(|(range, _)| range.contains(&here).then_some(range.start))
}

/// Overwrites the arguments of this process, as ps(1) and pkill(1) see them, with this text. As much
/// of it as fits. Returns where they are.
pub fn set_title(text: &[u8]) -> Range<usize> {
    let Some(title) = title() else { return 0..0 };
    // SAFETY: the kernel says that the arguments are there. They are ours to write (execve(2) put
    // them on our stack), and nobody reads them again: this is for a process that was forked to
    // stay, whose arguments were parsed before. The last byte stays the NUL that ends them.
    unsafe {
        let arguments = ptr::with_exposed_provenance_mut::<u8>(title.start);
        ptr::write_bytes(arguments, 0, title.len());
        ptr::copy_nonoverlapping(text.as_ptr(), arguments, text.len().min(title.len() - 1));
    }
    title
}

/// Where exec put the arguments (`proc_pid_stat(5)`, fields 48 and 49).
fn title() -> Option<Range<usize>> {
    let mut room = [0; 1024];
    let line = read_own("/proc/self/stat", &mut room);
    let mut fields = line.rsplit(") ").next()?.split_ascii_whitespace().skip(45).map(str::parse::<usize>);
    let (start, end) = (fields.next()?.ok()?, fields.next()?.ok()?);
    (0 < start && start < end).then_some(start..end)
}

/// One line of the list of mappings: where it is, and its name if it has one (`proc_pid_maps(5)`). One that
/// cannot be written counts as named.
fn mapping(line: &str) -> Option<(Range<usize>, &str)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let access = fields.next()?;
    let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
    let name = fields.nth(3).unwrap_or_default();
    Some((range, if access.starts_with("rw") { name } else { "read-only" }))
}

/// As much of a file as there is room for. Allocates nothing: it would grow what is to be given back.
fn read_own<'a>(path: &str, room: &'a mut [u8]) -> &'a str {
    let mut length = 0;
    if let Ok(file) = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        while let Ok(count @ 1..) = rustix::io::read(&file, &mut room[length..]) {
            length += count;
        }
    }
    str::from_utf8(&room[..length]).unwrap_or_default()
}

/// An address in the stack frame of a function that is called next.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    ptr::from_ref(std::hint::black_box(&mark)).addr()
}

/// Where the C library's notes about the thread are, without which there is no errno.
fn thread_notes() -> Range<usize> {
    // SAFETY: it only tells where one of them is (errno(3)).
    let one = unsafe { libc::__errno_location() }.addr();
    one - THREAD_NOTES..one + THREAD_NOTES
}

/// Discards pages but for those with some of this.
///
/// # Safety
///
/// As for [`discard`].
unsafe fn discard_around(kept: &Range<usize>, pages: Range<usize>) {
    let inside = |address: usize| address.clamp(pages.start, pages.end);
    let before = pages.start..inside(page_of(kept.start));
    let after = inside(page_of(kept.end + page_size() - 1))..pages.end;
    // SAFETY: the caller's contract.
    unsafe {
        if kept.end <= pages.start || pages.end <= kept.start {
            discard(pages);
        } else {
            discard(before);
            discard(after);
        }
    }
}

fn page_of(address: usize) -> usize {
    address & !(page_size() - 1)
}

fn page_size() -> usize {
    rustix::param::page_size()
}

/// Makes fresh pages of these, all zeros, once they are touched again.
///
/// # Safety
///
/// They are whole pages of private memory that belong to no file, and nobody reads again what is in them.
unsafe fn discard(pages: Range<usize>) {
    if !pages.is_empty() {
        let start = ptr::without_provenance_mut::<c_void>(pages.start);
        // SAFETY: the caller's contract (madvise(2)). Where it fails, the pages stay.
        unsafe { libc::madvise(start, pages.len(), libc::MADV_DONTNEED) };
    }
}
