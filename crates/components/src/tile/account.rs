//! Counts of a tile, by layer.
//!
//! Blocks count their own actions. Bits over the bus and out of the eDRAM buffer are derived from the registers of
//! IMAs, and checked against the bits that the bus moved.

use arch::Counts;
use index::IndexVec;
use network::LayerId;

use super::Tile;
use crate::{LockstepId, Policy};

impl<P: Policy> Tile<'_, P> {
    /// Counts of the blocks of the tile, as (layer, counts), without the writes to its buffer, which count for their
    /// producers. A layer may have several entries.
    pub fn counts(&self, crossbar_cells: u64) -> Vec<(LayerId, Counts)> {
        let (bank, controls) = (&self.imas, &self.inputs.controls);
        let mut results: IndexVec<LockstepId, u64> = IndexVec::filled(0, bank.groups.len());
        let imas = bank.imas.enumerate().map(|(id, ima)| {
            let group = bank.group_of(id);
            let mut counts = ima.counts(&bank.groups[group], crossbar_cells);
            results[group] += counts.output_register_values;
            // Inputs and results of an IMA cross the bus.
            counts.edram_bits_read = counts.input_register_bits_written;
            let result_bits = counts.output_register_values * u64::from(bank.partial_sum_bits);
            counts.bus_bits = counts.input_register_bits_written + result_bits;
            (controls[bank.groups[group].control].id, counts)
        });
        let imas: Vec<_> = imas.collect();
        let bus_bits: u64 = imas.iter().map(|(_, counts)| counts.bus_bits).sum();
        assert_eq!(bus_bits, self.bus.bits, "bits were lost on the bus of tile {}", self.id);
        let windows = controls.iter().map(|control| (control.id, control.counters.counts()));
        let sums = (self.outputs.parts.iter().zip(results))
            .map(|(part, results)| (part.spec().layer_id, part.counts(results, bank.partial_sum_bits)));
        imas.into_iter().chain(windows).chain(sums).collect()
    }
}
