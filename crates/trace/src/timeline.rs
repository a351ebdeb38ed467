//! A run in a picture's worth of numbers: what each layer, tile and mesh link did, over time or in all.

use std::collections::BTreeMap;

use chip::{Probe, Unit};
use components::{ImaTiming, Port};
use des::Cycle;

/// Stretches of time that a run is cut into, at the most.
const BINS: usize = 240;

/// What happened in each of up to 240 equally long stretches of a run. Its size does not depend on the run's length.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Cycles of a stretch: a power of two.
    pub bin_cycles: Cycle,
    /// For each layer and stretch, IMA-cycles in which crossbars were read.
    pub computing: Vec<Vec<u64>>,
    /// For each layer and stretch, the most bytes of its inputs in all buffers together. Those of the first layer come
    /// from the host and are not counted.
    pub fill: Vec<Vec<u64>>,
    /// For each tile, IMA-cycles in which crossbars were read.
    pub tiles: BTreeMap<u32, u64>,
    /// For each mesh link, as chip, column, row and direction, its flits.
    pub links: BTreeMap<(u32, u32, u32, u8), u64>,
    /// Bits of inputs of each layer in all buffers.
    held: Vec<i64>,
}

impl Timeline {
    /// An empty timeline for a network of `layers` layers.
    pub fn new(layers: usize) -> Timeline {
        Timeline {
            bin_cycles: 1,
            computing: vec![vec![0; BINS]; layers],
            fill: vec![vec![0; BINS]; layers],
            tiles: BTreeMap::new(),
            links: BTreeMap::new(),
            held: vec![0; layers],
        }
    }

    /// The run has ended with cycle `last`.
    pub fn end(&mut self, last: Cycle) {
        self.bin(last);
    }

    /// Stretches up to cycle `last`, with which the run has ended.
    pub fn bins(&self, last: Cycle) -> usize {
        (last / self.bin_cycles) as usize + 1
    }

    /// The stretch of a cycle; all become twice as long until there is one.
    fn bin(&mut self, at: Cycle) -> usize {
        while at / self.bin_cycles >= BINS as Cycle {
            self.bin_cycles *= 2;
            for (rows, merge) in
                [(&mut self.computing, (|a, b| a + b) as fn(u64, u64) -> u64), (&mut self.fill, |a: u64, b| a.max(b))]
            {
                for row in rows {
                    let mut merged: Vec<u64> = row.chunks(2).map(|pair| merge(pair[0], pair[1])).collect();
                    merged.resize(BINS, 0);
                    *row = merged;
                }
            }
        }
        (at / self.bin_cycles) as usize
    }
}

impl Probe for Timeline {
    fn operation(&mut self, unit: Unit, _: u32, at: Cycle, iterations: u32, timing: ImaTiming) {
        let end = at + timing.reads(iterations);
        *self.tiles.entry(unit.tile).or_default() += end - at;
        let mut from = at;
        self.bin(end);
        while from < end {
            let bin = self.bin(from);
            let to = end.min((bin as Cycle + 1) * self.bin_cycles);
            self.computing[usize::from(unit.layer)][bin] += to - from;
            from = to;
        }
    }

    fn fill(&mut self, _: u32, layer: u16, bits: i64, at: Cycle) {
        let (layer, bin) = (usize::from(layer), self.bin(at));
        self.held[layer] += bits;
        let bytes = self.held[layer].max(0) as u64 / 8;
        self.fill[layer][bin] = self.fill[layer][bin].max(bytes);
    }

    fn port(&mut self, chip: u32, (column, row): (u32, u32), port: Port, flits: u32) {
        if let Port::Neighbour(direction) = port {
            let link = (chip, column, row, direction as u8);
            *self.links.entry(link).or_default() += u64::from(flits);
        }
    }
}
