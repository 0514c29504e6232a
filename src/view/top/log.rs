//! The end of a log as lines for a screen.
//!
//! Invariant: nothing in them can act on the terminal. What only colours text is left out; all else
//! that is no text is shown escaped, as everywhere.

use crate::ops::tail::Tail;
use crate::view::sanitize::visible;

const TAB: usize = 8;

/// The lines, the last one last.
pub(super) fn lines(tail: &Tail) -> Vec<String> {
    let text = String::from_utf8_lossy(&tail.bytes);
    let first = usize::from(tail.is_cut && text.contains('\n'));
    text.lines().skip(first).map(line).collect()
}

/// What a terminal would show in the end: of a progress bar its last state.
fn line(raw: &str) -> String {
    let raw = raw.trim_end_matches('\r');
    let last = raw.rsplit('\r').next().unwrap_or(raw);
    visible(&spaced(&uncoloured(last))).into_owned()
}

/// Without sequences that choose colours or clear the line: `ESC [ numbers m` and `K`.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        match part[end..].chars().next() {
            Some('m' | 'K') => plain.push_str(&part[end + 1..]),
            _ => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for (number, part) in text.split('\t').enumerate() {
        if number > 0 {
            let column = spaced.chars().count();
            spaced.push_str(&" ".repeat(TAB - column % TAB));
        }
        spaced.push_str(part);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::core::name::is_unprintable;
    use crate::ops::tail::Tail;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        lines(&Tail { bytes: text.as_bytes().to_vec(), is_cut: false })
    }

    #[test]
    fn a_line_is_what_a_terminal_would_show_in_the_end() {
        assert_eq!(shown("one\ntwo\r\n\nlast"), ["one", "two", "", "last"]);
        assert_eq!(shown("  1%\r 50%\r100%\n"), ["100%"]);
        assert_eq!(shown("\u{1b}[1;32mgreen\u{1b}[0m and \u{1b}[Kcleared"), ["green and cleared"]);
        assert_eq!(shown("a\tb\n1234567\tc\n"), ["a       b", "1234567 c"]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown("\u{1b}[2Jx\u{1b}]0;t\u{7}"), [r"\x1b[2Jx\x1b]0;t\x07"]);
        assert_eq!(shown("\u{1b}[31"), [r"\x1b[31"]);
        assert_eq!(shown("\u{202e}olleh"), [r"\u{202e}olleh"]);
    }

    #[test]
    fn a_line_of_which_the_beginning_is_missing_is_left_out() {
        let cut = |text: &str| lines(&Tail { bytes: text.as_bytes().to_vec(), is_cut: true });
        assert_eq!(cut("alf a line\nwhole\n"), ["whole"]);
        assert_eq!(cut("one endless line"), ["one endless line"]);
    }

    proptest! {
        #[test]
        fn nothing_unprintable_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let lines = lines(&Tail { bytes, is_cut: false });
            prop_assert!(lines.iter().all(|line| !line.contains(is_unprintable)), "{:?}", lines);
        }
    }
}
