//! Text that a user, a record or the system chose, made safe to show.
//!
//! Must not change what is printable. Invariant: nothing that comes out can move the cursor, change
//! a colour, or hide or reorder the text around it.

use std::borrow::Cow;
use std::fmt::Write;

use crate::core::name::is_unprintable;

/// The text on one line: what is unprintable is escaped, as in `\x1b`, `\n`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        push_visible(&mut shown, c);
    }
    Cow::Owned(shown)
}

/// The lines of a text, each made visible; the line ends alone are taken as what they are.
pub fn visible_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(visible)
}

fn push_visible(shown: &mut String, c: char) {
    let code = u32::from(c);
    let written = match c {
        '\n' => shown.write_str("\\n"),
        '\r' => shown.write_str("\\r"),
        '\t' => shown.write_str("\\t"),
        _ if !is_unprintable(c) => shown.write_char(c),
        _ if c.is_ascii() => write!(shown, "\\x{code:02x}"),
        _ => write!(shown, "\\u{{{code:x}}}"),
    };
    written.expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_lines};
    use crate::core::name::is_unprintable;
    use proptest::prelude::*;
    use std::borrow::Cow;

    #[test]
    fn printable_text_is_left_as_it_is() {
        for text in ["", "make -j8", "訓練", "e\u{301}", "lost \u{fffd} bytes", r"C:\n"] {
            assert!(matches!(visible(text), Cow::Borrowed(shown) if shown == text), "{text:?}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let cases = [
            ("\u{1b}[31mred", r"\x1b[31mred"),
            ("two\nlines\r\tend\0", r"two\nlines\r\tend\x00"),
            ("\u{7f}\u{9b}2J", r"\x7f\u{9b}2J"),
            ("abc\u{202e}fed", r"abc\u{202e}fed"),
            ("zero\u{200b}width\u{2060}", r"zero\u{200b}width\u{2060}"),
            ("\u{e0b0}\u{10ffff}", r"\u{e0b0}\u{10ffff}"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn lines_stay_lines_and_nothing_else_is_obeyed() {
        let lines: Vec<_> = visible_lines("one\r\n\u{1b}[2Jtwo\rthree\n").collect();
        assert_eq!(lines, ["one", r"\x1b[2Jtwo\rthree"]);
    }

    proptest! {
        #[test]
        fn nothing_unprintable_comes_out(text in proptest::collection::vec(any::<char>(), 0..40)) {
            let text: String = text.into_iter().collect();
            prop_assert!(!visible(&text).contains(is_unprintable));
            prop_assert!(visible_lines(&text).all(|line| !line.contains(is_unprintable)));
        }
    }
}
