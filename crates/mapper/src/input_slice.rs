use std::ops::Range;
use std::sync::Arc;

use network::Layer;

use crate::layout::{NEVER, Window};

/// The inputs of one layer that one tile receives and holds in its eDRAM buffer.
#[derive(Clone, Debug)]
pub struct InputSlice {
    /// Tile of the board.
    pub tile: u32,
    /// Input channels that the tile reads, as disjoint ranges in order.
    pub channels: Vec<Range<u32>>,
    /// Bits of one position.
    pub position_bits: u64,
    /// The positions. Tiles with parts of the same replicas have the same.
    pub order: Arc<InputOrder>,
}

impl InputSlice {
    /// Channels of `outputs` that the tile reads.
    pub fn overlap(&self, outputs: &Range<u32>) -> u32 {
        let overlap = |range: &Range<u32>| range.end.min(outputs.end).saturating_sub(range.start.max(outputs.start));
        self.channels.iter().map(overlap).sum()
    }

    /// Bytes of inputs that must be in the buffer at once, at the most.
    pub fn bytes_at_once(&self) -> u64 {
        (u64::from(self.order.positions_at_once) * self.position_bits).div_ceil(8)
    }
}

/// The input positions that some replicas of a layer read, in order.
///
/// Positions are numbered in the order in which the layer before produces them: their rank. A buffer admits them in
/// that order and drops each after its last window, so what it has to hold follows from the mapping alone.
#[derive(Clone, Debug)]
pub struct InputOrder {
    /// Input positions for each image.
    pub positions: u32,
    /// Positions that must be in the buffer at once, at the most.
    pub positions_at_once: u32,
    /// Windows that the longest of the replicas computes for each image.
    pub steps: u32,
    /// First row and column of the rectangle that holds the positions.
    origin: (u32, u32),
    /// Columns of that rectangle.
    width: u32,
    /// Rank of each position of the rectangle; `NEVER` for one that is not received.
    ranks: Vec<u32>,
    /// For each rank, the window index at which the position is needed last.
    last_needed: Vec<u32>,
}

impl InputOrder {
    /// What replicas of `layer` with these `windows`, in order, read; `produced` is the step at which each position of
    /// the input map is produced, or `NEVER` (cropped, read as zero).
    pub(crate) fn new(windows: &[&[Window]], layer: &Layer, produced: Option<&[u32]>) -> Self {
        let all = || windows.iter().flat_map(|windows| windows.iter());
        let corner = |choose: fn(u16, u16) -> u16| {
            let corner = all().map(|window| (window.y, window.x)).reduce(|a, b| (choose(a.0, b.0), choose(a.1, b.1)));
            corner.map(|(y, x)| Window { y, x, bits: 0, whole: false }.receptive_field(layer))
        };
        let (top_left, bottom_right) = (corner(u16::min), corner(u16::max));
        let origin = top_left.map_or((0, 0), |(rows, columns)| (rows.start, columns.start));
        let end = bottom_right.map_or((0, 0), |(rows, columns)| (rows.end, columns.end));
        let width = end.1 - origin.1;
        let cells = ((end.0 - origin.0) * width) as usize;
        let steps = windows.iter().map(|windows| windows.len() as u32).max().unwrap_or(0);
        // The windows that need a position first and last.
        let (mut first, mut last) = (vec![NEVER; cells], vec![0; cells]);
        for windows in windows {
            for (step, window) in (0u32..).zip(windows.iter()) {
                let (rows, columns) = window.receptive_field(layer);
                for y in rows {
                    let start = ((y - origin.0) * width + columns.start - origin.1) as usize;
                    let row = start..start + columns.len();
                    for (first, last) in first[row.clone()].iter_mut().zip(&mut last[row]) {
                        *first = (*first).min(step);
                        *last = (*last).max(step);
                    }
                }
            }
        }
        // Step and cell in one number, which sorts faster than a pair.
        let mut received: Vec<u64> = Vec::with_capacity(cells);
        for (row, y) in (0usize..).zip(origin.0..end.0) {
            for (column, x) in (0usize..).zip(origin.1..end.1) {
                let cell = row * width as usize + column;
                // The host delivers the first layer's inputs in the order in which they are needed.
                let step = produced.map_or(first[cell], |produced| produced[(y * layer.input.width + x) as usize]);
                if first[cell] != NEVER && step != NEVER {
                    received.push(u64::from(step) << 32 | cell as u64);
                }
            }
        }
        received.sort_unstable();
        let mut ranks = vec![NEVER; cells];
        let mut last_needed = Vec::with_capacity(received.len());
        // The positions up to the last one that a window of each step needs.
        let mut wanted = vec![0; steps as usize];
        for (rank, &received) in (0u32..).zip(&received) {
            let cell = received as u32 as usize;
            ranks[cell] = rank;
            last_needed.push(last[cell]);
            let wanted = &mut wanted[first[cell] as usize];
            *wanted = rank + 1;
        }
        let positions = received.len() as u32;
        let mut order = Self { positions, positions_at_once: 0, steps, origin, width, ranks, last_needed };
        order.positions_at_once = order.count_at_once(&wanted);
        order
    }

