//! Where a program of this crate begins, instead of in the runtime of Rust's standard library.
//!
//! That looks up its own stack in `/proc`, makes a second one to report an overflow from, and more: a
//! quarter of all that `hap --version` did. What a program relies on is done here: descriptors 0 to 2 are
//! open, and a closed pipe is an error and not a signal.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use super::heap;

/// Makes this function, from words to exit code, the whole program. For a `main.rs` with `#![no_main]`.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[global_allocator]
        static ALLOCATOR: $crate::sys::heap::Allocator = $crate::sys::heap::Allocator;

        /// Called by the C library.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main(count: std::ffi::c_int, words: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: these are the C library's own, and nothing else runs yet.
            let words = unsafe { $crate::sys::entry::begin(count, words) };
            $main(words).into()
        }
    };
}

/// Does what every program needs, and returns the words of its command line.
///
/// # Safety
///
/// The two must be what the C library calls `main` with.
pub unsafe fn begin(count: c_int, words: *const *const c_char) -> Vec<OsString> {
    heap::take_charge();
    fill_standard_descriptors();
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: the caller's contract: so many C strings, which stay where they are.
    let word = |index| unsafe { CStr::from_ptr(*words.add(index)) };
    let words = (0..usize::try_from(count).unwrap_or(0)).map(word);
    words.map(|word| OsStr::from_bytes(word.to_bytes()).to_owned()).collect()
}

/// A file of ours must not become what somebody prints to: whichever of 0, 1 and 2 is closed is opened.
fn fill_standard_descriptors() {
    let mut standard = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: three of them, each a live variable of ours (poll(2)).
    let seen = unsafe { libc::poll(standard.as_mut_ptr(), 3, 0) };
    for closed in standard.iter().filter(|polled| seen < 0 || polled.revents & libc::POLLNVAL != 0) {
        // SAFETY: opening and asking take any numbers. The lowest free one is given out (open(2)): this one.
        unsafe {
            if seen >= 0 || libc::fcntl(closed.fd, libc::F_GETFD) < 0 {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}
