//! Inputs of a tile: they are written to the eDRAM buffer, read by IMAs, and released after the last window that needs
//! them.
//!
//! A write that ends in its own cycle is in the buffer at the end of that cycle; a longer one ends with a message
//! ([`TileMessage::Written`]). The window that it completes is ready in the next cycle.

mod edram_buffer;
mod layer_control;
mod rows_read;
#[cfg(test)]
mod tests;

use std::ops::Range;

use des::{Cycle, Fingerprint, Recurrent};
use index::{IndexVec, Set};
use mapper::{Reader, TileId, Window};

pub(crate) use self::edram_buffer::EdramBuffer;
pub use self::edram_buffer::{Results, SliceBuffer};
pub use self::layer_control::LayerControl;
pub use self::rows_read::RowsRead;
use crate::completions::Particulars;
use crate::{Context, ControlId, Event, HeldUp, ImaId, InputId, Probe, TileMessage};

/// Input side of a tile: eDRAM buffer, layer controls, and what reached them in this cycle.
#[derive(Clone, Debug)]
pub(crate) struct TileInputs<'a> {
    /// The buffer, with one port.
    pub(crate) edram: EdramBuffer<'a>,
    /// Layer controls, one for each replica with IMAs in the tile.
    pub(crate) controls: IndexVec<ControlId, LayerControl<'a>>,
    /// Rows that read an input for the window, by control and number, whose rows were looked for last.
    last_rows_read: Option<((ControlId, u32), RowsRead)>,
    /// Writes to be granted in this cycle: destination, sequence number, bits, delay on the way.
    deliveries: Vec<(Destination, u32, u32, HeldUp)>,
    /// Cycle in which the last write of more than a cycle ends; 0 if there was none.
    writes_until: Cycle,
    /// Writes that ended with the last cycle: input slice, sequence number, delay on the way.
    arrivals: Vec<(InputId, u32, HeldUp)>,
    /// Layer controls whose awaited input has been written.
    supplied: Set<ControlId>,
    /// Layer controls of which a lockstep group has read another window.
    progressed: Set<ControlId>,
    /// Slices of skips of which a position has been written.
    skips: Vec<InputId>,
}

/// Place in the buffer that a delivery is written to. Input slices come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Destination {
    Input(InputId),
    Results,
}

impl<'a> TileInputs<'a> {
    /// An empty buffer and controls before their first window.
    pub(crate) fn new(edram: EdramBuffer<'a>, mut controls: IndexVec<ControlId, LayerControl<'a>>) -> Self {
        for id in controls.indices() {
            let sharing = controls.enumerate().filter(|(_, other)| other.id == controls[id].id);
            controls[id].sharing = sharing.map(|(other, _)| other).collect();
        }
        let (deliveries, arrivals) = (Vec::new(), Vec::new());
        let skips = Vec::new();
        Self {
            edram,
            controls,
            last_rows_read: None,
            deliveries,
            writes_until: 0,
            arrivals,
            supplied: Set::EMPTY,
            progressed: Set::EMPTY,
            skips,
        }
    }

