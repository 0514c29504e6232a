//! Where allocations come from: a room of the program's own, then the C library's heap; and, when a process has
//! given both back for good, an arena.
//!
//! A short `hap` needs no more than the room: the kernel is not asked for it, and next to nothing is done.
//!
//! A supervisor inherits the memory of the `hap` that started it and needs nothing of it. It forgets the
//! whole of it (see `memory`), and whatever it allocates afterwards lies in a small arena.
//! Invariant: the C library's allocator, whose own notes lie in its heap, is never asked again then.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Enough for most that `hap` does. Of this and of the arena only pages that are touched cost anything.
const ROOM: usize = 512 << 10;

/// What is larger is the C library's, which gives it back to the kernel.
const LARGEST_IN_ROOM: usize = 32 << 10;

const ARENA: usize = 64 << 20;

#[repr(align(4096))]
struct Room(UnsafeCell<[u8; ROOM]>);

// SAFETY: only `HEAP` gives parts of it out, each to one caller.
unsafe impl Sync for Room {}

static THE_ROOM: Room = Room(UnsafeCell::new([0; ROOM]));

struct Heap {
    room: Stretch,
    /// Nowhere while the heap is the C library's.
    arena: Stretch,
}

/// The only one. In a program that uses this crate as a library another allocator is in charge, and
/// nothing is ever left.
static HEAP: Heap = Heap { room: Stretch::nowhere(ROOM), arena: Stretch::nowhere(ARENA) };

/// Whether [`HEAP`] is in charge.
static IS_IN_CHARGE: AtomicBool = AtomicBool::new(false);

/// [`HEAP`] is the allocator of this program.
pub(super) fn take_charge() {
    HEAP.room.put_at(THE_ROOM.0.get().cast());
    IS_IN_CHARGE.store(true, Relaxed);
}

/// Whether it is the allocator of this program.
pub(super) fn is_in_charge() -> bool {
    IS_IN_CHARGE.load(Relaxed)
}

/// From now on everything is allocated in the arena. Returns where the room was, `None` if there is no arena. Only
/// where it is in charge, for a process of one thread that will use nothing again of what it has allocated before.
pub(super) fn leave() -> Option<Range<usize>> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, of which nobody else knows (mmap(2)).
    let arena = unsafe { libc::mmap(ptr::null_mut(), ARENA, access, kind | libc::MAP_NORESERVE, -1, 0) };
    if arena == libc::MAP_FAILED {
        return None;
    }
    HEAP.arena.put_at(arena.cast());
    let room = THE_ROOM.0.get().addr();
    Some(room..room + ROOM)
}

/// A stretch of memory of which each allocation takes the next bytes. Those of the newest are free again at once,
/// and all of them when the last one goes.
struct Stretch {
    /// Zero while it is nowhere.
    start: AtomicUsize,
    length: usize,
    taken: AtomicU64,
}

/// One number, so that threads agree about both halves of it.
#[derive(Clone, Copy)]
struct Taken {
    bytes: u32,
    /// Allocations that live.
    count: u32,
}

impl Stretch {
    const fn nowhere(length: usize) -> Self {
        Self { start: AtomicUsize::new(0), length, taken: AtomicU64::new(0) }
    }

    fn put_at(&self, start: *mut u8) {
        self.start.store(start.expose_provenance(), Relaxed);
    }

    fn is_somewhere(&self) -> bool {
        self.start.load(Relaxed) != 0
    }

    fn owns(&self, pointer: *mut u8) -> bool {
        let start = self.start.load(Relaxed);
        start != 0 && (start..start + self.length).contains(&pointer.addr())
    }

    /// The next free bytes; null if there are too few.
    fn allocate(&self, layout: Layout) -> *mut u8 {
        let start = self.start.load(Relaxed);
        let mut place = 0;
        let is_taken = start != 0
            && self.update(|taken| {
                place = (start + taken.bytes as usize).next_multiple_of(layout.align());
                let bytes = self.offset(place.checked_add(layout.size())?)?;
                Some(Taken { bytes, count: taken.count + 1 })
            });
        if is_taken { ptr::with_exposed_provenance_mut(place) } else { ptr::null_mut() }
    }

    fn free(&self, pointer: *mut u8, size: usize) {
        self.update(|Taken { bytes, count }| {
            let is_newest = self.offset(pointer.addr() + size) == Some(bytes);
            let bytes = match count {
                1 => 0,
                _ if is_newest => self.offset(pointer.addr())?,
                _ => bytes,
            };
            Some(Taken { bytes, count: count - 1 })
        });
    }

    /// Makes an allocation longer or shorter where it is. Says whether that can be.
    fn resize(&self, pointer: *mut u8, old: usize, new: usize) -> bool {
        self.update(|Taken { bytes, count }| {
            let is_newest = self.offset(pointer.addr() + old) == Some(bytes);
            let bytes = if is_newest { self.offset(pointer.addr().checked_add(new)?)? } else { bytes };
            (is_newest || new <= old).then_some(Taken { bytes, count })
        })
    }

    /// How far this address, which may be the end, is from the start.
    fn offset(&self, address: usize) -> Option<u32> {
        let offset = address.checked_sub(self.start.load(Relaxed)).filter(|&offset| offset <= self.length)?;
        u32::try_from(offset).ok()
    }

    fn update(&self, mut change: impl FnMut(Taken) -> Option<Taken>) -> bool {
        self.taken.fetch_update(AcqRel, Acquire, |number| change(Taken::from(number)).map(u64::from)).is_ok()
    }
}

