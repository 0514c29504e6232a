//! The list of all haps.
//!
//! Must not cut anything where the output is no terminal: a program may read it. Invariant: one line
//! per hap, with the columns aligned, whatever characters are in it.

use std::iter;

use comfy_table::{CellAlignment, Table, TableStyle};
use owo_colors::Style;

use super::columns::{self, Column, Field};
use super::look::{Badge, ERROR, FAINT, HEADING, Look};
use super::sanitize::visible;
use super::{text_of, width, wording};
use crate::core::duration;
use crate::ops::hap::{Broken, Entry, Hap};

/// Around what is to be coloured while the columns are aligned: of no width, and never let through by
/// [`visible`].
const FROM: char = '\u{2060}';
const TO: char = '\u{2061}';

/// Behind each column: the gap that [`columns`] counts with.
const PADDING: u16 = 2;

/// All haps, one a line; `verbose` also with command and owner, a title and a closing count.
pub fn table(entries: &[Entry], verbose: bool, owner: &dyn Fn(u32) -> String, look: &Look) -> String {
    let mut columns: Vec<Column> =
        fields(entries, verbose, look).into_iter().map(|field| column(field, entries, owner, look)).collect();
    if let Some(width) = look.width {
        columns::fit(&mut columns, width);
    }
    let title = verbose.then(|| look.paint(HEADING, "Haps"));
    let count = verbose.then(|| look.paint(FAINT, &count(entries)));
    let lines = lines(&columns, entries, look).into_iter().chain(notes(entries, look));
    text_of(title.into_iter().chain(lines).chain(count))
}

/// What stands where a table would be.
pub fn nothing(look: &Look) -> String {
    format!("No haps yet. Start one with {}\n", look.paint(HEADING, "`hap run COMMAND`"))
}

fn fields(entries: &[Entry], verbose: bool, look: &Look) -> Vec<Field> {
    let mut fields = vec![Field::Id, Field::Name, Field::Pid, Field::Status, Field::Code, Field::Runtime];
    if verbose {
        fields.extend([Field::Owner, Field::Command]);
    } else if look.width.is_none() && entries.iter().any(|entry| matches!(entry, Entry::Broken(_))) {
        // On a terminal there is room for it below the table only.
        fields.push(Field::Note);
    }
    fields
}

fn column(field: Field, entries: &[Entry], owner: &dyn Fn(u32) -> String, look: &Look) -> Column {
    let cell = |entry: &Entry| match entry {
        Entry::Whole(hap) => whole_cell(field, hap, owner, look),
        Entry::Broken(broken) => broken_cell(field, broken, look),
    };
    Column { field, cells: entries.iter().map(cell).collect() }
}

fn whole_cell(field: Field, hap: &Hap, owner: &dyn Fn(u32) -> String, look: &Look) -> String {
    match field {
        Field::Id => hap.id.to_string(),
        Field::Name => visible(&wording::name(&hap.record)).into_owned(),
        Field::Pid => wording::live_pid(hap).map_or_else(String::new, |pid| pid.to_string()),
        Field::Status => {
            let leftover = if hap.leftover > 0 { format!(" +{}", hap.leftover) } else { String::new() };
            marked(&(Badge::of(hap.status.kind()).text(look) + &leftover), look)
        }
        Field::Code => wording::code(hap.status).unwrap_or_default(),
        Field::Runtime => hap.runtime.map(duration::short).unwrap_or_default(),
        Field::Owner => visible(&owner(hap.record.uid)).into_owned(),
        Field::Command => visible(&hap.record.command_line()).into_owned(),
        Field::Note => String::new(),
    }
}

fn broken_cell(field: Field, broken: &Broken, look: &Look) -> String {
    match field {
        Field::Id => broken.id.to_string(),
        Field::Status => marked(&Badge::BROKEN.text(look), look),
        Field::Note | Field::Command if look.width.is_none() => {
            visible(&format!("{}: {}", broken.path.display(), broken.reason)).into_owned()
        }
        Field::Note | Field::Command | Field::Name | Field::Pid | Field::Code | Field::Runtime | Field::Owner => {
            String::new()
        }
    }
}

