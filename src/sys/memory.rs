//! Memory that a process no longer needs, and what others read in it.

use std::ffi::c_void;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::ptr;

use super::heap;

/// Below the place where we are: what is called from here needs some stack itself.
const STACK_IN_USE: usize = 1 << 10;

/// The C library's notes about the only thread: in a static program they lie where the heap begins.
const THREAD_NOTES: usize = 2800;

/// Parts of this process's memory, from the first address to the one after the last.
struct Mappings {
    heap: Range<usize>,
    /// The stack that the kernel made, with arguments and environment at its end.
    stack: Range<usize>,
    /// The one that is in use now.
    own_stack: Range<usize>,
}

/// Gives pages back that a forked process has inherited and will not use: the free parts of the
/// heap, and the stack below this function that its parent once needed.
pub fn give_back() {
    // SAFETY: malloc_trim(3) has no preconditions.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0)
    };
    let here = here();
    // SAFETY: all below what is in use of the stack is dead.
    unsafe { discard(mappings(here).own_stack.start..page_of(here - STACK_IN_USE)) };
}

/// Gives everything back that was allocated, and the whole stack of the process that this one was forked
/// from, with its environment. What is allocated from now on is this process's own.
///
/// The process must have one thread, and use nothing again that it has allocated or that lies on a stack other
/// than the one it is on: this is for a supervisor whose command has been executed.
pub fn forget() {
    let here = here();
    let Mappings { heap, stack, own_stack } = mappings(here);
    let title = title().unwrap_or(stack.end..stack.end);
    // SAFETY: what is said above is upheld by `supervisor::watch`, the only user of this function; and what is
    // below what is in use of our own stack is dead. The thread notes and the title stay.
    unsafe {
        if heap::leave() {
            discard(thread_notes_end(&heap)..heap.end);
        }
        if stack != own_stack {
            discard(stack.start..page_of(title.start));
            discard(page_of(title.end + page_size() - 1)..stack.end);
        }
        discard(own_stack.start..page_of(here - STACK_IN_USE));
    }
}

/// Overwrites the arguments of this process, as ps(1) and pkill(1) see them, with this text. As much
/// of it as fits.
pub fn set_title(text: &[u8]) {
    let Some(title) = title() else { return };
    // SAFETY: the kernel says that the arguments are there. They are ours to write (execve(2) put
    // them on our stack), and nobody reads them again: this is for a process that was forked to
    // stay, whose arguments were parsed before. The last byte stays the NUL that ends them.
    unsafe {
        let arguments = ptr::with_exposed_provenance_mut::<u8>(title.start);
        ptr::write_bytes(arguments, 0, title.len());
        ptr::copy_nonoverlapping(text.as_ptr(), arguments, text.len().min(title.len() - 1));
    }
}

/// Where exec put the arguments (`proc_pid_stat(5)`, fields 48 and 49).
fn title() -> Option<Range<usize>> {
    let mut room = [0; 1024];
    let line = read_own("/proc/self/stat", &mut room);
    let mut fields = line.rsplit(") ").next()?.split_ascii_whitespace().skip(45).map(str::parse::<usize>);
    let (start, end) = (fields.next()?.ok()?, fields.next()?.ok()?);
    (0 < start && start < end).then_some(start..end)
}

fn mappings(own_stack: usize) -> Mappings {
    let mut maps = [0; 16 << 10];
    let mut found = Mappings { heap: 0..0, stack: 0..0, own_stack: own_stack..own_stack };
    for line in read_own("/proc/self/maps", &mut maps).lines() {
        let Some(range) = range_of(line) else { continue };
        if line.ends_with("[heap]") {
            found.heap = range.clone();
        } else if line.ends_with("[stack]") {
            found.stack = range.clone();
        }
        if range.contains(&own_stack) {
            found.own_stack = range;
        }
    }
    found
}

fn range_of(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

/// As much of a file as there is room for. Allocates nothing: it would grow what is to be given back.
fn read_own<'a>(path: &str, room: &'a mut [u8]) -> &'a str {
    let mut length = 0;
    if let Ok(mut file) = File::open(path) {
        while let Ok(count @ 1..) = file.read(&mut room[length..]) {
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

/// The first page of the heap that has none of the C library's notes, without which there is no errno.
fn thread_notes_end(heap: &Range<usize>) -> usize {
    // SAFETY: it only tells where one of those notes is (errno(3)).
    let notes = unsafe { libc::__errno_location() }.addr();
    if heap.contains(&notes) { page_of(notes + THREAD_NOTES + page_size() - 1) } else { heap.start }
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
