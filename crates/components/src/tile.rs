use std::ops::Range;

use arch::Arch;
use des::{Component, Cycle, Wake};
use mapper::Window;

use crate::bits::{ImaSet, ones};
use crate::{
    Bus, Cause, Context, Counts, EdramBuffer, Fidelity, Ima, Inputs, LayerControl, PartialSums, Probe, Producer, Stage,
    TileMessage,
};

/// A tile: an eDRAM buffer and a bus, IMAs, layer controls, and an output register with what is behind it.
///
/// Its messages come from the mesh, from other tiles and from itself. Grants of the bus and of the eDRAM port are
/// decided once a cycle: results before inputs, writes before reads, low numbers first.
#[derive(Clone, Debug)]
pub struct Tile<'a> {
    /// Number on the board.
    pub id: u32,
    fidelity: Fidelity,
    skip_zero_row_blocks: bool,
    partial_sum_bits: u32,
    dac_bits: u32,
    bus: Bus,
    edram: EdramBuffer<'a>,
    /// IMAs that hold weights.
    pub imas: Vec<Ima>,
    /// Controls of the copies with IMAs here.
    pub controls: Vec<LayerControl<'a>>,
    /// The output register: one part for each output group of each copy.
    pub sums: Vec<PartialSums<'a>>,
    /// For each outlet, the positions that may be sent, counted over all images.
    limits: Vec<u32>,
    /// IMAs whose input register may have room.
    to_fetch: u64,
    /// IMAs that may start.
    to_start: u64,
    /// Layer controls of which all IMAs have read one more window.
    progressed: u64,
    /// IMAs that may have results to send.
    results: u64,
    /// Parts of the output register with something new.
    changed: u64,
    /// Parts of the output register that wait for room in the buffers of the next layer.
    blocked: u64,
    /// Layer controls whose awaited input has been written.
    supplied: u64,
    /// Something done at the end of this cycle asks for a decision in the next.
    tick: bool,
    /// Writes of this cycle: inputs, rank, bits, cycles held up.
    deliveries: Vec<(u8, u32, u32, u16)>,
    /// Values for max-pools of this cycle: part of the output register, image, position.
    pool_values: Vec<(u8, u16, u32)>,
    /// Results of the last layer that are finished here.
    pub outputs: Outputs,
    /// The last cycle in which anything was moved.
    pub last_active: Cycle,
    /// A sum over all completions, which does not depend on their order.
    pub digest: u64,
}

/// Results of the last layer in a tile.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Positions of one image.
    pub positions: u32,
    /// For each image, the results written and the cycle of the last.
    pub images: Vec<(u64, Cycle)>,
    /// Bits written.
    pub bits_written: u64,
}

/// What a tile is made of.
#[derive(Clone, Debug)]
pub struct TileSpec<'a> {
    /// Number on the board.
    pub id: u32,
    /// How finely its IMAs are simulated.
    pub fidelity: Fidelity,
    /// Bus and eDRAM port move anything at once.
    pub uncontended: bool,
    /// Images of the run.
    pub images: u32,
    /// IMAs that hold weights.
    pub imas: Vec<Ima>,
    /// Controls of the copies with IMAs here.
    pub controls: Vec<LayerControl<'a>>,
    /// Inputs of the layers with IMAs here.
    pub inputs: Vec<Inputs<'a>>,
    /// One part of the output register for each output group of each copy.
    pub sums: Vec<PartialSums<'a>>,
    /// For each outlet, the positions that may be sent at first.
    pub limits: Vec<u32>,
    /// Output positions of the last layer.
    pub output_positions: u32,
}

/// A unit that waits in a run that makes no more progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who waits.
    pub unit: String,
    /// What for.
    pub waits_for: String,
}

/// IMAs to which the same happens in the same cycle: they share a message.
#[derive(Default)]
struct Batch {
    at: Cycle,
    imas: u64,
}

impl Batch {
    /// Adds IMA `ima`, to which it happens in cycle `at`. Returns the batch before if `ima` does not belong to it.
    #[inline]
    fn add(&mut self, at: Cycle, ima: usize) -> Option<(Cycle, ImaSet)> {
        let bit = 1 << ima;
        if self.at == at && self.imas & bit == 0 {
            self.imas |= bit;
            return None;
        }
        let before = std::mem::replace(self, Self { at, imas: bit });
        before.rest()
    }

