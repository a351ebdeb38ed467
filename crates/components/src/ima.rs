use std::ops::Range;

use arch::Arch;
use des::Cycle;
use mapper::ImaSpec;

use crate::{Adc, Cause, Counts, Crossbars, Dac, InputRegister, OutputRegister, SampleHold, ShiftAdd};

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

/// The blocks of an IMA.
#[derive(Clone, Debug)]
struct Blocks {
    input_register: InputRegister,
    dac: Dac,
    crossbars: Crossbars,
    sample_hold: SampleHold,
    adc: Adc,
    shift_add: ShiftAdd,
    output_register: OutputRegister,
}

/// What an IMA holds, and its blocks: what is not needed to decide when an operation starts.
#[derive(Clone, Debug)]
struct Inside {
    spec: ImaSpec,
    /// Its row blocks: (rows of the copy, operation of their crossbars alone).
    row_blocks: Vec<(Range<u32>, Operation)>,
    /// All of them together.
    all: Operation,
    /// Iteration fidelity: the operations in the pipeline, by window modulo 4.
    operations: [Operation; 4],
    blocks: Blocks,
}

/// An in-situ multiply-accumulate unit: crossbars with their converters, shift-and-adds and registers.
///
/// It works through the windows of its copy in order, and each window passes seven points: inputs fetched, inputs
/// arrived, operation started, crossbars read, results ready, results sent, results merged in the tile. A counter for
/// each is its whole state.
#[derive(Clone, Debug)]
pub struct Ima {
    fetched: u32,
    arrived: u32,
    started: u32,
    read: u32,
    ready: u32,
    sent: u32,
    merged: u32,
    /// Rows of the copy that it holds.
    rows: u32,
    /// Results of one operation.
    results: u32,
    /// Its cycles.
    pub timing: ImaTiming,
    /// The operations whose inputs are in the register, by window modulo 2.
    fetches: [Fetch; 2],
    /// First cycle of the present pause.
    idle_since: Cycle,
    /// Bits of inputs taken from the bus.
    bits_fetched: u64,
    /// Operations in closed form in which all crossbars took part, and their reads. The blocks are told at the end.
    closed_form: (u64, u64),
    /// Number of its layer control in the tile.
    pub control: u8,
    /// Number of the partial sums in the tile that its results go to.
    pub sums: u8,
    /// Why results stay in the output register.
    output_wait: Cause,
    inside: Box<Inside>,
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
        Self {
            fetched: 0,
            arrived: 0,
            started: 0,
            read: 0,
            ready: 0,
            sent: 0,
            merged: 0,
            rows: spec.rows.end - spec.rows.start,
            results: spec.outputs.end - spec.outputs.start,
            timing: ImaTiming {
                cycles_per_read: adc.cycles_per_read.max(shift_add.cycles_per_read),
                convert_cycles: adc.cycles_per_read,
                merge_cycles: shift_add.cycles_per_read,
            },
            fetches: Default::default(),
            idle_since: 1,
            bits_fetched: 0,
            closed_form: (0, 0),
            control,
            sums,
            output_wait: Cause::Bus,
            inside: Box::new(Inside {
                spec,
                all: row_blocks.iter().fold(Operation::default(), |all, (_, block)| all.and(block)),
                row_blocks,
                operations: Default::default(),
                blocks: Blocks {
                    input_register: InputRegister::new(arch.dac.bits),
                    dac: Dac::default(),
                    crossbars: Crossbars::default(),
                    sample_hold: SampleHold::default(),
                    adc,
                    shift_add,
                    output_register: OutputRegister::default(),
                },
            }),
        }
    }

    /// The part of the copy that it holds.
    pub fn spec(&self) -> &ImaSpec {
        &self.inside.spec
    }

    /// Rows of the copy that it holds.
    #[inline]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Results of one operation.
    #[inline]
    pub fn results(&self) -> u32 {
        self.results
    }

    /// The next window to fetch inputs for, if the input register has room for them.
    #[inline]
    pub fn next_fetch(&self) -> Option<u32> {
        (self.fetched - self.read < InputRegister::OPERATIONS).then_some(self.fetched)
    }

    /// Asks for the `bits` of the next inputs, the last of which was held up for `mesh_waited` cycles on its way.
    #[inline]
    pub fn fetch(&mut self, now: Cycle, bits: u64, mesh_waited: Cycle) {
        self.fetches[(self.fetched % 2) as usize] = Fetch { requested_at: now, arrived_at: 0, mesh_waited };
        self.fetched += 1;
        self.bits_fetched += bits;
    }

    /// The inputs are in the register at the beginning of cycle `now`. Returns their window.
    #[inline]
    pub fn inputs_arrived(&mut self, now: Cycle) -> u32 {
        self.fetches[(self.arrived % 2) as usize].arrived_at = now;
        self.arrived += 1;
        self.arrived - 1
    }

    /// Windows whose inputs have arrived.
    #[inline]
    pub fn arrived(&self) -> u32 {
        self.arrived
    }

    /// Whether an operation can start: inputs there, crossbars free, an output register free.
    #[inline]
    pub fn can_start(&self) -> bool {
        let inputs = self.arrived > self.started;
        let crossbars = self.started == self.read;
        let output = self.started - self.merged < OutputRegister::OPERATIONS;
        inputs & crossbars & output
    }

    /// The window that starts next.
    #[inline]
    pub fn next_start(&self) -> u32 {
        self.started
    }

    /// Starts an operation of `iterations` reads in all crossbars. `account` is told what the IMA did in each cycle since
    /// its last operation, and in those of this one.
    #[inline]
    pub fn start(&mut self, now: Cycle, iterations: u32, fidelity: Fidelity, account: impl FnMut(Cause, Range<Cycle>)) {
        self.begin(now, iterations, account);
        match fidelity {
            Fidelity::Operation => {
                self.closed_form = (self.closed_form.0 + 1, self.closed_form.1 + u64::from(iterations));
            }
            Fidelity::Iteration => self.keep(Operation { iterations, ..self.inside.all }),
        }
    }

    /// Starts an operation of `iterations` reads in the crossbars of those row blocks that have inputs.
    pub fn start_some(
        &mut self,
        now: Cycle,
        iterations: u32,
        fidelity: Fidelity,
        account: impl FnMut(Cause, Range<Cycle>),
        has_inputs: impl Fn(&Range<u32>) -> bool,
    ) {
        self.begin(now, iterations, account);
        let taking_part = self.inside.row_blocks.iter().filter(|(rows, _)| has_inputs(rows));
        let operation =
            taking_part.fold(Operation { iterations, ..Default::default() }, |all, (_, block)| all.and(block));
        match fidelity {
            Fidelity::Operation => self.inside.blocks.operate(&operation, 1, u64::from(iterations)),
            Fidelity::Iteration => self.keep(operation),
        }
    }

    #[inline]
    fn begin(&mut self, now: Cycle, iterations: u32, mut account: impl FnMut(Cause, Range<Cycle>)) {
        self.account_for_pause(now, &mut account);
        let free_at = now + self.timing.reads(iterations);
        account(Cause::Computing, now..free_at);
        self.idle_since = free_at;
        self.started += 1;
    }

    /// Iteration fidelity: keeps what the reads of the operation that has just started do.
    fn keep(&mut self, operation: Operation) {
        self.inside.operations[usize::from(self.last_started())] = operation;
        self.inside.blocks.crossbars.begin(&operation, 1);
    }

    /// Number under which the operation that was started last is kept while it is in the pipeline.
    pub fn last_started(&self) -> u8 {
        ((self.started - 1) % 4) as u8
    }

    /// One read of operation `number`. Returns the reads of the operation.
    #[inline]
    pub fn read_once(&mut self, number: u8) -> u32 {
        let operation = self.inside.operations[usize::from(number)];
        self.inside.blocks.read(&operation, 1);
        operation.iterations
    }

    /// The ADCs convert what a read of operation `number` left in the sample-and-holds.
    #[inline]
    pub fn convert_once(&mut self, number: u8) {
        let Inside { operations, blocks, .. } = &mut *self.inside;
        blocks.adc.convert(&operations[usize::from(number)], 1);
    }

    /// The shift-and-adds merge the conversions of a read of operation `number`.
    #[inline]
    pub fn merge_once(&mut self, number: u8) {
        let Inside { operations, blocks, .. } = &mut *self.inside;
        blocks.shift_add.merge(&operations[usize::from(number)], 1);
    }

    /// The crossbars are free again.
    #[inline]
    pub fn reads_done(&mut self) {
        self.read += 1;
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

    /// The results cannot leave, and why.
    #[inline]
    pub fn result_refused(&mut self, cause: Cause) {
        self.output_wait = cause;
    }

    /// The results are in the tile's output register, and the IMA's is free. Returns their window.
    #[inline]
    pub fn result_merged(&mut self) -> u32 {
        self.merged += 1;
        self.merged - 1
    }

    /// Windows that have not been fetched, of `total`.
    pub fn not_fetched(&self, total: u32) -> u32 {
        total - self.fetched
    }

    /// Windows whose results have not been merged, of those fetched.
    pub fn in_progress(&self) -> u32 {
        self.fetched - self.merged
    }

    /// Gives every cycle of the pause that ends with cycle `now` its cause.
    #[inline]
    fn account_for_pause(&mut self, now: Cycle, mut account: impl FnMut(Cause, Range<Cycle>)) {
        if self.idle_since == now {
            return;
        }
        let fetch = self.fetches[(self.started % 2) as usize];
        let requested_at = fetch.requested_at.clamp(self.idle_since, now);
        let arrived_at = fetch.arrived_at.clamp(requested_at, now);
        if self.started == 0 {
            account(Cause::Filling, self.idle_since..requested_at);
        } else {
            // The inputs were held up at the end of their way.
            let held_up_at = requested_at - fetch.mesh_waited.min(requested_at - self.idle_since);
            account(Cause::Input, self.idle_since..held_up_at);
            account(Cause::Mesh, held_up_at..requested_at);
        }
        account(Cause::Bus, requested_at..arrived_at);
        account(self.output_wait, arrived_at..now);
        self.output_wait = Cause::Bus;
    }

    /// Cycles after its last operation, in a run that ended with cycle `last`.
    pub fn finished_cycles(&self, last: Cycle) -> Range<Cycle> {
        self.idle_since..last + 1
    }

    /// What its blocks counted; a read touches `crossbar_cells` cells of an array.
    pub fn counts(&self, crossbar_cells: u64) -> Counts {
        let mut blocks = self.inside.blocks.clone();
        let (operations, reads) = self.closed_form;
        blocks.operate(&self.inside.all, operations, reads);
        blocks.input_register.write(self.bits_fetched);
        blocks.output_register.hand_over(self.results, u64::from(self.merged));
        Counts {
            ima_operations: u64::from(self.started),
            crossbar_operations: blocks.crossbars.operations,
            crossbar_reads: blocks.crossbars.reads,
            crossbar_cells: blocks.crossbars.reads * crossbar_cells,
            dac_activations: blocks.dac.activations,
            sample_holds: blocks.sample_hold.holds,
            adc_conversions: blocks.adc.conversions,
            shift_adds: blocks.shift_add.merged,
            input_register_bits_written: blocks.input_register.bits_written,
            input_register_bits_read: blocks.input_register.bits_read,
            output_register_values: blocks.output_register.values,
            ..Counts::default()
        }
    }
}