impl From<u64> for Taken {
    fn from(number: u64) -> Self {
        let halves = number.to_be_bytes();
        let [bytes, count] = [halves.first_chunk(), halves.last_chunk()]
            .map(|half| u32::from_be_bytes(*half.expect("eight bytes have two halves of four")));
        Self { bytes, count }
    }
}

impl From<Taken> for u64 {
    fn from(Taken { bytes, count }: Taken) -> Self {
        Self::from(bytes) << 32 | Self::from(count)
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

impl Heap {
    fn is_left(&self) -> bool {
        self.arena.is_somewhere()
    }

    /// From room or arena; null if there is too little.
    fn allocate(&self, layout: Layout) -> *mut u8 {
        if self.is_left() {
            self.arena.allocate(layout)
        } else if layout.size() <= LARGEST_IN_ROOM {
            self.room.allocate(layout)
        } else {
            ptr::null_mut()
        }
    }

    /// Which of the two it came from.
    fn owner(&self, pointer: *mut u8) -> Option<&Stretch> {
        [&self.arena, &self.room].into_iter().find(|stretch| stretch.owns(pointer))
    }
}

// SAFETY: every request goes to a stretch, where no two live allocations overlap - what is taken only grows while one
// lives behind it, and each is aligned -, or to the system's allocator, which keeps the contract. What
// came from that before the heap was left is never freed afterwards, for there is no heap any more.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.allocate(layout) {
            // SAFETY: the caller's contract is the same.
            none if none.is_null() && !self.is_left() => unsafe { System.alloc(layout) },
            pointer => pointer,
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.owner(pointer) {
            Some(stretch) => stretch.free(pointer, layout.size()),
            None if self.is_left() => {}
            // SAFETY: the caller's contract is the same.
            None => unsafe { System.dealloc(pointer, layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.allocate(layout) {
            // SAFETY: the caller's contract is the same.
            none if none.is_null() && !self.is_left() => unsafe { System.alloc_zeroed(layout) },
            none if none.is_null() => none,
            pointer => {
                // SAFETY: it is as long as was asked for.
                unsafe { pointer.write_bytes(0, layout.size()) };
                pointer
            }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match self.owner(pointer) {
            Some(stretch) if stretch.resize(pointer, layout.size(), size) => return pointer,
            // SAFETY: the caller's contract is the same.
            None if !self.is_left() => return unsafe { System.realloc(pointer, layout, size) },
            Some(_) | None => {}
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
    use super::{ARENA, Heap, ROOM, Stretch};
    use std::alloc::{GlobalAlloc, Layout};
    use std::ptr;
    use std::sync::atomic::Ordering::Relaxed;

    const START: usize = 1 << 30;

    /// One whose memory is never touched.
    fn stretch(length: usize) -> Stretch {
        let stretch = Stretch::nowhere(length);
        stretch.put_at(ptr::without_provenance_mut(START));
        stretch
    }

    fn bytes(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("valid")
    }

    #[test]
    fn a_stretch_is_free_again_when_the_last_allocation_goes() {
        let stretch = stretch(4096);
        let aligned = Layout::from_size_align(1, 64).expect("valid");
        let first = stretch.allocate(bytes(100));
        let second = stretch.allocate(aligned);
        assert_eq!((first.addr(), second.addr()), (START, START + 128));
        stretch.free(first, 100);
        let third = stretch.allocate(bytes(100));
        assert_eq!(third.addr(), START + 136);
        stretch.free(third, 100);
        let fourth = stretch.allocate(bytes(100));
        assert_eq!(fourth.addr(), START + 136, "the newest left its room");
        stretch.free(second, 1);
        stretch.free(fourth, 100);
        assert_eq!(stretch.allocate(bytes(100)).addr(), START);
    }

    #[test]
    fn the_newest_grows_where_it_is_as_far_as_there_is_room() {
        let stretch = stretch(4096);
        let first = stretch.allocate(bytes(8));
        assert!(stretch.resize(first, 8, 64));
        let second = stretch.allocate(bytes(8));
        assert_eq!(second.addr(), START + 64);
        assert!(!stretch.resize(first, 64, 65), "the second is there");
        assert!(stretch.resize(first, 64, 16));
        assert!(!stretch.resize(second, 8, 4096));
        assert!(stretch.resize(second, 8, 4096 - 64));
        assert!(stretch.allocate(bytes(1)).is_null());
        assert!(stretch.resize(second, 4096 - 64, 8));
        assert_eq!(stretch.allocate(bytes(8)).addr(), START + 72);
    }

    #[test]
    fn a_full_stretch_gives_nothing_and_what_is_not_in_it_is_left_alone() {
        let heap = Heap { room: Stretch::nowhere(ROOM), arena: stretch(ARENA) };
        // SAFETY: nobody follows these pointers.
        unsafe {
            assert!(!heap.alloc(bytes(ARENA)).is_null());
            assert!(heap.alloc(bytes(1)).is_null());
            assert!(heap.alloc_zeroed(bytes(1)).is_null());
            let before = heap.arena.taken.load(Relaxed);
            heap.dealloc(ptr::without_provenance_mut(1 << 29), bytes(ARENA));
            assert_eq!(heap.arena.taken.load(Relaxed), before);
        }
    }

    #[test]
    fn threads_get_memory_of_their_own() {
        let memory = vec![0_u8; 1 << 20];
        let stretch = Stretch::nowhere(memory.len());
        stretch.put_at(memory.as_ptr().cast_mut());
        let stretch = &stretch;
        let mut all: Vec<usize> = std::thread::scope(|scope| {
            let take = || (0..1000).map(|_| stretch.allocate(bytes(64)).addr()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[1] - pair[0] >= 64));
        assert_eq!(all.len(), 4000);
    }
}
