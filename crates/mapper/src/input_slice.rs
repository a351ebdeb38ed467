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

use index::{Index, IndexVec, Lists, size};
use network::{Kernel, MapId, Shape};

use crate::{Finishes, LayerLayout, LevelId, ReplicaId, TileId, Window};

index::index! {
    /// A window of a replica, in the order of computation.
    struct Step(u32);
}

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
    /// Windows per image of the replica with the most.
    steps: usize,
    /// First row and column of the rectangle that holds the positions.
    origin: (u32, u32),
    /// Columns of that rectangle.
    width: u32,
    /// Sequence number of each cell of the rectangle.
    ranks: Vec<Rank>,
    /// Last step that needs each position, by sequence number.
    last_needed: Vec<Step>,
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

/// First and last step that needs a cell.
#[derive(Clone, Copy)]
struct Needed {
    first: Step,
    last: Step,
}

impl Needed {
    /// Steps of a cell that no window needs.
    const NEVER: Self = Self { first: Step(u32::MAX), last: Step(0) };

    fn is_ever(self) -> bool {
        self.first != Self::NEVER.first
    }

    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
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
    /// Returns the cells that crossbars read with `kernel` for the `windows` of each replica of a layer with `window_rows`
    /// rows of them. They read nothing for windows that are kept.
    pub(crate) fn read(windows: &[&[Window]], window_rows: u32, kernel: &Kernel, map: Shape) -> Self {
        let computed = |window: &&Window| window.bits > 0;
        let all = || windows.iter().flat_map(|windows| windows.iter()).filter(computed);
        let (rows, columns) = read_extent(all(), kernel, map);
        // Windows side by side read the same rows of cells, so the columns that each row of windows needs come first.
        let width = columns.len();
        let mut of_windows = vec![Needed::NEVER; size(window_rows) * width];
        for windows in windows {
            for (step, window) in (0..).map(Step).zip(windows.iter()).filter(|(_, window)| computed(window)) {
                let read = kernel.columns(window.x.into(), map.width);
                let start = usize::from(window.y) * width + size(read.start - columns.start);
                for column in of_windows[start..start + read.len()].iter_mut().step_by(size(kernel.dilation.x)) {
                    column.join(Needed { first: step, last: step });
                }
            }
        }
        let mut needed = vec![Needed::NEVER; rows.len() * width];
        for (y, of_windows) in (0..).zip(of_windows.chunks(width.max(1))) {
            if of_windows.iter().any(|column| column.is_ever()) {
                for y in kernel.rows(y, map.height).step_by(size(kernel.dilation.y)) {
                    let start = size(y - rows.start) * width;
                    let row = &mut needed[start..start + width];
                    row.iter_mut().zip(of_windows).for_each(|(cell, column)| cell.join(*column));
                }
            }
        }
        Self { steps: most_windows(windows.iter().copied()), rows, columns, needed }
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
            needed[cell].join(Needed { first: Step(step), last: Step(step) });
        }
        Self { steps: most_windows(replicas.iter().map(|&replica| layer.windows(replica))), rows, columns, needed }
    }
}

fn most_windows<'a>(replicas: impl Iterator<Item = &'a [Window]>) -> usize {
    replicas.map(<[Window]>::len).max().unwrap_or(0)
}

