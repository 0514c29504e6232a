//! From the model to a screen of any size.
//!
//! Must not change the model. Invariant: whatever there is no room for is left out, the least important
//! first; nothing is drawn outside of its part of the screen.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::keys;
use super::list;
use super::model::{Mode, Model};
use crate::core::status::Kind;
use crate::core::stream::Stream;
use crate::ops::hap::Entry;
use crate::view::look::{ERROR, FAINT, HEADING, Look, PLAIN, Paint, Weight};
use crate::view::sanitize::visible;
use crate::view::{width, wording};

/// With less the log goes below the list.
const NARROWEST_BESIDE: u16 = 72;
/// With less there is no room for a log below.
const LOWEST_BELOW: u16 = 10;
/// Between list and log.
const GAP: u16 = 3;

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, model: &Model, look: &Look) {
    let area = frame.area();
    let mut pen = Pen { buffer: frame.buffer_mut(), look };
    let (head, rest) = cut_top(area, 1);
    let mut keys = footer_lines(model, area.width);
    keys.truncate(usize::from(area.height / 4).max(1));
    let (rest, footer) = cut_bottom(rest, keys.len());
    let said = said_lines(model, area.width);
    let (body, message) = cut_bottom(rest, said.len());
    header(&mut pen, head, model);
    match parts(body) {
        (list, Some((log, is_beside))) => {
            list::list(&mut pen, list, model);
            if is_beside {
                pen.edge(Rect { x: list.right() + 1, width: 1, ..log });
            }
            show_log(&mut pen, log, model);
        }
        (list, None) => list::list(&mut pen, list, model),
    }
    pen.lines(message, &said, paint_of_said(model));
    for (row, line) in footer.rows().zip(keys) {
        pen.keys(row, &line);
    }
}

/// Writes into a part of the screen, and never beside it.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) look: &'a Look,
}

impl Pen<'_> {
    /// Writes this at a column of a line: returns the column behind it.
    pub(super) fn write(&mut self, line: Rect, x: u16, text: &str, paint: Paint) -> u16 {
        let room = usize::from(line.right().saturating_sub(x));
        if line.is_empty() || room == 0 {
            return x;
        }
        let style = self.style(paint);
        self.buffer.set_stringn(x, line.y, width::cut(text, room), room, style).0
    }

    /// Turns the colours of a part of a line around.
    pub(super) fn reverse(&mut self, line: Rect) {
        self.buffer.set_style(line, Modifier::REVERSED);
    }

    fn lines(&mut self, area: Rect, lines: &[String], paint: Paint) {
        for (row, line) in area.rows().zip(lines) {
            self.write(row, row.x, line, paint);
        }
    }

    fn edge(&mut self, area: Rect) {
        for row in area.rows() {
            self.write(row, row.x, "│", FAINT);
        }
    }

    fn keys(&mut self, row: Rect, keys: &[(&str, &str)]) {
        let mut x = row.x;
        for (key, word) in keys {
            x = self.write(row, x, key, HEADING);
            x = self.write(row, x, &format!(" {word}"), PLAIN) + 2;
        }
    }

    fn style(&self, paint: Paint) -> Style {
        let style = match paint.weight() {
            Weight::Plain => Style::new(),
            Weight::Bold => Style::new().add_modifier(Modifier::BOLD),
            Weight::Faint => Style::new().add_modifier(Modifier::DIM),
        };
        paint.colour(self.look).map_or(style, |colour| style.fg(Color::Indexed(colour)))
    }
}

