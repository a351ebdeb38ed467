use arch::Arch;
use des::Cycle;
use mapper::ImaSpec;

use crate::{Adc, Cause, Counts, Crossbars, Dac, InputRegister, OutputRegister, SampleHold, ShiftAdd, Stalls};

/// How finely the inside of an IMA is simulated. Both give the same cycles, counts and stalls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fidelity {
    /// An operation, once started, cannot be held up: it is one event, its reads known in closed form.
    #[default]
    Operation,
    /// Each read, conversion and accumulation is an event.
    Iteration,
}

/// What one operation of an IMA does in each of its reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// Reads.
    pub iterations: u32,
    /// Crossbars that take part.
    pub crossbars: u32,
    /// Used rows of these crossbars, added up.
    pub rows: u32,
    /// Used columns of these crossbars, added up.
    pub columns: u32,
}

/// Cycles inside an IMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImaTiming {
    /// From one read to the next: the slowest of crossbar, ADC and shift-and-add.
    pub cycles_per_read: u32,
    /// The conversions of one read.
    pub convert_cycles: u32,
    /// Their shift-and-add.
    pub merge_cycles: u32,
}

impl ImaTiming {
    /// From the first read of an operation until the crossbars are free again.
    pub fn reads(self, iterations: u32) -> Cycle {
        Cycle::from(iterations * self.cycles_per_read)
    }

    /// From the first read of an operation until its results ask for the bus.
    pub fn results(self, iterations: u32) -> Cycle {
        Cycle::from((iterations - 1) * self.cycles_per_read + 1 + self.convert_cycles + self.merge_cycles)
    }
}

/// When the inputs of an operation were asked for, and when they came.
#[derive(Clone, Copy, Debug, Default)]
struct Fetch {
    requested_at: Cycle,
    arrived_at: Cycle,
    /// Cycles that the last of the inputs was held up on its way to the tile.
    mesh_waited: Cycle,
}

/// An in-situ multiply-accumulate unit: crossbars with their converters, shift-and-adds and registers.
///
/// It works through the windows of its copy in order, and each window passes seven points: inputs fetched, inputs
/// arrived, operation started, crossbars read, results ready, results sent, results merged in the tile. A counter for
/// each is its whole state.
#[derive(Clone, Debug)]
pub struct Ima {
    /// The part of the copy that it holds.
    pub spec: ImaSpec,
    /// Its cycles.
    pub timing: ImaTiming,
    /// Number of its layer control in the tile.
    pub control: u8,
    /// Number of the partial sums in the tile that its results go to.
    pub sums: u8,
    /// Crossbars with inputs, row block by row block: (rows of the copy, operation of these crossbars alone).
    row_blocks: Vec<(std::ops::Range<u32>, Operation)>,
    /// All of them together.
    all: Operation,
    fetched: u32,
    arrived: u32,
    started: u32,
    read: u32,
    ready: u32,
    sent: u32,
    merged: u32,
    /// The operations whose inputs are in the register, by window modulo 2.
    fetches: [Fetch; 2],
    /// Iteration fidelity: the operations in the pipeline, by window modulo 4.
    operations: [Operation; 4],
    /// First cycle of the present pause.
    idle_since: Cycle,
    /// Why results stay in the output register.
    output_wait: Cause,
    input_register: InputRegister,
    dac: Dac,
    crossbar: Crossbars,
    sample_hold: SampleHold,
    adc: Adc,
    shift_add: ShiftAdd,
    output_register: OutputRegister,
    stalls: Stalls,
}

