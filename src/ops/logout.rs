//! Warns once of a logout that ends haps.

use std::path::Path;

use crate::core::logout::Fate;
use crate::store;
use crate::sys::login;

/// What a logout does to a hap that was started just now, if that has to be said. It is said once in
/// the life of a state directory; who has been told costs one system call.
pub fn warning(root: &Path) -> Option<Fate> {
    if store::is_logout_warned(root) {
        return None;
    }
    let fate = login::facts().fate();
    if !fate.is_death() {
        return None;
    }
    // If that cannot be written it is said again: better twice than never.
    let _ = store::set_logout_warned(root);
    Some(fate)
}
