use std::ops::Range;

use arch::Arch;
use des::Cycle;
use mapper::ImaSpec;

use crate::{Adc, Cause, Counts, Crew, Crossbars, Dac, HeldUp, InputRegister, OutputRegister, SampleHold, ShiftAdd};

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

/// When the inputs of an operation were asked for, and when they are there.
#[derive(Clone, Copy, Debug, Default)]
struct Fetch {
    requested_at: Cycle,
    arrived_at: Cycle,
    /// What held up the last of the inputs on its way to the tile.
    held_up: HeldUp,
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

/// How an IMA's rows are cut.
#[derive(Clone, Copy, Debug)]
struct RowBlocks {
    /// Rows of a crossbar.
    rows: u32,
    /// Crossbars side by side.
    col_blocks: u32,
}

impl RowBlocks {
    /// The row blocks of an IMA: (rows of the copy, operation of their crossbars alone).
    fn of(self, spec: &ImaSpec) -> impl Iterator<Item = (Range<u32>, Operation)> {
        let Self { rows, col_blocks } = self;
        let (end, columns) = (spec.rows.end, spec.columns.len() as u32);
        spec.rows.clone().step_by(rows as usize).map(move |first| {
            let used = rows.min(end - first);
            let operation = Operation { iterations: 0, crossbars: col_blocks, rows: used * col_blocks, columns };
            (first..first + used, operation)
        })
    }
}

/// What an IMA holds, and its blocks: what is not needed to decide when an operation starts.
#[derive(Clone, Debug)]
struct Inside {
    spec: ImaSpec,
    row_blocks: RowBlocks,
    /// All of them together.
    all: Operation,
    /// Iteration fidelity: the operations in the pipeline, by window modulo 4.
    operations: [Operation; 4],
    blocks: Blocks,
}

/// An in-situ multiply-accumulate unit: crossbars with their converters, shift-and-adds and registers.
///
/// Which of its operations is where is kept for all IMAs of the tile together, in their [`Pipeline`](crate::Pipeline),
/// and which windows these are in its [`Crew`]; here is since when.
#[derive(Clone, Debug)]
pub struct Ima {
    /// Rows of the copy that it holds.
    rows: u32,
    /// Results of one operation.
    results: u32,
    /// The operations whose inputs are in the register, by window modulo 2.
    fetches: [Fetch; 2],
    /// Bits of inputs taken from the bus.
    bits_fetched: u64,
    /// Why results stay in the output register.
    output_wait: Cause,
    inside: Box<Inside>,
}

impl Ima {
    /// An idle IMA.
    pub fn new(arch: &Arch, spec: ImaSpec) -> Self {
        let row_blocks = RowBlocks {
            rows: arch.crossbar.rows,
            col_blocks: (spec.columns.len() as u32).div_ceil(arch.crossbar.columns),
        };
        Self {
            rows: spec.rows.end - spec.rows.start,
            results: spec.outputs.end - spec.outputs.start,
            fetches: Default::default(),
            bits_fetched: 0,
            output_wait: Cause::Bus,
            inside: Box::new(Inside {
                all: row_blocks.of(&spec).fold(Operation::default(), |all, (_, block)| all.and(&block)),
                row_blocks,
                operations: Default::default(),
                blocks: Blocks {
                    input_register: InputRegister::new(arch.dac.bits),
                    dac: Dac::default(),
                    crossbars: Crossbars::default(),
                    sample_hold: SampleHold::default(),
                    adc: Adc::new(arch, spec.crossbars(arch)),
                    shift_add: ShiftAdd::new(arch, spec.crossbars(arch)),
                    output_register: OutputRegister::default(),
                },
                spec,
            }),
        }
    }

    /// The part of the copy that it holds.
    pub fn spec(&self) -> &ImaSpec {
        &self.inside.spec
    }

