//! Cells of a map that windows need, and the steps that need them, whoever produces the map.
//!
//! The strips of a layer repeat, so most tiles compute the same windows but for the first row and column. Their cells
//! are worked out once.

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

/// Windows of some replicas of a layer.
pub(crate) struct Windows<'a> {
    of_replicas: Vec<&'a [Window]>,
    /// First row of all.
    pub(crate) top: u16,
    /// First column of all.
    pub(crate) left: u16,
}

/// Windows with the cells under them. Cells are alike under windows that repeat these.
pub(crate) type Known<'a> = Vec<(Windows<'a>, Field)>;

impl<'a> Windows<'a> {
    pub(crate) fn new(of_replicas: Vec<&'a [Window]>) -> Self {
        let all = || of_replicas.iter().copied().flatten();
        let top = all().map(|window| window.y).min().unwrap_or(0);
        let left = all().map(|window| window.x).min().unwrap_or(0);
        Self { of_replicas, top, left }
    }

    /// True if these are the windows of `other`, all moved by as many rows and columns.
    pub(crate) fn repeat(&self, other: &Self) -> bool {
        let place = |of: &Self, window: &Window| (window.y - of.top, window.x - of.left, window.bits > 0);
        let alike = |(own, others): (&&[Window], &&[Window])| {
            own.len() == others.len() && own.iter().zip(*others).all(|(a, b)| place(self, a) == place(other, b))
        };
        self.of_replicas.len() == other.of_replicas.len() && self.of_replicas.iter().zip(&other.of_replicas).all(alike)
    }

    /// Returns the windows with their steps, rows and columns, counted from the first row and column. Crossbars read
    /// nothing for windows that are kept.
    fn reading(&self) -> impl Iterator<Item = (Step, u16, u16)> {
        let steps = self.of_replicas.iter().flat_map(|windows| (0..).map(Step).zip(*windows));
        let reading = steps.filter(|(_, window)| window.bits > 0);
        reading.map(|(step, window)| (step, window.y - self.top, window.x - self.left))
    }
}

/// Rectangle of cells under the windows of some replicas, padding included. It begins with the first cell of a window in
/// the first row and column.
pub(crate) struct Field {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    /// Steps that need each cell, row by row.
    pub(crate) needed: Vec<Needed>,
}

impl Field {
    /// Finds the cells that crossbars read through `kernel` for `windows`.
    pub(crate) fn under(windows: &Windows, kernel: &Kernel) -> Self {
        let Kernel { size: reach, stride, dilation, .. } = *kernel;
        let read = |window: u16, reach: u32, stride: u32, dilation: u32| {
            (0..reach).map(move |position| u32::from(window) * stride + position * dilation)
        };
        let rows_of = |y| read(y, reach.y, stride.y, dilation.y);
        let columns_of = |x| read(x, reach.x, stride.x, dilation.x);
        let reading: Vec<_> = windows.reading().collect();
        let rows = reading.iter().filter_map(|&(_, y, _)| rows_of(y).next_back()).max().map_or(0, |last| last + 1);
        let columns = reading.iter().filter_map(|&(.., x)| columns_of(x).next_back()).max().map_or(0, |last| last + 1);
        let mut needed = vec![Needed::NEVER; size(rows) * size(columns)];
        for (step, y, x) in reading {
            for row in rows_of(y) {
                let row = &mut needed[size(row) * size(columns)..][..size(columns)];
                columns_of(x).for_each(|column| row[size(column)].join(step));
            }
        }
        Self { rows, columns, needed }
    }
}
