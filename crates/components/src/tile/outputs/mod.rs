//! Outputs of a tile: the output register, where results and partial sums are merged, and the way on to the next layer.
//!
//! Windows completed at the end of a cycle are passed on in the next.

mod contributions;
mod partial_sums;
mod pool;
mod sigmoid;
mod skips;
mod spec;
#[cfg(test)]
mod tests;

use std::ops::Range;

use des::{Fingerprint, Server};
use index::{IndexVec, Set};
use mapper::{LevelId, TileId};

pub(crate) use self::partial_sums::Obstacle;
pub use self::partial_sums::PartialSums;
pub use self::skips::Operand;
use self::skips::Skips;
pub use self::spec::{Exit, PartAddress, SumsSpec, Target};
use super::imas::{ImaBank, Policy};
use super::inputs::TileInputs;
use crate::{Context, Event, InputId, LockstepId, Probe, TileMessage};

/// Output side of a tile: its output register, one part for each lockstep group.
#[derive(Clone, Debug)]
pub(crate) struct TileOutputs<'a> {
    /// Parts of the output register.
    pub(crate) parts: IndexVec<LockstepId, PartialSums<'a>>,
    /// Parts that may have work.
    changed: Set<LockstepId>,
    /// Parts that wait for room in the buffers of the next layer.
    blocked: Set<LockstepId>,
    /// Values for pools received in this cycle: part, level, image, position.
    pool_values: Vec<(LockstepId, LevelId, u32, u32)>,
    /// Parts that may find operands of joins in the buffer.
    looking: Set<LockstepId>,
    /// Parts with operands to be asked for.
    asking: Set<LockstepId>,
    /// Parts that have merged an operand.
    merged: Set<LockstepId>,
}

impl<'a> TileOutputs<'a> {
    /// An empty register.
    pub(crate) fn new(parts: IndexVec<LockstepId, PartialSums<'a>>) -> Self {
        let looking = parts.enumerate().filter(|(_, part)| part.skips.is_some()).map(|(id, _)| id).collect();
        Self {
            parts,
            changed: Set::EMPTY,
            blocked: Set::EMPTY,
            pool_values: Vec::new(),
            looking,
            asking: Set::EMPTY,
            merged: Set::EMPTY,
        }
    }