fn marked(text: &str, look: &Look) -> String {
    if look.colour { format!("{FROM}{text}{TO}") } else { text.to_owned() }
}

/// The heading, on a terminal a rule, and a line for each hap.
fn lines(columns: &[Column], entries: &[Entry], look: &Look) -> Vec<String> {
    let width = look.width.unwrap_or(usize::MAX);
    let aligned =
        if look.width.is_some() { align(columns, entries.len()) } else { align_plain(columns, entries.len()) };
    let mut aligned = aligned.into_iter().map(|line| width::cut(line.trim_end(), width).into_owned());
    let heading = aligned.next().unwrap_or_default();
    let mut lines = vec![look.paint(HEADING, &heading)];
    if look.boxes {
        lines.push(look.paint(FAINT, &"─".repeat(columns::total(columns).min(width))));
    }
    lines.extend(aligned.zip(entries).map(|(line, entry)| coloured(&line, style(entry))));
    lines
}

/// The columns side by side. Free text at the end stays out of the table, which would pad all other
/// lines to its width and break what is longer than 65535 columns.
fn align(columns: &[Column], rows: usize) -> Vec<String> {
    let (free, columns) = match columns.split_last() {
        Some((last, columns)) if last.field.is_free_text() => (Some(last), columns),
        _ => (None, columns),
    };
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(columns.iter().map(|column| column.field.heading()));
    for row in 0..rows {
        table.add_row(columns.iter().map(|column| column.cells[row].as_str()));
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        shown.set_padding((0, PADDING));
        shown.set_cell_alignment(column.field.alignment());
    }
    let ends =
        free.into_iter().flat_map(|free| iter::once(free.field.heading()).chain(free.cells.iter().map(String::as_str)));
    table.lines().zip(ends.chain(iter::repeat(""))).map(|(line, end)| line + end).collect()
}

/// The same for a pipe, where nothing has to fit and there may be thousands of lines: laying them out with
/// the care that a terminal needs takes longer than reading all records.
fn align_plain(columns: &[Column], rows: usize) -> Vec<String> {
    let width = |column: &Column| if column.field.is_free_text() { 0 } else { column.width() };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |row: Option<usize>| {
        let mut line = String::new();
        for (column, &width) in columns.iter().zip(&widths) {
            let cell = row.map_or(column.field.heading(), |row| &column.cells[row]);
            let gap = iter::repeat_n(' ', width.saturating_sub(width::of(cell)));
            match column.field.alignment() {
                CellAlignment::Right => {
                    line.extend(gap);
                    line += cell;
                }
                CellAlignment::Left | CellAlignment::Center => {
                    line += cell;
                    line.extend(gap);
                }
            }
            line.extend(iter::repeat_n(' ', PADDING.into()));
        }
        line
    };
    iter::once(None).chain((0..rows).map(Some)).map(line).collect()
}

fn style(entry: &Entry) -> Style {
    match entry {
        Entry::Whole(hap) => Badge::of(hap.status.kind()).style,
        Entry::Broken(_) => Badge::BROKEN.style,
    }
}

/// Puts the colour where the marks are. The second one is missing where the line was cut.
fn coloured(line: &str, style: Style) -> String {
    let Some((before, rest)) = line.split_once(FROM) else { return line.to_owned() };
    let (text, after) = rest.split_once(TO).unwrap_or((rest, ""));
    format!("{before}{}{after}", style.style(text))
}