    /// Walks through the steps, admitting what each needs and all of lower rank, dropping what no later one needs.
    fn count_at_once(&self, wanted: &[u32]) -> u32 {
        let mut dropped_after = vec![0u32; self.steps as usize];
        let (mut admitted, mut held, mut most) = (0u32, 0u32, 0u32);
        for (step, &wanted) in wanted.iter().enumerate() {
            for rank in admitted..wanted.max(admitted) {
                held += 1;
                dropped_after[self.last_needed[rank as usize] as usize] += 1;
            }
            admitted = admitted.max(wanted);
            most = most.max(held);
            held -= dropped_after[step];
        }
        most
    }

    /// For each step, how many positions of this image and the next may have been sent when all earlier windows have
    /// been read, if the buffer holds `capacity` positions. At most two whole images; `None` is no limit but that.
    pub fn limits(&self, capacity: Option<u64>) -> Vec<u32> {
        let capacity = capacity.unwrap_or(u64::MAX);
        let mut dropped_after = vec![0u64; self.steps as usize];
        let (mut sent, mut held) = (0u32, 0u64);
        (0..self.steps as usize)
            .map(|step| {
                while sent < 2 * self.positions && held < capacity {
                    held += 1;
                    if sent < self.positions {
                        dropped_after[self.last_needed[sent as usize] as usize] += 1;
                    }
                    sent += 1;
                }
                let limit = sent;
                held -= dropped_after[step];
                limit
            })
            .collect()
    }

    /// For each step, and after the last, how many positions of an image no window from that step on needs.
    pub fn dropped_before(&self) -> Vec<u32> {
        let mut dropped = vec![0; self.steps as usize + 1];
        for &step in &self.last_needed {
            dropped[step as usize + 1] += 1;
        }
        for step in 1..dropped.len() {
            dropped[step] += dropped[step - 1];
        }
        dropped
    }

    /// Rank of the position at row `y` and column `x` of the input map; `NEVER` if the tile does not receive it.
    #[inline]
    pub fn rank(&self, y: u32, x: u32) -> u32 {
        self.ranks[((y - self.origin.0) * self.width + x - self.origin.1) as usize]
    }

    /// Positions of the input map, as row times `map_width` plus column, with their ranks.
    pub fn received(&self, map_width: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let rows = (self.origin.0..).zip(self.ranks.chunks(self.width.max(1) as usize));
        let cells = rows.flat_map(move |(y, ranks)| (y * map_width + self.origin.1..).zip(ranks.iter().copied()));
        cells.filter(|&(_, rank)| rank != NEVER)
    }
}
