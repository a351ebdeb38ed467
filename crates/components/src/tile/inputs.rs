//! Inputs of a tile: they are written to the eDRAM buffer, read by IMAs, and released after the last window that needs
//! them.
//!
//! A write that ends in its own cycle is in the buffer at the end of that cycle; a longer one ends with a message
//! ([`TileMessage::Written`]). The same holds for transfers to IMAs and [`TileMessage::InputsArrived`].

use des::Cycle;

use super::{Batch, Tile, digest};
use crate::bits::ones;
use crate::{Context, Event, HeldUp, LayerControl, Probe, TileMessage};

impl Tile<'_> {
    /// Grants the eDRAM port to the packets of this cycle, by input slice and sequence number.
    pub(super) fn write<C: Context>(&mut self, context: &mut C) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        deliveries.sort_unstable();
        let now = context.now();
        for (inputs, rank, bits, held_up) in deliveries.drain(..) {
            let done = self.edram.port.serve(now, u64::from(bits));
            self.last_active = self.last_active.max(done);
            let of = self.edram.inputs.get(usize::from(inputs)).map(|inputs| inputs.layer);
            let tile = self.id;
            context.probe().observe(|| Event::Write { tile, layer: of, rank, bits, cycles: now..done + 1 });
            let layer = if inputs == TileMessage::RESULTS {
                let image = &mut self.outputs.images[(rank / self.outputs.positions) as usize];
                *image = (image.0 + 1, image.1.max(done));
                self.outputs.bits_written += u64::from(bits);
                u64::MAX
            } else {
                let to = &mut self.edram.inputs[usize::from(inputs)];
                to.bits_written += u64::from(bits);
                to.last_written_at = to.last_written_at.max(done);
                let layer = to.layer;
                if done == now {
                    self.written(inputs, rank, held_up, now, context);
                } else {
                    context.send(done + 1 - now, self.id, TileMessage::Written { inputs, held_up, rank });
                }
                u64::from(layer)
            };
            let completion = digest(&[layer, u64::from(self.id), u64::from(rank), u64::from(bits), done]);
            self.digest = self.digest.wrapping_add(completion);
        }
        self.deliveries = deliveries;
    }

    /// Records packets whose writes ended with the last cycle. They are sorted, so that the packet that completes a
    /// position, and with it the delay of the position, does not depend on the order of messages.
    pub(super) fn arrive<C: Context>(&mut self, context: &mut C) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        arrivals.sort_unstable();
        for (inputs, rank, held_up) in arrivals.drain(..) {
            self.written(inputs, rank, held_up, context.now() - 1, context);
        }
        self.arrivals = arrivals;
    }

    /// Records that a packet is in the buffer at the end of cycle `at`.
    pub(super) fn written<C: Context>(&mut self, number: u8, rank: u32, held_up: HeldUp, at: Cycle, context: &mut C) {
        let inputs = &mut self.edram.inputs[usize::from(number)];
        let Some(slot) = inputs.written(rank) else { return };
        let (tile, layer) = (self.id, inputs.layer);
        context.probe().observe(|| Event::Arrive { tile, layer, bits: inputs.slice.position_bits, at });
        for (index, control) in self.controls.iter_mut().enumerate() {
            if control.inputs == number && control.awaited == Some(slot) {
                control.supply(held_up);
                let replica = control.replica;
                context.probe().observe(|| Event::Supply { tile, layer, replica, rank, at });
                self.supplied |= 1 << index;
            }
        }
    }

    /// Makes windows ready whose last input has been written.
    pub(super) fn look_ahead(&mut self, now: Cycle) {
        for control in ones(std::mem::take(&mut self.supplied)) {
            let control = &mut self.controls[control];
            if control.look_ahead(now, &self.edram.inputs[usize::from(control.inputs)]) {
                self.starving &= !control.imas;
            }
        }
    }

    /// Releases positions that no further window needs, raises the limits of their slices and wakes waiting producers.
    pub(super) fn release<C: Context>(&mut self, context: &mut C) {
        let mut progressed = 0u64;
        for number in ones(std::mem::take(&mut self.progressed)) {
            let control = &mut self.controls[number];
            let own = self.locksteps.iter().filter(|lockstep| usize::from(lockstep.control) == number);
            let slowest = own.map(|lockstep| lockstep.arriving.window).min();
            control.read_by_all = slowest.expect("a layer control has IMAs");
            progressed |= 1 << control.inputs;
        }
        for index in ones(progressed) {
            let inputs = &mut self.edram.inputs[index];
            let sharing = |control: &&mut LayerControl| usize::from(control.inputs) == index;
            let slowest = self.controls.iter_mut().filter(sharing).filter_map(|control| control.progress()).min();
            let (image, step) = slowest.expect("a replica that read a window has windows");
            let held = inputs.holds_image(image + 1);
            let now = context.now();
            let (tile, layer) = (self.id, inputs.layer);
            context.probe().observe(|| Event::Progress { tile, layer, image, step, at: now });
            if let Some(limit) = inputs.advance(image, step) {
                for to in context.shared().raise(inputs.room, limit, now) {
                    context.probe().observe(|| Event::Room { tile, layer, to, at: now });
                    context.send(1, to, TileMessage::Room);
                }
            }
            if !held {
                for control in self.controls.iter_mut().filter(sharing).filter(|control| control.awaited.is_none()) {
                    if control.look_ahead(context.now(), inputs) {
                        self.starving &= !control.imas;
                    }
                }
            }
        }
    }

    /// Grants eDRAM port and bus to inputs of `imas`, for those whose next window is ready.
    pub(super) fn fetch<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let mut arrived = Batch::new(self.id, |imas| TileMessage::InputsArrived { imas });
        let mut here = 0;
        while let Some((number, own)) = Self::take_lockstep(&self.lockstep_of, &self.locksteps, &mut imas) {
            let lockstep = &mut self.locksteps[number];
            let control = &mut self.controls[usize::from(lockstep.control)];
            if lockstep.fetching >= control.ready {
                self.starving |= own;
                continue;
            }
            control.fetches(lockstep.fetching, now);
            let (window, held_up) = (control.window(lockstep.fetching), control.held_up(now));
            let inputs = &self.edram.inputs[usize::from(control.inputs)];
            let read = (!window.whole).then(|| inputs.read_by(&control.layer.layer, window));
            for index in ones(own) {
                let ima = &mut self.imas[index];
                let values = read.as_ref().map_or(ima.rows(), |read| read.among(&ima.spec().rows));
                let bits = u64::from(values) * u64::from(window.bits);
                let done = self.edram.port.serve(now, bits).max(self.bus.transfer(now, bits));
                ima.fetch(lockstep.fetching, lockstep.fetched_at, now..done + 1, bits, held_up);
                let (unit, window) = (control.unit(self.id, index), lockstep.fetching);
                context.probe().observe(|| Event::Fetch { unit, window, bits, cycles: now..done + 1 });
                if done == now {
                    here |= 1 << index;
                } else {
                    arrived.add(done + 1, 1 << index, context);
                }
            }
            if self.pipeline.fetch(own, lockstep.imas) {
                lockstep.fetching += 1;
                lockstep.fetched_at = now;
            }
        }
        self.inputs_arrived(here);
        arrived.send(context);
    }

    /// Records that inputs of `imas` are in their input registers at the end of a cycle.
    #[inline]
    pub(super) fn inputs_arrived(&mut self, mut imas: u64) {
        self.pipeline.inputs_arrived(imas);
        while let Some((number, own)) = Self::take_lockstep(&self.lockstep_of, &self.locksteps, &mut imas) {
            let lockstep = &mut self.locksteps[number];
            let window = lockstep.arriving.window;
            lockstep.arriving.take(own, lockstep.imas, |_, _| ());
            self.progressed |= u64::from(lockstep.arriving.window > window) << lockstep.control;
        }
    }
}
