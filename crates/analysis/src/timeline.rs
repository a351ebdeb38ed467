//! Timeline of a run: activity of layers, tiles and mesh links in a bounded number of values.
//!
//! [`Timeline`] starts with bins of one cycle. When a run outgrows its 240 bins, pairs of bins are merged and their
//! length doubles, so that no run needs to state its length in advance. Merging adds IMA-cycles and keeps the larger of
//! two fills.

use std::collections::BTreeMap;
use std::ops::Range;

use chip::{Cause, Probe, Stalls};
use components::{Direction, Event, Port};
use des::Cycle;
use index::{Index, IndexVec};
use network::LayerId;

use crate::{Fills, Scene};

/// Largest number of bins of a run.
const BINS: usize = 240;

/// Probe that records activity in up to 240 bins of equal length. Its size does not depend on the length of the run.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Cycles per bin: a power of two.
    pub bin_cycles: Cycle,
    /// IMA-cycles by cause, by layer and bin. Over all bins they add up to the stalls of the run.
    pub stalls: Vec<Vec<Stalls>>,
    /// Largest number of bytes of a layer's inputs in all buffers together, by layer and bin. Inputs of the first layer
    /// come from the host and are not counted.
    pub fill: Vec<Vec<u64>>,
    /// IMA-cycles with crossbar reads, by tile of the board.
    pub tiles: BTreeMap<u32, u64>,
    /// Flits of each mesh link, by chip, column, row and direction.
    pub links: BTreeMap<(u32, u32, u32, Direction), u64>,
    /// Bits of each layer's inputs in all buffers, and the cycle up to which they are recorded.
    held: IndexVec<LayerId, (u64, Cycle)>,
    fills: Fills,
}

impl Timeline {
    /// Creates an empty timeline.
    pub fn new(scene: &Scene<'_>) -> Timeline {
        let layers = scene.layers().len();
        Timeline {
            fills: Fills::new(scene),
            bin_cycles: 1,
            stalls: vec![vec![Stalls::default(); BINS]; layers],
            fill: vec![vec![0; BINS]; layers],
            tiles: BTreeMap::new(),
            links: BTreeMap::new(),
            held: IndexVec::filled((0, 0), layers),
        }
    }

    /// Completes the fills up to `last`, the last cycle of the run.
    pub fn end(&mut self, last: Cycle) {
        self.held.indices().for_each(|layer| self.note_fill(layer, last));
    }

    /// Records the fill of a layer's buffers up to cycle `at`.
    fn note_fill(&mut self, layer: LayerId, at: Cycle) {
        let last = self.bin(at);
        let (bits, since) = self.held[layer];
        let bytes = bits / 8;
        for bin in self.bin(since)..=last {
            let fill = &mut self.fill[layer.index()][bin];
            *fill = (*fill).max(bytes);
        }
        self.held[layer].1 = at;
    }

    /// Returns the number of bins up to `last`, the last cycle of the run.
    pub fn bins(&self, last: Cycle) -> usize {
        self.bin_of(last) + 1
    }

    /// Records that the buffers hold `bits` of a layer's inputs from cycle `at` on.
    fn hold(&mut self, layer: LayerId, bits: u64, at: Cycle) {
        self.note_fill(layer, at);
        self.held[layer].0 = bits;
        self.note_fill(layer, at);
    }

    /// Returns the bin of a cycle, at the present length of the bins.
    fn bin_of(&self, at: Cycle) -> usize {
        usize::try_from(at / self.bin_cycles).expect("an address has 64 bits")
    }

    /// Returns the bin of a cycle. Bins are merged in pairs until the cycle has one.
    fn bin(&mut self, at: Cycle) -> usize {
        while self.bin_of(at) >= BINS {
            self.bin_cycles *= 2;
            self.stalls.iter_mut().for_each(|row| merge(row, |sum, other| *sum += other));
            self.fill.iter_mut().for_each(|row| merge(row, |most, other| *most = (*most).max(*other)));
        }
        self.bin_of(at)
    }

