//! The palette: what a status looks like, and which of it the output can show.
//!
//! Must not find out what the output is: the caller knows. Colour never stands alone: whatever has
//! one has a word as well, and the word is readable on dark and on light.

use owo_colors::{AnsiColors, Style, XtermColors};

use crate::core::status::Kind;

/// What the place that text goes to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// It shows colours.
    pub colour: bool,
    /// It shows 256 of them, not only the 16 of the user's theme.
    pub shades: bool,
    /// It shows box characters and symbols.
    pub boxes: bool,
    /// How many columns it has. `None`: no terminal, so nothing is cut or wrapped.
    pub width: Option<usize>,
}

/// One way to stand out: from the theme's 16 colours, or one of 256.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    hue: Option<Hue>,
    weight: Weight,
}

/// A colour in two palettes.
#[derive(Clone, Copy, Debug)]
struct Hue {
    theme: AnsiColors,
    /// Chosen halfway between black and white: each has a contrast of about 4 to 1 with both.
    shade: u8,
}

/// How much something stands out without any colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Like everything else.
    Plain,
    /// It comes forward.
    Bold,
    /// It stands back.
    Faint,
}

/// Like everything else.
pub const PLAIN: Paint = Paint { hue: None, weight: Weight::Plain };
/// Headings.
pub const HEADING: Paint = Paint { hue: None, weight: Weight::Bold };
/// Lines, labels and whatever else should stand back.
pub const FAINT: Paint = Paint { hue: None, weight: Weight::Faint };
/// What went wrong.
pub const ERROR: Paint = Paint { weight: Weight::Bold, ..Paint::hue(AnsiColors::Red, 160) };
/// What may go wrong.
pub const WARNING: Paint = Paint { weight: Weight::Bold, ..Paint::hue(AnsiColors::Yellow, 130) };
/// What is as it should be.
pub const GOOD: Paint = Paint::hue(AnsiColors::Green, 28);
/// What to do about it.
pub const HINT: Paint = Paint { weight: Weight::Bold, ..Paint::hue(AnsiColors::Cyan, 31) };
/// A drawing that is to be seen beside text.
pub const ACCENT: Paint = Paint::hue(AnsiColors::Cyan, 31);

/// What marks the lines of several logs, in turn.
pub const MARKS: [Paint; 5] = [
    Paint::hue(AnsiColors::Cyan, 31),
    Paint::hue(AnsiColors::Yellow, 130),
    Paint::hue(AnsiColors::Green, 28),
    Paint::hue(AnsiColors::Magenta, 133),
    Paint::hue(AnsiColors::Blue, 67),
];
/// What marks the lines of stderr beside those of stdout.
pub const STDERR_MARK: Paint = Paint::hue(AnsiColors::Red, 160);

impl Paint {
    const fn hue(theme: AnsiColors, shade: u8) -> Self {
        Self { hue: Some(Hue { theme, shade }), weight: Weight::Plain }
    }

    /// How much it stands out.
    pub fn weight(self) -> Weight {
        self.weight
    }

    /// The number of its colour among 256, of which the first 16 are those of the theme.
    pub fn colour(self, look: &Look) -> Option<u8> {
        let hue = self.hue.filter(|_| look.colour)?;
        Some(match hue.theme {
            _ if look.shades => hue.shade,
            AnsiColors::Red => 1,
            AnsiColors::Green => 2,
            AnsiColors::Yellow => 3,
            AnsiColors::Blue => 4,
            AnsiColors::Magenta => 5,
            _ => 6,
        })
    }
}

impl Look {
    /// The text in a style, where there are colours.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour && !text.is_empty() { self.style(paint).style(text).to_string() } else { text.to_owned() }
    }

    /// A status in its colour. Of 16 colours nobody knows how they look: yellow on white cannot be read.
    /// So only the symbol gets one of those, and the word stays as the terminal writes all others.
    pub fn paint_badge(&self, paint: Paint, text: &str) -> String {
        match text.split_once(' ') {
            Some((glyph, word)) if self.colour && self.boxes && !self.shades => {
                format!("{} {word}", self.paint(paint, glyph))
            }
            _ => self.paint(paint, text),
        }
    }

    fn style(&self, paint: Paint) -> Style {
        let style = match paint.weight {
            Weight::Plain => Style::new(),
            Weight::Bold => Style::new().bold(),
            Weight::Faint => Style::new().dimmed(),
        };
        match paint.hue {
            Some(hue) if self.shades => style.color(XtermColors::from(hue.shade)),
            Some(hue) => style.color(hue.theme),
            None => style,
        }
    }
}

