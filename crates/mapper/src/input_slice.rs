//! Input slices: the inputs that one tile receives, their order and the buffer space that they need.
//!
//! An input slice has a sequence number (`rank`) for each position that it receives. Positions are sorted by the step
//! in which the producer completes them, then by row and column; the host delivers the inputs of the first layer
//! in the order in which windows need them. Cropped positions are not received and read as zero.
//!
//! A buffer admits positions by sequence number, and drops a position once the last window that needs it has been read.
//! Both follow from the mapping, so [`InputOrder`] computes once the space that a slice needs and the limits of its
//! producers. Tiles with parts of the same replicas share one order.

use std::ops::Range;
use std::sync::Arc;

use index::{Index, IndexVec, size};
use network::{Kernel, MapId, Shape};

use crate::needed::{Field, Known, Needed, Step, Windows};
use crate::{Finish, Finishes, LayerLayout, LevelId, ReplicaId, TileId, Window};

/// Part of a map that one tile receives for one layer, and holds in its eDRAM buffer.
#[derive(Clone, Debug)]
pub struct InputSlice {
    /// Tile of the board.
    pub tile: TileId,
    /// Map that the positions are of.
    pub map: MapId,
    /// Part of the tile that reads them.
    pub reader: Reader,
    /// Replicas that read it.
    pub(crate) replicas: Vec<ReplicaId>,
    /// Outputs of the map's producer that the tile reads, as disjoint ranges in order.
    pub channels: Vec<Range<u32>>,
    /// Bits of one position: all channels that the tile reads.
    pub position_bits: u64,
    /// Positions in order, shared by tiles with parts of the same replicas.
    pub order: Arc<InputOrder>,
}

/// Part of a tile that reads an input slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// Crossbars, whose windows read the positions under their kernel.
    Crossbars,
    /// The output register, into which the tile's shift-and-add merges the positions: a skip.
    Register,
}

impl InputSlice {
    /// Returns the number of channels of `outputs` that the tile reads.
    pub fn overlap(&self, outputs: &Range<u32>) -> u32 {
        overlap(&self.channels, outputs)
    }

    /// Returns the most bytes of inputs that must be in the buffer at once.
    pub fn bytes_at_once(&self) -> u64 {
        (u64::from(self.order.positions_at_once) * self.position_bits).div_ceil(8)
    }
}

/// Returns the number of values of `ranges` within `of`.
pub(crate) fn overlap(ranges: &[Range<u32>], of: &Range<u32>) -> u32 {
    ranges.iter().map(|range| range.end.min(of.end).saturating_sub(range.start.max(of.start))).sum()
}

/// Input positions that some replicas of a layer read, in the order in which the producer completes them.
///
/// The place of a position in this order is its sequence number (`rank`). A buffer admits positions by sequence number
/// and drops each after its last window, so the space that it needs follows from the mapping alone.
#[derive(Clone, Debug)]
pub struct InputOrder {
    /// Input positions per image.
    pub positions: u32,
    /// Most positions that must be in the buffer at once.
    pub positions_at_once: u32,
    /// First row and column of the rectangle that holds the positions.
    origin: (u32, u32),
    /// Columns of that rectangle.
    width: u32,
    /// Sequence number of each cell of the rectangle.
    ranks: Vec<Rank>,
    /// Cell of each sequence number.
    cells: Vec<u32>,
    /// Positions that only earlier steps need, for each step and for the end of the image.
    dropped_before: Vec<u32>,
}

/// Sequence number of a cell, or none. An `Option<u32>` would take twice the memory.
#[derive(Clone, Copy, Debug)]
struct Rank(u32);

impl Rank {
    const NONE: Self = Self(u32::MAX);

    #[inline]
    fn get(self) -> Option<u32> {
        (self.0 != Self::NONE.0).then_some(self.0)
    }
}

/// Cells of a map that some replicas need.
pub(crate) struct Cells {
    /// Windows of the replica with the most.
    steps: usize,
    /// Rows of a rectangle that holds the cells.
    rows: Range<u32>,
    /// Columns of that rectangle.
    columns: Range<u32>,
    /// Steps that need each cell, row by row.
    needed: Vec<Needed>,
}

