use arch::Arch;
use des::{Component, Cycle, Wake};
use mapper::Window;

use crate::bits::{ImaSet, ones};
use crate::{
    Bus, Cause, Context, Counts, Crew, EdramBuffer, Fidelity, Ima, Inputs, LayerControl, PartialSums, Pipeline, Probe,
    Producer, Stage, TileMessage,
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
    /// The IMAs of each output group of each copy.
    pub crews: Vec<Crew>,
    /// For each IMA, the number of its crew, and of the part of the output register that its results go to.
    crew_of: Vec<u8>,
    /// The output register: one part for each crew.
    pub sums: Vec<PartialSums<'a>>,
    /// For each outlet, the positions that may be sent, counted over all images.
    limits: Vec<u32>,
    pipeline: Pipeline,
    /// IMAs whose next window has not all its inputs yet.
    starving: u64,
    /// IMAs whose results the output register has no room for.
    refused: u64,
    /// Layer controls of which all IMAs have read one more window.
    progressed: u64,
    /// Parts of the output register with something new.
    changed: u64,
    /// Parts of the output register that wait for room in the buffers of the next layer.
    blocked: u64,
    /// Layer controls whose awaited input has been written.
    supplied: u64,
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
    /// The IMAs of each output group of each copy.
    pub crews: Vec<Crew>,
    /// One part of the output register for each crew.
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
    /// Adds IMAs to which it happens in cycle `at`. Returns the batch before if they do not belong to it.
    #[inline]
    fn add(&mut self, at: Cycle, imas: u64) -> Option<(Cycle, ImaSet)> {
        if self.at == at {
            self.imas |= imas;
            return None;
        }
        let before = std::mem::replace(self, Self { at, imas });
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
            pipeline: Pipeline::new(spec.imas.len()),
            crew_of: crew_of(&spec.crews, spec.imas.len()),
            imas: spec.imas,
            controls: spec.controls,
            crews: spec.crews,
            sums: spec.sums,
            limits: spec.limits,
            starving: 0,
            refused: 0,
            progressed: 0,
            changed: 0,
            blocked: 0,
            supplied: 0,
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
            let left = sums.left();
            let completed = sums.pass_on(control, &self.limits, context);
            if sums.left() > left {
                self.refused &= !self.crews[index].imas;
            }
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
            if control.look_ahead(now, &self.edram.inputs[usize::from(control.inputs)]) {
                self.starving &= !control.imas;
            }
        }
    }

    /// Positions that no window needs any more make room in the buffer, and their producers are told.
    fn release<C: Context>(&mut self, context: &mut C) {
        let mut progressed = 0u64;
        for number in ones(std::mem::take(&mut self.progressed)) {
            let control = &mut self.controls[number];
            let own = self.crews.iter().filter(|crew| usize::from(crew.control) == number);
            let slowest = own.map(|crew| crew.arriving.window).min();
            control.read_by_all = slowest.expect("a layer control has IMAs");
            progressed |= 1 << control.inputs;
        }
        for index in ones(progressed) {
            let inputs = &mut self.edram.inputs[index];
            let sharing = |control: &&mut LayerControl| usize::from(control.inputs) == index;
            let slowest = self.controls.iter_mut().filter(sharing).filter_map(|control| control.progress()).min();
            let (image, step) = slowest.expect("a copy that read a window has windows");
            let held = inputs.holds_image(image + 1);
            let now = context.now();
            context.probe().progress(self.id, inputs.layer, image, step, now);
            if let Some(limit) = inputs.advance(image, step) {
                for &Producer { tile, outlet } in &inputs.producers {
                    context.probe().credit(self.id, inputs.layer, tile, now);
                    context.send(1, tile, TileMessage::Credit { outlet, limit });
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

    /// The eDRAM port is granted to writes.
    fn write<C: Context>(&mut self, context: &mut C) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        deliveries.sort_unstable();
        let now = context.now();
        for (inputs, rank, bits, waited) in deliveries.drain(..) {
            let done = self.edram.port.serve(now, u64::from(bits));
            self.last_active = self.last_active.max(done);
            let of = self.edram.inputs.get(usize::from(inputs)).map(|inputs| inputs.layer);
            context.probe().write(self.id, of, rank, bits, now..done + 1);
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
        context.probe().arrive(self.id, inputs.layer, inputs.share.position_bits, at);
        for (index, control) in self.controls.iter_mut().enumerate() {
            if control.inputs == number && control.awaited == Some(slot) {
                control.supply(waited);
                context.probe().supply(self.id, inputs.layer, control.copy, rank, at);
                self.supplied |= 1 << index;
            }
        }
    }

    /// Takes the IMAs of one crew out of the set `imas`: (number of the crew, its IMAs).
    #[inline]
    fn take_crew(crew_of: &[u8], crews: &[Crew], imas: &mut u64) -> Option<(usize, u64)> {
        let first = (*imas != 0).then(|| imas.trailing_zeros() as usize)?;
        let crew = usize::from(crew_of[first]);
        let own = *imas & crews[crew].imas;
        *imas ^= own;
        Some((crew, own))
    }

    /// Results of some IMAs are in the tile's output register at the end of a cycle, and their own are free.
    #[inline]
    fn results_merged(&mut self, mut imas: u64) {
        self.pipeline.results_merged(imas);
        while let Some((number, own)) = Self::take_crew(&self.crew_of, &self.crews, &mut imas) {
            let (crew, sums) = (&mut self.crews[number], &mut self.sums[number]);
            let (window, this, next) = crew.merging.take(own, crew.imas);
            let mut complete = sums.merge(window, this.count_ones() as u16);
            if next != 0 {
                complete |= sums.merge(window + 1, next.count_ones() as u16);
            }
            self.changed |= u64::from(complete) << number;
        }
    }

    /// Inputs of some IMAs are in their input registers at the end of a cycle.
    #[inline]
    fn inputs_arrived(&mut self, mut imas: u64) {
        self.pipeline.inputs_arrived(imas);
        while let Some((number, own)) = Self::take_crew(&self.crew_of, &self.crews, &mut imas) {
            let crew = &mut self.crews[number];
            let (window, ..) = crew.arriving.take(own, crew.imas);
            self.progressed |= u64::from(crew.arriving.window > window) << crew.control;
        }
    }

    /// The bus is granted to results of `imas` that the output register has room for.
    fn send_results<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let mut merged = Batch::default();
        let mut here = 0;
        while let Some((number, own)) = Self::take_crew(&self.crew_of, &self.crews, &mut imas) {
            let (crew, sums) = (&mut self.crews[number], &self.sums[number]);
            if crew.sending >= sums.room() {
                let cause = sums.refusal();
                ones(own).for_each(|ima| self.imas[ima].result_refused(cause));
                self.refused |= own;
                continue;
            }
            let control = &self.controls[usize::from(crew.control)];
            for index in ones(own) {
                let bits = u64::from(self.imas[index].results()) * u64::from(self.partial_sum_bits);
                let done = self.bus.transfer(now, bits);
                context.probe().result(control.unit(self.id, index), crew.sending, bits, now..done + 1);
                if done == now {
                    here |= 1 << index;
                } else if let Some((at, imas)) = merged.add(done + 1, 1 << index) {
                    context.send(at - now, self.id, TileMessage::ResultsMerged { imas });
                }
            }
            crew.sending += u32::from(self.pipeline.send(own, crew.imas));
        }
        self.results_merged(here);
        if let Some((at, imas)) = merged.rest() {
            context.send(at - now, self.id, TileMessage::ResultsMerged { imas });
        }
    }

    /// The next operations of `imas` start.
    fn start<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let (mut read, mut ready) = (Batch::default(), Batch::default());
        while let Some((number, own)) = Self::take_crew(&self.crew_of, &self.crews, &mut imas) {
            let (index, of) = (self.crews[number].starting, usize::from(self.crews[number].control));
            let window = self.controls[of].window(index);
            let iterations = u32::from(window.bits).div_ceil(self.dac_bits);
            let skips = self.skips_row_blocks(window);
            for group in 0..self.crews[number].timings.len() {
                let (imas, timing) = self.crews[number].timings[group];
                let own = own & imas;
                if own == 0 {
                    continue;
                }
                let reads = timing.reads(iterations);
                for ima in ones(own) {
                    let (unit, control) = (&mut self.imas[ima], &mut self.controls[of]);
                    if let Some(pause) = unit.pause(index, now) {
                        let unit = control.unit(self.id, ima);
                        for (cause, cycles) in pause {
                            control.stalls.add(cause, cycles.end - cycles.start);
                            if !cycles.is_empty() {
                                context.probe().wait(unit, cause, cycles);
                            }
                        }
                    }
                    unit.start(now + reads);
                    context.probe().operation(control.unit(self.id, ima), index, now, iterations, timing);
                }
                self.controls[of].stalls.add(Cause::Computing, reads * u64::from(own.count_ones()));
                if skips || self.fidelity == Fidelity::Iteration {
                    self.hand_to_blocks(own, of, index, iterations, context);
                }
                if self.fidelity == Fidelity::Iteration {
                    continue;
                }
                if let Some((at, imas)) = read.add(now + reads, own) {
                    context.send(at - now, self.id, TileMessage::ReadsDone { imas });
                }
                if let Some((at, imas)) = ready.add(now + timing.results(iterations), own) {
                    context.send(at - now, self.id, TileMessage::ResultsReady { imas });
                }
            }
            let crew = &mut self.crews[number];
            if self.pipeline.start(own, crew.imas) {
                crew.starting += 1;
                if !skips && self.fidelity == Fidelity::Operation {
                    crew.closed_form = (crew.closed_form.0 + 1, crew.closed_form.1 + u64::from(iterations));
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

    /// Whether row blocks without inputs are left out of an operation for `window`.
    #[inline]
    fn skips_row_blocks(&self, window: &Window) -> bool {
        self.skip_zero_row_blocks && !window.whole
    }

    /// Hands the operation for window `index` of layer control `of` to the blocks of each of its `imas`, where their crew
    /// cannot count for all: not all crossbars may take part, or each read is an event.
    fn hand_to_blocks<C: Context>(&mut self, imas: u64, of: usize, index: u32, iterations: u32, context: &mut C) {
        let control = &self.controls[of];
        let window = control.window(index);
        let inputs = &self.edram.inputs[usize::from(control.inputs)];
        let read = self.skips_row_blocks(window).then(|| inputs.read_by(&control.layer.layer, window));
        for ima in ones(imas) {
            let unit = &mut self.imas[ima];
            let operation = match &read {
                Some(read) => unit.operation(iterations, |rows| read.among(rows) > 0),
                None => unit.whole_operation(iterations),
            };
            match self.fidelity {
                Fidelity::Operation => unit.operate(&operation),
                Fidelity::Iteration => {
                    let number = unit.keep(index, operation);
                    self.read_once(ima as u8, number, 0, context);
                }
            }
        }
    }

    /// Iteration fidelity: one read, and what follows from it.
    #[inline]
    fn read_once<C: Context>(&mut self, ima: u8, operation: u8, iteration: u16, context: &mut C) {
        let control = self.control_of(usize::from(ima));
        let unit = &mut self.imas[usize::from(ima)];
        self.controls[control].tell_stage(self.id, ima, Stage::Read, unit.timing(), context);
        let last = u32::from(iteration) + 1 == unit.read_once(operation);
        context.send(1, self.id, TileMessage::Convert { ima, operation, last });
        let next = match last {
            true => TileMessage::ReadsDone { imas: ImaSet::from(1 << ima) },
            false => TileMessage::Read { ima, operation, iteration: iteration + 1 },
        };
        context.send(Cycle::from(unit.timing().cycles_per_read), self.id, next);
    }

    /// eDRAM port and bus are granted to inputs of windows that are ready, for `imas`.
    fn fetch<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let mut arrived = Batch::default();
        let mut here = 0;
        while let Some((number, own)) = Self::take_crew(&self.crew_of, &self.crews, &mut imas) {
            let crew = &mut self.crews[number];
            let control = &mut self.controls[usize::from(crew.control)];
            if crew.fetching >= control.ready {
                self.starving |= own;
                continue;
            }
            control.first_cycle.get_or_insert(now);
            let (window, mesh_waited) = (control.window(crew.fetching), control.held_up(now));
            let inputs = &self.edram.inputs[usize::from(control.inputs)];
            let read = (!window.whole).then(|| inputs.read_by(&control.layer.layer, window));
            for index in ones(own) {
                let ima = &mut self.imas[index];
                let values = read.as_ref().map_or(ima.rows(), |read| read.among(&ima.spec().rows));
                let bits = u64::from(values) * u64::from(window.bits);
                let done = self.edram.port.serve(now, bits).max(self.bus.transfer(now, bits));
                ima.fetch(crew.fetching, now..done + 1, bits, mesh_waited);
                context.probe().fetch(control.unit(self.id, index), crew.fetching, bits, now..done + 1);
                if done == now {
                    here |= 1 << index;
                } else if let Some((at, imas)) = arrived.add(done + 1, 1 << index) {
                    context.send(at - now, self.id, TileMessage::InputsArrived { imas });
                }
            }
            crew.fetching += u32::from(self.pipeline.fetch(own, crew.imas));
        }
        self.inputs_arrived(here);
        if let Some((at, imas)) = arrived.rest() {
            context.send(at - now, self.id, TileMessage::InputsArrived { imas });
        }
    }

    /// Number of the layer control of an IMA.
    pub fn control_of(&self, ima: usize) -> usize {
        usize::from(self.crews[usize::from(self.crew_of[ima])].control)
    }

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

/// For each of `imas` IMAs, the number of its crew.
fn crew_of(crews: &[Crew], imas: usize) -> Vec<u8> {
    let crew = |ima: usize| crews.iter().position(|crew| crew.imas >> ima & 1 == 1);
    (0..imas).map(|ima| crew(ima).expect("every IMA is in a crew") as u8).collect()
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
                }
            }
            TileMessage::InputsArrived { imas } => self.inputs_arrived(imas.mask()),
            TileMessage::Read { ima, operation, iteration } => {
                self.read_once(ima, operation, iteration, context);
                return Wake::Sleep;
            }
            TileMessage::Convert { ima, operation, last } => {
                let control = self.control_of(usize::from(ima));
                let unit = &mut self.imas[usize::from(ima)];
                self.controls[control].tell_stage(self.id, ima, Stage::Convert, unit.timing(), context);
                unit.convert_once(operation);
                let delay = Cycle::from(unit.timing().convert_cycles);
                context.send(delay, self.id, TileMessage::Accumulate { ima, operation, last });
                return Wake::Sleep;
            }
            TileMessage::Accumulate { ima, operation, last } => {
                let control = self.control_of(usize::from(ima));
                let unit = &mut self.imas[usize::from(ima)];
                self.controls[control].tell_stage(self.id, ima, Stage::Accumulate, unit.timing(), context);
                unit.merge_once(operation);
                if last {
                    let delay = Cycle::from(unit.timing().merge_cycles);
                    context.send(delay, self.id, TileMessage::ResultsReady { imas: ImaSet::from(1 << ima) });
                }
                return Wake::Sleep;
            }
            TileMessage::ReadsDone { imas } => {
                self.pipeline.reads_done(imas.mask());
            }
            TileMessage::ResultsReady { imas } => self.pipeline.results_ready(imas.mask()),
            TileMessage::ResultsMerged { imas } => self.results_merged(imas.mask()),
            TileMessage::PartialSum { sums: number, window } => {
                let sums = &mut self.sums[usize::from(number)];
                let complete = sums.merge_partial_sums(window);
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
        if self.changed != 0 {
            self.pass_on(context);
        }
        if self.supplied != 0 {
            self.look_ahead(context.now());
        }
        if self.progressed != 0 {
            self.release(context);
        }
        let starting = self.pipeline.can_start();
        if starting != 0 {
            self.start(starting, context);
        }
        // From here on, what is decided in this cycle is done at its end.
        if !self.deliveries.is_empty() {
            self.write(context);
        }
        loop {
            let sending = self.pipeline.can_send() & !self.refused;
            if sending == 0 {
                break;
            }
            self.send_results(sending, context);
        }
        loop {
            let fetching = self.pipeline.can_fetch() & !self.starving;
            if fetching == 0 {
                break;
            }
            self.fetch(fetching, context);
        }
        if self.changed | self.supplied | self.progressed | self.pipeline.can_start() != 0 {
            context.send(1, self.id, TileMessage::Tick);
        }
    }
}