    /// What is left.
    #[inline]
    fn rest(self) -> Option<(Cycle, ImaSet)> {
        (self.imas != 0).then(|| (self.at, ImaSet::from(self.imas)))
    }
}

/// Mixes the particulars of one completion into 64 bits.
pub(crate) fn digest(particulars: &[u64]) -> u64 {
    particulars.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, &value| {
        let mixed = (hash ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 32)
    })
}

impl<'a> Tile<'a> {
    /// An idle tile.
    pub fn new(arch: &Arch, spec: TileSpec<'a>) -> Self {
        let capacity = |bytes_per_cycle: u32| (!spec.uncontended).then_some(8 * u64::from(bytes_per_cycle));
        Self {
            id: spec.id,
            fidelity: spec.fidelity,
            skip_zero_row_blocks: arch.ima.skip_zero_row_blocks,
            partial_sum_bits: arch.tile.partial_sum_bits,
            dac_bits: arch.dac.bits,
            bus: Bus::new(capacity(arch.bus.bytes_per_cycle)),
            edram: EdramBuffer::new(capacity(arch.edram.bytes_per_cycle), spec.inputs),
            imas: spec.imas,
            controls: spec.controls,
            sums: spec.sums,
            limits: spec.limits,
            to_fetch: 0,
            to_start: 0,
            progressed: 0,
            results: 0,
            changed: 0,
            blocked: 0,
            supplied: 0,
            tick: false,
            deliveries: Vec::new(),
            pool_values: Vec::new(),
            outputs: Outputs {
                positions: spec.output_positions,
                images: vec![(0, 0); spec.images as usize],
                bits_written: 0,
            },
            last_active: 0,
            digest: 0,
        }
    }

    /// Inputs in the tile's buffer.
    pub fn inputs(&self) -> &[Inputs<'a>] {
        &self.edram.inputs
    }

    /// Names the tiles that send the inputs of number `inputs`.
    pub fn set_producers(&mut self, inputs: u8, producers: Vec<Producer>) {
        self.edram.inputs[usize::from(inputs)].producers = producers;
    }

    /// Lets outlet `outlet` send positions up to `limit`.
    pub fn set_limit(&mut self, outlet: u16, limit: u32) {
        self.limits[usize::from(outlet)] = limit;
    }

    /// Finished windows, windows merged from here and elsewhere, and values for max-pools go on their way.
    fn pass_on<C: Context>(&mut self, context: &mut C) {
        self.pool_values.sort_unstable();
        for (sums, image, position) in self.pool_values.drain(..) {
            let sums = &mut self.sums[usize::from(sums)];
            sums.merge_pool_value(u32::from(image), position);
        }
        for index in ones(std::mem::take(&mut self.changed)) {
            let sums = &mut self.sums[index];
            let control = &mut self.controls[usize::from(sums.control)];
            let completed = sums.pass_on(control, &self.limits, context);
            self.results |= sums.take_unrefused();
            self.digest = self.digest.wrapping_add(completed);
            if completed != 0 {
                self.last_active = self.last_active.max(context.now());
            }
            self.blocked = self.blocked & !(1 << index) | u64::from(sums.waits_for_buffers()) << index;
        }
    }

    /// Windows whose last input has been written become ready.
    fn look_ahead(&mut self, now: Cycle) {
        for control in ones(std::mem::take(&mut self.supplied)) {
            let control = &mut self.controls[control];
            self.to_fetch |= control.look_ahead(now, &self.edram.inputs[usize::from(control.inputs)]);
        }
    }