impl Blocks {
    /// Input register, DACs, crossbars and sample-and-holds do `reads` reads of `operation`.
    #[inline]
    fn read(&mut self, operation: &Operation, reads: u64) {
        self.input_register.read(operation, reads);
        self.dac.drive(operation, reads);
        self.crossbars.read(operation, reads);
        self.sample_hold.hold(operation, reads);
    }

    /// All blocks do `operations` operations alike, with `reads` reads together.
    fn operate(&mut self, operation: &Operation, operations: u64, reads: u64) {
        self.crossbars.begin(operation, operations);
        self.read(operation, reads);
        self.adc.convert(operation, reads);
        self.shift_add.merge(operation, reads);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stalls;

    /// Counts what an IMA says of its cycles.
    fn count(stalls: &mut Stalls) -> impl FnMut(Cause, Range<Cycle>) {
        |cause, cycles| stalls.add(cause, cycles.end - cycles.start)
    }

    fn ima(fidelity_rows: u32) -> Ima {
        let arch = arch::load("isaac-ce").expect("the preset is built in");
        let crossbars = vec![(fidelity_rows, 128); 8];
        let spec = ImaSpec { rows: 0..fidelity_rows, columns: 0..1024, outputs: 0..128, crossbars };
        Ima::new(&arch, spec, 0, 0)
    }

    #[test]
    fn an_operation_starts_when_inputs_crossbars_and_output_register_are_there() {
        let (mut ima, mut stalls) = (ima(128), Stalls::default());
        for now in [1, 1] {
            assert!(ima.next_fetch().is_some());
            ima.fetch(now, 2048, 0);
        }
        assert_eq!(ima.next_fetch(), None, "the input register holds two operations");
        assert!(!ima.can_start(), "no inputs yet");
        ima.inputs_arrived(2);
        assert!(ima.can_start());
        ima.start(2, 16, Fidelity::Operation, count(&mut stalls));
        ima.inputs_arrived(3);
        assert!(!ima.can_start(), "the crossbars are busy");
        ima.reads_done();
        assert!(ima.can_start());
        ima.start(18, 16, Fidelity::Operation, count(&mut stalls));
        ima.reads_done();
        ima.fetch(34, 2048, 0);
        ima.inputs_arrived(35);
        assert!(!ima.can_start(), "both output registers are full");
        ima.result_ready();
        ima.result_sent();
        assert_eq!(ima.result_merged(), 0);
        assert!(ima.can_start());
    }

    #[test]
    fn every_cycle_of_a_pause_has_its_cause() {
        let (mut ima, mut stalls) = (ima(128), Stalls::default());
        ima.fetch(5, 2048, 0);
        ima.inputs_arrived(7);
        ima.start(7, 16, Fidelity::Operation, count(&mut stalls));
        ima.reads_done();
        // The next inputs could be asked for in cycle 30, after 3 cycles in the mesh; they came in 32, and the output
        // register was free in 40.
        ima.fetch(30, 2048, 3);
        ima.inputs_arrived(32);
        ima.result_refused(Cause::DownstreamBuffer);
        ima.start(40, 16, Fidelity::Operation, count(&mut stalls));
        let expected = [
            (Cause::Filling, 4),
            (Cause::Bus, 2 + 2),
            (Cause::Computing, 16 + 16),
            (Cause::Input, 4),
            (Cause::Mesh, 3),
            (Cause::DownstreamBuffer, 8),
        ];
        for (cause, cycles) in expected {
            assert_eq!(stalls[cause], cycles, "{cause:?}");
        }
        assert_eq!(stalls.total() + ima.finished_cycles(60).count() as u64, 60);
    }

    #[test]
    fn both_fidelities_count_the_same() {
        let (mut closed, mut stepped, mut stalls) = (ima(100), ima(100), Stalls::default());
        closed.start(1, 16, Fidelity::Operation, count(&mut stalls));
        stepped.start(1, 16, Fidelity::Iteration, count(&mut stalls));
        for _ in 0..16 {
            assert_eq!(stepped.read_once(0), 16);
            stepped.convert_once(0);
            stepped.merge_once(0);
        }
        assert_eq!(closed.counts(128 * 128), stepped.counts(128 * 128));
        assert_eq!(closed.counts(128 * 128).dac_activations, 8 * 100 * 16);
    }
}
