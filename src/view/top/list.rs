//! The list of haps, each with what it takes.

use ratatui::layout::Rect;

use super::draw::Pen;
use super::history::History;
use super::model::Model;
use crate::core::{duration, size};
use crate::ops::hap::Entry;
use crate::view::look::{ACCENT, Badge, FAINT, HEADING, Look, PLAIN, Paint};
use crate::view::sanitize::visible;
use crate::view::{width, wording};

/// So wide it is beside a log, whatever the width of the screen.
const NARROWEST: u16 = 46;
const WIDEST: u16 = 84;

/// Columns of a fixed width: `● running`, `1600%`, `120M`, `12d 04h`.
const STATUS: usize = 9;
const CPU: usize = 5;
const MEMORY: usize = 4;
const RUNTIME: usize = 7;
/// Before the number, whether it is selected or not.
const MARK: usize = 2;

/// How wide the other columns are. What has no room is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    id: usize,
    name: usize,
    cpu: usize,
    memory: usize,
    line: usize,
    runtime: usize,
}

/// How much of a screen it takes.
pub(super) fn width(screen: u16) -> u16 {
    (screen * 2 / 5).clamp(NARROWEST, WIDEST)
}

/// Draws it, the selected one in sight.
pub(super) fn list(pen: &mut Pen<'_>, area: Rect, model: &Model) {
    let shown = model.shown();
    let columns = Columns::for_these(&shown, usize::from(area.width));
    let mut rows = area.rows();
    let Some(heading) = rows.next() else { return };
    columns.heading(pen, heading);
    let room = usize::from(area.height.saturating_sub(1));
    let selected = shown.iter().position(|entry| Some(entry.id()) == model.selected).unwrap_or(0);
    let first = (selected + 1).saturating_sub(room);
    for (row, entry) in rows.zip(&shown[first.min(shown.len())..]) {
        columns.row(pen, row, entry, model);
    }
    if shown.is_empty() {
        let row = Rect { y: area.y + 1, height: area.height.saturating_sub(1).min(1), ..area };
        let text = if model.filter.is_empty() { "No haps yet: `hap run COMMAND`" } else { "No hap is like that" };
        pen.write(row, row.x, text, FAINT);
    }
}

impl Columns {
    fn for_these(entries: &[&Entry], width: usize) -> Self {
        let widest = |text: &dyn Fn(&Entry) -> String| entries.iter().map(|entry| width::of(&text(entry))).max();
        let id = widest(&|entry| entry.id().to_string()).unwrap_or(1);
        let name = widest(&name_of).unwrap_or(4).max(4);
        let mut columns = Self { id, name: 0, cpu: 0, memory: 0, line: 0, runtime: 0 };
        // What comes first gets its room first.
        columns.name = name.min(10).min(width.saturating_sub(columns.total()));
        columns.cpu = columns.if_room(CPU, width);
        columns.memory = if columns.cpu > 0 { columns.if_room(MEMORY, width) } else { 0 };
        columns.line = columns.room_for_lines(width, 2).min(5);
        columns.name += name.saturating_sub(columns.name).min(width.saturating_sub(columns.total()));
        columns.runtime = columns.if_room(RUNTIME, width);
        columns.line += columns.room_for_lines(width, 0).min(7);
        columns
    }

    fn total(&self) -> usize {
        let with_gap = |width: usize| if width == 0 { 0 } else { width + 1 };
        let numbers = with_gap(self.cpu) + with_gap(self.memory) + 2 * with_gap(self.line) + with_gap(self.runtime);
        MARK + self.id + 1 + self.name + 1 + STATUS + numbers
    }

    /// For each of the two, beside numbers alone.
    fn room_for_lines(&self, width: usize, gaps: usize) -> usize {
        if self.memory == 0 { 0 } else { width.saturating_sub(self.total() + gaps) / 2 }
    }

    fn if_room(&self, column: usize, width: usize) -> usize {
        if self.total() + 1 + column <= width { column } else { 0 }
    }

    fn heading(&self, pen: &mut Pen<'_>, row: Rect) {
        let number = format!("{:>1$}", "#", MARK + self.id);
        let name = width::pad(&width::cut("Name", self.name), self.name);
        let numbers = [cell("CPU", self.cpu), self.gap(), cell("Mem", self.memory), self.gap()].concat();
        let text = format!("{number} {name} {:STATUS$}{numbers}{}", "Status", cell("Runtime", self.runtime));
        pen.write(row, row.x, &text, HEADING);
    }