    /// Positions that no window needs any more make room in the buffer, and their producers are told.
    fn release<C: Context>(&mut self, context: &mut C) {
        let mut progressed = 0u64;
        for control in ones(std::mem::take(&mut self.progressed)) {
            let control = &mut self.controls[control];
            control.advance(&self.imas);
            progressed |= 1 << control.inputs;
        }
        for index in ones(progressed) {
            let inputs = &mut self.edram.inputs[index];
            let sharing = |control: &&mut LayerControl| usize::from(control.inputs) == index;
            let slowest = self.controls.iter_mut().filter(sharing).filter_map(|control| control.progress()).min();
            let (image, step) = slowest.expect("a copy that read a window has windows");
            let held = inputs.holds_image(image + 1);
            let before = inputs.limit();
            if let Some(limit) = inputs.advance(image, step) {
                let freed = u64::from(limit - before) * inputs.share.position_bits;
                let now = context.now();
                context.probe().fill(self.id, inputs.layer, -(freed as i64), now);
                for &Producer { tile, outlet } in &inputs.producers {
                    context.send(1, tile, TileMessage::Credit { outlet, limit });
                }
            }
            if !held {
                for control in self.controls.iter_mut().filter(sharing).filter(|control| control.awaited.is_none()) {
                    self.to_fetch |= control.look_ahead(context.now(), inputs);
                }
            }
        }
    }

