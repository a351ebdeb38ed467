//! What a tile did, and what it waits for.

use mapper::Window;

use super::Tile;
use crate::{Cause, Counts};

/// A unit that waits in a run that makes no more progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who waits.
    pub unit: String,
    /// What for.
    pub waits_for: String,
}

impl Tile<'_> {
    /// What the blocks of the tile counted for each layer: (layer, counts).
    pub fn counts(&self, crossbar_cells: u64) -> Vec<(u16, Counts)> {
        let mut results = vec![0; self.crews.len()];
        let imas = self.imas.iter().zip(&self.crew_of).map(|(ima, &crew)| {
            let (number, crew) = (usize::from(crew), &self.crews[usize::from(crew)]);
            let mut counts = ima.counts(crew, crossbar_cells);
            results[number] += counts.output_register_values;
            // What goes into an IMA's registers, and out of them, crosses the bus.
            counts.edram_bits_read = counts.input_register_bits_written;
            let result_bits = counts.output_register_values * u64::from(self.partial_sum_bits);
            counts.bus_bits = counts.input_register_bits_written + result_bits;
            (self.controls[usize::from(crew.control)].layer_index, counts)
        });
        let imas: Vec<_> = imas.collect();
        let bus_bits: u64 = imas.iter().map(|(_, counts)| counts.bus_bits).sum();
        assert_eq!(bus_bits, self.bus.bits, "bits were lost on the bus of tile {}", self.id);
        let controls = self.controls.iter().map(|control| (control.layer_index, control.tally.counts()));
        // What is written to the buffer is the work of the layer before.
        let writes =
            self.edram.inputs.iter().filter(|inputs| inputs.layer > 0).map(|inputs| {
                (inputs.layer - 1, Counts { edram_bits_written: inputs.bits_written, ..Counts::default() })
            });
        let sums = (self.sums.iter().zip(results))
            .map(|(sums, results)| (sums.spec().layer_index, sums.counts(results, self.partial_sum_bits)));
        imas.into_iter().chain(controls).chain(sums).chain(writes).collect()
    }

    /// Who waits for what, when nothing moves any more.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (number, &own) in self.crew_of.iter().enumerate() {
            let (crew, sums) = (&self.crews[usize::from(own)], &self.sums[usize::from(own)]);
            let control = &self.controls[usize::from(crew.control)];
            let name = &control.layer.layer.name;
            let unit = format!("tile {} IMA {number} ({name}, copy {})", self.id, control.copy);
            let at = |window: &Window| format!("({}, {})", window.y, window.x);
            if self.pipeline.can_send() >> number & 1 == 1 {
                let cause = match sums.refusal() {
                    Cause::DownstreamBuffer => "room in the buffers of the next layer",
                    _ => "room in the tile's output register",
                };
                let window = at(control.window(crew.sending));
                waiting.push(Waiting { unit, waits_for: format!("{cause}, with the results of window {window}") });
            } else if crew.fetching < control.total && self.pipeline.at_work() >> number & 1 == 0 {
                let window = at(control.window(control.ready.min(control.total - 1)));
                waiting.push(Waiting { unit, waits_for: format!("the inputs of window {window}") });
            }
        }
        for sums in &self.sums {
            let name = &sums.spec().layer.layer.name;
            let unit = format!("tile {} output register ({name}, copy {})", self.id, sums.spec().copy);
            if sums.waits_for_buffers() {
                waiting.push(Waiting { unit, waits_for: "room in the buffers of the next layer".to_string() });
            } else if sums.incomplete() > 0 {
                waiting.push(Waiting { unit, waits_for: "partial sums of the oldest of its windows".to_string() });
            }
        }
        waiting
    }
}
