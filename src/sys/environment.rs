//! The environment as the kernel handed it over, byte for byte.

use std::ffi::{CStr, CString};

/// Every entry, also those that are no `KEY=VALUE` and that [`std::env::vars_os`] leaves out.
pub fn entries() -> Vec<CString> {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    let mut entries = Vec::new();
    // SAFETY: environ(7) is null or an array of C strings that ends with a null. hap never changes
    // its own environment, so nothing moves it meanwhile.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            entries.push(CStr::from_ptr(*next).to_owned());
            next = next.add(1);
        }
    }
    entries
}
