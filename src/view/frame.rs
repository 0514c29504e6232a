//! How a panel is drawn: a box on a terminal, `Label: value` lines elsewhere.
//!
//! Must not know what the rows say. Invariant: nothing is ever cut; what is too long goes on in the
//! next line.

use std::fmt::Display;
use std::iter;

use super::look::{Badge, FAINT, HEADING, Look, PLAIN, Paint};
use super::sanitize::visible;
use super::{text_of, width};
use crate::core::id::Id;

/// With less room than this the labels would leave none for the values.
const NARROWEST_BOX: usize = 30;
/// The border and a space on each side.
const BORDERS: usize = 4;
/// Between a label and its value.
const GAP: usize = 2;
/// Before the lines of a list, and before what goes on in the next line.
const INDENT: &str = "  ";

/// A labelled value, sanitised.
#[derive(Clone, Debug)]
pub(super) struct Row {
    label: &'static str,
    value: Value,
    paint: Paint,
    is_badge: bool,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<String>),
}

/// A line of a box: its label, plain, and its text, which gets the colour.
struct Line {
    label: String,
    text: String,
    paint: Paint,
    is_badge: bool,
}

impl Row {
    /// A value in a line.
    pub(super) fn new(label: &'static str, value: impl Display) -> Self {
        let value = Value::Text(visible(&value.to_string()).into_owned());
        Self { label, value, paint: PLAIN, is_badge: false }
    }

    /// A row for a value that may be absent.
    pub(super) fn maybe(label: &'static str, value: Option<impl Display>) -> Option<Self> {
        value.map(|value| Self::new(label, value))
    }

    /// Many values, each on a line of its own below the label.
    pub(super) fn list(label: &'static str, values: &[String]) -> Self {
        let values = values.iter().map(|value| visible(value).into_owned()).collect();
        Self { label, value: Value::List(values), paint: PLAIN, is_badge: false }
    }

    /// The status, with its word.
    pub(super) fn badge(badge: Badge, look: &Look) -> Self {
        Self { paint: badge.paint, is_badge: true, ..Self::new("Status", badge.text(look)) }
    }
}

/// The panel of this hap. A box has the number in its title.
pub(super) fn draw(id: Id, rows: &[Row], look: &Look) -> String {
    let room = look.width.map_or(usize::MAX, |width| width.saturating_sub(BORDERS));
    if look.boxes && room >= NARROWEST_BOX {
        return text_of(boxed(&format!("hap {id}"), rows, room, look));
    }
    let number = plain(&Row::new("Id", id), look);
    text_of(number.into_iter().chain(rows.iter().flat_map(|row| plain(row, look))))
}

fn plain(row: &Row, look: &Look) -> Vec<String> {
    let label = format!("{}: ", row.label);
    match &row.value {
        Value::Text(value) => {
            let lines = indented(&format!("{label}{value}"), "", look);
            let painted = lines.iter().map(|line| match line.strip_prefix(&label) {
                Some(value) => format!("{label}{}", painted(value, row.paint, row.is_badge, look)),
                None => line.clone(),
            });
            painted.collect()
        }
        Value::List(values) => {
            let lines = values.iter().flat_map(|value| indented(value, INDENT, look));
            iter::once(label.trim_end().to_owned()).chain(lines).collect()
        }
    }
}

/// The text in as many lines as the width asks for, all but the first further to the right.
fn indented(text: &str, indent: &str, look: &Look) -> Vec<String> {
    let room = look.width.map_or(usize::MAX, |width| width.saturating_sub(indent.len() + INDENT.len()).max(1));
    let indents = iter::once("").chain(iter::repeat(INDENT));
    width::wrap(text, room).iter().zip(indents).map(|(line, further)| format!("{indent}{further}{line}")).collect()
}

fn boxed(title: &str, rows: &[Row], room: usize, look: &Look) -> Vec<String> {
    let label_width = rows.iter().map(|row| width::of(row.label)).max().unwrap_or(0) + GAP;
    let lines: Vec<Line> = rows.iter().flat_map(|row| inside(row, label_width, room)).collect();
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let inner = widest.max(width::of(title) + GAP);
    let edge = |text: &str| look.paint(FAINT, text);
    let top = format!("{}╮", "─".repeat(inner - width::of(title) - 1));
    let bottom = format!("╰{}╯", "─".repeat(inner + 2));
    iter::once(format!("{} {} {}", edge("╭─"), look.paint(HEADING, title), edge(&top)))
        .chain(lines.iter().map(|line| format!("{} {} {}", edge("│"), line.show(inner, look), edge("│"))))
        .chain(iter::once(edge(&bottom)))
        .collect()
}