impl Cells {
    /// Returns the cells that crossbars read with `kernel` for the windows of each replica. Cells under windows that repeat
    /// `known` ones are taken from there.
    pub(crate) fn read<'a>(windows: Vec<&'a [Window]>, kernel: &Kernel, map: Shape, known: &mut Known<'a>) -> Self {
        let steps = most_windows(windows.iter().copied());
        let windows = Windows::new(windows);
        let Windows { top, left, .. } = windows;
        let same = known.iter().position(|(known, _)| windows.repeat(known));
        let same = same.unwrap_or_else(|| {
            let field = Field::under(&windows, kernel);
            known.push((windows, field));
            known.len() - 1
        });
        let (_, field) = &known[same];
        // Cells in the map, and those in the padding before them.
        let within = |first: u16, stride: u32, cells: u32, padding: u32, length: u32| {
            let first = u32::from(first) * stride;
            let end = (first + cells).saturating_sub(padding).min(length);
            (first.saturating_sub(padding).min(end)..end, size(padding.saturating_sub(first)))
        };
        let (rows, above) = within(top, kernel.stride.y, field.rows, kernel.padding.top, map.height);
        let (columns, before) = within(left, kernel.stride.x, field.columns, kernel.padding.left, map.width);
        let mut needed = Vec::with_capacity(rows.len() * columns.len());
        for row in field.needed.chunks(size(field.columns.max(1))).skip(above).take(rows.len()) {
            // Of windows in the padding, no cell may be left.
            needed.extend_from_slice(row.get(before..before + columns.len()).unwrap_or_default());
        }
        Self { steps, rows, columns, needed }
    }

    /// Returns the cells that are merged into values of some `levels` of `layer` together with windows of `replicas`.
    pub(crate) fn merged(layer: &LayerLayout, levels: &[LevelId], replicas: &[ReplicaId]) -> Self {
        let pairs = || levels.iter().flat_map(|&level| replicas.iter().map(move |&replica| (level, replica)));
        let all = || pairs().flat_map(|(level, replica)| layer.merging(&layer.levels[level], replica));
        let span = |along: fn((u32, u32)) -> u32| {
            let first = all().map(|(_, at)| along(at)).min();
            first.map_or(0..0, |first| first..all().map(|(_, at)| along(at) + 1).max().unwrap_or(first))
        };
        let (rows, columns) = (span(|at| at.0), span(|at| at.1));
        let mut needed = vec![Needed::NEVER; rows.len() * columns.len()];
        for (step, (y, x)) in all() {
            let cell = size(y - rows.start) * columns.len() + size(x - columns.start);
            needed[cell].join(Step(step));
        }
        Self { steps: most_windows(replicas.iter().map(|&replica| layer.windows(replica))), rows, columns, needed }
    }
}

fn most_windows<'a>(replicas: impl Iterator<Item = &'a [Window]>) -> usize {
    replicas.map(<[Window]>::len).max().unwrap_or(0)
}

