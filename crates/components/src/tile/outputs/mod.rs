//! Outputs of a tile: the output register, where results and partial sums are merged, and the way on to the next layer.
//!
//! Windows completed at the end of a cycle are passed on in the next.

mod max_pool;
mod partial_sums;
mod sigmoid;
#[cfg(test)]
mod tests;

use des::Fingerprint;
use index::{IndexVec, Set};

pub(crate) use self::partial_sums::Obstacle;
pub use self::partial_sums::{PartAddress, PartialSums, SumsSpec, Target};
use super::imas::{ImaBank, Policy};
use super::inputs::TileInputs;
use crate::{Context, LockstepId};

/// Output side of a tile: its output register, one part for each lockstep group.
#[derive(Clone, Debug)]
pub(crate) struct TileOutputs<'a> {
    /// Parts of the output register.
    pub(crate) parts: IndexVec<LockstepId, PartialSums<'a>>,
    /// Parts that may have work.
    changed: Set<LockstepId>,
    /// Parts that wait for room in the buffers of the next layer.
    blocked: Set<LockstepId>,
    /// Values for max-pools received in this cycle: part, image, position.
    pool_values: Vec<(LockstepId, u32, u32)>,
}

impl<'a> TileOutputs<'a> {
    /// An empty register.
    pub(crate) fn new(parts: IndexVec<LockstepId, PartialSums<'a>>) -> Self {
        Self { parts, changed: Set::EMPTY, blocked: Set::EMPTY, pool_values: Vec::new() }
    }

    /// True if a decision of [`Self::pass_on`] is due.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Records whether a part may have work, by a window that is complete now.
    #[inline]
    pub(crate) fn change_if(&mut self, part: LockstepId, complete: bool) {
        self.changed.insert_if(part, complete);
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

    /// Records activations of a window of another replica for a max-pool here.
    #[inline]
    pub(crate) fn deliver_pool_value(&mut self, part: LockstepId, image: u32, position: u32) {
        self.pool_values.push((part, image, position));
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
        let Self { parts, changed, blocked, pool_values: _ } = self;
        for (id, part) in parts.enumerate() {
            let windows = inputs.controls[imas.groups[id].control].per_image();
            // A part of a replica without windows stays as it is.
            if windows > 0 {
                part.state(windows, print);
            }
        }
        print.numbers([changed.bits(), blocked.bits()]);
    }

    /// Passes on values for max-pools, then complete windows and positions of the parts that may have work.
    #[inline]
    pub(crate) fn pass_on<C: Context>(
        &mut self,
        inputs: &mut TileInputs,
        imas: &mut ImaBank<impl Policy>,
        context: &mut C,
    ) {
        if !self.changed.is_empty() {
            self.pass_on_changed(inputs, imas, context);
        }
    }

    fn pass_on_changed<C: Context>(
        &mut self,
        inputs: &mut TileInputs,
        imas: &mut ImaBank<impl Policy>,
        context: &mut C,
    ) {
        self.pool_values.sort_unstable();
        for (part, image, position) in self.pool_values.drain(..) {
            self.parts[part].merge_pool_value(image, position, context);
        }
        for id in self.changed.take() {
            let part = &mut self.parts[id];
            let control = &mut inputs.controls[imas.groups[id].control];
            let left = part.left();
            part.pass_on(control, context);
            if part.left() > left {
                imas.admitted(id);
            }
            self.blocked.set(id, part.waits_for_buffers());
        }
    }
}