    /// True if a decision of [`Self::release`] is due, or a skip has been written.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !(self.progressed.is_empty() && self.skips.is_empty())
    }

    /// True if a decision of [`Self::look_ahead`] is due.
    #[inline]
    pub(crate) fn is_supplied(&self) -> bool {
        !self.supplied.is_empty()
    }

    /// True if a write goes on at the end of cycle `now`, or ends with it and is found by a message of the next.
    pub(crate) fn is_writing(&self, now: Cycle) -> bool {
        self.writes_until >= now
    }

    /// True if a position of a skip has been written.
    #[inline]
    pub(crate) fn has_skips(&self) -> bool {
        !self.skips.is_empty()
    }

    /// Removes the slices of skips of which a position has been written.
    #[inline]
    pub(crate) fn take_skips(&mut self) -> Vec<InputId> {
        std::mem::take(&mut self.skips)
    }

    /// Rows that read an input for a window of `control`.
    pub(crate) fn rows_read(&self, control: &LayerControl, window: Window) -> RowsRead {
        let slices = control.inputs.iter().map(|&inputs| &self.edram.slices[inputs]);
        RowsRead::new(control.layer, &window, |map| {
            let slice = slices.clone().find(|slice| slice.slice.map == map);
            // No crossbar of the tile has rows for a map of which the tile has no slice.
            move |y, x| slice.is_none_or(|slice| slice.receives(y, x))
        })
    }

    /// Rows that read an input for window `index` of a control.
    pub(crate) fn find_rows_read(&mut self, control: ControlId, index: u32) -> &RowsRead {
        let of = &self.controls[control];
        let known = self.last_rows_read.take().filter(|(of, _)| *of == (control, index));
        let found = known.unwrap_or_else(|| ((control, index), self.rows_read(of, *of.window(index))));
        let (_, rows_read) = self.last_rows_read.insert(found);
        rows_read
    }

    /// Makes the first windows of all controls ready, as far as their inputs are there.
    pub(crate) fn start(&mut self, now: Cycle) {
        for control in &mut self.controls {
            control.look_ahead(now, &self.edram.slices);
        }
    }

    /// Records a packet of activations that has arrived in this cycle.
    #[inline]
    pub(crate) fn deliver(&mut self, inputs: InputId, sequence: u32, bits: u32, held_up: HeldUp) {
        self.deliveries.push((Destination::Input(inputs), sequence, bits, held_up));
    }

    /// Records a result of the last layer that is to be written in this cycle.
    #[inline]
    pub(crate) fn deliver_result(&mut self, position: u32, bits: u32) {
        self.deliveries.push((Destination::Results, position, bits, HeldUp::default()));
    }

    /// Records a write that ended with the last cycle.
    #[inline]
    pub(crate) fn end_write(&mut self, inputs: InputId, sequence: u32, held_up: HeldUp) {
        self.arrivals.push((inputs, sequence, held_up));
    }

    /// Records that all IMAs of control `id` have read the windows before `read_by_all`. Returns true if a decision is due.
    #[inline]
    pub(crate) fn progress<O: Probe>(&mut self, id: ControlId, read_by_all: u32) -> bool {
        let control = &mut self.controls[id];
        control.read_by_all = read_by_all;
        let (image, step) = control.split(read_by_all);
        // Where this replica alone would raise no limit, the slowest of the layer raises none. A probe sees all progress.
        let mut slices = control.inputs.iter().map(|&inputs| &self.edram.slices[inputs]);
        let is_due = O::OBSERVES || slices.any(|slice| slice.rises(image, step));
        self.progressed.insert_if(id, is_due);
        is_due
    }

    /// Grants the eDRAM port to the packets of this cycle, by destination and sequence number.
    #[inline]
    pub(crate) fn write<C: Context>(&mut self, tile: TileId, context: &mut C) {
        if !self.deliveries.is_empty() {
            self.write_deliveries(tile, context);
        }
    }

    #[inline(never)]
    fn write_deliveries<C: Context>(&mut self, tile: TileId, context: &mut C) {
        self.deliveries.sort_unstable();
        let now = context.now();
        // By number: what is written changes other parts of the tile.
        for number in 0..self.deliveries.len() {
            let (destination, sequence, bits, held_up) = self.deliveries[number];
            let done = self.edram.port.serve(now, u64::from(bits));
            match destination {
                Destination::Results => self.write_result(tile, sequence, bits, now..done + 1, context),
                Destination::Input(inputs) => {
                    let slice = &mut self.edram.slices[inputs];
                    let (layer, (image, rank)) = (slice.layer, slice.split(sequence));
                    slice.bits_written += u64::from(bits);
                    slice.last_written_at = slice.last_written_at.max(done);
                    context.probe().observe(|| {
                        let (slice, cycles) = (Some((layer, inputs)), now..done + 1);
                        Event::Write { tile, slice, sequence, bits, cycles }
                    });
                    let particulars = slice.particulars.and([rank.into(), bits.into()]);
                    context.completions().add(image, particulars, done);
                    if done > now {
                        self.writes_until = done;
                        context.send_to_tile(done + 1 - now, tile, TileMessage::Written { inputs, held_up, sequence });
                    } else if let Some(slot) = slice.written(image, rank) {
                        self.complete(tile, inputs, slot, sequence, (held_up, now), context);
                    }
                }
            }
        }
        self.deliveries.clear();
    }

    /// Writes a result of the network in `cycles`.
    fn write_result<C: Context>(
        &mut self,
        tile: TileId,
        position: u32,
        bits: u32,
        cycles: Range<Cycle>,
        context: &mut C,
    ) {
        let (at, (image, of_image)) = (cycles.end - 1, self.edram.results.split(position));
        self.edram.results.written(of_image, bits, at);
        context.probe().observe(|| Event::Write { tile, slice: None, sequence: position, bits, cycles });
        // Results have no reading layer.
        let particulars = Particulars::new([u64::MAX, tile.0.into(), of_image.into(), bits.into()]);
        context.completions().add(image, particulars, at);
        context.completions().add_result(image, at);
    }

    /// Records packets whose writes ended with the last cycle. They are sorted, so that the packet that completes a
    /// position, and with it the delay of the position, does not depend on the order of messages.
    #[inline]
    pub(crate) fn arrive<C: Context>(&mut self, tile: TileId, context: &mut C) {
        if !self.arrivals.is_empty() {
            self.take_arrivals(tile, context);
        }
    }

    #[inline(never)]
    fn take_arrivals<C: Context>(&mut self, tile: TileId, context: &mut C) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        arrivals.sort_unstable();
        for (inputs, sequence, held_up) in arrivals.drain(..) {
            let slice = &mut self.edram.slices[inputs];
            let (image, rank) = slice.split(sequence);
            if let Some(slot) = slice.written(image, rank) {
                self.complete(tile, inputs, slot, sequence, (held_up, context.now() - 1), context);
            }
        }
        self.arrivals = arrivals;
    }

    /// Records that a position, which has `slot` in its slice, is in the buffer at the end of cycle `at`. The last of its
    /// packets was `held_up` on the way.
    fn complete<C: Context>(
        &mut self,
        tile: TileId,
        inputs: InputId,
        slot: usize,
        sequence: u32,
        (held_up, at): (HeldUp, Cycle),
        context: &mut C,
    ) {
        let slice = &self.edram.slices[inputs];
        let layer = slice.layer;
        context.probe().observe(|| Event::Arrive { tile, layer, inputs, bits: slice.slice.position_bits, at });
        if slice.slice.reader == Reader::Register {
            self.skips.push(inputs);
            return;
        }
        for (id, control) in self.controls.enumerate_mut() {
            if control.awaits(inputs, slot) {
                control.supply(held_up);
                let replica = control.replica;
                context.probe().observe(|| Event::Supply { tile, layer, inputs, replica, sequence, at });
                self.supplied.insert(id);
            }
        }
    }

    /// Makes windows ready in cycle `now` whose last input has been written. Returns the IMAs that have a ready window then.
    #[inline]
    pub(crate) fn look_ahead(&mut self, now: Cycle) -> Set<ImaId> {
        let supplied = self.supplied.take();
        self.look_ahead_of(supplied, now)
    }

    /// Makes windows of some controls ready in cycle `now`. Returns the IMAs that have a ready window then.
    fn look_ahead_of(&mut self, controls: Set<ControlId>, now: Cycle) -> Set<ImaId> {
        let mut ready = Set::EMPTY;
        for control in controls {
            let control = &mut self.controls[control];
            if control.look_ahead(now, &self.edram.slices) {
                ready |= control.imas;
            }
        }
        ready
    }

    /// Releases positions that no further window needs, raises the limits of their slices and wakes waiting producers.
    /// Returns the IMAs that have a ready window now.
    pub(crate) fn release<C: Context>(&mut self, tile: TileId, context: &mut C) -> Set<ImaId> {
        let (mut progressed, mut supplied) = (self.progressed.take(), Set::EMPTY);
        while let Some(control) = progressed.first() {
            let sharing = self.controls[control].sharing;
            progressed -= sharing;
            let slowest = sharing.into_iter().filter_map(|control| self.controls[control].progress()).min();
            let (image, step) = slowest.expect("a replica that read a window has windows");
            let mut more = false;
            for number in 0..self.controls[control].inputs.len() {
                more |= self.advance(tile, self.controls[control].inputs[number], image, step, context);
            }
            if more {
                let has_looked_at_all = |id: &ControlId| self.controls[*id].awaited.is_none();
                let controls = sharing.into_iter().filter(has_looked_at_all).collect();
                supplied |= self.look_ahead_of(controls, context.now());
            }
        }
        supplied
    }

    /// Releases the positions of a slice that no reader needs from `step` of `image` on, raises its limit and wakes
    /// waiting producers. Returns true if the slice holds another image now.
    pub(crate) fn advance<C: Context>(
        &mut self,
        tile: TileId,
        inputs: InputId,
        image: u32,
        step: u32,
        context: &mut C,
    ) -> bool {
        let slice = &mut self.edram.slices[inputs];
        let held = slice.holds_image(image + 1);
        let (layer, now) = (slice.layer, context.now());
        context.probe().observe(|| Event::Progress { tile, layer, inputs, image, step, at: now });
        if let Some(limit) = slice.advance(image, step) {
            for to in context.rooms().raise(slice.room, limit, now) {
                context.probe().observe(|| Event::Room { tile, layer, inputs, to, at: now });
                context.send_to_tile(1, to, TileMessage::Room);
            }
        }
        !held
    }
}

impl Recurrent for TileInputs<'_> {
    fn state(&self, print: &mut Fingerprint) {
        let Self {
            edram,
            controls,
            // Follow from the window, and from the messages on their way.
            last_rows_read: _,
            writes_until: _,
            // Taken in the cycle in which they come.
            deliveries: _,
            arrivals: _,
            supplied,
            progressed,
            skips: _,
        } = self;
        edram.state(print);
        for control in controls {
            control.state(print);
        }
        print.numbers([supplied.bits(), progressed.bits()]);
    }
}
