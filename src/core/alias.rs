//! What a command takes to mean a hap: its id or its name.

use std::fmt;

use super::id::Id;

/// An id when it is all digits, else a name. A text that can be neither is kept, so that the
/// answer "no such hap" can repeat what the user typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Alias {
    /// A number.
    Id(Id),
    /// Anything else.
    Name(String),
}

impl From<&str> for Alias {
    fn from(text: &str) -> Self {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse().ok().and_then(Id::new) {
            Some(id) if is_number => Self::Id(id),
            _ => Self::Name(text.to_owned()),
        }
    }
}

impl From<Id> for Alias {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}

impl From<&String> for Alias {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Name(name) => name.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Alias, Id};

    #[test]
    fn digits_are_an_id_and_all_else_a_name() {
        let two = Id::new(2).map(Alias::Id);
        assert_eq!(Some(Alias::from("2")), two);
        assert_eq!(Some(Alias::from("002")), two);
        for text in ["train", "0", "-2", "+2", "99999999999", "2x", ""] {
            assert_eq!(Alias::from(text), Alias::Name(text.to_owned()));
        }
    }
}