/// A status at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Badge {
    glyph: &'static str,
    /// The word that users and scripts see.
    pub word: &'static str,
    /// Its colour.
    pub paint: Paint,
}

impl Badge {
    /// Of a record that cannot be read.
    pub const BROKEN: Self = Self { glyph: "!", word: "broken", paint: ERROR };

    /// Of a status.
    pub fn of(kind: Kind) -> Self {
        let (glyph, paint) = match kind {
            Kind::Unbound => ("○", Paint::hue(AnsiColors::Blue, 67)),
            Kind::Running => ("●", Paint::hue(AnsiColors::Cyan, 31)),
            Kind::Paused => ("‖", Paint::hue(AnsiColors::Yellow, 130)),
            Kind::Success => ("✓", Paint::hue(AnsiColors::Green, 28)),
            Kind::Failed => ("✗", Paint::hue(AnsiColors::Red, 160)),
            Kind::Lost => ("?", Paint::hue(AnsiColors::Magenta, 133)),
            Kind::Elsewhere => ("◇", FAINT),
        };
        Self { glyph, word: kind.word(), paint }
    }

    /// The word, behind its symbol where symbols can be shown.
    pub fn text(&self, look: &Look) -> String {
        if look.boxes { format!("{} {}", self.glyph, self.word) } else { self.word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Badge, ERROR, HINT, Look};
    use crate::core::status::Kind;
    use crate::view::samples::{piped, terminal};
    use crate::view::width;

    const KINDS: [Kind; 7] =
        [Kind::Unbound, Kind::Running, Kind::Paused, Kind::Success, Kind::Failed, Kind::Lost, Kind::Elsewhere];

    #[test]
    fn colour_is_added_only_where_it_can_be_shown() {
        let look = |colour, shades| Look { colour, shades, ..terminal(80) };
        assert_eq!(look(false, true).paint(ERROR, "x"), "x");
        assert_eq!(look(true, false).paint(ERROR, "x"), "\u{1b}[31;1mx\u{1b}[0m");
        assert_eq!(look(true, true).paint(ERROR, "x"), "\u{1b}[38;5;160;1mx\u{1b}[0m");
        assert_eq!(look(true, true).paint(ERROR, ""), "");
    }

    #[test]
    fn of_sixteen_colours_only_the_symbol_gets_one() {
        let badge = Badge::of(Kind::Paused);
        let shown = |look: Look| look.paint_badge(badge.paint, &badge.text(&look));
        assert_eq!(shown(terminal(80)), "‖ paused");
        assert_eq!(shown(Look { colour: true, ..terminal(80) }), "\u{1b}[33m‖\u{1b}[0m paused");
        let shades = Look { colour: true, shades: true, ..terminal(80) };
        assert_eq!(shown(shades), "\u{1b}[38;5;130m‖ paused\u{1b}[0m");
        assert_eq!(shown(Look { colour: true, ..piped() }), "\u{1b}[33mpaused\u{1b}[0m");
    }

    #[test]
    fn every_shade_can_be_read_on_black_and_on_white() {
        let paints = KINDS.map(|kind| Badge::of(kind).paint).into_iter().chain([ERROR, HINT]);
        for shade in paints.filter_map(|paint| paint.hue.map(|hue| hue.shade)) {
            let bright = luminance(shade);
            let (on_black, on_white) = ((bright + 0.05) / 0.05, 1.05 / (bright + 0.05));
            assert!(on_black > 3.7 && on_white > 3.7, "{shade}: {on_black:.1} on black, {on_white:.1} on white");
        }
    }

    /// Of a colour from the cube of 256, as WCAG 2 defines it.
    fn luminance(shade: u8) -> f64 {
        let cube = shade - 16;
        let channel = |step: u8| {
            let value = if step == 0 { 0.0 } else { f64::from(55 + 40 * u16::from(step)) / 255.0 };
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055_f64).powf(2.4) }
        };
        0.2126 * channel(cube / 36) + 0.7152 * channel(cube / 6 % 6) + 0.0722 * channel(cube % 6)
    }

    #[test]
    fn every_badge_has_its_own_narrow_symbol_beside_the_word() {
        let mut glyphs: Vec<&str> = KINDS.map(|kind| Badge::of(kind).glyph).to_vec();
        glyphs.push(Badge::BROKEN.glyph);
        assert!(glyphs.iter().all(|glyph| width::of(glyph) == 1));
        glyphs.sort_unstable();
        glyphs.dedup();
        assert_eq!(glyphs.len(), KINDS.len() + 1);
        assert_eq!(Badge::of(Kind::Failed).text(&terminal(80)), "✗ failed");
        assert_eq!(Badge::of(Kind::Failed).text(&piped()), "failed");
    }
}
