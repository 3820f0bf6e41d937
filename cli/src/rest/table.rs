//! Tables for people.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::one_line;
use crate::output::printable;

/// What is between two columns.
const GAP: &str = "  ";

/// Rows of cells, aligned by how wide a terminal shows them.
pub(super) struct Table<const N: usize> {
    /// Their headings, and whether they are aligned to the right.
    columns: [(&'static str, bool); N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(columns: [(&'static str, bool); N]) -> Self {
        Table { columns, rows: Vec::new() }
    }

    /// Adds a row; each cell is one line in the end.
    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(&one_line(&cell)).into_owned()));
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = self.columns.map(|(heading, _)| heading.to_owned());
        let rows = || std::iter::once(&headings).chain(&self.rows);
        let widths: [usize; N] = std::array::from_fn(|at| rows().map(|row| row[at].width()).max().unwrap_or(0));
        for row in rows() {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[at] - cell.width());
                let (before, after) = if self.columns[at].1 { (pad.as_str(), "") } else { ("", pad.as_str()) };
                line += if at == 0 { "" } else { GAP };
                line += &format!("{before}{cell}{after}");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let mut table = Table::new([("ID", true), ("NAME", false), ("X", false)]);
        table.row(["7".into(), "你好\n\x1b[31m!".into(), "a".into()]);
        table.row(["123".into(), "é".into(), "b".into()]);
        assert_eq!(table.to_string(), " ID  NAME        X\n  7  你好 [31m!  a\n123  é           b\n");
    }

    #[test]
    fn a_table_without_rows_is_its_head() {
        assert_eq!(Table::new([("ID", true), ("NAME", false)]).to_string(), "ID  NAME\n");
    }
}