impl Ima {
    /// An idle IMA.
    pub fn new(arch: &Arch, spec: ImaSpec, control: u8, sums: u8) -> Self {
        let adc = Adc::new(arch, &spec.crossbars);
        let shift_add = ShiftAdd::new(arch, &spec.crossbars);
        let blocks = spec.rows.len().div_ceil(arch.crossbar.rows as usize);
        let row_blocks: Vec<_> = (spec.crossbars)
            .chunks(spec.crossbars.len() / blocks)
            .zip(spec.rows.clone().step_by(arch.crossbar.rows as usize))
            .map(|(crossbars, first)| {
                let operation = Operation {
                    iterations: 0,
                    crossbars: crossbars.len() as u32,
                    rows: crossbars.iter().map(|crossbar| crossbar.0).sum(),
                    columns: crossbars.iter().map(|crossbar| crossbar.1).sum(),
                };
                (first..first + crossbars[0].0, operation)
            })
            .collect();
        let all = row_blocks.iter().fold(Operation::default(), |all, (_, block)| all.and(block));
        Self {
            timing: ImaTiming {
                cycles_per_read: adc.cycles_per_read.max(shift_add.cycles_per_read),
                convert_cycles: adc.cycles_per_read,
                merge_cycles: shift_add.cycles_per_read,
            },
            spec,
            control,
            sums,
            row_blocks,
            all,
            fetched: 0,
            arrived: 0,
            started: 0,
            read: 0,
            ready: 0,
            sent: 0,
            merged: 0,
            fetches: Default::default(),
            operations: Default::default(),
            idle_since: 1,
            output_wait: Cause::Bus,
            input_register: InputRegister::new(arch.dac.bits),
            dac: Dac::default(),
            crossbar: Crossbars::default(),
            sample_hold: SampleHold::default(),
            adc,
            shift_add,
            output_register: OutputRegister::default(),
            stalls: Stalls::default(),
        }
    }

    /// The next window to fetch inputs for, if the input register has room for them.
    #[inline]
    pub fn next_fetch(&self) -> Option<u32> {
        (self.fetched - self.read < InputRegister::OPERATIONS).then_some(self.fetched)
    }

    /// The results of one more operation are in the output register.
    #[inline]
    pub fn result_ready(&mut self) {
        self.ready += 1;
    }

    /// The window whose results can leave, if any are there.
    #[inline]
    pub fn next_result(&self) -> Option<u32> {
        (self.ready > self.sent).then_some(self.sent)
    }

    /// The bus has been granted for the next results.
    #[inline]
    pub fn result_sent(&mut self) {
        self.sent += 1;
    }

    /// Windows whose inputs have arrived.
    #[inline]
    pub fn arrived(&self) -> u32 {
        self.arrived
    }

    /// Windows that have not been fetched, of `total`.
    pub fn not_fetched(&self, total: u32) -> u32 {
        total - self.fetched
    }

    /// Windows whose results have not been merged, of those fetched.
    pub fn in_progress(&self) -> u32 {
        self.fetched - self.merged
    }

    /// Asks for the `bits` of the next inputs, the last of which was held up for `mesh_waited` cycles on its way.
    #[inline]
    pub fn fetch(&mut self, now: Cycle, bits: u64, mesh_waited: Cycle) {
        self.fetches[(self.fetched % 2) as usize] = Fetch { requested_at: now, arrived_at: 0, mesh_waited };
        self.fetched += 1;
        self.input_register.write(bits);
    }

    /// The inputs are in the register at the beginning of cycle `now`.
    #[inline]
    pub fn inputs_arrived(&mut self, now: Cycle) {
        self.fetches[(self.arrived % 2) as usize].arrived_at = now;
        self.arrived += 1;
    }

    /// The window that can start: inputs there, crossbars free, an output register free.
    #[inline]
    pub fn next_start(&self) -> Option<u32> {
        let inputs = self.arrived > self.started;
        let crossbars = self.started == self.read;
        let output = self.started - self.merged < OutputRegister::OPERATIONS;
        (inputs && crossbars && output).then_some(self.started)
    }

    /// Starts an operation of `iterations` reads. Where zero row blocks are skipped, `has_inputs` tells which have any.
    #[inline]
    pub fn start(
        &mut self,
        now: Cycle,
        iterations: u32,
        has_inputs: Option<&dyn Fn(&std::ops::Range<u32>) -> bool>,
    ) -> Operation {
        self.account_for_pause(now);
        let mut operation = match has_inputs {
            None => self.all,
            Some(has_inputs) => {
                let taking_part = self.row_blocks.iter().filter(|(rows, _)| has_inputs(rows));
                taking_part.fold(Operation::default(), |all, (_, block)| all.and(block))
            }
        };
        operation.iterations = iterations;
        self.operations[(self.started % 4) as usize] = operation;
        self.started += 1;
        self.crossbar.begin(&operation);
        operation
    }

    /// Number under which the operation that was started last is kept while it is in the pipeline.
    pub fn last_started(&self) -> u8 {
        ((self.started - 1) % 4) as u8
    }

