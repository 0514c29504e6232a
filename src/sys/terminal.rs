//! What a terminal says about itself.

use std::os::fd::AsFd;

/// How many columns it has; `None` if it is no terminal or does not say.
pub fn width(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}