fn cut_top(area: Rect, height: usize) -> (Rect, Rect) {
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

fn cut_bottom(area: Rect, height: usize) -> (Rect, Rect) {
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(area.height);
    let rest = area.height - height;
    (Rect { height: rest, ..area }, Rect { y: area.y + rest, height, ..area })
}

/// List and log, the log beside the list or else below it, if there is room for it at all.
fn parts(body: Rect) -> (Rect, Option<(Rect, bool)>) {
    if body.width >= NARROWEST_BESIDE {
        let width = list::width(body.width);
        let log = Rect { x: body.x + width + GAP, width: body.width - width - GAP, ..body };
        (Rect { width, ..body }, Some((log, true)))
    } else if body.height >= LOWEST_BELOW {
        let (list, log) = cut_top(body, usize::from(body.height / 2));
        (list, Some((log, false)))
    } else {
        (body, None)
    }
}

/// `hap top  2 active, 1 failed, 5 in all  filter: web`.
fn header(pen: &mut Pen<'_>, row: Rect, model: &Model) {
    let of = |kind| {
        let is = |entry: &&Entry| matches!(entry, Entry::Whole(hap) if hap.status.kind() == kind);
        model.entries().iter().filter(is).count()
    };
    let counts = [Kind::Running, Kind::Paused, Kind::Failed, Kind::Lost].map(|kind| (of(kind), kind.word()));
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let all = (model.entries().len(), "in all");
    let counts: Vec<String> = some.chain([&all]).map(|(count, word)| format!("{count} {word}")).collect();
    let mut x = pen.write(row, row.x, "hap top", HEADING);
    x = pen.write(row, x + 2, &counts.join(", "), FAINT);
    if !model.filter.is_empty() || model.mode == Mode::Filter {
        x = pen.write(row, x + 2, "filter: ", FAINT);
        x = pen.write(row, x, &visible(&model.filter), HEADING);
        if model.mode == Mode::Filter {
            pen.write(row, x, "▏", PLAIN);
        }
    }
}

/// What was said last, or the question that is open; one empty line if there is neither.
fn said_lines(model: &Model, width: u16) -> Vec<String> {
    const MOST: usize = 3;
    let text = match (model.mode, &model.said) {
        (Mode::Question(verb, id), _) => {
            let name = model.selected_hap().filter(|hap| hap.id == id).map(|hap| format!(" ({})", hap.record.name));
            format!("Really {} hap {id}{}?", verb.word(), name.unwrap_or_default())
        }
        (Mode::List | Mode::Filter, Some(said)) => said.text.clone(),
        (Mode::List | Mode::Filter, None) => String::new(),
    };
    width::wrap(&text, usize::from(width).max(1)).into_iter().take(MOST).map(str::to_owned).collect()
}

fn paint_of_said(model: &Model) -> Paint {
    match (model.mode, &model.said) {
        (Mode::Question(..), _) => HEADING,
        (Mode::List | Mode::Filter, Some(said)) if said.is_error => ERROR,
        (Mode::List | Mode::Filter, _) => PLAIN,
    }
}

/// The keys that mean something now, in as many lines as they need.
fn footer_lines(model: &Model, width: u16) -> Vec<Vec<(&'static str, &'static str)>> {
    let keys: &[(&str, &str)] = match model.mode {
        Mode::List => &keys::LIST,
        Mode::Filter => &keys::TYPING,
        Mode::Question(..) => &keys::QUESTION,
    };
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for &(key, word) in keys {
        let needed = width::of(key) + 1 + width::of(word);
        if used > 0 && used + needed > usize::from(width) {
            lines.push(Vec::new());
            used = 0;
        }
        used += needed + 2;
        lines.last_mut().expect("there is one").push((key, word));
    }
    lines
}

/// A title, and the end of the log or what was scrolled to, its long lines wrapped.
fn show_log(pen: &mut Pen<'_>, area: Rect, model: &Model) {
    let (title, body) = cut_top(area, 1);
    let Some(hap) = model.selected_hap() else { return };
    let stream = match model.stream {
        Stream::Stdout if hap.record.merge => "stdout and stderr",
        Stream::Stderr if !hap.record.merge => "stderr",
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr is in stdout",
    };
    let x = pen.write(title, title.x, &visible(&wording::name(&hap.record)), HEADING);
    let x = pen.write(title, x + 1, stream, PLAIN);
    pen.write(title, x + 2, if model.follows() { "following" } else { "stands still" }, FAINT);
    if model.log.is_empty() {
        let yet = if hap.status.is_active() { "no output yet" } else { "no output" };
        pen.lines(body, &[yet.to_owned()], FAINT);
        return;
    }
    pen.lines(body, &log_page(model, body), PLAIN);
}

fn log_page(model: &Model, body: Rect) -> Vec<String> {
    let rows = usize::from(body.height);
    let last = model.log.len().saturating_sub(model.below.unwrap_or(0));
    let first = last.saturating_sub(rows);
    let wrap = |line: &String| -> Vec<String> {
        width::wrap(line, usize::from(body.width).max(1)).into_iter().map(str::to_owned).collect()
    };
    let wrapped: Vec<String> = model.log[first..last].iter().flat_map(wrap).collect();
    wrapped[wrapped.len().saturating_sub(rows)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::core::record::Outcome;
    use crate::core::status::Status;
    use crate::ops::hap::Entry;
    use crate::ops::load::Load;
    use crate::ops::tail::Tail;
    use crate::view::look::Look;
    use crate::view::samples::{broken, ended, id, running, terminal, whole};
    use crate::view::top::{Model, Verb};
    use crate::view::width;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Duration;

    /// Two that go on and three that do not, looked at for three seconds.
    fn model() -> Model {
        let mut paused = running(2, "訓練");
        paused.status = Status::Paused;
        let entries = vec![
            whole(ended(3, "hap-23i0lo", Outcome::Signaled(15))),
            whole(running(1, "train")),
            whole(ended(4, "index", Outcome::Exited(0))),
            whole(paused),
            Entry::Broken(broken(5)),
        ];
        let mut model = Model::default();
        for second in 0..4 {
            let cpu = Some(Duration::from_millis(second * second * 100));
            let loads = [
                (id(1), Load { cpu, memory: Some((second + 1) << 20), logs: 0 }),
                (id(2), Load { cpu: Some(Duration::ZERO), memory: Some(980 << 10), logs: 0 }),
            ];
            model.update(entries.clone(), &loads, Duration::from_secs(second));
        }
        let bytes = b"epoch 1\nepoch 2 is a long line that has to go on in the next one\n\x1b[2Jend\n".to_vec();
        model.show_log(&Tail { bytes, is_cut: false });
        model
    }

    fn screen(model: &Model, look: &Look, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal of memory");
        terminal.draw(|frame| draw(frame, model, look)).expect("it is drawn");
        let buffer = terminal.backend().buffer();
        // A wide character leaves an empty cell behind it.
        let is_behind = |column: u16, row: u16| column > 0 && width::of(buffer[(column - 1, row)].symbol()) > 1;
        let line = |row: u16| -> String {
            let cells = (0..columns).filter(|&column| !is_behind(column, row));
            cells.map(|column| buffer[(column, row)].symbol()).collect()
        };
        (0..rows).map(|row| line(row).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn a_screen_of_80_columns_has_list_and_log_side_by_side() {
        let expected = "
hap top  1 running, 1 paused, 1 failed, 5 in all
  # Name       Status      CPU       Mem       │ train stdout  following
▸ 1 train      ● running   50%  ▂▄▅ 4.0M ▃▄▅▆  │ epoch 1
  2 訓練       ‖ paused     0%  ▁▁▁ 980K ▆▆▆▆  │ epoch 2 is a long line that has
  3 hap-23i0lo ✗ failed                        │ to go on in the next one
  4 index      ✓ success                       │ \\x1b[2Jend
  5            ! broken                        │

q quit  ↑↓ select  p pause  r resume  s stop  k kill  R restart  f follow
e stderr  PgUp scroll  / filter
";
        assert_eq!(screen(&model(), &terminal(80), 80, 10), expected[1..]);
    }

    #[test]
    fn a_narrow_screen_has_the_log_below() {
        let text = screen(&model(), &terminal(40), 40, 20);
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part:?} in\n{text}"));
        assert!(place("● running") < place("train stdout") && place("train stdout") < place("epoch 1"));
        assert!(!text.contains('│'));
    }

    #[test]
    fn a_question_is_asked_with_its_keys() {
        let mut model = model();
        model.begin(Verb::Stop, id(1));
        assert!(screen(&model, &terminal(80), 80, 12).contains("stop hap 1 …"));
        model.say("error: it is deaf\n hint: kill it\u{1b}\n", true);
        assert!(screen(&model, &terminal(80), 80, 12).contains("error: it is deaf; hint: kill it\\x1b\n"));
    }

    #[test]
    fn no_size_is_too_small_or_too_large() {
        for look in [terminal(80), Look { colour: true, shades: true, ..terminal(80) }] {
            for (columns, rows) in [(1, 1), (2, 1), (1, 9), (5, 5), (20, 3), (71, 10), (72, 4), (300, 100)] {
                screen(&model(), &look, columns, rows);
                screen(&Model::default(), &look, columns, rows);
            }
        }
    }
}