    /// The eDRAM port is granted to writes.
    fn write<C: Context>(&mut self, context: &mut C) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        deliveries.sort_unstable();
        let now = context.now();
        for (inputs, rank, bits, waited) in deliveries.drain(..) {
            let done = self.edram.access(now, u64::from(bits));
            self.last_active = self.last_active.max(done);
            let of = self.edram.inputs.get(usize::from(inputs)).map(|inputs| inputs.layer);
            context.probe().write(self.id, of, bits, now..done + 1);
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
                    self.written(inputs, rank, waited, now, context);
                } else {
                    context.send(done + 1 - now, self.id, TileMessage::Written { inputs, waited, rank });
                }
                u64::from(layer)
            };
            let completion = digest(&[layer, u64::from(self.id), u64::from(rank), u64::from(bits), done]);
            self.digest = self.digest.wrapping_add(completion);
        }
        self.deliveries = deliveries;
    }

    /// A packet is in the buffer at the end of cycle `at`.
    fn written<C: Context>(&mut self, number: u8, rank: u32, waited: u16, at: Cycle, context: &mut C) {
        let inputs = &mut self.edram.inputs[usize::from(number)];
        let Some(slot) = inputs.written(rank) else { return };
        context.probe().fill(self.id, inputs.layer, inputs.share.position_bits as i64, at);
        for (index, control) in self.controls.iter_mut().enumerate() {
            if control.inputs == number && control.awaited == Some(slot) {
                control.supply(waited);
                self.supplied |= 1 << index;
                self.tick = true;
            }
        }
    }

    /// Results of some IMAs are in the tile's output register at the end of a cycle, and their own are free.
    fn results_merged(&mut self, imas: u64) {
        for index in ones(imas) {
            let ima = &mut self.imas[index];
            let control = &mut self.controls[usize::from(ima.control)];
            let (complete, can_start) = Self::result_merged(ima, control, &mut self.sums, &mut self.changed);
            self.to_start |= u64::from(can_start) << index;
            self.tick |= complete | can_start;
        }
    }

    /// Results of `ima` are in the tile's output register, and its own is free. Returns whether the window is complete,
    /// and whether the IMA can start.
    #[inline]
    fn result_merged(
        ima: &mut Ima,
        control: &mut LayerControl,
        sums: &mut [PartialSums],
        changed: &mut u64,
    ) -> (bool, bool) {
        let complete = sums[usize::from(ima.sums)].merge(control, ima.result_merged(), ima.results());
        *changed |= u64::from(complete) << ima.sums;
        (complete, ima.can_start())
    }

    /// Inputs of some IMAs are in their input registers at the end of the cycle before `next`.
    fn inputs_arrived(&mut self, imas: u64, next: Cycle) {
        for index in ones(imas) {
            let ima = &mut self.imas[index];
            let all_read = self.controls[usize::from(ima.control)].inputs_read(ima.inputs_arrived(next));
            self.progressed |= u64::from(all_read) << ima.control;
            let can_start = ima.can_start();
            self.to_start |= u64::from(can_start) << index;
            self.tick |= all_read | can_start;
        }
    }

    /// Takes the IMAs of one copy out of the set `imas`: (number of the layer control, its IMAs).
    #[inline]
    fn take_copy(units: &[Ima], controls: &[LayerControl], imas: &mut u64) -> Option<(usize, u64)> {
        let first = (*imas != 0).then(|| imas.trailing_zeros() as usize)?;
        let control = usize::from(units[first].control);
        let own = *imas & controls[control].imas;
        *imas ^= own;
        Some((control, own))
    }

    /// The bus is granted to results that the output register has room for.
    fn send_results<C: Context>(&mut self, context: &mut C) {
        let now = context.now();
        let mut merged = Batch::default();
        let mut imas = std::mem::take(&mut self.results);
        while let Some((control, own)) = Self::take_copy(&self.imas, &self.controls, &mut imas) {
            let control = &mut self.controls[control];
            for index in ones(own) {
                let ima = &mut self.imas[index];
                while let Some(window) = ima.next_result() {
                    let sums = &mut self.sums[usize::from(ima.sums)];
                    if let Err(cause) = sums.accepts(window) {
                        ima.result_refused(cause);
                        sums.refused |= 1 << index;
                        break;
                    }
                    ima.result_sent();
                    let values = u64::from(ima.results());
                    control.tally.results += values;
                    let bits = values * u64::from(self.partial_sum_bits);
                    let done = self.bus.transfer(now, bits);
                    let unit = control.unit(self.id, index);
                    context.probe().result(unit, window, bits, now..done + 1);
                    if done == now {
                        let (complete, can_start) =
                            Self::result_merged(ima, control, &mut self.sums, &mut self.changed);
                        self.to_start |= u64::from(can_start) << index;
                        self.tick |= complete | can_start;
                    } else if let Some((at, imas)) = merged.add(done + 1, index) {
                        context.send(at - now, self.id, TileMessage::ResultsMerged { imas });
                    }
                }
            }
        }
        if let Some((at, imas)) = merged.rest() {
            context.send(at - now, self.id, TileMessage::ResultsMerged { imas });
        }
    }

    /// IMAs with inputs, free crossbars and a free output register start.
    fn start<C: Context>(&mut self, context: &mut C) {
        let now = context.now();
        let (mut read, mut ready) = (Batch::default(), Batch::default());
        let mut imas = std::mem::take(&mut self.to_start);
        while let Some((control, own)) = Self::take_copy(&self.imas, &self.controls, &mut imas) {
            for index in ones(own) {
                let (ima, control) = (&mut self.imas[index], &mut self.controls[control]);
                if !ima.can_start() {
                    continue;
                }
                let (number, unit) = (ima.next_start(), control.unit(self.id, index));
                let window = control.window(number);
                let iterations = u32::from(window.bits).div_ceil(self.dac_bits);
                let stalls = &mut control.stalls;
                let account = |cause, cycles: Range<Cycle>| {
                    stalls.add(cause, cycles.end - cycles.start);
                    if cause != Cause::Computing && !cycles.is_empty() {
                        context.probe().wait(unit, cause, cycles);
                    }
                };
                if self.skip_zero_row_blocks && !window.whole {
                    let (layer, inputs) = (control.layer, &self.edram.inputs[usize::from(control.inputs)]);
                    let has_inputs = |rows: &Range<u32>| inputs.read_by(layer, window, rows) > 0;
                    ima.start_some(now, iterations, self.fidelity, account, has_inputs);
                } else {
                    ima.start(now, iterations, self.fidelity, account);
                }
                context.probe().operation(unit, number, now, iterations, ima.timing);
                if self.fidelity == Fidelity::Iteration {
                    let operation = ima.last_started();
                    self.read_once(index as u8, operation, 0, context);
                    continue;
                }
                let timing = ima.timing;
                if let Some((at, imas)) = read.add(now + timing.reads(iterations), index) {
                    context.send(at - now, self.id, TileMessage::ReadsDone { imas });
                }
                if let Some((at, imas)) = ready.add(now + timing.results(iterations), index) {
                    context.send(at - now, self.id, TileMessage::ResultsReady { imas });
                }
            }
        }
        if let Some((at, imas)) = read.rest() {
            context.send(at - now, self.id, TileMessage::ReadsDone { imas });
        }
        if let Some((at, imas)) = ready.rest() {
            context.send(at - now, self.id, TileMessage::ResultsReady { imas });
        }
    }

    /// Iteration fidelity: one read, and what follows from it.
    #[inline]
    fn read_once<C: Context>(&mut self, ima: u8, operation: u8, iteration: u16, context: &mut C) {
        let unit = &mut self.imas[usize::from(ima)];
        self.controls[usize::from(unit.control)].tell_stage(self.id, ima, Stage::Read, unit.timing, context);
        let last = u32::from(iteration) + 1 == unit.read_once(operation);
        context.send(1, self.id, TileMessage::Convert { ima, operation, last });
        let next = match last {
            true => TileMessage::ReadsDone { imas: ImaSet::from(1 << ima) },
            false => TileMessage::Read { ima, operation, iteration: iteration + 1 },
        };
        context.send(Cycle::from(unit.timing.cycles_per_read), self.id, next);
    }

    /// eDRAM port and bus are granted to inputs of windows that are ready.
    fn fetch<C: Context>(&mut self, context: &mut C) {
        let now = context.now();
        let mut arrived = Batch::default();
        let mut imas = std::mem::take(&mut self.to_fetch);
        while let Some((number, own)) = Self::take_copy(&self.imas, &self.controls, &mut imas) {
            let control = &mut self.controls[number];
            let inputs = usize::from(control.inputs);
            for index in ones(own) {
                let ima = &mut self.imas[index];
                while let Some(next) = ima.next_fetch() {
                    if next >= control.ready {
                        control.starving |= 1 << index;
                        break;
                    }
                    let window = control.window(next);
                    let values = match window.whole {
                        true => ima.rows(),
                        false => self.edram.inputs[inputs].read_by(control.layer, window, &ima.spec().rows),
                    };
                    let bits = u64::from(values) * u64::from(window.bits);
                    control.tally.bits_fetched += bits;
                    control.first_cycle.get_or_insert(now);
                    ima.fetch(now, bits, control.held_up(now));
                    let done = self.edram.access(now, bits).max(self.bus.transfer(now, bits));
                    context.probe().fetch(control.unit(self.id, index), next, bits, now..done + 1);
                    if done == now {
                        let all_read = control.inputs_read(ima.inputs_arrived(now + 1));
                        let can_start = ima.can_start();
                        self.progressed |= u64::from(all_read) << number;
                        self.to_start |= u64::from(can_start) << index;
                        self.tick |= all_read | can_start;
                    } else if let Some((at, imas)) = arrived.add(done + 1, index) {
                        context.send(at - now, self.id, TileMessage::InputsArrived { imas });
                    }
                }
            }
        }
        if let Some((at, imas)) = arrived.rest() {
            context.send(at - now, self.id, TileMessage::InputsArrived { imas });
        }
    }

    /// What the blocks of the tile counted for each layer: (layer, counts).
    pub fn counts(&self, crossbar_cells: u64) -> Vec<(u16, Counts)> {
        let layer_of = |ima: &Ima| self.controls[usize::from(ima.control)].layer_index;
        let imas = self.imas.iter().map(|ima| (layer_of(ima), ima.counts(crossbar_cells)));
        let controls =
            self.controls.iter().map(|control| (control.layer_index, control.tally.counts(self.partial_sum_bits)));
        // What is written to the buffer is the work of the layer before.
        let writes =
            self.edram.inputs.iter().filter(|inputs| inputs.layer > 0).map(|inputs| {
                (inputs.layer - 1, Counts { edram_bits_written: inputs.bits_written, ..Counts::default() })
            });
        let sums = self.sums.iter().map(|sums| (sums.spec().layer_index, sums.counts()));
        imas.chain(controls).chain(sums).chain(writes).collect()
    }

    /// Who waits for what, when nothing moves any more.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (number, ima) in self.imas.iter().enumerate() {
            let control = &self.controls[usize::from(ima.control)];
            let name = &control.layer.layer.name;
            let unit = format!("tile {} IMA {number} ({name}, copy {})", self.id, control.copy);
            let at = |window: &Window| format!("({}, {})", window.y, window.x);
            if let Some(window) = ima.next_result() {
                let cause = match self.sums[usize::from(ima.sums)].accepts(window) {
                    Err(Cause::DownstreamBuffer) => "room in the buffers of the next layer",
                    _ => "room in the tile's output register",
                };
                let window = at(control.window(window));
                waiting.push(Waiting { unit, waits_for: format!("{cause}, with the results of window {window}") });
            } else if ima.not_fetched(control.total) > 0 && ima.in_progress() == 0 {
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

fn wake_if(decision: bool) -> Wake {
    if decision { Wake::Evaluate } else { Wake::Sleep }
}

impl<C: Context> Component<C> for Tile<'_> {
    type Message = TileMessage;

    #[inline]
    fn receive(&mut self, message: TileMessage, context: &mut C) -> Wake {
        let now = context.now();
        match message {
            TileMessage::Start => {
                for control in &mut self.controls {
                    control.look_ahead(now, &self.edram.inputs[usize::from(control.inputs)]);
                    self.to_fetch |= control.imas;
                }
            }
            TileMessage::InputsArrived { imas } => self.inputs_arrived(imas.mask(), now),
            TileMessage::Read { ima, operation, iteration } => {
                self.read_once(ima, operation, iteration, context);
                return Wake::Sleep;
            }
            TileMessage::Convert { ima, operation, last } => {
                let unit = &mut self.imas[usize::from(ima)];
                self.controls[usize::from(unit.control)].tell_stage(self.id, ima, Stage::Convert, unit.timing, context);
                unit.convert_once(operation);
                let delay = Cycle::from(unit.timing.convert_cycles);
                context.send(delay, self.id, TileMessage::Accumulate { ima, operation, last });
                return Wake::Sleep;
            }
            TileMessage::Accumulate { ima, operation, last } => {
                let unit = &mut self.imas[usize::from(ima)];
                self.controls[usize::from(unit.control)].tell_stage(
                    self.id,
                    ima,
                    Stage::Accumulate,
                    unit.timing,
                    context,
                );
                unit.merge_once(operation);
                if last {
                    let delay = Cycle::from(unit.timing.merge_cycles);
                    context.send(delay, self.id, TileMessage::ResultsReady { imas: ImaSet::from(1 << ima) });
                }
                return Wake::Sleep;
            }
            TileMessage::ReadsDone { imas } => {
                ones(imas.mask()).for_each(|ima| self.imas[ima].reads_done());
                self.to_start |= imas.mask();
                self.to_fetch |= imas.mask();
            }
            TileMessage::ResultsReady { imas } => {
                ones(imas.mask()).for_each(|ima| self.imas[ima].result_ready());
                self.results |= imas.mask();
            }
            TileMessage::ResultsMerged { imas } => self.results_merged(imas.mask()),
            TileMessage::PartialSum { sums: number, window } => {
                let sums = &mut self.sums[usize::from(number)];
                let complete = sums.merge_partial_sums(&mut self.controls[usize::from(sums.control)], window);
                self.changed |= u64::from(complete) << number;
                return wake_if(complete);
            }
            TileMessage::PartialSumCredit { sums, limit } => {
                let has_waited = self.sums[usize::from(sums)].credited(limit);
                self.changed |= u64::from(has_waited) << sums;
                return wake_if(has_waited);
            }
            TileMessage::PoolValue { sums, image, position } => {
                self.pool_values.push((sums, image, position));
                self.changed |= 1 << sums;
            }
            TileMessage::Delivery { inputs, waited, bits, rank } => self.deliveries.push((inputs, rank, bits, waited)),
            TileMessage::Written { inputs, waited, rank } => self.written(inputs, rank, waited, now - 1, context),
            TileMessage::Tick => {}
            TileMessage::Credit { outlet, limit } => {
                let known = &mut self.limits[usize::from(outlet)];
                *known = limit.max(*known);
                self.changed |= self.blocked;
                return wake_if(self.blocked != 0);
            }
        }
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) {
        self.tick = false;
        if self.changed != 0 {
            self.pass_on(context);
        }
        if self.supplied != 0 {
            self.look_ahead(context.now());
        }
        if self.progressed != 0 {
            self.release(context);
        }
        if self.to_start != 0 {
            self.start(context);
        }
        // From here on, what is decided in this cycle is done at its end.
        if !self.deliveries.is_empty() {
            self.write(context);
        }
        if self.results != 0 {
            self.send_results(context);
        }
        if self.to_fetch != 0 {
            self.fetch(context);
        }
        if self.tick {
            context.send(1, self.id, TileMessage::Tick);
        }
    }
}
