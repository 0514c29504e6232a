//! What a terminal says about itself.

use std::os::fd::AsFd;

/// How many columns it has; `None` if it is no terminal or does not say.
pub fn width(terminal: impl AsFd) -> Option<usize> {
    size(terminal).map(|(columns, _)| columns)
}

/// Whether something was typed that nobody has read.
pub fn has_input(terminal: impl AsFd) -> bool {
    rustix::io::ioctl_fionread(terminal).is_ok_and(|bytes| bytes > 0)
}

/// How many columns and lines it has; `None` if it is no terminal or does not say.
pub fn size(terminal: impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some((usize::from(size.ws_col), usize::from(size.ws_row))).filter(|&(columns, _)| columns > 0)
}
