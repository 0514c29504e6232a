//! How messages call a hap.

use std::fmt;

use super::id::Id;
use super::name::Name;

/// Number and name together: `3 (train)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// Its number.
    pub id: Id,
    /// Its name.
    pub name: Name,
}

impl fmt::Display for Title {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.id, self.name)
    }
}
