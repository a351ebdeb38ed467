//! Counts of a tile, by layer.
//!
//! Blocks count their own actions. Bits over the bus and out of the eDRAM buffer are derived from the registers of
//! IMAs, and checked against the bits that the bus moved.

use super::Tile;
use arch::Counts;

impl Tile<'_> {
    /// Counts of the blocks of the tile, as (layer, counts). A layer may have several entries.
    pub fn counts(&self, crossbar_cells: u64) -> Vec<(u16, Counts)> {
        let mut results = vec![0; self.locksteps.len()];
        let imas = self.imas.iter().zip(&self.lockstep_of).map(|(ima, &lockstep)| {
            let (number, lockstep) = (usize::from(lockstep), &self.locksteps[usize::from(lockstep)]);
            let mut counts = ima.counts(lockstep, crossbar_cells);
            results[number] += counts.output_register_values;
            // Inputs and results of an IMA cross the bus.
            counts.edram_bits_read = counts.input_register_bits_written;
            let result_bits = counts.output_register_values * u64::from(self.partial_sum_bits);
            counts.bus_bits = counts.input_register_bits_written + result_bits;
            (self.controls[usize::from(lockstep.control)].layer_index, counts)
        });
        let imas: Vec<_> = imas.collect();
        let bus_bits: u64 = imas.iter().map(|(_, counts)| counts.bus_bits).sum();
        assert_eq!(bus_bits, self.bus.bits, "bits were lost on the bus of tile {}", self.id);
        let controls = self.controls.iter().map(|control| (control.layer_index, control.counters.counts()));
        // Writes to the buffer count for the producing layer.
        let writes =
            self.edram.inputs.iter().filter(|inputs| inputs.layer > 0).map(|inputs| {
                (inputs.layer - 1, Counts { edram_bits_written: inputs.bits_written, ..Counts::default() })
            });
        let sums = (self.sums.iter().zip(results))
            .map(|(sums, results)| (sums.spec().layer_index, sums.counts(results, self.partial_sum_bits)));
        imas.into_iter().chain(controls).chain(sums).chain(writes).collect()
    }
}
