//! The IMAs of a tile: their operations, in closed form or read by read, and their transfers over the bus.
//!
//! All IMAs of a tile are kept together, in vectors and sets over [`ImaId`], so that a decision for many is a few word
//! operations. [`Pipeline`] has the operations between the seven points of docs/model.md, [`LockstepGroup`] the windows
//! that they are for, and [`Ima`] the blocks: [`Dac`](dac::Dac), [`Crossbars`](crossbar::Crossbars),
//! [`SampleHold`](sample_hold::SampleHold), [`Adc`](adc::Adc), [`ShiftAdd`](shift_add::ShiftAdd) and the registers.
//!
//! In iteration fidelity each read, conversion and merge is an event, by messages of the tile to itself
//! ([`TileMessage::Stages`]), which IMAs that started together share; [`Stepped`] has their operations. In operation
//! fidelity an operation in which all crossbars take part is counted by its lockstep group for all IMAs at once.
//!
//! Transfers that end in their own cycle take effect at the end of that cycle; longer ones end with a message.

mod adc;
mod batch;
mod crossbar;
mod dac;
mod ima;
mod input_register;
mod lockstep;
mod output_register;
mod pipeline;
mod policy;
mod sample_hold;
mod shift_add;
mod skip_zero_row_blocks;
mod stepped;
#[cfg(test)]
mod tests;

use arch::Arch;
use des::{Cycle, Fingerprint, Recurrent, Server};
use index::{Index as _, IndexVec, Set};
use mapper::{TileId, Window};

use self::batch::Batch;
pub use self::ima::{Fidelity, Ima, ImaTiming};
use self::ima::{Operation, Performed};
pub use self::lockstep::LockstepGroup;
use self::pipeline::Pipeline;
pub use self::policy::{Full, Policy, RowBlock, Work};
pub use self::skip_zero_row_blocks::SkipZeroRowBlocks;
use self::stepped::Stepped;
use super::inputs::TileInputs;
use super::outputs::TileOutputs;
use crate::{Cause, Context, ControlId, Event, ImaId, LockstepId, Probe, Stage, Stages, TileMessage};

/// The IMAs of a tile that hold weights, and their lockstep groups.
#[derive(Clone, Debug)]
pub(crate) struct ImaBank<P> {
    /// The IMAs.
    pub(crate) imas: IndexVec<ImaId, Ima>,
    /// Lockstep groups, one for each output group of each replica with IMAs in the tile.
    pub(crate) groups: IndexVec<LockstepId, LockstepGroup>,
    /// Lockstep groups of each layer control.
    groups_of: IndexVec<ControlId, Set<LockstepId>>,
    /// Lockstep group of each IMA. In place for as many as a set holds, so that an access is not checked, as is the next.
    group_of: [LockstepId; Set::<ImaId>::CAPACITY],
    /// First cycle of the present or next pause of each IMA: its crossbars are free from then on.
    idle_since: [Cycle; Set::<ImaId>::CAPACITY],
    /// Rows of each IMA.
    rows: [u32; Set::<ImaId>::CAPACITY],
    /// Rows of each IMA that read an input, for those that fetched last for a window that does not read all rows.
    rows_read: [u32; Set::<ImaId>::CAPACITY],
    /// Bits of the results of an operation of each IMA.
    result_bits: [u32; Set::<ImaId>::CAPACITY],
    /// Operations at each point.
    pub(crate) pipeline: Pipeline,
    /// IMAs whose next window misses inputs.
    starving: Set<ImaId>,
    /// IMAs whose results the tile's output register has no room for.
    refused: Set<ImaId>,
    /// IMAs whose results were refused and have not been sent.
    held_back: Set<ImaId>,
    fidelity: Fidelity,
    /// Iteration fidelity: operations in progress.
    stepped: Stepped,
    policy: P,
    /// Bits of a result or partial sum.
    pub(crate) partial_sum_bits: u32,
    /// Reads that apply all bits of an activation, by its number of bits.
    iterations: [u32; network::MOST_BITS as usize + 1],
}