/// On a terminal: what is wrong with the broken ones, never cut.
fn notes(entries: &[Entry], look: &Look) -> Vec<String> {
    let Some(width) = look.width else { return Vec::new() };
    let note = |entry: &Entry| match entry {
        Entry::Whole(_) => None,
        Entry::Broken(Broken { id, path, reason }) => {
            Some(format!("hap {id} cannot be read: {}: {reason}", path.display()))
        }
    };
    let painted = |note: String| -> Vec<String> {
        width::wrap(&visible(&note), width).iter().map(|line| look.paint(ERROR, line)).collect()
    };
    entries.iter().filter_map(note).flat_map(painted).collect()
}

fn count(entries: &[Entry]) -> String {
    let is_active = |entry: &&Entry| matches!(entry, Entry::Whole(hap) if hap.status.is_active());
    format!("{} active, {} in all", entries.iter().filter(is_active).count(), entries.len())
}

#[cfg(test)]
mod tests {
    use super::{nothing, table};
    use crate::core::record::{Loss, Outcome};
    use crate::core::status::Status;
    use crate::ops::hap::Entry;
    use crate::view::look::Look;
    use crate::view::samples::{broken, ended, piped, running, terminal, whole};
    use crate::view::width;

    fn owner(uid: u32) -> String {
        if uid == 1000 { "ada".to_owned() } else { uid.to_string() }
    }

    fn entries() -> Vec<Entry> {
        let mut restarted = running(2, "訓練");
        restarted.record.restarts = 1;
        restarted.status = Status::Paused;
        let mut leaving = ended(4, "cafe\u{301}", Outcome::Exited(0));
        leaving.leftover = 2;
        leaving.record.argv = vec!["printf".to_owned(), "a\u{1b}[31m\nb".to_owned()];
        vec![
            whole(running(1, "train")),
            whole(restarted),
            whole(ended(3, "hap-23i0lo", Outcome::Signaled(15))),
            whole(leaving),
            whole(ended(12, "index", Outcome::Lost(Loss::Rebooted))),
        ]
    }

    fn shown(verbose: bool, look: Look) -> String {
        table(&entries(), verbose, &owner, &look)
    }

    #[test]
    fn piped_it_is_plain_and_complete() {
        let expected = "
 #  Name         PID  Status      Code         Runtime
 1  train       4242  running                   3m 05s
 2  訓練@2      4242  paused                    3m 05s
 3  hap-23i0lo        failed      -15 SIGTERM     2.5s
 4  cafe\u{301}              success +2  0               2.5s
12  index             lost
";
        assert_eq!(shown(false, piped()), expected[1..]);
    }

    #[test]
    fn verbose_it_has_command_and_owner_title_and_count() {
        let expected = "
Haps
 #  Name         PID  Status      Code         Runtime  Owner  Command
 1  train       4242  running                   3m 05s  ada    python train.py --epochs 90
 2  訓練@2      4242  paused                    3m 05s  ada    python train.py --epochs 90
 3  hap-23i0lo        failed      -15 SIGTERM     2.5s  ada    python train.py --epochs 90
 4  cafe\u{301}              success +2  0               2.5s  ada    printf 'a\\x1b[31m\\nb'
12  index             lost                              ada    python train.py --epochs 90
2 active, 5 in all
";
        assert_eq!(shown(true, piped()), expected[1..]);
    }

    #[test]
    fn a_terminal_of_40_columns_shows_what_matters_most() {
        let expected = "
 #  Name         PID  Status        Code
────────────────────────────────────────
 1  train       4242  ● running
 2  訓練@2      4242  ‖ paused
 3  hap-23i0lo        ✗ failed      -15
 4  cafe\u{301}              ✓ success +2  0
12  index             ? lost
";
        assert_eq!(shown(false, terminal(40)), expected[1..]);
    }

