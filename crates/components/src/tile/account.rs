//! State of a tile after a run, and its counts by layer.
//!
//! Blocks count their own actions. Bits over the bus and out of the eDRAM buffer are derived from the registers of
//! IMAs.

use std::ops::Range;

use arch::Counts;
use des::Cycle;
use index::IndexVec;
use network::LayerId;

use super::Tile;
use crate::{ControlId, InputId, LayerControl, LockstepId, PartialSums, Policy, Results, SliceBuffer, Unit};

impl<'a, P: Policy> Tile<'a, P> {
    /// True if an IMA of the tile holds weights.
    pub fn is_used(&self) -> bool {
        !self.imas.imas.is_empty()
    }

    /// Layer controls, one for each replica with IMAs in the tile.
    pub fn controls(&self) -> &IndexVec<ControlId, LayerControl<'a>> {
        &self.inputs.controls
    }

    /// Input slices in the buffer.
    pub fn slices(&self) -> &IndexVec<InputId, SliceBuffer<'a>> {
        &self.inputs.edram.slices
    }

    /// Results of the last layer in the buffer.
    pub fn results(&self) -> &Results {
        &self.inputs.edram.results
    }

    /// Parts of the output register.
    pub fn parts(&self) -> &IndexVec<LockstepId, PartialSums<'a>> {
        &self.outputs.parts
    }

    /// Images of which inputs or operands have been asked for. A run of no more images would have done the same up to now,
    /// and have looked less far ahead at most.
    pub fn begun_images(&self) -> u32 {
        let begun = self.imas.groups.iter().zip(&self.outputs.parts).map(|(group, part)| {
            let fetched = group.fetching + u32::from(self.imas.pipeline.has_fetched_some(group.imas));
            let windows = fetched.max(part.skips.as_ref().map_or(0, |skips| skips.asked));
            // A replica without windows begins nothing.
            windows.div_ceil(self.inputs.controls[group.control].per_image().max(1))
        });
        begun.max().unwrap_or(0)
    }

    /// Images up to which the tile has looked ahead: the state of a run of more images does not depend on their number.
    pub fn images_ahead(&self) -> u32 {
        let controls = self.controls().iter().map(LayerControl::images_ahead);
        let skips = self.outputs.parts.enumerate().filter_map(|(id, part)| {
            let control = &self.inputs.controls[self.imas.groups[id].control];
            part.skips.as_ref().map(|skips| skips.images_ahead(control.per_image()))
        });
        controls.chain(self.slices().iter().map(SliceBuffer::images_ahead)).chain(skips).max().unwrap_or(0)
    }

    /// Changes the number of images of the run to a number that is not below [`Self::begun_images`].
    pub fn set_images(&mut self, images: u32) {
        self.inputs.controls.iter_mut().for_each(|control| control.set_images(images));
        self.inputs.edram.slices.iter_mut().for_each(|slice| slice.set_images(images));
        for (id, part) in self.outputs.parts.enumerate_mut() {
            if let Some(skips) = &mut part.skips {
                skips.set_images(&self.inputs.controls[self.imas.groups[id].control]);
            }
        }
    }

    /// For each IMA, the cycles after its last operation in a run whose last cycle is `last`, of which `skipped` were
    /// not simulated: cycles in the midst of work.
    pub fn finished(&self, last: Cycle, skipped: Cycle) -> impl Iterator<Item = (Unit, Range<Cycle>)> {
        let bank = &self.imas;
        bank.imas.indices().map(move |ima| {
            let control = &self.inputs.controls[bank.groups[bank.group_of(ima)].control];
            // An IMA without windows has been idle all the time.
            let skipped = if control.per_image() > 0 { skipped } else { 0 };
            (control.unit(self.id, ima), bank.idle_since(ima) + skipped..last + 1)
        })
    }

    /// Calls `visit` with counts of the blocks of the tile and their layer, several times for a layer. Writes to its buffer,
    /// which count for their producers, are not among them.
    pub fn visit_counts(&self, crossbar_cells: u64, mut visit: impl FnMut(LayerId, &Counts)) {
        let bank = &self.imas;
        for (group, part) in bank.groups.iter().zip(&self.outputs.parts) {
            let (layer, mut results) = (part.spec().layer_id, 0);
            for ima in group.imas {
                let mut counts = bank.imas[ima].counts(group, crossbar_cells);
                results += counts.output_register_values;
                // Inputs and results of an IMA cross the bus.
                counts.edram_bits_read = counts.input_register_bits_written;
                let result_bits = counts.output_register_values * u64::from(bank.partial_sum_bits);
                counts.bus_bits = counts.input_register_bits_written + result_bits;
                visit(layer, &counts);
            }
            visit(layer, &part.counts(results, bank.partial_sum_bits));
        }
        for control in &self.inputs.controls {
            visit(control.id, &control.counters.counts());
        }
    }
}