impl InputOrder {
    /// Orders the cells that replicas need of a map. Positions that `source` does not have are cropped and read as zero;
    /// `None` stands for the host. The replicas of the producer have at most `source_steps` windows. For each step, the
    /// positions that the producer finishes before its step of number `through` must find room, whether the step needs
    /// them or not.
    pub(crate) fn new(cells: Cells, source: Option<&Finishes>, source_steps: usize, through: Option<&[u32]>) -> Self {
        let Cells { steps, rows, columns, needed } = cells;
        let (origin, width) = ((rows.start, columns.start), columns.end - columns.start);
        // Step in which each cell is received. The host delivers its positions in the order in which they are needed.
        let mut received_in: Vec<Option<Step>> = Vec::with_capacity(needed.len());
        for (y, row) in rows.zip(needed.chunks(size(width.max(1)))) {
            match source {
                None => received_in.extend(row.iter().map(|needed| needed.is_ever().then_some(needed.first))),
                Some(source) => {
                    let cells = row.iter().zip(source.between(y, &columns));
                    let finish = |(needed, finish): (&Needed, &Option<Finish>)| finish.filter(|_| needed.is_ever());
                    received_in.extend(cells.map(finish).map(|finish| finish.map(|finish| Step(finish.step))));
                }
            }
        }
        // Sequence number of the next position that each step receives; to begin with, the positions received before it.
        let source_steps = source.map_or(steps, |_| source_steps);
        let mut next: IndexVec<Step, u32> = IndexVec::filled(0, source_steps + 1);
        received_in.iter().flatten().for_each(|step| next[*step] += 1);
        let mut positions = 0;
        for next in &mut next {
            positions += std::mem::replace(next, positions);
        }
        // For each step, the positions that must find room: up to the last of those that are first needed in it.
        let mut wanted: IndexVec<Step, u32> = IndexVec::filled(0, steps);
        for (wanted, through) in wanted.iter_mut().zip(through.unwrap_or_default()) {
            *wanted = next[Step::new(size(*through).min(source_steps))];
        }
        let mut dropped_before = vec![0; steps + 1];
        let rank = |(step, Needed { first, last }): (Option<Step>, Needed)| {
            let Some(step) = step else { return Rank::NONE };
            let rank = next[step];
            next[step] += 1;
            wanted[first] = wanted[first].max(rank + 1);
            dropped_before[last.index() + 1] += 1;
            Rank(rank)
        };
        let mut ranks: Vec<Rank> = received_in.into_iter().zip(needed).map(rank).collect();
        // They are collected in the memory of the steps, which are twice as large.
        ranks.shrink_to_fit();
        let mut cells = vec![0; size(positions)];
        for (rank, cell) in ranks.iter().zip(0..) {
            if let Some(rank) = rank.get() {
                cells[size(rank)] = cell;
            }
        }
        for step in 1..dropped_before.len() {
            dropped_before[step] += dropped_before[step - 1];
        }
        let (mut wanted_before, mut positions_at_once) = (0, 0);
        for (wanted, dropped) in wanted.iter().zip(&dropped_before) {
            wanted_before = wanted_before.max(*wanted);
            positions_at_once = positions_at_once.max(wanted_before - dropped);
        }
        Self { positions, positions_at_once, origin, width, ranks, cells, dropped_before }
    }

    /// Returns the number of positions that a buffer holds: `capacity` if it is given, and those of two images at most.
    pub fn held(&self, capacity: Option<u64>) -> u32 {
        let capacity = capacity.and_then(|capacity| u32::try_from(capacity).ok());
        capacity.map_or(2 * self.positions, |capacity| capacity.min(2 * self.positions))
    }

    /// Returns the limit that holds once all windows before `step` of the slowest replica have been read: positions that
    /// producers may have sent, relative to the start of the current image, to a buffer that holds `held`, at least
    /// [`Self::positions_at_once`].
    #[inline]
    pub fn limit(&self, held: u32, step: usize) -> u32 {
        (held + self.dropped_before[step]).min(2 * self.positions)
    }

    /// Returns the number of steps: windows of the replica with the most.
    pub fn steps(&self) -> usize {
        self.dropped_before.len() - 1
    }

    /// Returns, for each step and for the end of the image, the number of positions that only earlier steps need.
    pub fn dropped_before(&self) -> &[u32] {
        &self.dropped_before
    }

    /// Returns the number of cells of a rectangle that holds the positions.
    #[inline]
    pub fn area(&self) -> usize {
        self.ranks.len()
    }

    /// Returns the cell of the position at row `y` and column `x` of the input map, which must lie under a window of the
    /// replicas.
    #[inline]
    pub fn cell(&self, y: u32, x: u32) -> usize {
        size((y - self.origin.0) * self.width + x - self.origin.1)
    }

    /// Returns the cells of the positions, by sequence number.
    #[inline]
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// Returns the sequence number of the position at row `y` and column `x` of the input map; `None` if the tile does
    /// not receive it. The position must lie under a window of the replicas.
    pub fn rank(&self, y: u32, x: u32) -> Option<u32> {
        self.ranks[self.cell(y, x)].get()
    }

