//! The list of all haps.
//!
//! Must not cut anything where the output is no terminal: a program may read it. Invariant: one line
//! per hap, with the columns aligned, whatever characters are in it. No line but these, so that a
//! screen reader has nothing else to read.

use super::align;
use super::columns::{self, Column, Field};
use super::look::{Badge, ERROR, FAINT, HEADING, Look, Paint};
use super::sanitize::visible;
use super::{text_of, width, wording};
use crate::core::{duration, size};
use crate::ops::hap::{Broken, Entry, Hap};
use crate::ops::list::Item;
use crate::ops::load::Load;

/// Around what is to be coloured while the columns are aligned: of no width, and never let through by
/// [`visible`].
const FROM: char = '\u{2060}';
const TO: char = '\u{2061}';

/// What is listed, and how much of it is shown.
#[derive(Clone, Copy)]
pub struct List<'a> {
    /// The haps. What they take is shown of those that know it.
    pub items: &'a [Item],
    /// How many finished ones are not among them.
    pub folded: usize,
    /// Also command and owner, a title and a closing count.
    pub verbose: bool,
    /// The name of a user.
    pub owner: &'a dyn Fn(u32) -> String,
}

/// All haps, one a line.
pub fn table(list: &List<'_>, look: &Look) -> String {
    let mut columns: Vec<Column> = fields(list, look).into_iter().map(|field| column(field, list, look)).collect();
    if let Some(width) = look.width {
        columns::fit(&mut columns, width);
    }
    let title = list.verbose.then(|| look.paint(HEADING, "Haps"));
    let count = list.verbose.then(|| look.paint(FAINT, &count(list)));
    let lines = lines(&columns, list.items, look).into_iter().chain(notes(list.items, look)).chain(folded(list, look));
    text_of(title.into_iter().chain(lines).chain(count))
}

/// What stands where a table would be.
pub fn nothing(look: &Look) -> String {
    format!("No haps yet. Start one with {}\n", look.paint(HEADING, "`hap run COMMAND`"))
}

fn fields(list: &List<'_>, look: &Look) -> Vec<Field> {
    let mut fields = vec![Field::Id, Field::Name, Field::Pid, Field::Status, Field::Code, Field::Runtime];
    if list.items.iter().any(|item| item.load.is_some()) {
        fields.extend([Field::Cpu, Field::Memory, Field::Logs]);
    }
    if list.verbose {
        fields.extend([Field::Owner, Field::Command]);
    } else if look.width.is_none() && list.items.iter().any(|item| matches!(item.entry, Entry::Broken(_))) {
        // On a terminal there is room for it below the table only.
        fields.push(Field::Note);
    }
    fields
}

fn column(field: Field, list: &List<'_>, look: &Look) -> Column {
    let cell = |item: &Item| match (load_cell(field, item.load.as_ref()), &item.entry) {
        (Some(cell), _) => cell,
        (None, Entry::Whole(hap)) => whole_cell(field, hap, list.owner, look),
        (None, Entry::Broken(broken)) => broken_cell(field, broken, look),
    };
    Column { field, cells: list.items.iter().map(cell).collect() }
}

/// What it takes, if the column is about that.
fn load_cell(field: Field, load: Option<&Load>) -> Option<String> {
    match field {
        Field::Cpu => Some(load.and_then(|load| load.cpu).map(duration::short).unwrap_or_default()),
        Field::Memory => Some(load.and_then(|load| load.memory).map(size::compact).unwrap_or_default()),
        Field::Logs => Some(load.map(|load| size::compact(load.logs)).unwrap_or_default()),
        Field::Id
        | Field::Name
        | Field::Pid
        | Field::Status
        | Field::Code
        | Field::Runtime
        | Field::Owner
        | Field::Command
        | Field::Note => None,
    }
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
        Field::Cpu | Field::Memory | Field::Logs | Field::Note => String::new(),
    }
}

fn broken_cell(field: Field, broken: &Broken, look: &Look) -> String {
    match field {
        Field::Id => broken.id.to_string(),
        Field::Status => marked(&Badge::BROKEN.text(look), look),
        Field::Note | Field::Command if look.width.is_none() => {
            visible(&format!("{}: {}", broken.path.display(), broken.reason)).into_owned()
        }
        Field::Note
        | Field::Command
        | Field::Name
        | Field::Pid
        | Field::Code
        | Field::Runtime
        | Field::Cpu
        | Field::Memory
        | Field::Logs
        | Field::Owner => String::new(),
    }
}

fn marked(text: &str, look: &Look) -> String {
    if look.colour { format!("{FROM}{text}{TO}") } else { text.to_owned() }
}

/// The heading and a line for each hap.
fn lines(columns: &[Column], items: &[Item], look: &Look) -> Vec<String> {
    let width = look.width.unwrap_or(usize::MAX);
    let rows = items.len();
    let aligned = if look.width.is_some() { align::careful(columns, rows) } else { align::plain(columns, rows) };
    let mut aligned = aligned.into_iter().map(|line| width::cut(line.trim_end(), width).into_owned());
    let heading = aligned.next().unwrap_or_default();
    let mut lines = vec![look.paint(HEADING, &heading)];
    lines.extend(aligned.zip(items).map(|(line, item)| coloured(&line, paint(&item.entry), look)));
    lines
}

