//! The name of a hap: what is allowed, and how one is made up.

use std::fmt;

use serde::{Deserialize, Serialize};

const MAX_CHARS: usize = 64;
const MAX_BYTES: usize = 200;
const GENERATED_PREFIX: &str = "hap-";
const GENERATED_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A valid name. It is also a file name below `names/`, which the rules make safe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no name; completes the sentence "a name ...".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum InvalidName {
    #[error("must not be empty")]
    Empty,
    #[error("has at most {MAX_CHARS} characters and {MAX_BYTES} bytes")]
    TooLong,
    #[error("must not start with '{0}'")]
    BadStart(char),
    #[error("must not be all digits: that would read as an id")]
    AllDigits,
    #[error("must not contain '/', '@', white space or unprintable characters")]
    BadCharacter,
    #[error("must be valid UTF-8")]
    NotUtf8,
}

impl Name {
    /// Checks a text that a user gave.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        check(&text)?;
        Ok(Self(text))
    }

    /// `hap-` and six of `a-z0-9`, chosen by the given random numbers.
    pub fn generated(random: [u8; 6]) -> Self {
        let letters = random.map(|byte| GENERATED_ALPHABET[usize::from(byte) % GENERATED_ALPHABET.len()]);
        Self(letters.iter().fold(GENERATED_PREFIX.to_owned(), |mut name, &letter| {
            name.push(char::from(letter));
            name
        }))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> Result<(), InvalidName> {
    let Some(first) = text.chars().next() else { return Err(InvalidName::Empty) };
    if text.chars().count() > MAX_CHARS || text.len() > MAX_BYTES {
        return Err(InvalidName::TooLong);
    }
    if matches!(first, '-' | '.') {
        return Err(InvalidName::BadStart(first));
    }
    if text.chars().any(|c| matches!(c, '/' | '@') || c.is_whitespace() || is_unprintable(c)) {
        return Err(InvalidName::BadCharacter);
    }
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Err(InvalidName::AllDigits);
    }
    Ok(())
}

/// Control characters, and those that reorder, hide or fake the text around them on a terminal.
pub fn is_unprintable(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidName, Name};

    #[test]
    fn letters_of_any_script_are_welcome() {
        for text in ["train", "a", "b2", "ünïcode", "訓練", "x.y-z_1", "hap-23i0lo", &"x".repeat(64)] {
            assert!(Name::new(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn what_could_be_mistaken_is_refused() {
        let cases = [
            ("", InvalidName::Empty),
            ("-x", InvalidName::BadStart('-')),
            (".x", InvalidName::BadStart('.')),
            ("..", InvalidName::BadStart('.')),
            ("12", InvalidName::AllDigits),
            ("a/b", InvalidName::BadCharacter),
            ("a@2", InvalidName::BadCharacter),
            ("a b", InvalidName::BadCharacter),
            ("a\nb", InvalidName::BadCharacter),
            ("a\u{1b}[31m", InvalidName::BadCharacter),
            ("a\u{202e}b", InvalidName::BadCharacter),
            ("a\u{a0}b", InvalidName::BadCharacter),
        ];
        for (text, reason) in cases {
            assert_eq!(Name::new(text), Err(reason), "{text:?}");
        }
        assert_eq!(Name::new("x".repeat(65)), Err(InvalidName::TooLong));
        assert!(Name::new("訓".repeat(64)).is_ok());
        assert_eq!(Name::new("\u{10348}".repeat(51)), Err(InvalidName::TooLong));
    }

    #[test]
    fn a_generated_name_is_valid() {
        for byte in 0..=u8::MAX {
            let name = Name::generated([byte, 0, 255, 35, 36, byte]);
            assert_eq!(Name::new(name.as_str()), Ok(name.clone()));
            assert_eq!(name.as_str().len(), 10);
        }
    }
}
