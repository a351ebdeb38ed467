use std::ops::Range;

use network::{Layer, LayerPlan};

use crate::layout::{NEVER, Window};

/// The inputs of one layer that one tile receives and holds in its eDRAM buffer.
///
/// Positions are numbered in the order in which the layer before produces them: their rank. The buffer admits them in
/// that order and drops each after its last window, so what it has to hold follows from the mapping alone.
#[derive(Clone, Debug)]
pub struct Share {
    /// Tile of the board.
    pub tile: u32,
    /// Copies of the layer with IMAs in the tile.
    pub copies: Vec<u32>,
    /// Input channels that the tile reads, as disjoint ranges in order.
    pub channels: Vec<Range<u32>>,
    /// Input positions that the tile receives for each image.
    pub positions: u32,
    /// Positions that must be in the buffer at once, at the most.
    pub positions_at_once: u32,
    /// Bits of one position.
    pub position_bits: u64,
    /// Windows that the longest of the copies computes for each image.
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

impl Share {
    /// What `copies` of `layer`, with their windows in order, read in `tile`; `produced` is the step at which each
    /// position of the input map is produced, or `NEVER` (cropped, read as zero).
    pub(crate) fn new(
        tile: u32,
        copies: Vec<u32>,
        channels: Vec<Range<u32>>,
        windows: &[&[Window]],
        (layer, plan): (&Layer, &LayerPlan),
        produced: Option<&[u32]>,
    ) -> Self {
        let origin = windows.iter().flat_map(|windows| windows.iter()).fold((u32::MAX, u32::MAX), |origin, window| {
            let (rows, columns) = window.receptive_field(layer);
            (origin.0.min(rows.start), origin.1.min(columns.start))
        });
        let end = windows.iter().flat_map(|windows| windows.iter()).fold((0, 0), |end, window| {
            let (rows, columns) = window.receptive_field(layer);
            (rows.end.max(end.0), columns.end.max(end.1))
        });
        let (height, width) = (end.0.saturating_sub(origin.0), end.1.saturating_sub(origin.1));
        let steps = windows.iter().map(|windows| windows.len() as u32).max().unwrap_or(0);
        let cell = |y: u32, x: u32| ((y - origin.0) * width + x - origin.1) as usize;
        let mut first = vec![NEVER; (height * width) as usize];
        let mut last = vec![0; (height * width) as usize];
        for windows in windows {
            for (step, window) in windows.iter().enumerate() {
                let (rows, columns) = window.receptive_field(layer);
                for y in rows {
                    let row = cell(y, columns.start)..cell(y, columns.start) + columns.len();
                    for first in &mut first[row.clone()] {
                        *first = (*first).min(step as u32);
                    }
                    for last in &mut last[row] {
                        *last = (*last).max(step as u32);
                    }
                }
            }
        }
        // The host delivers the first layer's inputs in the order in which they are needed.
        let step_of = |cell: usize| match produced {
            Some(_) if first[cell] == NEVER => NEVER,
            Some(produced) => {
                let (y, x) = (origin.0 + cell as u32 / width, origin.1 + cell as u32 % width);
                produced[(y * layer.input.width + x) as usize]
            }
            None => first[cell],
        };
        // Step and cell in one number, which sorts faster than a pair.
        let steps_of = (0..first.len()).map(|cell| (step_of(cell), cell)).filter(|&(step, _)| step != NEVER);
        let mut received: Vec<u64> = steps_of.map(|(step, cell)| u64::from(step) << 32 | cell as u64).collect();
        received.sort_unstable();
        let mut ranks = vec![NEVER; first.len()];
        let mut last_needed = Vec::with_capacity(received.len());
        // The highest rank that a window of each step needs.
        let mut highest: Vec<Option<u32>> = vec![None; steps as usize];
        for (rank, &received) in received.iter().enumerate() {
            let cell = received as u32;
            ranks[cell as usize] = rank as u32;
            last_needed.push(last[cell as usize]);
            let highest = &mut highest[first[cell as usize] as usize];
            *highest = (*highest).max(Some(rank as u32));
        }
        let channels_read: u32 = channels.iter().map(|range| range.end - range.start).sum();
        let mut share = Self {
            tile,
            copies,
            channels,
            positions: received.len() as u32,
            positions_at_once: 0,
            position_bits: u64::from(channels_read) * u64::from(plan.stored_bits()),
            steps,
            origin,
            width,
            ranks,
            last_needed,
        };
        share.positions_at_once = share.count_at_once(&highest);
        share
    }

    /// Walks through the steps, admitting what each needs and all of lower rank, dropping what no later one needs.
    fn count_at_once(&self, highest: &[Option<u32>]) -> u32 {
        let mut dropped_after = vec![0u32; self.steps as usize];
        let (mut admitted, mut held, mut most) = (0u32, 0u32, 0u32);
        for (step, highest) in highest.iter().enumerate() {
            let wanted = highest.map_or(0, |rank| rank + 1);
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

    /// Rank of the position at row `y` and column `x` of the input map; `NEVER` if the tile does not receive it.
    #[inline]
    pub fn rank(&self, y: u32, x: u32) -> u32 {
        self.ranks[((y - self.origin.0) * self.width + x - self.origin.1) as usize]
    }

    /// Positions of the input map (row, column) with their ranks.
    pub fn received(&self) -> impl Iterator<Item = ((u32, u32), u32)> + '_ {
        self.ranks.iter().enumerate().filter(|&(_, &rank)| rank != NEVER).map(|(cell, &rank)| {
            let cell = cell as u32;
            ((self.origin.0 + cell / self.width, self.origin.1 + cell % self.width), rank)
        })
    }

    /// Channels of `outputs` that the tile reads.
    pub fn overlap(&self, outputs: &Range<u32>) -> u32 {
        let overlap = |range: &Range<u32>| range.end.min(outputs.end).saturating_sub(range.start.max(outputs.start));
        self.channels.iter().map(overlap).sum()
    }

    /// Bytes of inputs that must be in the buffer at once, at the most.
    pub fn bytes_at_once(&self) -> u64 {
        (u64::from(self.positions_at_once) * self.position_bits).div_ceil(8)
    }
}