fn paint(entry: &Entry) -> Paint {
    match entry {
        Entry::Whole(hap) => Badge::of(hap.status.kind()).paint,
        Entry::Broken(_) => Badge::BROKEN.paint,
    }
}

/// Puts the colour where the marks are. The second one is missing where the line was cut.
fn coloured(line: &str, paint: Paint, look: &Look) -> String {
    let Some((before, rest)) = line.split_once(FROM) else { return line.to_owned() };
    let (text, after) = rest.split_once(TO).unwrap_or((rest, ""));
    format!("{before}{}{after}", look.paint_badge(paint, text))
}

/// On a terminal: what is wrong with the broken ones, never cut.
fn notes(items: &[Item], look: &Look) -> Vec<String> {
    let Some(width) = look.width else { return Vec::new() };
    let note = |item: &Item| match &item.entry {
        Entry::Whole(_) => None,
        Entry::Broken(Broken { id, path, reason }) => {
            Some(format!("hap {id} cannot be read: {}: {reason}", path.display()))
        }
    };
    let painted = |note: String| -> Vec<String> {
        width::wrap(&visible(&note), width).iter().map(|line| look.paint(ERROR, line)).collect()
    };
    items.iter().filter_map(note).flat_map(painted).collect()
}

/// In the place of the finished ones that are not shown.
fn folded(list: &List<'_>, look: &Look) -> Vec<String> {
    let text = match list.folded {
        0 => return Vec::new(),
        1 => "1 older one has finished: `hap --all` shows it too".to_owned(),
        count => format!("{count} older ones have finished: `hap --all` shows them too"),
    };
    width::wrap(&text, look.width.unwrap_or(usize::MAX)).iter().map(|line| look.paint(FAINT, line)).collect()
}

fn count(list: &List<'_>) -> String {
    let is_active = |item: &&Item| matches!(&item.entry, Entry::Whole(hap) if hap.status.is_active());
    format!("{} active, {} in all", list.items.iter().filter(is_active).count(), list.items.len() + list.folded)
}

#[cfg(test)]
mod tests {
    use super::{List, nothing, table};
    use crate::core::record::{Loss, Outcome};
    use crate::core::status::Status;
    use crate::ops::hap::{Entry, Hap};
    use crate::ops::list::Item;
    use crate::ops::load::Load;
    use crate::view::look::Look;
    use crate::view::samples::{broken, ended, item, piped, running, terminal, whole};
    use crate::view::width;
    use std::time::Duration;

    fn owner(uid: u32) -> String {
        if uid == 1000 { "ada".to_owned() } else { uid.to_string() }
    }

    fn plain(hap: Hap) -> Item {
        item(whole(hap))
    }

    fn items() -> Vec<Item> {
        let mut restarted = running(2, "訓練");
        restarted.record.restarts = 1;
        restarted.status = Status::Paused;
        let mut leaving = ended(4, "cafe\u{301}", Outcome::Exited(0));
        leaving.leftover = 2;
        leaving.record.argv = vec!["printf".to_owned(), "a\u{1b}[31m\nb".to_owned()];
        let haps = [
            running(1, "train"),
            restarted,
            ended(3, "hap-23i0lo", Outcome::Signaled(15)),
            leaving,
            ended(12, "index", Outcome::Lost(Loss::Rebooted)),
        ];
        haps.map(plain).into()
    }

    /// The same as `-v` asks for them.
    fn loaded() -> Vec<Item> {
        let load = |cpu, memory, logs| Some(Load { cpu, memory, logs });
        let minute = Some(Duration::from_secs(62));
        let loads = [
            load(minute, Some(120 << 20), 3 << 30),
            load(minute, Some(980 << 10), 4096),
            load(Some(Duration::from_millis(1750)), None, 4096),
            load(Some(Duration::ZERO), None, 0),
            load(None, None, 0),
        ];
        items().into_iter().zip(loads).map(|(item, load)| Item { load, ..item }).collect()
    }

    fn listed(items: &[Item], verbose: bool, look: Look) -> String {
        table(&List { items, folded: 0, verbose, owner: &owner }, &look)
    }