impl<P: Policy> ImaBank<P> {
    /// Idle IMAs, each in one of `groups`, whose operations follow `policy`.
    pub(crate) fn new(
        arch: &Arch,
        imas: IndexVec<ImaId, Ima>,
        groups: IndexVec<LockstepId, LockstepGroup>,
        fidelity: Fidelity,
        policy: P,
    ) -> Self {
        let (mut group_of, mut grouped) = ([LockstepId(0); Set::<ImaId>::CAPACITY], Set::EMPTY);
        let controls = groups.iter().map(|group| group.control.index() + 1).max();
        let mut of_control = IndexVec::filled(Set::EMPTY, controls.unwrap_or(0));
        for (id, group) in groups.enumerate() {
            of_control[group.control].insert(id);
            group.imas.into_iter().for_each(|ima| group_of[ima.index()] = id);
            grouped |= group.imas;
        }
        assert_eq!(grouped, Set::below(imas.len()), "every IMA is in a lockstep group");
        let mut bits = 0..;
        let mut by_ima = [[0; Set::<ImaId>::CAPACITY]; 2];
        for (id, ima) in imas.enumerate() {
            by_ima[0][id.index()] = ima.rows();
            by_ima[1][id.index()] = ima.results() * arch.tile.partial_sum_bits;
        }
        let [rows, result_bits] = by_ima;
        Self {
            groups_of: of_control,
            group_of,
            idle_since: [1; Set::<ImaId>::CAPACITY],
            rows,
            rows_read: [0; Set::<ImaId>::CAPACITY],
            result_bits,
            pipeline: Pipeline::new(imas.len(), arch.ima.output_registers),
            starving: Set::EMPTY,
            refused: Set::EMPTY,
            held_back: Set::EMPTY,
            fidelity,
            stepped: Stepped::default(),
            policy,
            partial_sum_bits: arch.tile.partial_sum_bits,
            // Of 0 bits are windows that only joins keep: an operation of one read that drives nothing.
            iterations: std::array::from_fn(|_| arch.iterations(bits.next().unwrap_or_default()).max(1)),
            imas,
            groups,
        }
    }

    /// Lockstep group of an IMA.
    pub(crate) fn group_of(&self, ima: ImaId) -> LockstepId {
        self.group_of[ima.index()]
    }

    /// Records that a lockstep group of `control` has read another window. Returns true if a decision is due.
    #[inline(never)]
    fn progress<C: Context>(&self, control: ControlId, inputs: &mut TileInputs) -> bool {
        let windows = self.groups_of[control].into_iter().map(|id| self.groups[id].arriving.window);
        inputs.progress::<C::Probe>(control, windows.min().expect("a layer control has IMAs"))
    }

    /// First cycle after the last operation of an IMA so far.
    pub(crate) fn idle_since(&self, ima: ImaId) -> Cycle {
        self.idle_since[ima.index()]
    }

    /// Adds the state to a fingerprint.
    pub(crate) fn state(&self, inputs: &TileInputs, print: &mut Fingerprint) {
        let Self {
            imas,
            groups,
            groups_of: _,
            group_of: _,
            idle_since,
            rows: _,
            rows_read: _,
            result_bits: _,
            pipeline,
            starving,
            refused,
            // The IMAs have it.
            held_back: _,
            fidelity: _,
            stepped,
            policy: _,
            partial_sum_bits: _,
            iterations: _,
        } = self;
        for group in groups {
            let windows = inputs.controls[group.control].per_image();
            // IMAs of a replica without windows stay as they are.
            if windows > 0 {
                group.state(windows, print);
                for ima in group.imas {
                    imas[ima].state(group.starting, idle_since[ima.index()], print);
                }
            }
        }
        pipeline.state(print);
        print.numbers([starving.bits(), refused.bits()]);
        stepped.state(print);
    }

    /// Number of a batch of iteration fidelity among those in progress.
    pub(crate) fn batch_in_progress(&self, batch: u16) -> u64 {
        self.stepped.number_in_progress(batch)
    }

    /// IMAs that miss no inputs any more may ask for them again. Returns true if any can.
    #[inline]
    pub(crate) fn supplied(&mut self, imas: Set<ImaId>) -> bool {
        self.starving -= imas;
        !self.can_fetch().is_empty()
    }

    /// The output register has more room for the results of a lockstep group.
    #[inline]
    pub(crate) fn admitted(&mut self, group: LockstepId) {
        self.refused -= self.groups[group].imas;
    }

    /// Removes the IMAs of one lockstep group, that of the lowest IMA, from `imas`. Returns the group and these IMAs.
    #[inline]
    fn take_group(&self, imas: &mut Set<ImaId>) -> Option<(LockstepId, Set<ImaId>)> {
        let group = self.group_of[imas.first()?.index()];
        let members = *imas & self.groups[group].imas;
        *imas -= members;
        Some((group, members))
    }

