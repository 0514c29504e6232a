//! The number of a hap.

use std::fmt;
use std::num::NonZeroU32;

/// A positive number, never given out again while the list holds any hap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(NonZeroU32);

impl Id {
    /// The id with this number; `None` for zero.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number itself.
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// Reads an id as it is written in a directory name: digits without a sign or leading zeros.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let is_canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_canonical { text.parse().ok().and_then(Self::new) } else { None }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        assert_eq!(Id::from_canonical("12"), Id::new(12));
        for text in ["", "0", "01", "+1", "-1", " 1", "1 ", "4294967296", "1x", "\u{661}"] {
            assert_eq!(Id::from_canonical(text), None, "{text:?}");
        }
    }
}