/// Returns rows and columns that hold all positions that `windows` read.
fn read_extent<'a>(windows: impl Iterator<Item = &'a Window>, kernel: &Kernel, map: Shape) -> (Range<u32>, Range<u32>) {
    let (mut top_left, mut bottom_right) = ((u16::MAX, u16::MAX), (0, 0));
    for window in windows {
        top_left = (window.y.min(top_left.0), window.x.min(top_left.1));
        bottom_right = (window.y.max(bottom_right.0), window.x.max(bottom_right.1));
    }
    if top_left > bottom_right {
        return (0..0, 0..0);
    }
    let rows = |y: u16| kernel.rows(y.into(), map.height);
    let columns = |x: u16| kernel.columns(x.into(), map.width);
    let start = |first: u32, dilation: u32| {
        // Where dilated windows begin in the padding, a later window may read an earlier position.
        first.saturating_sub(dilation - 1)
    };
    (
        start(rows(top_left.0).start, kernel.dilation.y)..rows(bottom_right.0).end,
        start(columns(top_left.1).start, kernel.dilation.x)..columns(bottom_right.1).end,
    )
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
        let mut received_in: Vec<Option<Step>> =
            needed.iter().map(|needed| needed.is_ever().then_some(needed.first)).collect();
        if let Some(source) = source {
            for (y, row) in rows.zip(received_in.chunks_mut(size(width.max(1)))) {
                for (step, finish) in row.iter_mut().zip(source.between(y, &columns)) {
                    *step = step.and(finish.map(|finish| Step(finish.step)));
                }
            }
        }
        let received = received_in.iter().zip(0u32..).filter_map(|(step, cell)| Some(((*step)?, cell)));
        let received: Lists<Step, u32> = Lists::grouped(source.map_or(steps, |_| source_steps), received);
        let mut ranks = vec![Rank::NONE; needed.len()];
        let mut last_needed = Vec::with_capacity(received.items().len());
        // For each step, one more than the highest sequence number among the positions that are first needed in it.
        let mut wanted: IndexVec<Step, u32> = IndexVec::filled(0, steps);
        for (rank, &cell) in (0u32..).zip(received.items()) {
            let cell = size(cell);
            ranks[cell] = Rank(rank);
            let Needed { first, last } = needed[cell];
            last_needed.push(last);
            wanted[first] = rank + 1;
        }
        if let Some(through) = through {
            // Positions that the producer finishes before each of its steps.
            let mut before = vec![0];
            for finished in received.iter() {
                before
                    .push(before[before.len() - 1] + u32::try_from(finished.len()).expect("fewer than 2^32 positions"));
            }
            for (wanted, through) in wanted.iter_mut().zip(through) {
                *wanted = (*wanted).max(before[size(*through).min(before.len() - 1)]);
            }
        }
        let positions = u32::try_from(last_needed.len()).expect("fewer than 2^32 positions");
        let mut order = Self { positions, positions_at_once: 0, steps, origin, width, ranks, last_needed };
        order.positions_at_once = order.count_at_once(&wanted);
        order
    }

    /// Returns the most positions held at once if each step admits the positions below its entry of `wanted`, and drops
    /// those that no later step needs.
    fn count_at_once(&self, wanted: &IndexVec<Step, u32>) -> u32 {
        let mut dropped_after: IndexVec<Step, u32> = IndexVec::filled(0, self.steps);
        let (mut admitted, mut held, mut most) = (0u32, 0u32, 0u32);
        for (step, &wanted) in wanted.enumerate() {
            for rank in admitted..wanted.max(admitted) {
                held += 1;
                dropped_after[self.last_needed[size(rank)]] += 1;
            }
            admitted = admitted.max(wanted);
            most = most.max(held);
            held -= dropped_after[step];
        }
        most
    }

    /// Returns the limit for each step of the slowest replica, which holds once all earlier windows have been read:
    /// positions that producers may have sent, relative to the start of the current image. The buffer holds `capacity`
    /// positions, if given, and two images at most.
    pub fn limits(&self, capacity: Option<u64>) -> Vec<u32> {
        let capacity = capacity.unwrap_or(u64::MAX);
        let mut dropped_after: IndexVec<Step, u64> = IndexVec::filled(0, self.steps);
        let (mut sent, mut held) = (0u32, 0u64);
        dropped_after
            .indices()
            .map(|step| {
                while sent < 2 * self.positions && held < capacity {
                    held += 1;
                    if sent < self.positions {
                        dropped_after[self.last_needed[size(sent)]] += 1;
                    }
                    sent += 1;
                }
                let limit = sent;
                held -= dropped_after[step];
                limit
            })
            .collect()
    }

    /// Returns, for each step and for the end of the image, the number of positions that only earlier steps need.
    pub fn dropped_before(&self) -> Vec<u32> {
        let mut dropped = vec![0; self.steps + 1];
        for &step in &self.last_needed {
            dropped[step.index() + 1] += 1;
        }
        for step in 1..dropped.len() {
            dropped[step] += dropped[step - 1];
        }
        dropped
    }

    /// Returns the sequence number of the position at row `y` and column `x` of the input map; `None` if the tile does
    /// not receive it. The position must lie under a window of the replicas.
    #[inline]
    pub fn rank(&self, y: u32, x: u32) -> Option<u32> {
        self.ranks[size((y - self.origin.0) * self.width + x - self.origin.1)].get()
    }

    /// Returns the received positions, each as row times `map_width` plus column, with their sequence numbers.
    pub fn received(&self, map_width: u32) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let rows = (self.origin.0..).zip(self.ranks.chunks(size(self.width.max(1))));
        let cells = rows.flat_map(move |(y, ranks)| (y * map_width + self.origin.1..).zip(ranks));
        cells.filter_map(|(position, rank)| Some((position, rank.get()?)))
    }
}