    /// An operation in the pipeline.
    pub fn operation(&self, number: u8) -> Operation {
        self.operations[usize::from(number)]
    }

    /// Input register, DACs, crossbars and sample-and-holds do `iterations` reads of `operation`.
    #[inline]
    pub fn read(&mut self, operation: &Operation, iterations: u32) {
        self.input_register.read(operation, iterations);
        self.dac.drive(operation, iterations);
        self.crossbar.read(operation, iterations);
        self.sample_hold.hold(operation, iterations);
    }

    /// The ADCs convert what `iterations` reads of `operation` left in the sample-and-holds.
    #[inline]
    pub fn convert(&mut self, operation: &Operation, iterations: u32) {
        self.adc.convert(operation, iterations);
    }

    /// The shift-and-adds merge the conversions of `iterations` reads of `operation`.
    #[inline]
    pub fn merge(&mut self, operation: &Operation, iterations: u32) {
        self.shift_add.merge(operation, iterations);
    }

    /// The crossbars are free again at the beginning of cycle `now`.
    #[inline]
    pub fn reads_done(&mut self, now: Cycle) {
        let iterations = self.operations[(self.read % 4) as usize].iterations;
        self.stalls.add(Cause::Computing, self.timing.reads(iterations));
        self.read += 1;
        self.idle_since = now;
    }

    /// The results cannot leave, and why.
    #[inline]
    pub fn result_refused(&mut self, cause: Cause) {
        self.output_wait = cause;
    }

    /// The results are in the tile's output register, and the IMA's is free. Returns their window.
    #[inline]
    pub fn result_merged(&mut self) -> u32 {
        self.merged += 1;
        self.output_register.hand_over(self.results());
        self.merged - 1
    }

    /// Results of one operation.
    #[inline]
    pub fn results(&self) -> u32 {
        self.spec.outputs.end - self.spec.outputs.start
    }

    /// Gives every cycle of the pause that ends with cycle `now` its cause.
    #[inline]
    fn account_for_pause(&mut self, now: Cycle) {
        if self.idle_since == now {
            return;
        }
        let fetch = self.fetches[(self.started % 2) as usize];
        let requested_at = fetch.requested_at.clamp(self.idle_since, now);
        let arrived_at = fetch.arrived_at.clamp(requested_at, now);
        let for_inputs = requested_at - self.idle_since;
        if self.started == 0 {
            self.stalls.add(Cause::Filling, for_inputs);
        } else {
            let in_mesh = fetch.mesh_waited.min(for_inputs);
            self.stalls.add(Cause::Mesh, in_mesh);
            self.stalls.add(Cause::Input, for_inputs - in_mesh);
        }
        self.stalls.add(Cause::Bus, arrived_at - requested_at);
        self.stalls.add(self.output_wait, now - arrived_at);
        self.output_wait = Cause::Bus;
    }

    /// Stalls of a run that ended with cycle `last`. Adds up to `last` cycles.
    pub fn stalls(&self, last: Cycle) -> Stalls {
        let mut stalls = self.stalls.clone();
        stalls.add(Cause::Finished, last + 1 - self.idle_since);
        assert_eq!(stalls.total(), last, "the cycles of an IMA do not add up");
        stalls
    }

    /// What its blocks counted.
    pub fn counts(&self, crossbar_cells: u64) -> Counts {
        Counts {
            ima_operations: u64::from(self.started),
            crossbar_operations: self.crossbar.operations,
            crossbar_reads: self.crossbar.reads,
            crossbar_cells: self.crossbar.reads * crossbar_cells,
            dac_activations: self.dac.activations,
            sample_holds: self.sample_hold.holds,
            adc_conversions: self.adc.conversions,
            shift_adds: self.shift_add.merged,
            input_register_bits_written: self.input_register.bits_written,
            input_register_bits_read: self.input_register.bits_read,
            output_register_values: self.output_register.values,
            ..Counts::default()
        }
    }
}

impl Operation {
    /// Both together.
    fn and(self, other: &Self) -> Self {
        Self {
            iterations: self.iterations,
            crossbars: self.crossbars + other.crossbars,
            rows: self.rows + other.rows,
            columns: self.columns + other.columns,
        }
    }
}
