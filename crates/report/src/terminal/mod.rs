//! Tables for a terminal, at most 120 columns wide, or narrower as [`set_width`] says.
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
mod table;

use std::sync::atomic::{AtomicUsize, Ordering};

use self::table::table;
use crate::format::scaled;

pub use answers::{AnswerTotals, PictureAnswer, answers};
pub use bound::bound;
pub(crate) use bound::{PLACEMENT_BINDS, layers, name};
pub use compare::comparison;
pub(crate) use compare::{cells, headings, letter, remarks, stated};
pub use machine::{differences, figures, machines};
pub use mapping::mapping;
pub use network::{bits, flowchart, network, networks};
pub use placement::placements;
pub use run::run;
pub(crate) use run::{both, energy_per_image, latency, rate};
pub(crate) use stalls::{chain, what_if_columns, what_if_heading, what_if_rows, what_ifs_not_run};
pub use stalls::{stalls, what_ifs};

/// Largest and smallest width of tables, in columns.
const WIDEST: usize = 120;
const NARROWEST: usize = 60;

/// Width of tables, in columns.
static WIDTH: AtomicUsize = AtomicUsize::new(WIDEST);

/// Sets the width of the terminal, in columns. It holds for all tables of the process.
pub fn set_width(columns: usize) {
    WIDTH.store(columns.clamp(NARROWEST, WIDEST), Ordering::Relaxed);
}

/// Returns the width of tables.
pub(crate) fn width() -> usize {
    WIDTH.load(Ordering::Relaxed)
}

/// Breaks the lines of a text so that each fits into the terminal.
pub(crate) fn paragraph(text: &str) -> String {
    wrapped(text, width())
}

/// Breaks the lines of a text into lines of at most `width` columns. Those that follow are indented.
fn wrapped(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let indent = line.len() - line.trim_start().len() + 2;
        let (mut broken, mut column) = (String::new(), 0);
        for word in line.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if column + length > width && column > indent {
                broken.truncate(broken.trim_end().len());
                broken = format!("{broken}\n{:indent$}", "");
                column = indent;
            }
            broken += word;
            column += word.chars().count();
        }
        broken
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn joules(pj: f64) -> String {
    scaled(1e-12 * pj, "J")
}
