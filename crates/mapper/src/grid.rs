//! Grids: dealing the windows of a layer to its replicas.
//!
//! An [`Area`] is the rectangle of windows that is dealt, the whole map unless a mapping is made for one crop. A
//! [`Grid`] deals it to `strips` x `interleave` replicas: replica `r` takes part in strip `r / interleave` and has
//! every `interleave`-th row of cells from row `r % interleave` on. Each window of the area belongs to exactly one
//! replica.
//!
//! [`Grid::fitting`] chooses the grid for a bound on the windows of each replica. It counts tiles, since replicas that
//! fill a tile up take no further space. Of grids with equally many tiles, it takes the one with the narrowest strips:
//! tiles are placed in the order of their strips, so a tile with a narrow strip receives its inputs from few tiles of
//! the layer before, close to it, whatever the grids of the two layers are.

use std::cmp::Reverse;
use std::ops::Range;

use index::size;
use network::{Layer, LayerKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ReplicaId;

/// Most strips of a grid, as in the schema of mapping files.
const MOST_STRIPS: u32 = 16384;

/// The rectangle of a layer's map of windows that is dealt to its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// First row.
    #[schemars(range(max = 16383))]
    pub(crate) top: u32,
    /// First column.
    #[schemars(range(max = 16383))]
    pub(crate) left: u32,
    /// Rows.
    #[schemars(range(min = 1, max = 16384))]
    pub(crate) height: u32,
    /// Columns.
    #[schemars(range(min = 1, max = 16384))]
    pub(crate) width: u32,
}

impl Area {
    /// Returns the area of all windows of `layer`.
    pub(crate) fn whole(layer: &Layer) -> Self {
        Self { top: 0, left: 0, height: layer.output.height, width: layer.output.width }
    }

    /// Returns the smallest area of `layer`, in whole cells of its max-pool, outside which no window passes through its
    /// tiles. It is the whole map if none does, and for fully connected layers, which have a single window.
    pub(crate) fn passing(layer: &Layer, passes: impl Fn(u32, u32) -> bool) -> Self {
        let whole = Self::whole(layer);
        if layer.kind == LayerKind::FullyConnected {
            return whole;
        }
        let (height, width) = (layer.output.height, layer.output.width);
        let rows: Vec<u32> = (0..height).filter(|&y| (0..width).any(|x| passes(y, x))).collect();
        let columns: Vec<u32> = (0..width).filter(|&x| (0..height).any(|y| passes(y, x))).collect();
        let cell = cell(layer);
        let span = |passing: &[u32], size: u32| {
            let start = passing.first()? / cell * cell;
            let end = (passing.last()? + 1).next_multiple_of(cell).min(size);
            Some((start, end - start))
        };
        match (span(&rows, height), span(&columns, width)) {
            (Some((top, height)), Some((left, width))) => Self { top, left, height, width },
            _ => whole,
        }
    }

    /// Returns the number of windows in the area.
    pub(crate) fn windows(&self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }

    /// True if the window at row `y` and column `x` lies in the area.
    pub(crate) fn contains(&self, y: u32, x: u32) -> bool {
        (self.top..self.top + self.height).contains(&y) && (self.left..self.left + self.width).contains(&x)
    }
}

/// Returns the side of the cells that windows of `layer` are dealt in: the stride of its max-pool, if that is the same for
/// rows and columns, or 1.
pub(crate) fn cell(layer: &Layer) -> u32 {
    layer.pool.filter(|pool| pool.stride.y == pool.stride.x).map_or(1, |pool| pool.stride.y)
}

/// Assignment of a layer's windows to its replicas.
///
/// The map is cut into vertical strips, and the replicas of a strip take its rows in turn. A layer therefore proceeds
/// down its map as a whole, the next layer follows a few rows later, and a tile that holds several replicas of a strip
/// receives little more than the strip. Where the columns do not divide evenly, the edges of the strips move by up to
/// a column from one row of a replica to the next, so that over a period of rows all strips have equally many windows.
///
/// Under a max-pool, the unit is not a window but a cell of stride x stride windows, computed one after another. A pool
/// whose windows do not overlap then takes its maximum within one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Side of a cell, in windows: the stride of the max-pool, or 1.
    cell: u32,
    /// Windows that are dealt.
    area: Area,
    /// Vertical strips.
    pub(crate) strips: u32,
    /// Replicas per strip.
    pub(crate) interleave: u32,
}

impl Grid {
    /// Deals the windows of `area` of `layer` to `strips` x `interleave` replicas.
    pub(crate) fn new(layer: &Layer, area: Area, strips: u32, interleave: u32) -> Self {
        let cell = cell(layer);
        Self { cell, area, strips, interleave }
    }

    /// Returns the grid that keeps every replica to `windows` windows and takes the fewest tiles, each of
    /// `replicas_per_tile` replicas; of grids with equally many tiles, the one with the most strips.
    pub(crate) fn fitting(layer: &Layer, area: Area, windows: u64, replicas_per_tile: u32) -> Self {
        let one = Self::new(layer, area, 1, 1);
        let cells = (windows / u64::from(one.cell * one.cell)).max(1);
        let most_strips = MOST_STRIPS.max(one.cell_columns());
        let candidates = (1..=one.cell_rows()).filter_map(|interleave| {
            let rows = u64::from(one.cell_rows().div_ceil(interleave));
            let fewest = (rows * u64::from(one.cell_columns())).div_ceil(cells);
            let fewest = u32::try_from(fewest).expect("a layer has fewer than 2^32 cells");
            let mut grids =
                (fewest..=one.cell_columns().max(fewest)).map(|strips| Self { strips, interleave, ..one.clone() });
            grids.find(|grid| grid.strips <= most_strips && grid.most_cells() <= cells)
        });
        // Of grids with equally many strips, the first has the fewest replicas.
        let best = candidates.min_by_key(|grid| (grid.replicas().div_ceil(replicas_per_tile), Reverse(grid.strips)));
        best.expect("a grid with a replica for each cell fits any number of windows")
    }