    /// Starts the next operation of each IMA that can start, and books its reads and the pause before it.
    #[inline]
    pub(crate) fn start<C: Context>(&mut self, tile: TileId, inputs: &mut TileInputs, context: &mut C) {
        let starting = self.pipeline.can_start();
        if !starting.is_empty() {
            self.start_operations(starting, tile, inputs, context);
        }
    }

    fn start_operations<C: Context>(
        &mut self,
        mut imas: Set<ImaId>,
        tile: TileId,
        inputs: &mut TileInputs,
        context: &mut C,
    ) {
        let now = context.now();
        let mut reads_done = Batch::new(tile, |imas| TileMessage::ReadsDone { imas });
        let mut results_ready = Batch::new(tile, |imas| TileMessage::ResultsReady { imas });
        while let Some((id, members)) = self.take_group(&mut imas) {
            let group = &self.groups[id];
            let window_index = group.starting;
            let control = &mut inputs.controls[group.control];
            let window = control.window(window_index);
            let iterations = self.policy.iterations(window, self.iterations[usize::from(window.bits)]);
            let in_closed_form = self.fidelity == Fidelity::Operation && self.is_full(*window);
            for &(of_timing, timing) in &group.timings {
                let starting = members & of_timing;
                if starting.is_empty() {
                    continue;
                }
                let reads = timing.reads(iterations);
                for ima in starting {
                    let unit = control.unit(tile, ima);
                    let pause = self.idle_since[ima.index()]..now;
                    if !pause.is_empty() {
                        for (cause, cycles) in self.imas[ima].pause(window_index, group.started_at, pause) {
                            control.stalls.add(cause, cycles.end - cycles.start);
                            if !cycles.is_empty() {
                                context.probe().observe(|| Event::Wait { unit, cause, cycles });
                            }
                        }
                    }
                    control.stalls.add(Cause::Computing, reads);
                    self.idle_since[ima.index()] = now + reads;
                    context.probe().observe(|| Event::Operation {
                        unit,
                        window: window_index,
                        at: now,
                        iterations,
                        timing,
                    });
                }
                if self.fidelity == Fidelity::Operation {
                    reads_done.add(now + reads, starting, context);
                    results_ready.add(now + timing.results(iterations), starting, context);
                }
            }
            if !in_closed_form {
                self.operate(members, id, iterations, inputs);
            }
            let group = &mut self.groups[id];
            if self.pipeline.start(members, group.imas) {
                group.starting += 1;
                group.started_at = now;
                if in_closed_form {
                    group.closed_form = (group.closed_form.0 + 1, group.closed_form.1 + u64::from(iterations));
                }
            }
        }
        reads_done.send(context);
        results_ready.send(context);
        if self.fidelity == Fidelity::Iteration {
            while let Some(batch) = self.stepped.to_begin() {
                self.perform(Stages::FIRST, batch, tile, inputs, context);
            }
        }
    }

    /// True if all row blocks do all their work for `window`.
    #[inline]
    fn is_full(&self, window: Window) -> bool {
        window.bits > 0 && self.policy.is_full(&window)
    }

    /// Has the operation that lockstep group `id` starts performed by each of `imas`. Used where the group cannot count
    /// for all of them.
    fn operate(&mut self, imas: Set<ImaId>, id: LockstepId, iterations: u32, inputs: &TileInputs) {
        let control = &inputs.controls[self.groups[id].control];
        let window = control.window(self.groups[id].starting);
        let mut partial = Vec::new();
        if !self.is_full(*window) {
            let rows_read = inputs.rows_read(control, *window);
            let work =
                |block: &RowBlock| if window.bits == 0 { Work::NONE } else { self.policy.work(&rows_read, block) };
            partial.extend(imas.into_iter().map(|ima| (ima, self.imas[ima].operation(work))));
        }
        match self.fidelity {
            Fidelity::Operation => {
                for (ima, operation) in partial {
                    self.imas[ima].operate(&operation, Performed::all(iterations.into()));
                }
            }
            Fidelity::Iteration => {
                for &(of_timing, timing) in &self.groups[id].timings {
                    let starting = imas & of_timing;
                    if !starting.is_empty() {
                        let partial = partial.iter().copied().filter(|(ima, _)| starting.contains(*ima)).collect();
                        self.stepped.start(starting, partial, timing, iterations);
                    }
                }
            }
        }
    }

