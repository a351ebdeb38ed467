//! Cells of a map that windows need, and the steps that need them, whoever produces the map.
//!
//! The strips of a layer repeat, so most tiles compute the same windows but for the first row and column. Their cells
//! are worked out once.

use std::collections::BTreeMap;

use index::size;
use network::Kernel;

use crate::Window;

index::index! {
    /// A window of a replica, in the order of computation.
    pub(crate) struct Step(u32);
}

/// First and last step that needs a cell.
#[derive(Clone, Copy)]
pub(crate) struct Needed {
    pub(crate) first: Step,
    pub(crate) last: Step,
}

impl Needed {
    /// Steps of a cell that no window needs.
    pub(crate) const NEVER: Self = Self { first: Step(u32::MAX), last: Step(0) };

    pub(crate) fn is_ever(self) -> bool {
        self.first != Self::NEVER.first
    }

    pub(crate) fn join(&mut self, step: Step) {
        self.first = self.first.min(step);
        self.last = self.last.max(step);
    }
}

/// Windows of some replicas with their steps, rows and columns, counted from the first row and column of all.
type Pattern = Vec<(Step, u16, u16)>;

/// Cells under the windows of known patterns.
pub(crate) type Known = BTreeMap<Pattern, Field>;

/// Returns the first row and column of the `windows` of some replicas that read a map, and their pattern: crossbars read
/// nothing for windows that are kept.
pub(crate) fn pattern(windows: &[&[Window]]) -> (u16, u16, Pattern) {
    let mut pattern = Pattern::with_capacity(windows.iter().map(|windows| windows.len()).sum());
    for windows in windows {
        let reading = windows.iter().zip((0..).map(Step)).filter(|(window, _)| window.bits > 0);
        reading.for_each(|(window, step)| pattern.push((step, window.y, window.x)));
    }
    let top = pattern.iter().map(|&(_, y, _)| y).min().unwrap_or(0);
    let left = pattern.iter().map(|&(.., x)| x).min().unwrap_or(0);
    for (_, y, x) in &mut pattern {
        (*y, *x) = (*y - top, *x - left);
    }
    (top, left, pattern)
}

/// Rectangle of cells under the windows of a pattern, padding included. It begins with the first cell of a window in the
/// first row and column.
pub(crate) struct Field {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    /// Steps that need each cell, row by row.
    pub(crate) needed: Vec<Needed>,
}

impl Field {
    /// Finds the cells that the windows of `pattern` read through `kernel`.
    pub(crate) fn under(pattern: &Pattern, kernel: &Kernel) -> Self {
        let Kernel { size: reach, stride, dilation, .. } = *kernel;
        let read = |window: u16, reach: u32, stride: u32, dilation: u32| {
            (0..reach).map(move |position| u32::from(window) * stride + position * dilation)
        };
        let rows_of = |y| read(y, reach.y, stride.y, dilation.y);
        let columns_of = |x| read(x, reach.x, stride.x, dilation.x);
        let rows = pattern.iter().filter_map(|&(_, y, _)| rows_of(y).next_back()).max().map_or(0, |last| last + 1);
        let columns = pattern.iter().filter_map(|&(.., x)| columns_of(x).next_back()).max().map_or(0, |last| last + 1);
        let mut needed = vec![Needed::NEVER; size(rows) * size(columns)];
        for &(step, y, x) in pattern {
            for row in rows_of(y) {
                let row = &mut needed[size(row) * size(columns)..][..size(columns)];
                columns_of(x).for_each(|column| row[size(column)].join(step));
            }
        }
        Self { rows, columns, needed }
    }
}
