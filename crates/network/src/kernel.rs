//! Kernels: windows that move over a map, of a convolution or a pool.

use std::fmt;
use std::ops::Range;

use crate::Shape;

/// A number for each axis of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axes {
    /// Rows.
    pub y: u32,
    /// Columns.
    pub x: u32,
}

impl Axes {
    /// The same number for both axes.
    pub const fn both(number: u32) -> Self {
        Self { y: number, x: number }
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.y, self.x)
    }
}

/// A number for each side of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides {
    /// Rows before the first.
    pub top: u32,
    /// Columns before the first.
    pub left: u32,
    /// Rows after the last.
    pub bottom: u32,
    /// Columns after the last.
    pub right: u32,
}

impl Sides {
    /// The same number for all sides.
    pub const fn all(number: u32) -> Self {
        Self { top: number, left: number, bottom: number, right: number }
    }

    /// True if all numbers are the same.
    pub fn are_equal(self) -> bool {
        self == Self::all(self.top)
    }
}

/// A window that moves over a map.
///
/// A window of row `y` reads the rows `y * stride - padding.top + k * dilation` for each `k` below the size, as far as
/// they lie in the map, and columns likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Rows and columns that a window reads.
    pub size: Axes,
    /// Step from window to window.
    pub stride: Axes,
    /// Step from one position that a window reads to the next.
    pub dilation: Axes,
    /// Positions around the map: zeros for a convolution; never the maximum for a max-pool.
    pub padding: Sides,
}

impl Kernel {
    /// Returns the kernel with equal axes and sides, and no dilation.
    pub const fn square(size: u32, stride: u32, padding: u32) -> Self {
        Self {
            size: Axes::both(size),
            stride: Axes::both(stride),
            dilation: Axes::both(1),
            padding: Sides::all(padding),
        }
    }

    /// Returns the kernel that covers `map`, with a single window.
    pub const fn covering(map: Shape) -> Self {
        Self { size: Axes { y: map.height, x: map.width }, ..Self::square(1, 1, 0) }
    }

    /// True if axes and sides are equal and there is no dilation.
    pub fn is_square(&self) -> bool {
        *self == Self::square(self.size.y, self.stride.y, self.padding.top)
    }

    /// Returns the positions of a window.
    pub fn positions(&self) -> u32 {
        self.size.y * self.size.x
    }

    /// Returns rows and columns of the map of windows over `map`; `None` if the padded map is smaller than a window.
    pub fn windows(&self, map: Shape) -> Option<(u32, u32)> {
        let along = |axis: Axis, length: u32| {
            let padded = u64::from(length) + u64::from(axis.before) + u64::from(axis.after);
            let windows = padded.checked_sub(axis.span())? / u64::from(axis.stride) + 1;
            u32::try_from(windows).ok()
        };
        Some((along(self.rows_axis(), map.height)?, along(self.columns_axis(), map.width)?))
    }

    /// Returns the rows of a map of `height` rows that a window of row `y` reads: every `dilation.y`-th of the range.
    #[inline]
    pub fn rows(&self, y: u32, height: u32) -> Range<u32> {
        self.rows_axis().read(y, height)
    }

    /// Returns the columns of a map of `width` columns that a window of column `x` reads: every `dilation.x`-th of the
    /// range.
    #[inline]
    pub fn columns(&self, x: u32, width: u32) -> Range<u32> {
        self.columns_axis().read(x, width)
    }

    /// Returns the row of a map of `height` rows that a window of row `y` reads in row `row` of the kernel; `None` in the
    /// padding.
    #[inline]
    pub fn row_read(&self, y: u32, row: u32, height: u32) -> Option<u32> {
        self.rows_axis().at(y, row, height)
    }

    /// Returns the column of a map of `width` columns that a window of column `x` reads in column `column` of the kernel;
    /// `None` in the padding.
    #[inline]
    pub fn column_read(&self, x: u32, column: u32, width: u32) -> Option<u32> {
        self.columns_axis().at(x, column, width)
    }

    /// Returns the rows of windows that read no padding above or below a map of `height` rows.
    pub fn rows_within(&self, height: u32) -> Range<u32> {
        self.rows_axis().within(height)
    }

    /// Returns the columns of windows that read no padding beside a map of `width` columns.
    pub fn columns_within(&self, width: u32) -> Range<u32> {
        self.columns_axis().within(width)
    }

    /// Returns the rows of windows, of `windows` in all, that reach over row `y` of the map. With dilation, not all of
    /// them read it.
    #[inline]
    pub fn rows_over(&self, y: u32, windows: u32) -> Range<u32> {
        self.rows_axis().over(y, windows)
    }

    /// Returns the columns of windows, of `windows` in all, that reach over column `x` of the map. With dilation, not
    /// all of them read it.
    #[inline]
    pub fn columns_over(&self, x: u32, windows: u32) -> Range<u32> {
        self.columns_axis().over(x, windows)
    }

    #[inline]
    fn rows_axis(&self) -> Axis {
        let Self { size, stride, dilation, padding } = self;
        Axis { size: size.y, stride: stride.y, dilation: dilation.y, before: padding.top, after: padding.bottom }
    }