    fn shown(verbose: bool, look: Look) -> String {
        listed(&if verbose { loaded() } else { items() }, verbose, look)
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
    fn verbose_it_has_what_they_take_command_and_owner_title_and_count() {
        let expected = "
Haps
 #  Name         PID  Status      Code         Runtime     CPU  Memory  Logs  Owner  Command
 1  train       4242  running                   3m 05s  1m 02s    120M  3.0G  ada    python train.py --epochs 90
 2  訓練@2      4242  paused                    3m 05s  1m 02s    980K  4.0K  ada    python train.py --epochs 90
 3  hap-23i0lo        failed      -15 SIGTERM     2.5s    1.7s          4.0K  ada    python train.py --epochs 90
 4  cafe\u{301}              success +2  0               2.5s    0.0s             0  ada    printf 'a\\x1b[31m\\nb'
12  index             lost                                                 0  ada    python train.py --epochs 90
2 active, 5 in all
";
        assert_eq!(shown(true, piped()), expected[1..]);
    }

    #[test]
    fn a_terminal_of_40_columns_shows_what_matters_most() {
        let expected = "
 #  Name        Status        Runtime
 1  train       ● running      3m 05s
 2  訓練@2      ‖ paused       3m 05s
 3  hap-23i0lo  ✗ failed         2.5s
 4  cafe\u{301}        ✓ success +2     2.5s
12  index       ? lost
";
        assert_eq!(shown(false, terminal(40)), expected[1..]);
        let expected = "
#  Name        Status     Code  Runtime
3  hap-23i0lo  ✗ failed   -15      2.5s
4  index       ✓ success  0        2.5s
";
        let haps = [ended(3, "hap-23i0lo", Outcome::Signaled(15)), ended(4, "index", Outcome::Exited(0))];
        assert_eq!(listed(&haps.map(plain), false, terminal(40)), expected[1..]);
    }

    #[test]
    fn a_terminal_of_80_columns_cuts_the_command() {
        let expected = "
Haps
 #  Name         PID  Status        Code  Runtime     CPU  Memory  Command
 1  train       4242  ● running            3m 05s  1m 02s    120M  python train…
 2  訓練@2      4242  ‖ paused             3m 05s  1m 02s    980K  python train…
 3  hap-23i0lo        ✗ failed      -15      2.5s    1.7s          python train…
 4  cafe\u{301}              ✓ success +2  0        2.5s    0.0s          printf 'a\\x1…
12  index             ? lost                                       python train…
2 active, 5 in all
";
        assert_eq!(shown(true, terminal(80)), expected[1..]);
    }

    #[test]
    fn every_width_is_kept_with_and_without_colour() {
        let mut items = loaded();
        items.push(item(Entry::Broken(broken(13))));
        items.push(plain(running(14, &"訓".repeat(60))));
        for width in 1..220 {
            for verbose in [false, true] {
                let plain = listed(&items, verbose, terminal(width));
                let table_lines = plain.lines().filter(|line| *line != "Haps" && !line.ends_with("in all"));
                for line in table_lines {
                    assert!(width::of(line) <= width.max(2), "{width}: {line}");
                }
                for shades in [false, true] {
                    let coloured = listed(&items, verbose, Look { colour: true, shades, ..terminal(width) });
                    assert_eq!(without_colour(&coloured), plain, "{width}");
                }
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
        let text = listed(&[plain(running(1, "running"))], false, look);
        assert_eq!(text.lines().nth(1), Some("1  running  4242  \u{1b}[36mrunning\u{1b}[0m         3m 05s"));
        assert!(!shown(true, piped()).contains('\u{1b}'));
        assert!(!shown(true, terminal(80)).contains('\u{1b}'));
    }

    #[test]
    fn piped_nothing_is_cut_however_long_and_no_line_ends_with_space() {
        let mut hap = running(1, &"n".repeat(64));
        hap.record.argv = vec!["x".repeat(200_000)];
        let text = listed(&[plain(hap), plain(running(2, "short"))], true, piped());
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains(&"x".repeat(200_000)) && text.contains(&"n".repeat(64)));
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn a_broken_one_is_a_line_with_its_path_and_the_reason() {
        let broken = item(Entry::Broken(broken(7)));
        let items = [broken, plain(ended(8, "index", Outcome::Exited(0)))];
        let expected = "
#  Name   PID  Status   Code  Runtime  Note
7              broken                  /state/haps/7/record.json: it has no command
8  index       success  0        2.5s
";
        assert_eq!(listed(&items, false, piped()), expected[1..]);
        let expected = "
#  Name   PID  Status     Code  Runtime
7              ! broken
8  index       ✓ success  0        2.5s
hap 7 cannot be read:
/state/haps/7/record.json: it has no
command
";
        assert_eq!(listed(&items, false, terminal(40)), expected[1..]);
    }

    #[test]
    fn older_ones_fold_into_one_line_that_says_how_to_see_them() {
        let items = [plain(ended(8, "index", Outcome::Exited(0)))];
        let last = |folded, look| {
            let text = table(&List { items: &items, folded, verbose: false, owner: &owner }, &look);
            text.lines().last().map(str::to_owned)
        };
        let many = "118 older ones have finished: `hap --all` shows them too";
        assert_eq!(last(118, terminal(80)).as_deref(), Some(many));
        assert_eq!(last(1, terminal(80)).as_deref(), Some("1 older one has finished: `hap --all` shows it too"));
        assert_eq!(last(0, terminal(80)).as_deref(), Some("8  index       ✓ success  0        2.5s"));
    }

    #[test]
    fn an_empty_list_says_how_to_start() {
        assert_eq!(nothing(&piped()), "No haps yet. Start one with `hap run COMMAND`\n");
    }
}