    #[test]
    fn a_terminal_of_80_columns_cuts_the_command() {
        let expected = "
Haps
 #  Name         PID  Status        Code         Runtime  Owner  Command
────────────────────────────────────────────────────────────────────────────────
 1  train       4242  ● running                   3m 05s  ada    python train.p…
 2  訓練@2      4242  ‖ paused                    3m 05s  ada    python train.p…
 3  hap-23i0lo        ✗ failed      -15 SIGTERM     2.5s  ada    python train.p…
 4  cafe\u{301}              ✓ success +2  0               2.5s  ada    printf 'a\\x1b[…
12  index             ? lost                              ada    python train.p…
2 active, 5 in all
";
        assert_eq!(shown(true, terminal(80)), expected[1..]);
    }

    #[test]
    fn every_width_is_kept_with_and_without_colour() {
        let mut entries = entries();
        entries.push(Entry::Broken(broken(13)));
        entries.push(whole(running(14, &"訓".repeat(60))));
        for width in 1..220 {
            for verbose in [false, true] {
                let plain = table(&entries, verbose, &owner, &terminal(width));
                let table_lines = plain.lines().filter(|line| *line != "Haps" && !line.ends_with("in all"));
                for line in table_lines {
                    assert!(width::of(line) <= width.max(2), "{width}: {line}");
                }
                let coloured = table(&entries, verbose, &owner, &Look { colour: true, ..terminal(width) });
                assert_eq!(without_colour(&coloured), plain, "{width}");
            }
        }
        assert!(shown(true, terminal(200)).contains("python train.py --epochs 90\n"));
    }

    fn without_colour(text: &str) -> String {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
    }

    #[test]
    fn colour_is_on_the_status_alone_whatever_the_hap_is_called() {
        let look = Look { colour: true, ..piped() };
        let text = table(&[whole(running(1, "running"))], false, &owner, &look);
        assert_eq!(text.lines().nth(1), Some("1  running  4242  \u{1b}[36mrunning\u{1b}[0m         3m 05s"));
        assert!(!shown(true, piped()).contains('\u{1b}'));
        assert!(!shown(true, terminal(80)).contains('\u{1b}'));
    }

    #[test]
    fn piped_nothing_is_cut_however_long_and_no_line_ends_with_space() {
        let mut hap = running(1, &"n".repeat(64));
        hap.record.argv = vec!["x".repeat(200_000)];
        let text = table(&[whole(hap), whole(running(2, "short"))], true, &owner, &piped());
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains(&"x".repeat(200_000)) && text.contains(&"n".repeat(64)));
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn a_broken_one_is_a_line_with_its_path_and_the_reason() {
        let entries = [Entry::Broken(broken(7)), whole(ended(8, "index", Outcome::Exited(0)))];
        let expected = "
#  Name   PID  Status   Code  Runtime  Note
7              broken                  /state/haps/7/record.json: it has no command
8  index       success  0        2.5s
";
        assert_eq!(table(&entries, false, &owner, &piped()), expected[1..]);
        let expected = "
#  Name   PID  Status     Code  Runtime
───────────────────────────────────────
7              ! broken
8  index       ✓ success  0        2.5s
hap 7 cannot be read:
/state/haps/7/record.json: it has no
command
";
        assert_eq!(table(&entries, false, &owner, &terminal(40)), expected[1..]);
    }

    #[test]
    fn for_a_pipe_the_columns_are_aligned_as_for_a_terminal() {
        let entries = entries();
        for (verbose, colour) in [(false, false), (true, false), (false, true)] {
            let look = Look { colour, ..piped() };
            let fields = super::fields(&entries, verbose, &look);
            let columns: Vec<_> =
                fields.into_iter().map(|field| super::column(field, &entries, &owner, &look)).collect();
            let trimmed = |lines: Vec<String>| lines.iter().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            let (plain, careful) = (super::align_plain(&columns, entries.len()), super::align(&columns, entries.len()));
            assert_eq!(trimmed(plain), trimmed(careful));
        }
    }

    #[test]
    fn an_empty_list_says_how_to_start() {
        assert_eq!(nothing(&piped()), "No haps yet. Start one with `hap run COMMAND`\n");
    }
}