    #[inline]
    fn columns_axis(&self) -> Axis {
        let Self { size, stride, dilation, padding } = self;
        Axis { size: size.x, stride: stride.x, dilation: dilation.x, before: padding.left, after: padding.right }
    }

    /// Composes this kernel and `next`, which follows it, into one max-pool: its window covers all windows of this
    /// kernel under one window of `next`. Neither has dilation. `None` if a size does not fit 32 bits.
    pub(crate) fn then(&self, next: &Kernel) -> Option<Kernel> {
        let along = |first: Axis, next: Axis| {
            Some(Axis {
                size: first.size.checked_add((next.size - 1).checked_mul(first.stride)?)?,
                stride: first.stride.checked_mul(next.stride)?,
                dilation: 1,
                before: next.before.checked_mul(first.stride)?.checked_add(first.before)?,
                after: next.after.checked_mul(first.stride)?.checked_add(first.after)?,
            })
        };
        let rows = along(self.rows_axis(), next.rows_axis())?;
        let columns = along(self.columns_axis(), next.columns_axis())?;
        Some(Kernel {
            size: Axes { y: rows.size, x: columns.size },
            stride: Axes { y: rows.stride, x: columns.stride },
            dilation: Axes::both(1),
            padding: Sides { top: rows.before, left: columns.before, bottom: rows.after, right: columns.after },
        })
    }
}

/// One axis of a kernel.
#[derive(Clone, Copy)]
struct Axis {
    size: u32,
    stride: u32,
    dilation: u32,
    before: u32,
    after: u32,
}

impl Axis {
    /// Returns the positions from the first to the last that a window reads.
    fn span(self) -> u64 {
        u64::from(self.dilation) * u64::from(self.size - 1) + 1
    }

    #[inline]
    fn read(self, window: u32, length: u32) -> Range<u32> {
        let start = window * self.stride;
        let end = (start + self.dilation * (self.size - 1) + 1).saturating_sub(self.before).min(length);
        // A window that begins in the padding reads its first position in the map a whole number of steps later.
        let first = if start < self.before {
            start + (self.before - start).div_ceil(self.dilation) * self.dilation
        } else {
            start
        };
        first - self.before..end
    }

    #[inline]
    fn at(self, window: u32, number: u32, length: u32) -> Option<u32> {
        (window * self.stride + number * self.dilation).checked_sub(self.before).filter(|at| *at < length)
    }

    fn within(self, length: u32) -> Range<u32> {
        let last = (u64::from(length) + u64::from(self.before)).checked_sub(self.span());
        let end = last.map_or(0, |last| last / u64::from(self.stride) + 1);
        self.before.div_ceil(self.stride)..u32::try_from(end).expect("a map has fewer than 2^32 rows and columns")
    }

    #[inline]
    fn over(self, position: u32, windows: u32) -> Range<u32> {
        let position = position + self.before;
        let before_first = self.dilation * (self.size - 1);
        position.saturating_sub(before_first).div_ceil(self.stride)..(position / self.stride + 1).min(windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_read_what_reaches_over_each_position() {
        let numbers = |most: u32| 1..=most;
        for (size, stride, dilation) in
            numbers(3).flat_map(|a| numbers(3).flat_map(move |b| numbers(3).map(move |c| (a, b, c))))
        {
            for (before, after) in [(0, 0), (1, 0), (0, 2), (2, 1)] {
                let padding = Sides { top: before, bottom: after, left: 0, right: 0 };
                let kernel = Kernel {
                    size: Axes { y: size, x: 1 },
                    stride: Axes { y: stride, x: 1 },
                    dilation: Axes { y: dilation, x: 1 },
                    padding,
                };
                let map = Shape { height: 9, width: 1, channels: 1 };
                let (windows, _) = kernel.windows(map).expect("the map is larger");
                for window in 0..windows {
                    let defined: Vec<u32> = (0..size)
                        .filter_map(|k| (window * stride + k * dilation).checked_sub(before))
                        .filter(|row| *row < 9)
                        .collect();
                    let rows: Vec<u32> = kernel.rows(window, 9).step_by(index::size(dilation)).collect();
                    assert_eq!(rows, defined, "window {window} of {kernel:?}");
                    let one_by_one: Vec<u32> = (0..size).filter_map(|k| kernel.row_read(window, k, 9)).collect();
                    assert_eq!(one_by_one, defined, "window {window} of {kernel:?}");
                    let is_within = kernel.rows_within(9).contains(&window);
                    assert_eq!(is_within, rows.len() == index::size(size), "window {window} of {kernel:?}");
                    for row in rows {
                        assert!(kernel.rows_over(row, windows).contains(&window), "row {row} of {kernel:?}");
                    }
                }
                for row in 0..9 {
                    for window in kernel.rows_over(row, windows) {
                        let rows = kernel.rows(window, 9);
                        let reach = dilation - 1;
                        assert!((rows.start.saturating_sub(reach)..rows.end).contains(&row), "{row} of {kernel:?}");
                    }
                }
            }
        }
    }
}
