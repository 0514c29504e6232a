//! `logout-warned`: an empty file that is there once a warning was given that nobody wants twice.

use std::io;
use std::path::Path;

use super::layout::LOGOUT_WARNED;
use crate::sys::file;

/// Whether the user of this state directory was warned of the logout. One system call.
pub fn is_logout_warned(root: &Path) -> bool {
    root.join(LOGOUT_WARNED).exists()
}

/// Remembers that it was done.
pub fn set_logout_warned(root: &Path) -> io::Result<()> {
    file::create_at(file::open_directory(root)?, LOGOUT_WARNED, &[]).map(drop)
}