    /// Iteration fidelity: the IMAs of a batch perform `stages`. Schedules the stages that follow from these, which share
    /// a message if they are due in the same cycle, and the ends of reads and operations.
    pub(crate) fn perform<C: Context>(
        &mut self,
        stages: Stages,
        number: u16,
        tile: TileId,
        inputs: &TileInputs,
        context: &mut C,
    ) {
        if C::Probe::OBSERVES {
            self.report(stages, number, tile, inputs, context);
        }
        let batch = self.stepped.batch(number);
        batch.performed.add(stages);
        let (imas, timing) = (batch.imas, batch.timing);
        let reads_on = stages.read && batch.performed.reads < u64::from(batch.iterations);
        let mut earlier = 0;
        // In ascending order: a read takes the longest of its stages.
        for delay in [1, timing.convert_cycles, timing.cycles_per_read] {
            let due = Stages {
                read: reads_on && delay == timing.cycles_per_read,
                convert: stages.read && delay == 1,
                accumulate: stages.convert && delay == timing.convert_cycles,
            };
            if delay > earlier && due != Stages::default() {
                context.send_to_tile(delay.into(), tile, TileMessage::Stages { stages: due, batch: number });
            }
            earlier = delay;
        }
        if stages.read && !reads_on {
            let message = TileMessage::ReadsDone { imas: imas.into() };
            context.send_to_tile(timing.cycles_per_read.into(), tile, message);
        }
        if batch.has_ended() {
            let message = TileMessage::ResultsReady { imas: imas.into() };
            context.send_to_tile(timing.merge_cycles.into(), tile, message);
            for ima in imas {
                let unit = &mut self.imas[ima];
                let partial = batch.partial.iter().find(|of| of.0 == ima);
                let operation = partial.map_or(unit.whole_operation(), |of| of.1);
                unit.operate(&operation, batch.performed);
            }
            self.stepped.forget_ended();
        }
    }

    /// Reports `stages` of a batch, which begin now, to the probe.
    fn report<C: Context>(&mut self, stages: Stages, number: u16, tile: TileId, inputs: &TileInputs, context: &mut C) {
        let (batch, now) = (self.stepped.batch(number), context.now());
        for (stage, is_performed, cycles) in [
            (Stage::Read, stages.read, 1),
            (Stage::Convert, stages.convert, batch.timing.convert_cycles),
            (Stage::Accumulate, stages.accumulate, batch.timing.merge_cycles),
        ] {
            for ima in batch.imas.into_iter().filter(|_| is_performed) {
                let unit = inputs.controls[self.groups[self.group_of[ima.index()]].control].unit(tile, ima);
                let cycles = now..now + Cycle::from(cycles);
                context.probe().observe(|| Event::Stage { unit, stage, cycles });
            }
        }
    }

    /// IMAs that may send results, as far as the tile's output register has room for them.
    #[inline]
    fn can_send(&self) -> Set<ImaId> {
        self.pipeline.can_send() - self.refused
    }

    /// IMAs that may ask for inputs, as far as these are there.
    #[inline]
    fn can_fetch(&self) -> Set<ImaId> {
        self.pipeline.can_fetch() - self.starving
    }

    /// Grants the bus to results, as far as the tile's output register has room for them.
    #[inline]
    pub(crate) fn send_results<C: Context>(
        &mut self,
        tile: TileId,
        inputs: &TileInputs,
        bus: &mut Server,
        outputs: &mut TileOutputs,
        context: &mut C,
    ) {
        loop {
            let sending = self.can_send();
            if sending.is_empty() {
                return;
            }
            self.send_results_of(sending, tile, inputs, bus, outputs, context);
        }
    }

    fn send_results_of<C: Context>(
        &mut self,
        mut imas: Set<ImaId>,
        tile: TileId,
        inputs: &TileInputs,
        bus: &mut Server,
        outputs: &mut TileOutputs,
        context: &mut C,
    ) {
        let now = context.now();
        let mut merged = Batch::new(tile, |imas| TileMessage::ResultsMerged { imas });
        let mut here = Set::EMPTY;
        while let Some((id, members)) = self.take_group(&mut imas) {
            let (group, sums) = (&mut self.groups[id], &outputs.parts[id]);
            if group.sending >= sums.room() {
                let cause = sums.refusal();
                for ima in members {
                    self.imas[ima].result_refused(cause);
                }
                self.refused |= members;
                self.held_back |= members;
                continue;
            }
            let control = &inputs.controls[group.control];
            for ima in members {
                let bits = u64::from(self.result_bits[ima.index()]);
                let done = bus.serve(now, bits);
                // Results that leave while the crossbars are in use hold nothing back.
                if done >= self.idle_since[ima.index()] || self.held_back.contains(ima) {
                    self.imas[ima].send(now..done + 1);
                }
                let (unit, window) = (control.unit(tile, ima), group.sending);
                context.probe().observe(|| Event::Result { unit, window, bits, cycles: now..done + 1 });
                if done == now {
                    here.insert(ima);
                } else {
                    merged.add(done + 1, Set::one(ima), context);
                }
            }
            self.held_back -= members;
            group.sending += u32::from(self.pipeline.send(members, group.imas));
        }
        if !here.is_empty() {
            self.results_merged(here, outputs);
        }
        merged.send(context);
    }