    /// Its cycles.
    #[inline]
    pub fn timing(&self) -> ImaTiming {
        let Blocks { adc, shift_add, .. } = &self.inside.blocks;
        ImaTiming {
            cycles_per_read: adc.cycles_per_read.max(shift_add.cycles_per_read),
            convert_cycles: adc.cycles_per_read,
            merge_cycles: shift_add.cycles_per_read,
        }
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

    /// The `bits` of the inputs of `window`, the last of which was `held_up` on its way, take `cycles` to come.
    #[inline]
    pub fn fetch(&mut self, window: u32, cycles: Range<Cycle>, bits: u64, held_up: HeldUp) {
        self.fetches[(window % 2) as usize] = Fetch { requested_at: cycles.start, arrived_at: cycles.end, held_up };
        self.bits_fetched += bits;
    }

    /// What an operation of `iterations` reads does in the crossbars of those row blocks that have inputs.
    pub fn operation(&self, iterations: u32, has_inputs: impl Fn(&Range<u32>) -> bool) -> Operation {
        let row_blocks = self.inside.row_blocks.of(&self.inside.spec);
        let taking_part = row_blocks.filter(|(rows, _)| has_inputs(rows));
        taking_part.fold(Operation { iterations, ..Default::default() }, |all, (_, block)| all.and(&block))
    }

    /// What an operation of `iterations` reads does in all crossbars.
    pub fn whole_operation(&self, iterations: u32) -> Operation {
        Operation { iterations, ..self.inside.all }
    }

    /// Operation fidelity: a whole operation at once.
    pub fn operate(&mut self, operation: &Operation) {
        self.inside.blocks.operate(operation, 1, u64::from(operation.iterations));
    }

    /// Iteration fidelity: keeps what the reads of the operation for `window` do, and returns the number to ask for it by
    /// while it is in the pipeline.
    pub fn keep(&mut self, window: u32, operation: Operation) -> u8 {
        let number = window % 4;
        self.inside.operations[number as usize] = operation;
        self.inside.blocks.crossbars.begin(&operation, 1);
        number as u8
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

    /// The results cannot leave, and why.
    #[inline]
    pub fn result_refused(&mut self, cause: Cause) {
        self.output_wait = cause;
    }

    /// Every cycle of the pause before the operation for `window`, with its cause.
    #[inline]
    pub fn pause(
        &mut self,
        window: u32,
        Range { start: idle_since, end: now }: Range<Cycle>,
    ) -> [(Cause, Range<Cycle>); 4] {
        let fetch = self.fetches[(window % 2) as usize];
        let requested_at = fetch.requested_at.clamp(idle_since, now);
        let arrived_at = fetch.arrived_at.clamp(requested_at, now);
        let output_wait = std::mem::replace(&mut self.output_wait, Cause::Bus);
        // The inputs were held up at the end of their way.
        let held_up = fetch.held_up.cycles().min(requested_at - idle_since);
        let (before, held_up_at) = match window {
            0 => (Cause::Filling, requested_at),
            _ => (Cause::Input, requested_at - held_up),
        };
        [
            (before, idle_since..held_up_at),
            (fetch.held_up.cause(), held_up_at..requested_at),
            (Cause::Bus, requested_at..arrived_at),
            (output_wait, arrived_at..now),
        ]
    }

    /// What its blocks counted, beside what its crew knows; a read touches `crossbar_cells` cells of an array.
    pub fn counts(&self, crew: &Crew, crossbar_cells: u64) -> Counts {
        let mut blocks = self.inside.blocks.clone();
        let (operations, reads) = crew.closed_form;
        blocks.operate(&self.inside.all, operations, reads);
        blocks.input_register.write(self.bits_fetched);
        blocks.output_register.hand_over(self.results, u64::from(crew.merging.window));
        Counts {
            ima_operations: u64::from(crew.starting),
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
    use crate::{Stalls, Waits};

    fn ima(rows: u32) -> Ima {
        let arch = arch::load("isaac-ce").expect("the preset is built in");
        let spec = ImaSpec { rows: 0..rows, columns: 0..1024, outputs: 0..128 };
        Ima::new(&arch, spec)
    }

    #[test]
    fn every_cycle_of_a_pause_has_its_cause() {
        let (mut ima, mut stalls) = (ima(128), Stalls::default());
        let mut paused = |ima: &mut Ima, window, pause| {
            for (cause, cycles) in ima.pause(window, pause) {
                stalls.add(cause, cycles.end - cycles.start);
            }
        };
        ima.fetch(0, 5..7, 2048, HeldUp::default());
        paused(&mut ima, 0, 1..7);
        // 16 reads from cycle 7 on. The next inputs could be asked for in cycle 30, after 1 cycle at routers and 2 at links; they came
        // in 32, and the output register was free in 40.
        ima.fetch(1, 30..32, 2048, Waits { routers: 1, links: 2 }.into());
        ima.result_refused(Cause::DownstreamBuffer);
        paused(&mut ima, 1, 23..40);
        let expected = [
            (Cause::Filling, 4),
            (Cause::Bus, 2 + 2),
            (Cause::Input, 4),
            (Cause::Link, 3),
            (Cause::DownstreamBuffer, 8),
        ];
        for (cause, cycles) in expected {
            assert_eq!(stalls[cause], cycles, "{cause:?}");
        }
        assert_eq!(stalls.total(), (7 - 1) + (40 - 23));
    }

    #[test]
    fn both_fidelities_count_the_same() {
        let (mut closed, mut stepped, crew) = (ima(100), ima(100), Crew::new(0, []));
        closed.operate(&closed.whole_operation(16));
        let number = stepped.keep(6, stepped.whole_operation(16));
        for _ in 0..16 {
            assert_eq!(stepped.read_once(number), 16);
            stepped.convert_once(number);
            stepped.merge_once(number);
        }
        assert_eq!(closed.counts(&crew, 128 * 128), stepped.counts(&crew, 128 * 128));
        assert_eq!(closed.counts(&crew, 128 * 128).dac_activations, 8 * 100 * 16);
    }

    #[test]
    fn a_crew_counts_its_operations_for_each_of_its_imas() {
        let (mut alone, together, mut crew) = (ima(100), ima(100), Crew::new(0, []));
        alone.operate(&alone.whole_operation(16));
        alone.operate(&alone.whole_operation(8));
        let counted = alone.counts(&crew, 128 * 128);
        crew.closed_form = (2, 24);
        assert_eq!(together.counts(&crew, 128 * 128), counted);
    }
}