    /// Adds IMA-cycles of a layer in `cycles`, which are half-open.
    fn spend(&mut self, layer: LayerId, cause: Cause, cycles: Range<Cycle>) {
        // The last bin first: it settles the length of the bins.
        self.bin(cycles.end);
        let mut from = cycles.start;
        while from < cycles.end {
            let bin = self.bin_of(from);
            let to = cycles.end.min((from / self.bin_cycles + 1) * self.bin_cycles);
            self.stalls[layer.index()][bin].add(cause, to - from);
            from = to;
        }
    }
}

/// Merges pairs of bins into the first half of a row.
fn merge<T: Clone + Default>(row: &mut Vec<T>, join: impl Fn(&mut T, &T)) {
    for bin in 0..BINS / 2 {
        let mut merged = row[2 * bin].clone();
        join(&mut merged, &row[2 * bin + 1]);
        row[bin] = merged;
    }
    row.truncate(BINS / 2);
    row.resize(BINS, T::default());
}

impl Probe for Timeline {
    fn observe(&mut self, event: impl FnOnce() -> Event) {
        match event() {
            Event::Operation { unit, at, iterations, timing, .. } => {
                let end = at + timing.reads(iterations);
                *self.tiles.entry(unit.tile.0).or_default() += end - at;
                self.spend(unit.layer, Cause::Computing, at..end);
            }
            Event::Wait { unit, cause, cycles } => self.spend(unit.layer, cause, cycles),
            Event::Arrive { tile, layer, inputs, bits, at } if self.fills.has(tile, inputs) => {
                self.fills.arrive(tile, inputs);
                let all = self.held[layer].0 + bits;
                self.hold(layer, all, at);
            }
            Event::Progress { tile, layer, inputs, image, step, at } if self.fills.has(tile, inputs) => {
                let (_, freed) = self.fills.progress(tile, inputs, image, step);
                let all = self.held[layer].0 - freed;
                self.hold(layer, all, at);
            }
            Event::Port { chip, router: (column, row), port: Port::Neighbour(direction), flits, .. } => {
                let link = (chip.0, column, row, direction);
                *self.links.entry(link).or_default() += u64::from(flits);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use chip::Unit;
    use components::{ImaId, ImaTiming};
    use mapper::{ReplicaId, TileId};
    use network::Plan;

    use super::*;

    fn timeline() -> Timeline {
        let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).unwrap();
        Timeline::new(&Scene::new(&arch, &layout))
    }

    #[test]
    fn a_buffer_is_as_full_as_it_was_until_something_changes() {
        let mut timeline = timeline();
        timeline.hold(LayerId(1), 800, 2);
        timeline.hold(LayerId(1), 960, 4);
        timeline.hold(LayerId(1), 160, 6);
        timeline.end(7);
        assert_eq!(timeline.fill[1][..8], [0, 0, 100, 100, 120, 120, 120, 20]);
    }

    #[test]
    fn stretches_grow_with_the_run_and_keep_what_was_in_them() {
        let mut timeline = timeline();
        let unit = Unit { tile: TileId(3), ima: ImaId(0), layer: LayerId(0), replica: ReplicaId(0) };
        let timing = ImaTiming { cycles_per_read: 1, convert_cycles: 1, merge_cycles: 1 };
        timeline.observe(|| Event::Operation { unit, window: 0, at: 1, iterations: 16, timing });
        timeline.observe(|| Event::Operation { unit, window: 1, at: 990, iterations: 16, timing });
        timeline.end(1010);
        assert_eq!((timeline.bin_cycles, timeline.bins(1010)), (8, 127));
        let computing = |bin: usize| timeline.stalls[0][bin][Cause::Computing];
        assert_eq!((0..127).map(computing).sum::<u64>(), 32);
        assert_eq!((computing(0), computing(123)), (7, 2));
        assert_eq!(timeline.tiles[&3], 32);
    }
}
