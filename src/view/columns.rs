//! Which columns of the table there is room for, and how wide they are.
//!
//! Must not know what the cells say. Invariant: after [`fit`] the columns are no wider than the
//! terminal, unless that is narrower than the headings of those that never give way.

use comfy_table::CellAlignment;

use super::width;

/// Between two columns.
const GAP: usize = 2;

/// So much of a command or a name is worth showing before something else gives way.
const LEAST_COMMAND: usize = 12;
const LEAST_NAME: usize = 20;

/// What a column is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Name,
    Pid,
    Status,
    Code,
    Runtime,
    Cpu,
    Memory,
    Logs,
    Owner,
    Command,
    Note,
}

/// One column, sanitised.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) field: Field,
    pub(super) cells: Vec<String>,
}

/// What happens, one after the other, until the rest fits.
#[derive(Clone, Copy)]
enum Step {
    Drop(Field),
    ShortenCodes,
}

const GIVING_WAY: [Step; 9] = [
    Step::Drop(Field::Owner),
    Step::ShortenCodes,
    Step::Drop(Field::Logs),
    Step::Drop(Field::Command),
    Step::Drop(Field::Memory),
    Step::Drop(Field::Cpu),
    Step::Drop(Field::Pid),
    Step::Drop(Field::Code),
    Step::Drop(Field::Runtime),
];

impl Field {
    /// What stands above the column.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Id => "#",
            Self::Name => "Name",
            Self::Pid => "PID",
            Self::Status => "Status",
            Self::Code => "Code",
            Self::Runtime => "Runtime",
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Logs => "Logs",
            Self::Owner => "Owner",
            Self::Command => "Command",
            Self::Note => "Note",
        }
    }

    /// Numbers are compared from their last digit on.
    pub(super) fn alignment(self) -> CellAlignment {
        match self {
            Self::Id | Self::Pid | Self::Runtime | Self::Cpu | Self::Memory | Self::Logs => CellAlignment::Right,
            Self::Name | Self::Status | Self::Code | Self::Owner | Self::Command | Self::Note => CellAlignment::Left,
        }
    }

    /// Of any length: it comes last, and nothing is aligned with its end.
    pub(super) fn is_free_text(self) -> bool {
        matches!(self, Self::Command | Self::Note)
    }
}

impl Column {
    pub(super) fn width(&self) -> usize {
        let widest = self.cells.iter().map(|cell| width::of(cell)).max().unwrap_or(0);
        widest.max(width::of(self.field.heading()))
    }

    /// How narrow it can become before another column has to give way.
    fn least(&self) -> usize {
        match self.field {
            Field::Command => self.width().min(LEAST_COMMAND),
            Field::Name => self.width().min(LEAST_NAME),
            _ => self.width(),
        }
    }

    fn cut(&mut self, width: usize) {
        for cell in &mut self.cells {
            *cell = width::cut(cell, width).into_owned();
        }
    }
}

/// Takes away what there is no room for: of the command first, of the names last.
pub(super) fn fit(columns: &mut Vec<Column>, width: usize) {
    for step in GIVING_WAY {
        if sum(columns, Column::least) <= width {
            break;
        }
        give_way(columns, step);
    }
    // What the name takes, the command cannot have.
    for field in [Field::Name, Field::Command] {
        let others = sum(columns, |column| if column.field == field { 0 } else { least_or_width(column, field) });
        if let Some(column) = columns.iter_mut().find(|column| column.field == field) {
            column.cut(width.saturating_sub(others).max(1));
        }
    }
}

/// While the name is measured out, the command claims only its least.
fn least_or_width(column: &Column, measured: Field) -> usize {
    if measured == Field::Name { column.least() } else { column.width() }
}

fn give_way(columns: &mut Vec<Column>, step: Step) {
    match step {
        Step::Drop(field) => columns.retain(|column| column.field != field),
        Step::ShortenCodes => {
            for column in columns.iter_mut().filter(|column| column.field == Field::Code) {
                for cell in &mut column.cells {
                    cell.truncate(cell.find(' ').unwrap_or(cell.len()));
                }
            }
        }
    }
}

fn sum(columns: &[Column], width_of: impl Fn(&Column) -> usize) -> usize {
    columns.iter().map(width_of).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{Column, Field, fit, sum};
    use proptest::prelude::*;

    fn columns(name: &str, command: &str) -> Vec<Column> {
        let column = |field, cell: &str| Column { field, cells: vec![cell.to_owned()] };
        vec![
            column(Field::Id, "1"),
            column(Field::Name, name),
            column(Field::Pid, "4242"),
            column(Field::Status, "✗ failed"),
            column(Field::Code, "-15 SIGTERM"),
            column(Field::Runtime, "3m 05s"),
            column(Field::Cpu, "1m 02s"),
            column(Field::Memory, "120M"),
            column(Field::Logs, "4.0K"),
            column(Field::Owner, "ada"),
            column(Field::Command, command),
        ]
    }

    fn fitted(name: &str, command: &str, width: usize) -> Vec<String> {
        let mut columns = columns(name, command);
        fit(&mut columns, width);
        columns.into_iter().flat_map(|column| column.cells).collect()
    }

    #[test]
    fn the_command_gives_way_first_and_the_name_last() {
        let steps: [(usize, &str); 12] = [
            (98, "1|train|4242|✗ failed|-15 SIGTERM|3m 05s|1m 02s|120M|4.0K|ada|python train.py -e 90"),
            (95, "1|train|4242|✗ failed|-15 SIGTERM|3m 05s|1m 02s|120M|4.0K|ada|python train.py -…"),
            (88, "1|train|4242|✗ failed|-15 SIGTERM|3m 05s|1m 02s|120M|4.0K|python train.py -…"),
            (81, "1|train|4242|✗ failed|-15|3m 05s|1m 02s|120M|4.0K|python train.py -…"),
            (74, "1|train|4242|✗ failed|-15|3m 05s|1m 02s|120M|python train.py …"),
            (68, "1|train|4242|✗ failed|-15|3m 05s|1m 02s|120M"),
            (54, "1|train|4242|✗ failed|-15|3m 05s|1m 02s"),
            (46, "1|train|4242|✗ failed|-15|3m 05s"),
            (38, "1|train|✗ failed|-15|3m 05s"),
            (32, "1|train|✗ failed|3m 05s"),
            (26, "1|train|✗ failed"),
            (15, "1|t…|✗ failed"),
        ];
        for (width, cells) in steps {
            assert_eq!(fitted("train", "python train.py -e 90", width).join("|"), cells, "{width}");
        }
    }

    #[test]
    fn a_long_name_shrinks_before_a_short_column_has_to_go() {
        let cells = fitted("a-name-of-quite-some-length", "make", 64);
        assert_eq!(cells[1..], ["a-name-of-quite-some-…", "4242", "✗ failed", "-15", "3m 05s", "1m 02s"]);
    }

    proptest! {
        #[test]
        fn all_fits(name in "[a-z訓é]{1,64}", command in "[a-z 訓]{0,99}", width in 17_usize..250) {
            let mut columns = columns(&name, &command);
            fit(&mut columns, width);
            prop_assert!(sum(&columns, Column::width) <= width);
        }
    }
}
