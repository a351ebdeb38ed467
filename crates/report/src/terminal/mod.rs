//! Tables for a terminal, at most 120 columns wide.
//!
//! Each function returns text with ANSI styles; the caller strips the styles where the output is no terminal. Columns
//! of numbers are aligned to the right, columns of words to the left.

mod answers;
mod bound;
mod compare;
mod machine;
mod mapping;
mod network;
mod placement;
mod run;
mod stalls;

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::format::scaled;

pub use answers::{AnswerTotals, PictureAnswer, answers};
pub use bound::bound;
pub(crate) use bound::{PLACEMENT_BINDS, layers, name};
pub use compare::comparison;
pub(crate) use compare::{cells, headings, letter, remarks, stated};
pub use machine::{differences, figures, machines};
pub use mapping::mapping;
pub use network::{flowchart, network, networks};
pub use placement::placements;
pub use run::run;
pub(crate) use run::{both, energy_per_image, latency, rate};
pub(crate) use stalls::{chain, what_if_columns, what_if_heading, what_if_rows};
pub use stalls::{stalls, what_ifs};

/// Width of tables, in columns.
pub(crate) const WIDTH: u16 = 120;

/// A rule under the headings, no other lines.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Creates an empty table. The columns in `words` hold words, the others numbers.
fn table(headings: &[&str], words: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.enforce_styling().style_text_only();
    table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
    for (index, column) in table.column_iter_mut().enumerate() {
        let alignment = if words.contains(&index) { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table
}

fn joules(pj: f64) -> String {
    scaled(1e-12 * pj, "J")
}
