//! Columns side by side.
//!
//! Must not know what the cells say. Invariant: both ways of doing it give the same lines, but for spaces
//! at their ends.

use std::iter;

use comfy_table::{CellAlignment, Table, TableStyle};

use super::columns::Column;
use super::width;

/// Between two columns.
const PADDING: u16 = 2;

/// The columns side by side. Free text at the end stays out of the table, which would pad all other
/// lines to its width and break what is longer than 65535 columns.
pub(super) fn careful(columns: &[Column], rows: usize) -> Vec<String> {
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
pub(super) fn plain(columns: &[Column], rows: usize) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::{careful, plain};
    use crate::view::columns::{Column, Field};

    #[test]
    fn for_a_pipe_the_columns_are_aligned_as_for_a_terminal() {
        let column = |field, cells: [&str; 3]| Column { field, cells: cells.map(str::to_owned).to_vec() };
        let mut columns = vec![
            column(Field::Id, ["1", "12", ""]),
            column(Field::Name, ["訓練@2", "cafe\u{301}", "a-long-name"]),
            column(Field::Status, ["\u{2060}failed\u{2061}", "lost", ""]),
            column(Field::Runtime, ["2.5s", "", "12m 05s"]),
        ];
        let trimmed = |lines: Vec<String>| lines.iter().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(plain(&columns, 3)), trimmed(careful(&columns, 3)));
        columns.push(column(Field::Command, ["make all", "", "x"]));
        assert_eq!(trimmed(plain(&columns, 3)), trimmed(careful(&columns, 3)));
    }
}