    /// Returns the number of replicas.
    pub(crate) fn replicas(&self) -> u32 {
        self.strips * self.interleave
    }

    fn cell_rows(&self) -> u32 {
        self.area.height.div_ceil(self.cell)
    }

    fn cell_columns(&self) -> u32 {
        self.area.width.div_ceil(self.cell)
    }

    /// Returns the number of rows after which the edges of the strips repeat. Over them, all strips have equally many
    /// cells.
    fn period(&self) -> u32 {
        self.strips / greatest_common_divisor(self.strips, self.cell_columns())
    }

    /// Returns an upper bound, exact or a few cells too high, on the cells of the largest replica.
    fn most_cells(&self) -> u64 {
        let rows = self.cell_rows().div_ceil(self.interleave);
        let (columns, strips, period) = (u64::from(self.cell_columns()), u64::from(self.strips), self.period());
        let whole_periods = u64::from(rows / period) * (u64::from(period) * columns / strips);
        whole_periods + u64::from(rows % period) * columns.div_ceil(strips)
    }

    /// Returns the columns of cells of strip `strip` in row `turn` of one of its replicas, which is below the period.
    fn columns(&self, strip: u32, turn: u32) -> Range<u32> {
        let shift = turn * (self.strips / self.period());
        let edge = |strip: u32| {
            let edge = (u64::from(strip) * u64::from(self.cell_columns()) + u64::from(shift)) / u64::from(self.strips);
            u32::try_from(edge).expect("an edge is a column of the map")
        };
        edge(strip)..edge(strip + 1)
    }

    /// Calls `visit` with row and column of each window of replica `replica`, in the order of computation.
    pub(crate) fn visit_windows(&self, replica: ReplicaId, mut visit: impl FnMut(u32, u32)) {
        let (strip, first) = (replica.0 / self.interleave, replica.0 % self.interleave);
        let Area { top, left, height, width } = self.area;
        let within = |cell: u32, start: u32, size: u32| {
            let first = cell * self.cell;
            start + first..start + (first + self.cell).min(size)
        };
        let turns = self.period().min(self.cell_rows());
        let columns: Vec<Range<u32>> = (0..turns).map(|turn| self.columns(strip, turn)).collect();
        for (row, columns) in (first..self.cell_rows()).step_by(size(self.interleave)).zip(columns.iter().cycle()) {
            let rows = within(row, top, height);
            for column in columns.clone() {
                let columns = within(column, left, width);
                for y in rows.clone() {
                    for x in columns.clone() {
                        visit(y, x);
                    }
                }
            }
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use network::LayerId;

    use super::*;

    /// A convolution with a map of `height` x `width` windows, under a max-pool of stride `pool`.
    fn convolution(height: u32, width: u32, pool: u32) -> Layer {
        let text = format!(
            "name = \"one\"\ninput = {{ height = {height}, width = {width}, channels = 1 }}\n\
             [[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 1\n\
             [[layers]]\nname = \"p\"\nkind = \"max_pool\"\nkernel = {pool}\nstride = {pool}\n"
        );
        network::parse(&text, "one").expect("a network of one layer").layers[LayerId(0)].clone()
    }

    #[test]
    fn a_map_is_cut_into_as_many_strips_as_the_fewest_tiles_allow() {
        let fitting = |layer: &Layer, windows, replicas_per_tile| {
            let Grid { strips, interleave, .. } = Grid::fitting(layer, Area::whole(layer), windows, replicas_per_tile);
            (strips, interleave)
        };
        // 256 replicas of 196 windows: 22 tiles of 12. In strips of 7/8 of a column, each has every row.
        assert_eq!(fitting(&convolution(224, 224, 1), 196, 12), (256, 1));
        // 16 rows of 16 columns between 4 replicas of 64 windows.
        assert_eq!(fitting(&convolution(16, 16, 1), 64, 1), (4, 1));
        // 7 x 7 windows, at most 10 for each replica. A replica of 5 strips might have 11; 6 strips take as many tiles.
        assert_eq!(fitting(&convolution(7, 7, 1), 10, 3), (6, 1));
        // 6 cells of 2 x 2 windows side by side, 2 for each replica; a row of cells has 3 strips.
        assert_eq!(fitting(&convolution(4, 12, 2), 16, 1), (3, 1));
    }

    #[test]
    fn no_grid_within_the_bound_takes_fewer_tiles() {
        for (height, width) in [(5, 7), (9, 9), (12, 3), (1, 10)] {
            let layer = convolution(height, width, 1);
            let area = Area::whole(&layer);
            for (windows, replicas_per_tile) in (1..=area.windows()).flat_map(|most| [1, 2, 5].map(|per| (most, per))) {
                let tiles = |grid: &Grid| grid.replicas().div_ceil(replicas_per_tile);
                let chosen = Grid::fitting(&layer, area, windows, replicas_per_tile);
                for replica in 0..chosen.replicas() {
                    let mut computed = 0;
                    chosen.visit_windows(ReplicaId(replica), |_, _| computed += 1);
                    assert!(computed <= windows, "{computed} windows of {chosen:?} for {windows}");
                }
                let others = (1..=height).flat_map(|interleave| (1..=width).map(move |strips| (strips, interleave)));
                for (strips, interleave) in others {
                    let other = Grid::new(&layer, area, strips, interleave);
                    assert!(
                        tiles(&chosen) <= tiles(&other) || other.most_cells() > windows,
                        "{other:?} for {chosen:?}"
                    );
                }
            }
        }
    }
}