    /// Returns the received positions, each as row times `map_width` plus column, with their sequence numbers.
    pub fn received(&self, map_width: u32) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let rows = (self.origin.0..).zip(self.ranks.chunks(size(self.width.max(1))));
        let cells = rows.flat_map(move |(y, ranks)| (y * map_width + self.origin.1..).zip(ranks));
        cells.filter_map(|(position, rank)| Some((position, rank.get()?)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use network::Axes;

    use super::*;

    #[test]
    fn cells_are_needed_by_the_windows_that_read_them_wherever_a_pattern_begins() {
        let map = Shape { height: 11, width: 9, channels: 1 };
        for (reach, stride, dilation, padding) in [(3, 1, 1, 1), (3, 2, 1, 0), (2, 3, 1, 2), (3, 1, 2, 1), (1, 1, 1, 2)]
        {
            let kernel = Kernel { dilation: Axes::both(dilation), ..Kernel::square(reach, stride, padding) };
            let (rows, columns) = kernel.windows(map).expect("the map is larger");
            let side = |at: u32| u16::try_from(at).expect("the map is small");
            // Two replicas take turns in two columns of windows.
            let pairs = (0..columns - 1).map(|left| {
                let of_row =
                    |y: u32, turn| Window { y: side(y), x: side(left + (y + turn) % 2), bits: 16, whole: false };
                [0, 1].map(|turn| (0..rows).map(|y| of_row(y, turn)).collect::<Vec<_>>())
            });
            let pairs: Vec<_> = pairs.collect();
            let mut known = Known::new();
            for (left, windows) in pairs.iter().enumerate() {
                let mut expected: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
                for window in windows.iter().flatten() {
                    let step = u32::from(window.y);
                    for y in kernel.rows(step, map.height).step_by(size(dilation)) {
                        for x in kernel.columns(window.x.into(), map.width).step_by(size(dilation)) {
                            let needed = expected.entry((y, x)).or_insert((step, step));
                            *needed = (needed.0.min(step), needed.1.max(step));
                        }
                    }
                }
                let windows = windows.iter().map(Vec::as_slice).collect();
                let Cells { rows, columns, needed, .. } = Cells::read(windows, &kernel, map, &mut known);
                let at = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
                let needed = at.zip(needed).filter(|(_, needed)| needed.is_ever());
                let needed = needed.map(|(at, Needed { first, last })| (at, (first.0, last.0)));
                assert!(needed.eq(expected), "columns of windows from {left} on, {kernel:?}");
            }
            assert_eq!(known.len(), 1, "the windows differ in their first column alone");
        }
    }

    #[test]
    fn limits_let_in_what_each_step_needs_from_the_fewest_positions_at_once_on() {
        // Two replicas compute a 4 x 6 map row by row, every other row each.
        let map = Shape { height: 8, width: 12, channels: 1 };
        let kernel = Kernel::square(3, 2, 1);
        let row = |y| (0..6).map(move |x| Window { y, x, bits: 16, whole: false });
        let windows = [[0, 2], [1, 3]].map(|rows| rows.into_iter().flat_map(row).collect::<Vec<_>>());
        let windows = [windows[0].as_slice(), &windows[1]];
        let cells = Cells::read(windows.to_vec(), &kernel, map, &mut Known::new());
        let order = InputOrder::new(cells, None, 0, None);
        assert_eq!((order.positions, order.rank(0, 0), order.dropped_before().last()), (96, Some(0), Some(&96)));
        let last_needed = |step: usize| {
            let read = windows.iter().flat_map(|windows| {
                let Window { y, x, .. } = windows[step];
                let columns = kernel.columns(x.into(), map.width);
                kernel.rows(y.into(), map.height).flat_map(move |y| columns.clone().map(move |x| (y, x)))
            });
            read.filter_map(|(y, x)| order.rank(y, x)).max()
        };
        let serves = |capacity: u32| {
            let limits = (0..windows[0].len()).map(|step| order.limit(order.held(Some(capacity.into())), step));
            let held = limits.clone().zip(order.dropped_before()).map(|(limit, dropped)| limit - dropped);
            assert!(held.max() <= Some(capacity), "no more than there is room for");
            limits.zip(0..).all(|(limit, step)| last_needed(step) < Some(limit))
        };
        assert!((order.positions_at_once..=2 * order.positions).all(serves));
        assert!(!serves(order.positions_at_once - 1));
    }
}
