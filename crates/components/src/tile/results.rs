//! Results of a tile: over the bus into the output register, merged there, and on to the next layer.
//!
//! A transfer that ends in its own cycle is merged at the end of that cycle; a longer one ends with
//! [`TileMessage::ResultsMerged`]. Windows completed at the end of a cycle are passed on in the next.

use super::{Batch, Tile};
use crate::bits::ones;
use crate::{Context, Event, Probe, TileMessage};

impl Tile<'_> {
    /// Grants the bus to results of `imas` that the output register has room for.
    pub(super) fn send_results<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let mut merged = Batch::new(self.id, |imas| TileMessage::ResultsMerged { imas });
        let mut here = 0;
        while let Some((number, own)) = Self::take_lockstep(&self.lockstep_of, &self.locksteps, &mut imas) {
            let (lockstep, sums) = (&mut self.locksteps[number], &self.sums[number]);
            if lockstep.sending >= sums.room() {
                let cause = sums.refusal();
                ones(own).for_each(|ima| self.imas[ima].result_refused(cause));
                self.refused |= own;
                continue;
            }
            let control = &self.controls[usize::from(lockstep.control)];
            for index in ones(own) {
                let ima = &mut self.imas[index];
                let bits = u64::from(ima.results()) * u64::from(self.partial_sum_bits);
                let done = self.bus.transfer(now, bits);
                ima.send(now..done + 1);
                let (unit, window) = (control.unit(self.id, index), lockstep.sending);
                context.probe().observe(|| Event::Result { unit, window, bits, cycles: now..done + 1 });
                if done == now {
                    here |= 1 << index;
                } else {
                    merged.add(done + 1, 1 << index, context);
                }
            }
            lockstep.sending += u32::from(self.pipeline.send(own, lockstep.imas));
        }
        self.results_merged(here);
        merged.send(context);
    }

    /// Records that results of `imas` are in the tile's output register at the end of a cycle, which frees one output
    /// register of each IMA.
    #[inline]
    pub(super) fn results_merged(&mut self, mut imas: u64) {
        self.pipeline.results_merged(imas);
        while let Some((number, own)) = Self::take_lockstep(&self.lockstep_of, &self.locksteps, &mut imas) {
            let (lockstep, sums) = (&mut self.locksteps[number], &mut self.sums[number]);
            let mut complete = false;
            lockstep.merging.take(own, lockstep.imas, |window, imas| complete |= sums.merge(window, imas.count_ones()));
            self.changed |= u64::from(complete) << number;
        }
    }

    /// Passes on values for max-pools, then complete windows and positions of the parts that may have work.
    pub(super) fn pass_on<C: Context>(&mut self, context: &mut C) {
        self.pool_values.sort_unstable();
        for (sums, image, position) in self.pool_values.drain(..) {
            let sums = &mut self.sums[usize::from(sums)];
            sums.merge_pool_value(image, position, context);
        }
        for index in ones(std::mem::take(&mut self.changed)) {
            let (lockstep, sums) = (&self.locksteps[index], &mut self.sums[index]);
            let control = &mut self.controls[usize::from(lockstep.control)];
            let left = sums.left();
            let completed = sums.pass_on(control, context);
            if sums.left() > left {
                self.refused &= !lockstep.imas;
            }
            self.digest = self.digest.wrapping_add(completed);
            if completed != 0 {
                self.last_active = self.last_active.max(context.now());
            }
            self.blocked = self.blocked & !(1 << index) | u64::from(sums.waits_for_buffers()) << index;
        }
    }
}
