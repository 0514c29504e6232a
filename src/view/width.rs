//! How many columns text takes on a terminal, and how it is made to fit.
//!
//! Must not be given control characters: they have no width. Invariant: a character is never split
//! from the marks that combine with it.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

const ELLIPSIS: &str = "…";

/// The columns that the text takes.
pub fn of(text: &str) -> usize {
    // Most text is, and then nothing has to be looked up.
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text, or as much of its beginning as fits before a `…`.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if of(text) <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(of(ELLIPSIS)) else { return Cow::Borrowed("") };
    let mut used = 0;
    let mut end = 0;
    for (start, cluster) in text.grapheme_indices(true) {
        used += of(cluster);
        if used > room {
            break;
        }
        end = start + cluster.len();
    }
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// The text with spaces behind it up to a width.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(of(text))))
}

/// The text in lines of at most this width. Breaks at a space, which then is left out, or else
/// within the word. A character wider than the width gets a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let (end, next) = first_line(rest, width);
        lines.push(&rest[..end]);
        if next == rest.len() {
            return lines;
        }
        rest = &rest[next..];
    }
}

/// Where the first line ends, and where the next one begins.
fn first_line(text: &str, width: usize) -> (usize, usize) {
    let mut used = 0;
    let mut space = None;
    for (here, cluster) in text.grapheme_indices(true) {
        used += of(cluster);
        if used > width && here > 0 {
            return match space {
                _ if cluster == " " => (here, here + 1),
                Some(space) => (space, space + 1),
                None => (here, here),
            };
        }
        if cluster == " " && here > 0 {
            space = Some(here);
        }
    }
    (text.len(), text.len())
}

#[cfg(test)]
mod tests {
    use super::{cut, of, pad, wrap};
    use proptest::prelude::*;

    #[test]
    fn wide_and_combining_characters_are_measured_as_they_are_shown() {
        assert_eq!(of("訓練"), 4);
        assert_eq!(of("e\u{301}"), 1);
        assert_eq!(of("👍🏽"), 2);
        assert_eq!(pad("訓練", 6), "訓練  ");
        assert_eq!(pad("e\u{301}", 3), "e\u{301}  ");
        assert_eq!(pad("long", 2), "long");
    }

    #[test]
    fn a_cut_splits_no_character() {
        let cases = [
            ("train", 5, "train"),
            ("train", 4, "tra…"),
            ("train", 1, "…"),
            ("train", 0, ""),
            ("訓練場", 6, "訓練場"),
            ("訓練場", 5, "訓練…"),
            ("訓練場", 4, "訓…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("👍🏽👍🏽", 3, "👍🏽…"),
        ];
        for (text, width, expected) in cases {
            assert_eq!(cut(text, width), expected, "{text} in {width}");
        }
    }

    #[test]
    fn lines_break_at_spaces_and_else_within_words() {
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("make all", 8), ["make all"]);
        assert_eq!(wrap("make all", 7), ["make", "all"]);
        assert_eq!(wrap("make all", 4), ["make", "all"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a bcdefgh", 4), ["a", "bcde", "fgh"]);
        assert_eq!(wrap("訓練場", 5), ["訓練", "場"]);
        assert_eq!(wrap("訓練", 1), ["訓", "練"]);
        assert_eq!(wrap("e\u{301}e\u{301}", 1), ["e\u{301}", "e\u{301}"]);
    }

    proptest! {
        #[test]
        fn a_cut_fits(text in "[a-z 訓練é👍🏽\u{301}]{0,30}", width in 0_usize..20) {
            prop_assert!(of(&cut(&text, width)) <= width);
        }

        #[test]
        fn wrapping_loses_only_spaces(text in "[a-z 訓練\u{301}]{0,60}", width in 2_usize..20) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| of(line) <= width), "{:?}", lines);
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
