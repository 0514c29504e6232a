//! The palette: what a status looks like, and which of it the output can show.
//!
//! Must not find out what the output is: the caller knows. Colour never stands alone: whatever has
//! one has a word as well.

use owo_colors::Style;

use crate::core::status::Kind;

/// What the place that text goes to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// It shows colours.
    pub colour: bool,
    /// It shows box characters and symbols.
    pub boxes: bool,
    /// How many columns it has. `None`: no terminal, so nothing is cut or wrapped.
    pub width: Option<usize>,
}

/// Headings.
pub const HEADING: Style = Style::new().bold();
/// Lines, labels and whatever else should stand back.
pub const FAINT: Style = Style::new().dimmed();
/// What went wrong.
pub const ERROR: Style = Style::new().red().bold();
/// What may go wrong.
pub const WARNING: Style = Style::new().yellow().bold();
/// What to do about it.
pub const HINT: Style = Style::new().cyan().bold();

impl Look {
    /// The text in a style, where there are colours.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() { style.style(text).to_string() } else { text.to_owned() }
    }
}

/// A status at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Badge {
    glyph: &'static str,
    /// The word that users and scripts see.
    pub word: &'static str,
    /// Its colour.
    pub style: Style,
}

impl Badge {
    /// Of a record that cannot be read.
    pub const BROKEN: Self = Self { glyph: "!", word: "broken", style: ERROR };

    /// Of a status.
    pub fn of(kind: Kind) -> Self {
        let (glyph, style) = match kind {
            Kind::Unbound => ("○", Style::new().blue()),
            Kind::Running => ("●", Style::new().cyan()),
            Kind::Paused => ("‖", Style::new().yellow()),
            Kind::Success => ("✓", Style::new().green()),
            Kind::Failed => ("✗", Style::new().red()),
            Kind::Lost => ("?", Style::new().magenta()),
            Kind::Elsewhere => ("◇", Style::new().dimmed()),
        };
        Self { glyph, word: kind.word(), style }
    }

    /// The word, behind its symbol where symbols can be shown.
    pub fn text(&self, look: &Look) -> String {
        if look.boxes { format!("{} {}", self.glyph, self.word) } else { self.word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Badge, ERROR, Look};
    use crate::core::status::Kind;
    use crate::view::width;

    const KINDS: [Kind; 7] =
        [Kind::Unbound, Kind::Running, Kind::Paused, Kind::Success, Kind::Failed, Kind::Lost, Kind::Elsewhere];

    #[test]
    fn colour_is_added_only_where_it_can_be_shown() {
        let look = |colour| Look { colour, boxes: true, width: None };
        assert_eq!(look(false).paint(ERROR, "x"), "x");
        assert_eq!(look(true).paint(ERROR, "x"), "\u{1b}[31;1mx\u{1b}[0m");
        assert_eq!(look(true).paint(ERROR, ""), "");
    }

    #[test]
    fn every_badge_has_its_own_narrow_symbol_beside_the_word() {
        let look = Look { colour: false, boxes: true, width: None };
        let mut glyphs: Vec<&str> = KINDS.map(|kind| Badge::of(kind).glyph).to_vec();
        glyphs.push(Badge::BROKEN.glyph);
        assert!(glyphs.iter().all(|glyph| width::of(glyph) == 1));
        glyphs.sort_unstable();
        glyphs.dedup();
        assert_eq!(glyphs.len(), KINDS.len() + 1);
        assert_eq!(Badge::of(Kind::Failed).text(&look), "✗ failed");
        assert_eq!(Badge::of(Kind::Failed).text(&Look { boxes: false, ..look }), "failed");
    }
}