    /// Records that results of `imas` are in the tile's output register at the end of a cycle, which frees one output
    /// register of each IMA. Returns true if a decision is due.
    #[inline]
    pub(crate) fn results_merged(&mut self, mut imas: Set<ImaId>, outputs: &mut TileOutputs) -> bool {
        self.pipeline.results_merged(imas);
        let mut is_due = !self.pipeline.can_start().is_empty();
        while let Some((id, members)) = self.take_group(&mut imas) {
            let group = &mut self.groups[id];
            let windows = group.merging.take(members, group.imas);
            if !windows.is_empty() {
                is_due |= outputs.merge(id, windows);
            }
        }
        is_due
    }

    /// Grants eDRAM port and bus to inputs of the IMAs whose next window is ready.
    #[inline]
    pub(crate) fn fetch<C: Context>(
        &mut self,
        tile: TileId,
        inputs: &mut TileInputs,
        bus: &mut Server,
        context: &mut C,
    ) {
        loop {
            let fetching = self.can_fetch();
            if fetching.is_empty() {
                return;
            }
            self.fetch_for(fetching, tile, inputs, bus, context);
        }
    }

    fn fetch_for<C: Context>(
        &mut self,
        mut imas: Set<ImaId>,
        tile: TileId,
        inputs: &mut TileInputs,
        bus: &mut Server,
        context: &mut C,
    ) {
        let now = context.now();
        let mut arrived = Batch::new(tile, |imas| TileMessage::InputsArrived { imas });
        let mut here = Set::EMPTY;
        while let Some((id, members)) = self.take_group(&mut imas) {
            let group = &mut self.groups[id];
            let control = &mut inputs.controls[group.control];
            if group.fetching >= control.ready {
                self.starving |= members;
                continue;
            }
            if let Some(image) = control.fetches(group.fetching, now) {
                context.completions().begin(image, now);
            }
            let (window, held_up) = (control.window(group.fetching), control.held_up(now));
            let rows = if window.whole {
                &self.rows
            } else {
                let rows_read = inputs.find_rows_read(group.control, group.fetching);
                for ima in members {
                    let rows = rows_read.among(&self.imas[ima].spec().rows);
                    self.rows_read[ima.index()] = rows;
                    self.imas[ima].fetch_partly(u64::from(rows) * u64::from(window.bits));
                }
                &self.rows_read
            };
            let control = &inputs.controls[group.control];
            for ima in members {
                let bits = u64::from(rows[ima.index()]) * u64::from(window.bits);
                let done = inputs.edram.port.serve(now, bits).max(bus.serve(now, bits));
                // Inputs that arrive while the crossbars are in use are not waited for.
                if done >= self.idle_since[ima.index()] {
                    self.imas[ima].record_fetch(group.fetching, group.fetched_at, now..done + 1, held_up);
                }
                let (unit, window) = (control.unit(tile, ima), group.fetching);
                context.probe().observe(|| Event::Fetch { unit, window, bits, cycles: now..done + 1 });
                if done == now {
                    here.insert(ima);
                } else {
                    arrived.add(done + 1, Set::one(ima), context);
                }
            }
            if self.pipeline.fetch(members, group.imas) {
                group.fetching += 1;
                group.fetched_at = now;
                group.whole_bits += u64::from(window.bits) * u64::from(window.whole);
            }
        }
        if !here.is_empty() {
            self.inputs_arrived::<C>(here, inputs);
        }
        arrived.send(context);
    }

    /// Records that inputs of `imas` are in their input registers at the end of a cycle. Returns true if a decision is
    /// due.
    #[inline]
    pub(crate) fn inputs_arrived<C: Context>(&mut self, mut imas: Set<ImaId>, inputs: &mut TileInputs) -> bool {
        self.pipeline.inputs_arrived(imas);
        let mut is_due = !self.pipeline.can_start().is_empty();
        while let Some((id, members)) = self.take_group(&mut imas) {
            let group = &mut self.groups[id];
            if !group.arriving.take(members, group.imas).is_empty() {
                let control = group.control;
                is_due |= self.progress::<C>(control, inputs);
            }
        }
        is_due
    }
}