impl Line {
    fn width(&self) -> usize {
        width::of(&self.label) + width::of(&self.text)
    }

    fn show(&self, width: usize, look: &Look) -> String {
        let (label, gap) = self.label.split_at(self.label.trim_end().len());
        let space = " ".repeat(width.saturating_sub(self.width()));
        format!("{}{gap}{}{space}", look.paint(FAINT, label), painted(&self.text, self.paint, self.is_badge, look))
    }
}

fn painted(text: &str, paint: Paint, is_badge: bool, look: &Look) -> String {
    if is_badge { look.paint_badge(paint, text) } else { look.paint(paint, text) }
}

fn inside(row: &Row, label_width: usize, room: usize) -> Vec<Line> {
    let line =
        |label: String, text: &str| Line { label, text: text.to_owned(), paint: row.paint, is_badge: row.is_badge };
    match &row.value {
        Value::Text(value) => {
            let values = width::wrap(value, room.saturating_sub(label_width));
            let labels = iter::once(row.label).chain(iter::repeat(""));
            values.iter().zip(labels).map(|(value, label)| line(width::pad(label, label_width), value)).collect()
        }
        Value::List(values) => {
            let wrapped = |value| width::wrap(value, room.saturating_sub(2 * INDENT.len()));
            let indents = || iter::once(INDENT.to_owned()).chain(iter::repeat(INDENT.repeat(2)));
            let entries = values.iter().flat_map(|value| wrapped(value).into_iter().zip(indents()));
            let head = iter::once(line(row.label.to_owned(), ""));
            head.chain(entries.map(|(value, indent)| line(indent, value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, draw};
    use crate::view::look::{Badge, Look};
    use crate::view::samples::{id, piped, terminal};

    fn rows() -> Vec<Row> {
        let values = ["A=1".to_owned(), format!("B={}", "x".repeat(40))];
        vec![Row::badge(Badge::BROKEN, &piped()), Row::new("Name", "x\n"), Row::list("Environment", &values)]
    }

    #[test]
    fn a_list_goes_on_further_to_the_right() {
        let expected = "
╭─ hap 1 ────────────────────────────╮
│ Status       broken                │
│ Name         x\\n                   │
│ Environment                        │
│   A=1                              │
│   B=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx │
│     xxxxxxxxxx                     │
╰────────────────────────────────────╯
";
        assert_eq!(draw(id(1), &rows(), &terminal(40)), expected[1..]);
    }

    #[test]
    fn without_room_for_a_box_or_without_a_terminal_it_is_plain() {
        let expected = "
Id: 1
Status: broken
Name: x\\n
Environment:
  A=1
  B=xxxxxxxxxxxxxxxx
    xxxxxxxxxxxxxxxxxx
    xxxxxx
";
        assert_eq!(draw(id(1), &rows(), &terminal(22)), expected[1..]);
        let expected = format!("Id: 1\nStatus: broken\nName: x\\n\nEnvironment:\n  A=1\n  B={}\n", "x".repeat(40));
        assert_eq!(draw(id(1), &rows(), &piped()), expected);
    }

    #[test]
    fn only_values_and_what_stands_back_are_coloured() {
        let text = draw(id(1), &rows(), &Look { colour: true, ..piped() });
        assert!(text.contains("Status: \u{1b}[31;1mbroken\u{1b}[0m\n"), "{text:?}");
        let text = draw(id(1), &rows(), &Look { colour: true, ..terminal(40) });
        assert!(text.contains("\u{1b}[2mStatus\u{1b}[0m       \u{1b}[31;1mbroken\u{1b}[0m     "), "{text:?}");
    }

    #[test]
    fn a_box_without_a_known_width_wraps_nothing() {
        let text = draw(id(1), &rows(), &Look { width: None, ..terminal(1) });
        assert!(text.contains(&"x".repeat(40)), "{text}");
    }
}
