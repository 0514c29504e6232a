//! Where allocations come from: the C library's heap, until a process has given that back for good.
//!
//! A supervisor inherits the heap of the `hap` that started it and needs nothing of it. It forgets the
//! whole of it (see `memory`), and whatever it allocates afterwards lies in a small arena of its own.
//! Invariant: the C library's allocator, whose own notes lie in its heap, is never asked again then.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Taken from the kernel at once. Only pages that are touched cost anything.
const ARENA: usize = 64 << 20;

struct Heap {
    /// Where the arena begins; zero while the heap is the C library's.
    arena: AtomicUsize,
    /// Where the next allocation may begin.
    top: AtomicUsize,
    /// Allocations in the arena that live.
    live: AtomicUsize,
}

/// The only one. In a program that uses this crate as a library another allocator is in charge, and
/// nothing is ever left.
static HEAP: Heap = Heap::new();

/// Whether [`HEAP`] is in charge.
static IS_IN_CHARGE: AtomicBool = AtomicBool::new(false);

/// [`HEAP`] is the allocator of this program.
pub(super) fn take_charge() {
    IS_IN_CHARGE.store(true, Relaxed);
}

/// Whether it is the allocator of this program.
pub(super) fn is_in_charge() -> bool {
    IS_IN_CHARGE.load(Relaxed)
}

/// From now on everything is allocated in the arena. Says whether there is one. Only where it is in charge, for a process of one
/// thread that will use nothing again of what it has allocated before.
pub(super) fn leave() -> bool {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, of which nobody else knows (mmap(2)).
    let arena = unsafe { libc::mmap(ptr::null_mut(), ARENA, access, kind | libc::MAP_NORESERVE, -1, 0) };
    if arena == libc::MAP_FAILED {
        return false;
    }
    HEAP.top.store(arena.expose_provenance(), Relaxed);
    HEAP.arena.store(arena.expose_provenance(), Relaxed);
    true
}

impl Heap {
    const fn new() -> Self {
        Self { arena: AtomicUsize::new(0), top: AtomicUsize::new(0), live: AtomicUsize::new(0) }
    }

    fn owns(&self, address: usize) -> bool {
        let arena = self.arena.load(Relaxed);
        (arena..arena + ARENA).contains(&address)
    }

    /// The next free bytes. There is one thread: nobody comes between.
    fn allocate_in_arena(&self, arena: usize, layout: Layout) -> *mut u8 {
        let start = self.top.load(Relaxed).next_multiple_of(layout.align());
        match start.checked_add(layout.size()).filter(|&end| end <= arena + ARENA) {
            Some(end) => {
                self.top.store(end, Relaxed);
                self.live.fetch_add(1, Relaxed);
                ptr::with_exposed_provenance_mut(start)
            }
            None => ptr::null_mut(),
        }
    }

    /// The room of the newest is free again at once, and all of it when the last one goes.
    fn free_in_arena(&self, arena: usize, start: usize, size: usize) {
        if self.live.fetch_sub(1, Relaxed) == 1 {
            self.top.store(arena, Relaxed);
        } else if start + size == self.top.load(Relaxed) {
            self.top.store(start, Relaxed);
        }
    }
}

/// What `program!` declares as the allocator of a whole program.
pub struct Allocator;

// SAFETY: `HEAP` keeps the contract, see there.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { HEAP.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the same.
        unsafe { HEAP.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { HEAP.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { HEAP.realloc(pointer, layout, size) }
    }
}

// SAFETY: every request goes to the system's allocator, which keeps the contract, or to the arena, where
// no two live allocations overlap: `top` only grows while one lives, and is aligned for each. What was
// allocated before the heap was left is never freed afterwards, for there is no heap any more.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.arena.load(Relaxed) {
            // SAFETY: the caller's contract is the same.
            0 => unsafe { System.alloc(layout) },
            arena => self.allocate_in_arena(arena, layout),
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.arena.load(Relaxed) {
            // SAFETY: the caller's contract is the same.
            0 => unsafe { System.dealloc(pointer, layout) },
            arena if self.owns(pointer.addr()) => self.free_in_arena(arena, pointer.addr(), layout.size()),
            _ => {}
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.arena.load(Relaxed) == 0 {
            // SAFETY: the caller's contract is the same.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's contract is the same; what comes back is as long as asked or null.
        unsafe {
            let pointer = self.alloc(layout);
            if !pointer.is_null() {
                pointer.write_bytes(0, layout.size());
            }
            pointer
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.arena.load(Relaxed) == 0 {
            // SAFETY: the caller's contract is the same.
            return unsafe { System.realloc(pointer, layout, size) };
        }
        // SAFETY: the caller promises that the new size is one with this alignment, and that the old
        // allocation has the old size.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(pointer, new, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ARENA, Heap};
    use std::alloc::{GlobalAlloc, Layout};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// One whose arena is never touched.
    fn heap(arena: usize) -> Heap {
        Heap { arena: AtomicUsize::new(arena), top: AtomicUsize::new(arena), live: AtomicUsize::new(0) }
    }

    #[test]
    fn the_arena_is_free_again_when_the_last_allocation_goes() {
        let heap = heap(1 << 30);
        let layout = Layout::from_size_align(100, 8).expect("valid");
        // SAFETY: nobody follows these pointers.
        unsafe {
            let first = heap.alloc(layout);
            let second = heap.alloc(Layout::from_size_align(1, 64).expect("valid"));
            assert_eq!((first.addr(), second.addr()), (1 << 30, (1 << 30) + 128));
            heap.dealloc(first, layout);
            let third = heap.alloc(layout);
            assert_eq!(third.addr(), (1 << 30) + 136);
            heap.dealloc(third, layout);
            let fourth = heap.alloc(layout);
            assert_eq!(fourth.addr(), (1 << 30) + 136, "the newest left its room");
            heap.dealloc(second, Layout::from_size_align(1, 64).expect("valid"));
            heap.dealloc(fourth, layout);
            assert_eq!(heap.alloc(layout).addr(), 1 << 30);
        }
    }

    #[test]
    fn a_full_arena_gives_nothing_and_what_is_not_in_it_is_left_alone() {
        let heap = heap(1 << 30);
        let all = Layout::from_size_align(ARENA, 1).expect("valid");
        // SAFETY: nobody follows these pointers.
        unsafe {
            assert!(!heap.alloc(all).is_null());
            assert!(heap.alloc(Layout::new::<u8>()).is_null());
            heap.dealloc(std::ptr::without_provenance_mut(1 << 29), all);
            assert_eq!(heap.live.load(Relaxed), 1);
        }
    }
}