    fn row(&self, pen: &mut Pen<'_>, row: Rect, entry: &Entry, model: &Model) {
        let is_selected = Some(entry.id()) == model.selected;
        let number = format!("{}{:>2$} ", if is_selected { "▸ " } else { "  " }, entry.id().to_string(), self.id);
        let x = pen.write(row, row.x, &number, PLAIN);
        let name = width::pad(&width::cut(&name_of(entry), self.name), self.name);
        let x = pen.write(row, x, &(name + " "), PLAIN);
        if is_selected {
            pen.reverse(Rect { width: x.saturating_sub(row.x + 1), ..row });
        }
        let mut x = badge(pen, row, x, entry);
        for (text, paint) in self.numbers(entry, model) {
            x = pen.write(row, x, &text, paint);
        }
    }

    /// Where a line would be.
    fn gap(&self) -> String {
        cell("", self.line)
    }

    /// What it takes, now and lately.
    fn numbers(&self, entry: &Entry, model: &Model) -> [(String, Paint); 5] {
        let history = model.history(entry.id());
        let percent = history.and_then(History::percent).map(|percent| format!("{percent}%"));
        let memory = history.and_then(History::memory).map(size::compact);
        let runtime = match entry {
            Entry::Whole(hap) => hap.runtime.map(duration::short),
            Entry::Broken(_) => None,
        };
        let line = |text: Option<String>| text.map_or_else(|| self.gap(), |text| cell(&text, self.line));
        [
            (cell(&percent.unwrap_or_default(), self.cpu), PLAIN),
            (line(history.map(|history| history.cpu_line(self.line))), ACCENT),
            (cell(&memory.unwrap_or_default(), self.memory), PLAIN),
            (line(history.map(|history| history.memory_line(self.line))), FAINT),
            (cell(&runtime.unwrap_or_default(), self.runtime), PLAIN),
        ]
    }
}

/// On the right of its column, with the gap before it.
fn cell(text: &str, column: usize) -> String {
    if column == 0 { String::new() } else { format!(" {text:>column$}") }
}

/// The status with its symbol. Of 16 colours only the symbol gets one: see [`Look::paint_badge`].
fn badge(pen: &mut Pen<'_>, row: Rect, x: u16, entry: &Entry) -> u16 {
    let badge = match entry {
        Entry::Whole(hap) => Badge::of(hap.status.kind()),
        Entry::Broken(_) => Badge::BROKEN,
    };
    let look: &Look = pen.look;
    let text = width::pad(&badge.text(look), STATUS);
    match text.split_once(' ') {
        Some((glyph, word)) if !look.shades => {
            let x = pen.write(row, x, &format!("{glyph} "), badge.paint);
            pen.write(row, x, word, PLAIN)
        }
        _ => pen.write(row, x, &text, badge.paint),
    }
}

fn name_of(entry: &Entry) -> String {
    match entry {
        Entry::Whole(hap) => visible(&wording::name(&hap.record)).into_owned(),
        Entry::Broken(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, width};
    use crate::view::samples::{running, whole};

    #[test]
    fn columns_come_one_after_the_other_as_there_is_room() {
        let entries = [whole(running(12, "a-name-of-some-length"))];
        let entries: Vec<_> = entries.iter().collect();
        let of = |width| {
            let Columns { name, cpu, memory, line, runtime, .. } = Columns::for_these(&entries, width);
            (name, cpu, memory, line, runtime)
        };
        let widths = [20, 30, 37, 40, 46, 60, 84].map(of);
        let (bare, numbers) = ([(5, 0, 0, 0, 0), (15, 0, 0, 0, 0)], (11, 5, 4, 0, 0));
        let full = [(10, 5, 4, 1, 0), (10, 5, 4, 4, 0), (21, 5, 4, 5, 0), (21, 5, 4, 12, 7)];
        assert_eq!(widths[..2], bare);
        assert_eq!(widths[2], numbers);
        assert_eq!(widths[3..], full);
        for room in 0..200 {
            let columns = Columns::for_these(&entries, room);
            assert!(columns.total() <= room.max(16), "{room}: {columns:?}");
        }
    }

    #[test]
    fn a_wide_screen_leaves_most_of_its_room_to_the_log() {
        assert_eq!([80, 120, 200, 400].map(width), [46, 48, 80, 84]);
    }
}
