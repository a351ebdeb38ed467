//! Tables that fit into the width of the terminal.
//!
//! Words wrap, numbers never do. Where the numbers alone are too wide, headings wrap, and then the columns that matter
//! least are left out, which the last line says.

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width};

use super::{width, wrapped};

/// A rule under the headings, no other lines.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Columns of space around a cell, within its column.
const PADDING: usize = 2;
/// Columns of space between two columns.
const BETWEEN: usize = 1;
/// Widest word that does not wrap, where there is room, where a table could be folded, and where there is none.
const WORD: usize = 26;
const READABLE_WORD: usize = 16;
const SHORTEST_WORD: usize = 8;

/// Table.
pub(super) struct Table {
    headings: Vec<String>,
    /// Columns that hold words; the others hold numbers.
    words: Vec<usize>,
    /// Columns that can be left out, the first of them first.
    spare: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

/// Creates an empty table. The columns in `words` hold words, the others numbers.
pub(super) fn table(headings: &[&str], words: &[usize]) -> Table {
    let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
    Table { headings, words: words.to_vec(), spare: Vec::new(), rows: Vec::new() }
}

impl Table {
    /// Allows columns to be left out where the table is too wide, the first in `columns` first.
    pub(super) fn sparing(mut self, columns: &[usize]) -> Self {
        self.spare = columns.to_vec();
        self
    }

    pub(super) fn add_row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// True if the columns that cannot be left out fit into the terminal, with words that can be read.
    pub(super) fn fits(&self) -> bool {
        let columns: Vec<usize> = (0..self.headings.len()).filter(|column| !self.spare.contains(column)).collect();
        fit(&columns, &|column| self.least(column, READABLE_WORD), width())
    }

    /// Returns the table as text of the width of the terminal.
    pub(super) fn trim_fmt(&self) -> String {
        self.of_width(width())
    }

    /// Returns the table as text of a width.
    pub(super) fn of_width(&self, width: usize) -> String {
        let fits = |columns: &[usize], width_of: &dyn Fn(usize) -> usize| fit(columns, width_of, width);
        let mut shown: Vec<usize> = (0..self.headings.len()).collect();
        if fits(&shown, &|column| self.natural(column)) {
            return self.of_columns(&shown, width, None);
        }
        let words_wrap = |column| if self.is_words(column) { self.least(column, WORD) } else { self.natural(column) };
        if fits(&shown, &words_wrap) {
            return self.of_columns(&shown, width, Some(&words_wrap));
        }
        let mut left_out = Vec::new();
        for spare in &self.spare {
            if fits(&shown, &|column| self.least(column, WORD)) {
                break;
            }
            shown.retain(|column| column != spare);
            left_out.push(self.headings[*spare].as_str());
        }
        let words = (SHORTEST_WORD..=WORD).rev();
        let word = words.into_iter().find(|word| fits(&shown, &|column| self.least(column, *word)));
        let all_wrap = |column| self.least(column, word.unwrap_or(SHORTEST_WORD));
        let mut text = self.of_columns(&shown, width, Some(&all_wrap));
        if !left_out.is_empty() {
            text += "\n";
            text += &wrapped(&format!(" in a wider terminal: {}", left_out.join(", ")), width);
        }
        text
    }

    /// Returns the table of some columns. `least` returns the width of a column of numbers, and the smallest width of a
    /// column of words; without it nothing wraps.
    fn of_columns(&self, columns: &[usize], width: usize, least: Option<&dyn Fn(usize) -> usize>) -> String {
        let cell = |width: usize| u16::try_from(width).expect("a terminal is narrower");
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(cell(width));
        table.enforce_styling().style_text_only();
        let heading = |column: &usize| Cell::new(&self.headings[*column]).add_attribute(Attribute::Bold);
        table.set_header(columns.iter().map(heading));
        for row in &self.rows {
            table.add_row(columns.iter().map(|column| row[*column].clone()));
        }
        for (column, of) in columns.iter().zip(table.column_iter_mut()) {
            let is_words = self.is_words(*column);
            of.set_cell_alignment(if is_words { CellAlignment::Left } else { CellAlignment::Right });
            if let Some(least) = least {
                let least = Width::Fixed(cell(least(*column) + PADDING));
                let constraint = if is_words { ColumnConstraint::LowerBoundary } else { ColumnConstraint::Absolute };
                of.set_constraint(constraint(least));
            }
        }
        table.trim_fmt()
    }

    fn is_words(&self, column: usize) -> bool {
        self.words.contains(&column)
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = String> {
        self.rows.iter().map(move |row| row[column].content())
    }

    /// Returns the width of a column in which nothing wraps.
    fn natural(&self, column: usize) -> usize {
        let cells = self.cells(column).chain([self.headings[column].clone()]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    /// Returns the width of a column below which a number would wrap, or a word of at most `most` letters.
    fn least(&self, column: usize, most: usize) -> usize {
        let width_of = |word: &str| {
            let length = word.chars().count();
            if word.starts_with(|letter: char| letter.is_ascii_digit()) { length } else { length.min(most) }
        };
        let longest = |text: &str| text.split(' ').map(width_of).max().unwrap_or(0);
        let of_cell = |cell: String| if self.is_words(column) { longest(&cell) } else { cell.chars().count() };
        self.cells(column).map(of_cell).chain([longest(&self.headings[column])]).max().unwrap_or(0)
    }
}

/// True if columns of these widths fit into `width`.
fn fit(columns: &[usize], width_of: &dyn Fn(usize) -> usize, width: usize) -> bool {
    let widths = columns.iter().map(|column| width_of(*column) + PADDING + BETWEEN);
    widths.sum::<usize>() <= width + BETWEEN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = table(&["layer", "waits for", "all cycles", "energy"], &[0, 1]).sparing(&[2]);
        table.add_row(["conv1", "the results of all other layers", "1,234,567", "12.3 mJ"]);
        table
    }

    /// Returns the longest line behind the headings, which hold styles.
    fn longest(text: &str) -> usize {
        text.lines().skip(1).map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn words_wrap_and_numbers_do_not() {
        let text = example().of_width(44);
        assert!(text.contains("1,234,567") && text.contains("12.3 mJ") && text.lines().count() > 3, "{text}");
        assert!(longest(&text) <= 44, "{text}");
    }

    #[test]
    fn a_column_that_is_left_out_is_named() {
        let text = example().of_width(36);
        assert!(!text.contains("1,234,567") && text.ends_with(" in a wider terminal: all cycles"), "{text}");
        assert!(longest(&text) <= 36, "{text}");
    }
}