    /// True if a decision of [`Self::pass_on`], [`Self::look_ahead`] or [`Self::release`] is due.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !(self.changed | self.looking | self.merged).is_empty()
    }

    /// Merges results of all IMAs here into `windows` of a part. Returns true if a decision is due.
    #[inline(never)]
    pub(crate) fn merge(&mut self, part: LockstepId, windows: Range<u32>) -> bool {
        let sums = &mut self.parts[part];
        let complete = windows.fold(false, |complete, window| complete | sums.merge(window));
        self.changed.insert_if(part, complete);
        complete
    }

    /// Merges partial sums of a contributor. Returns true if a decision is due.
    #[inline]
    pub(crate) fn merge_partial_sums(&mut self, part: LockstepId, window: u32) -> bool {
        let complete = self.parts[part].merge_partial_sums(window);
        self.changed.insert_if(part, complete);
        complete
    }

    /// Raises the credit for partial sums to `limit` windows. Returns true if a decision is due.
    #[inline]
    pub(crate) fn credit(&mut self, part: LockstepId, limit: u32) -> bool {
        let has_waited = self.parts[part].credited(limit);
        self.changed.insert_if(part, has_waited);
        has_waited
    }

    /// Records that a max-pool has completed `image`. Returns true if a decision is due.
    #[inline]
    pub(crate) fn credit_pool(&mut self, part: LockstepId, image: u32) -> bool {
        let has_waited = self.parts[part].pool_credited(image);
        self.changed.insert_if(part, has_waited);
        has_waited
    }

    /// Records values of another replica for a pool here.
    #[inline]
    pub(crate) fn deliver_pool_value(&mut self, part: LockstepId, level: LevelId, image: u32, position: u32) {
        self.pool_values.push((part, level, image, position));
        self.changed.insert(part);
    }

    /// Records that a buffer that parts wait for has more room. Returns true if a decision is due.
    #[inline]
    pub(crate) fn room(&mut self) -> bool {
        self.changed |= self.blocked;
        !self.blocked.is_empty()
    }

    /// Adds the state to a fingerprint.
    pub(crate) fn state(&self, inputs: &TileInputs, imas: &ImaBank<impl Policy>, print: &mut Fingerprint) {
        // Values for max-pools are passed on in the cycle in which they are received.
        let Self { parts, changed, blocked, pool_values: _, looking, asking, merged } = self;
        for (id, part) in parts.enumerate() {
            let windows = inputs.controls[imas.groups[id].control].per_image();
            // A part of a replica without windows stays as it is.
            if windows > 0 {
                part.state(windows, print);
            }
        }
        print.numbers([changed, blocked, looking, asking, merged].map(|parts| parts.bits()));
    }

    /// Passes on values for max-pools, then complete windows and positions of the parts that may have work.
    #[inline]
    pub(crate) fn pass_on<C: Context>(
        &mut self,
        inputs: &mut TileInputs,
        imas: &mut ImaBank<impl Policy>,
        context: &mut C,
    ) {
        if self.changed.is_empty() {
            return;
        }
        self.pool_values.sort_unstable();
        for (part, level, image, position) in self.pool_values.drain(..) {
            self.parts[part].merge_pool_value(level, image, position, context);
        }
        for id in self.changed.take() {
            let part = &mut self.parts[id];
            let control = &mut inputs.controls[imas.groups[id].control];
            let left = part.left();
            part.pass_on(control, context);
            if part.left() > left {
                imas.admitted(id);
                self.looking.insert_if(id, part.skips.is_some());
            }
            self.blocked.set(id, part.waits_for_buffers());
        }
    }

    /// Finds operands of joins that have been written to the buffer, as far as the register has room for their windows.
    #[inline]
    pub(crate) fn look_ahead(&mut self, inputs: &mut TileInputs, imas: &ImaBank<impl Policy>) {
        if !inputs.has_skips() && self.looking.is_empty() {
            return;
        }
        for slice in inputs.take_skips() {
            for (id, part) in self.parts.enumerate() {
                let awaited = part.skips.as_ref().and_then(Skips::awaited);
                self.looking.insert_if(id, awaited.is_some_and(|(inputs, ..)| inputs == slice));
            }
        }
        for id in self.looking.take() {
            let part = &mut self.parts[id];
            let room = part.room();
            let skips = part.skips.as_mut().expect("only joins look for operands");
            skips.look_ahead(room, &inputs.controls[imas.groups[id].control], &inputs.edram.slices);
            self.asking.insert(id);
        }
    }

    /// Grants eDRAM port and bus to operands of joins, which the shift-and-add then merges.
    #[inline]
    pub(crate) fn ask_for_skips<C: Context>(
        &mut self,
        tile: TileId,
        inputs: &mut TileInputs,
        imas: &ImaBank<impl Policy>,
        bus: &mut Server,
        context: &mut C,
    ) {
        if !self.asking.is_empty() {
            self.ask_for_awaited_skips(tile, inputs, imas, bus, context);
        }
    }

    #[inline(never)]
    fn ask_for_awaited_skips<C: Context>(
        &mut self,
        tile: TileId,
        inputs: &mut TileInputs,
        imas: &ImaBank<impl Policy>,
        bus: &mut Server,
        context: &mut C,
    ) {
        let now = context.now();
        for id in self.asking.take() {
            let control = &inputs.controls[imas.groups[id].control];
            while let Some((window, bits)) =
                self.parts[id].skips.as_mut().and_then(|skips| skips.ask(control, &inputs.edram.slices))
            {
                let done = inputs.edram.port.serve(now, bits).max(bus.serve(now, bits));
                let (layer, replica) = (control.id, control.replica);
                context.probe().observe(|| Event::Skip { tile, layer, replica, window, bits, cycles: now..done + 1 });
                if done == now {
                    self.merge_skip(id);
                } else {
                    context.send_to_tile(done + 1 - now, tile, TileMessage::SkipMerged { part: id });
                }
            }
        }
    }

    /// Merges the next operand of a part that has been asked for.
    pub(crate) fn merge_skip(&mut self, part: LockstepId) {
        let complete = self.parts[part].merge_skip();
        self.changed.insert_if(part, complete);
        self.merged.insert(part);
    }

    /// Releases operands that all parts of the tile have merged.
    #[inline]
    pub(crate) fn release<C: Context>(
        &mut self,
        tile: TileId,
        inputs: &mut TileInputs,
        imas: &ImaBank<impl Policy>,
        context: &mut C,
    ) {
        if self.merged.is_empty() {
            return;
        }
        let merging = |id| {
            let part: &PartialSums = &self.parts[id];
            part.skips.as_ref()
        };
        let of_merged = self.merged.take().into_iter().filter_map(merging).flat_map(|skips| &skips.operands);
        let mut slices: Vec<InputId> = of_merged.map(|operand| operand.inputs).collect();
        slices.sort_unstable();
        slices.dedup();
        for slice in slices {
            let reading = |id: LockstepId| merging(id).filter(|skips| skips.reads(slice));
            let progress = self.parts.indices().filter_map(|id| {
                let control = &inputs.controls[imas.groups[id].control];
                // A replica of which all windows are cropped holds nothing back.
                reading(id).filter(|_| control.per_image() > 0).map(|skips| control.split(skips.merged))
            });
            let (image, step) = progress.min().expect("a part has merged an operand of the slice");
            if inputs.advance(tile, slice, image, step, context) {
                self.looking |= self.parts.indices().filter(|id| reading(*id).is_some()).collect();
            }
        }
    }
}
