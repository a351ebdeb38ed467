//! In-situ multiply-accumulate units (IMAs): their blocks, their timing and the causes of their pauses.
//!
//! An operation is one window in one IMA: n reads of its crossbars, each converted and merged. Successive reads overlap
//! in a pipeline whose period is that of the slowest of crossbar, ADC and shift-and-add ([`ImaTiming`]). An operation
//! holds an output register from its start, so nothing can delay it; hence the two fidelities:
//!
//! - operation fidelity: the end of the reads and the results are two events, and the blocks count in closed form;
//! - iteration fidelity: each read, conversion and merge is an event, and the blocks count these.
//!
//! Cycles, counts and stalls are equal in both. State that decides when something happens is kept for all IMAs of a
//! tile together, in their `Pipeline` and [`LockstepGroup`]s. An [`Ima`] has its part of the
//! weights, its blocks, and the cycles from which [`Ima::pause`] derives the causes of a pause.

use std::ops::Range;

use arch::{Arch, Counts, Rate};
use des::{Cycle, Fingerprint, Recurrent};
use index::size;
use mapper::ImaSpec;

use super::adc::Adc;
use super::crossbar::Crossbars;
use super::dac::Dac;
use super::input_register::InputRegister;
use super::output_register::OutputRegister;
use super::policy::{RowBlock, Work};
use super::sample_hold::SampleHold;
use super::shift_add::ShiftAdd;
use crate::{Cause, HeldUp, LockstepGroup, Stages};

/// Detail in which the inside of an IMA is simulated. Both levels give the same cycles, counts and stalls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fidelity {
    /// Reads of an operation are taken in closed form, since an operation cannot be held up once it has started.
    #[default]
    Operation,
    /// Each read, conversion and shift-and-add is an event.
    Iteration,
}

/// Size of an operation of an IMA: the parts of the IMA that take part in each of its reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Crossbars that take part.
    pub(crate) crossbars: u32,
    /// Used rows, summed over these crossbars.
    pub(crate) rows: u32,
    /// Columns held, converted and merged, summed over these crossbars: used columns and unit columns.
    pub(crate) columns: u32,
}

/// Stages performed: all reads, conversions and merges of some operations, or those so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Performed {
    pub(crate) reads: u64,
    pub(crate) conversions: u64,
    pub(crate) merges: u64,
}

impl Performed {
    /// All stages of `iterations` iterations.
    pub(crate) fn all(iterations: u64) -> Self {
        Self { reads: iterations, conversions: iterations, merges: iterations }
    }

    /// Adds one of each of `stages`.
    #[inline]
    pub(crate) fn add(&mut self, stages: Stages) {
        self.reads += u64::from(stages.read);
        self.conversions += u64::from(stages.convert);
        self.merges += u64::from(stages.accumulate);
    }
}

/// Timing of an IMA, in cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImaTiming {
    /// Cycles from one read to the next: those of the slowest of crossbar (1 cycle), ADC and shift-and-add.
    pub cycles_per_read: u32,
    /// Cycles for the conversions of one read.
    pub convert_cycles: u32,
    /// Cycles for the shift-and-add of these conversions.
    pub merge_cycles: u32,
}

impl ImaTiming {
    /// Cycles from the first read of an operation until the crossbars are free again.
    pub fn reads(self, iterations: u32) -> Cycle {
        Cycle::from(iterations * self.cycles_per_read)
    }

    /// Cycles from the first read of an operation until its results can ask for the bus.
    pub fn results(self, iterations: u32) -> Cycle {
        Cycle::from((iterations - 1) * self.cycles_per_read + 1 + self.convert_cycles + self.merge_cycles)
    }
}

/// Cycles of the transfer of an operation's inputs.
#[derive(Clone, Copy, Debug, Default)]
struct Fetch {
    /// Cycle from which it was the IMA's turn to ask.
    turn_at: Cycle,
    requested_at: Cycle,
    arrived_at: Cycle,
    /// Delay of the last of the inputs on its way to the tile.
    held_up: HeldUp,
}

impl Recurrent for Fetch {
    fn state(&self, print: &mut Fingerprint) {
        let Self { turn_at, requested_at, arrived_at, held_up } = *self;
        for at in [turn_at, requested_at, arrived_at] {
            print.cycle(at);
        }
        held_up.state(print);
    }
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

/// Sizes of the crossbars of an IMA.
#[derive(Clone, Copy, Debug)]
struct CrossbarSize {
    rows: u32,
    columns: u32,
    unit_columns: u32,
}

impl CrossbarSize {
    /// Row blocks of an IMA that holds `spec`.
    fn row_blocks(self, spec: &ImaSpec) -> impl Iterator<Item = RowBlock> {
        spec.row_blocks(self.rows).map(move |(rows, columns)| {
            let used = columns.end - columns.start;
            let crossbars = used.div_ceil(self.columns);
            RowBlock { rows, columns: used + self.unit_columns * crossbars, crossbars }
        })
    }
}

/// Part of an IMA that most operations do not touch.
#[derive(Clone, Debug)]
struct Inside {
    spec: ImaSpec,
    crossbar: CrossbarSize,
    /// One read of all row blocks together.
    all: Operation,
    blocks: Blocks,
}

/// An in-situ multiply-accumulate unit: crossbars with their converters, shift-and-adds and registers.
///
/// The progress of its operations is in the tile's `Pipeline`, and their windows are in its
/// [`LockstepGroup`]. The IMA keeps the cycles of transfers, from which stalls are derived.
#[derive(Clone, Debug)]
pub struct Ima {
    /// Transfers of inputs of the two operations in the input register, by window modulo 2, as far as the IMA may have
    /// waited for them; else an earlier one.
    fetches: [Fetch; 2],
    /// Bits of inputs fetched for windows that do not read all rows.
    bits_fetched: u64,
    /// Cause that last kept finished results in an output register.
    held_back_by: Cause,
    /// Cycle up to which it did; `None` as long as it does.
    held_back_until: Option<Cycle>,
    inside: Inside,
}

impl Ima {
    /// An idle IMA that holds `spec`. Each of its ADCs makes `conversions` per cycle.
    pub fn new(arch: &Arch, conversions: Rate, spec: ImaSpec) -> Self {
        let unit_columns = u32::from(arch.adc.unit_column);
        let crossbar = CrossbarSize { rows: arch.crossbar.rows, columns: arch.crossbar.columns, unit_columns };
        let all = Operation::new(crossbar.row_blocks(&spec), RowBlock::whole);
        let widest = spec.widest(crossbar.columns) + unit_columns;
        Self {
            fetches: Default::default(),
            bits_fetched: 0,
            held_back_by: Cause::Bus,
            held_back_until: Some(0),
            inside: Inside {
                all,
                crossbar,
                blocks: Blocks {
                    input_register: InputRegister::new(arch.dac.bits),
                    dac: Dac::default(),
                    crossbars: Crossbars::default(),
                    sample_hold: SampleHold::default(),
                    adc: Adc::new(arch.adc.count, conversions, all.crossbars, widest),
                    shift_add: ShiftAdd::new(arch, all.crossbars, widest),
                    output_register: OutputRegister::default(),
                },
                spec,
            },
        }
    }

    /// The part of the replica that it holds.
    pub(crate) fn spec(&self) -> &ImaSpec {
        &self.inside.spec
    }

    /// Timing of its operations. Depends on the number of columns that it uses.
    #[inline]
    pub fn timing(&self) -> ImaTiming {
        let Blocks { adc, shift_add, .. } = &self.inside.blocks;
        ImaTiming {
            cycles_per_read: adc.cycles_per_read.max(shift_add.cycles_per_read),
            convert_cycles: adc.cycles_per_read,
            merge_cycles: shift_add.cycles_per_read,
        }
    }

    /// Number of rows of the replica that it holds.
    pub(crate) fn rows(&self) -> u32 {
        self.spec().rows.end - self.spec().rows.start
    }

    /// Results per operation.
    pub(crate) fn results(&self) -> u32 {
        self.spec().outputs.end - self.spec().outputs.start
    }

    /// Records the transfer of inputs of `window` in `cycles`, from the request to the arrival, for which the IMA may
    /// have to wait. It was its turn to ask from cycle `turn_at` on; `held_up` is the delay of the last input on its way
    /// to the tile.
    #[inline]
    pub(crate) fn record_fetch(&mut self, window: u32, turn_at: Cycle, cycles: Range<Cycle>, held_up: HeldUp) {
        let (requested_at, arrived_at) = (cycles.start, cycles.end);
        self.fetches[size(window % 2)] = Fetch { turn_at, requested_at, arrived_at, held_up };
    }

    /// Counts `bits` of inputs of a window that does not read all rows.
    pub(crate) fn fetch_partly(&mut self, bits: u64) {
        self.bits_fetched += bits;
    }

    /// An operation in which each row block does its `work`.
    pub(crate) fn operation(&self, work: impl Fn(&RowBlock) -> Work) -> Operation {
        Operation::new(self.inside.crossbar.row_blocks(&self.inside.spec), work)
    }

    /// An operation in all crossbars.
    #[inline]
    pub(crate) fn whole_operation(&self) -> Operation {
        self.inside.all
    }

    /// Counts the stages of an operation, which have all been performed.
    #[inline]
    pub(crate) fn operate(&mut self, operation: &Operation, performed: Performed) {
        self.inside.blocks.operate(operation, 1, performed);
    }

    /// Records that results cannot leave, because of `cause`.
    #[inline]
    pub(crate) fn result_refused(&mut self, cause: Cause) {
        (self.held_back_by, self.held_back_until) = (cause, None);
    }

    /// Records that results leave over the bus in `cycles`: one cycle unless they wait for the bus.
    #[inline]
    pub(crate) fn send(&mut self, cycles: Range<Cycle>) {
        if self.held_back_until.is_some() {
            if cycles.end - cycles.start == 1 {
                return;
            }
            self.held_back_by = Cause::Bus;
        }
        self.held_back_until = Some(cycles.end);
    }

    /// Cuts the pause before the operation for `window` into spans by cause; the pause is the last argument. Together
    /// the spans cover the pause, and any may be empty. `lockstep_started_at` is the cycle in which the last IMA of the
    /// lockstep group started the previous operation.
    #[inline]
    pub(crate) fn pause(
        &self,
        window: u32,
        lockstep_started_at: Cycle,
        Range { start: idle_since, end: now }: Range<Cycle>,
    ) -> [(Cause, Range<Cycle>); 6] {
        let fetch = self.fetches[size(window % 2)];
        // Inputs arrive in the cycle after the request at the earliest: a late request delays them up to that cycle.
        let turn_at = (fetch.turn_at + 1).clamp(idle_since, now);
        let due_at = (fetch.requested_at + 1).clamp(turn_at, now);
        let arrived_at = fetch.arrived_at.clamp(due_at, now);
        let start_turn_at = (lockstep_started_at + 1).clamp(arrived_at, now);
        let before = if window == 0 { Cause::Filling } else { Cause::Input };
        // A delay on the way is booked at the end of the wait for inputs; for the first window it counts as filling.
        let held_up = if window == 0 { 0 } else { fetch.held_up.cycles().min(due_at - turn_at) };
        let held_back = self.held_back_until.is_none_or(|until| until > start_turn_at);
        let output_wait = if held_back { self.held_back_by } else { Cause::ImaOutputRegister };
        [
            (Cause::Lockstep, idle_since..turn_at),
            (before, turn_at..due_at - held_up),
            (fetch.held_up.cause(), due_at - held_up..due_at),
            (Cause::Bus, due_at..arrived_at),
            (Cause::Lockstep, arrived_at..start_turn_at),
            (output_wait, start_turn_at..now),
        ]
    }

    /// Adds the state to a fingerprint. The next operation is for `window`, and the crossbars are free from
    /// `idle_since` on.
    pub(crate) fn state(&self, window: u32, idle_since: Cycle, print: &mut Fingerprint) {
        // The inside only counts.
        let Self { fetches, bits_fetched: _, held_back_by, held_back_until, inside: _ } = self;
        print.cycle(idle_since);
        for window in [window, window + 1] {
            let fetch = fetches[size(window % 2)];
            // Inputs that arrived while the crossbars were in use were not waited for.
            let is_late = fetch.arrived_at > idle_since;
            print.number(is_late);
            if is_late {
                fetch.state(print);
            }
        }
        match (*held_back_by as u64, *held_back_until) {
            // What held results back before the next pause does not matter.
            (_, Some(until)) if until <= idle_since => print.number(0u64),
            (cause, Some(until)) => {
                print.numbers([1, cause]);
                print.cycle(until);
            }
            (cause, None) => print.numbers([2, cause]),
        }
    }

    /// Counts of its blocks, with the operations that `lockstep` has counted for it. A read of a crossbar counts
    /// `crossbar_cells` cells.
    pub(crate) fn counts(&self, lockstep: &LockstepGroup, crossbar_cells: u64) -> Counts {
        let mut blocks = self.inside.blocks.clone();
        let (operations, reads) = lockstep.closed_form;
        blocks.operate(&self.inside.all, operations, Performed::all(reads));
        blocks.input_register.write(self.bits_fetched + u64::from(self.rows()) * lockstep.whole_bits);
        blocks.output_register.hand_over(self.results(), u64::from(lockstep.merging.window));
        Counts {
            ima_operations: u64::from(lockstep.starting),
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
    /// Counts `operations` operations like `operation`, whose stages are `performed` in total, in all blocks.
    #[inline]
    fn operate(&mut self, operation: &Operation, operations: u64, performed: Performed) {
        let Performed { reads, conversions, merges } = performed;
        self.crossbars.begin(operation, operations);
        self.input_register.read(operation, reads);
        self.dac.drive(operation, reads);
        self.crossbars.read(operation, reads);
        self.sample_hold.hold(operation, reads);
        self.adc.convert(operation, conversions);
        self.shift_add.merge(operation, merges);
    }
}

impl Operation {
    /// An operation in which each of `row_blocks` does its `work`.
    fn new(row_blocks: impl Iterator<Item = RowBlock>, work: impl Fn(&RowBlock) -> Work) -> Self {
        row_blocks.fold(Self::default(), |all, block| match work(&block) {
            Work { rows: 0, .. } => all,
            Work { rows, columns } => Self {
                crossbars: all.crossbars + block.crossbars,
                rows: all.rows + rows * block.crossbars,
                columns: all.columns + columns,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;
    use crate::{ControlId, Waits};

    fn ima(rows: u32) -> Ima {
        let arch = arch::load("isaac-ce").expect("the preset is built in");
        let spec = ImaSpec { rows: 0..rows, columns: 0..1024, outputs: 0..128, pack: (rows, 1024) };
        Ima::new(&arch, arch.conversions_per_cycle(), spec)
    }

    #[test]
    fn an_ima_with_a_narrower_last_pack_converts_as_if_all_were_as_wide_as_the_first() {
        let mut arch = arch::load("isaac-ce").expect("the preset is built in");
        (arch.cycle_ns, arch.adc.count, arch.adc.unit_column) = (1.0, 1, false);
        // Three packs of 16, 16 and 10 columns: 3 x 16 / 1.28 = 37.5 cycles.
        let spec = ImaSpec { rows: 0..30, columns: 0..42, outputs: 0..6, pack: (10, 16) };
        assert_eq!(Ima::new(&arch, arch.conversions_per_cycle(), spec).timing().convert_cycles, 38);
    }

    #[test]
    fn unit_columns_are_held_converted_and_merged_only_when_asked_for() {
        let mut arch = arch::load("isaac-ce").expect("the preset is built in");
        let mut counted = |unit_column| {
            arch.adc.unit_column = unit_column;
            // Two row blocks of two column blocks: 2 x (128 + 72) columns, and 4 unit columns.
            let mut ima = Ima::new(
                &arch,
                arch.conversions_per_cycle(),
                ImaSpec { rows: 0..200, columns: 0..200, outputs: 0..25, pack: (200, 200) },
            );
            ima.operate(&ima.whole_operation(), Performed::all(16));
            let counts = ima.counts(&LockstepGroup::new(ControlId(0), []), 128 * 128);
            assert_eq!(counts.crossbar_reads, 4 * 16);
            [counts.sample_holds, counts.adc_conversions, counts.shift_adds]
        };
        assert_eq!(counted(false), [400 * 16; 3]);
        assert_eq!(counted(true), [404 * 16; 3]);
    }

    /// Cycles of each cause in a pause, without empty spans.
    fn causes(ima: &Ima, window: u32, lockstep_started_at: Cycle, pause: Range<Cycle>) -> Vec<(Cause, Cycle)> {
        let causes = ima.pause(window, lockstep_started_at, pause.clone());
        assert!(causes.windows(2).all(|pair| pair[0].1.end == pair[1].1.start), "{causes:?}");
        assert_eq!((causes[0].1.start, causes[5].1.end), (pause.start, pause.end));
        causes.map(|(cause, cycles)| (cause, cycles.end - cycles.start)).into_iter().filter(|of| of.1 > 0).collect()
    }

    #[test]
    fn every_cycle_of_a_pause_has_its_cause() {
        let mut ima = ima(128);
        // Requested in cycle 5, arrived in cycle 7; over an idle bus they arrive in cycle 6.
        ima.record_fetch(0, 0, 5..7, HeldUp::default());
        assert_eq!(causes(&ima, 0, 0, 1..7), [(Cause::Filling, 5), (Cause::Bus, 1)]);
        // 16 reads from cycle 7 on. The next inputs are requested in cycle 30, after a delay of 3 cycles on the way,
        // most of them at a link. They arrive in cycle 32, and an output register is free in cycle 40.
        let held_up = Waits { routers: 1, links: 2 };
        ima.record_fetch(1, 5, 30..32, held_up.into());
        ima.result_refused(Cause::DownstreamBuffer);
        ima.send(38..40);
        let expected = [(Cause::Input, 5), (Cause::Link, 3), (Cause::Bus, 1), (Cause::DownstreamBuffer, 8)];
        assert_eq!(causes(&ima, 1, 7, 23..40), expected);
    }

    #[test]
    fn a_full_output_register_is_no_wait_for_the_bus_unless_that_holds_the_results() {
        let mut ima = ima(128);
        ima.record_fetch(1, 2, 2..3, HeldUp::default());
        ima.send(9..10);
        assert_eq!(causes(&ima, 1, 2, 4..10), [(Cause::ImaOutputRegister, 6)]);
        ima.send(9..11);
        assert_eq!(causes(&ima, 1, 2, 4..11), [(Cause::Bus, 7)]);
        // A later pause has causes of its own.
        ima.record_fetch(2, 11, 11..12, HeldUp::default());
        assert_eq!(causes(&ima, 2, 4, 12..14), [(Cause::ImaOutputRegister, 2)]);
    }

    #[test]
    fn an_ima_that_is_faster_than_its_lockstep_group_waits_for_it() {
        let mut ima = ima(128);
        // The other IMAs asked for inputs of the previous window in cycle 20, and started it in cycle 30.
        ima.record_fetch(1, 20, 20..21, HeldUp::default());
        assert_eq!(causes(&ima, 1, 30, 12..31), [(Cause::Lockstep, 9), (Cause::Lockstep, 10)]);
        ima.record_fetch(1, 20, 25..26, HeldUp::default());
        assert_eq!(causes(&ima, 1, 24, 12..26), [(Cause::Lockstep, 9), (Cause::Input, 5)]);
    }

    #[test]
    fn a_lockstep_group_counts_its_operations_for_each_of_its_imas() {
        let (mut alone, together, mut lockstep) = (ima(100), ima(100), LockstepGroup::new(ControlId(0), []));
        alone.operate(&alone.whole_operation(), Performed::all(16));
        alone.operate(&alone.whole_operation(), Performed::all(8));
        let counted = alone.counts(&lockstep, 128 * 128);
        lockstep.closed_form = (2, 24);
        assert_eq!(together.counts(&lockstep, 128 * 128), counted);
    }

    #[test]
    fn transfers_that_ended_while_the_crossbars_were_in_use_are_no_state() {
        let print = |cycles: Range<Cycle>| {
            let (mut ima, mut print) = (ima(128), Fingerprint::new(100, 0));
            ima.record_fetch(1, 88, cycles, HeldUp::default());
            ima.state(4, 97, &mut print);
            print.hash()
        };
        assert_eq!(print(90..97), print(95..96));
        assert_ne!(print(90..97), print(90..98));
    }

    #[test]
    fn transfers_and_held_back_results_are_state() {
        let mut ima = ima(128);
        ima.record_fetch(0, 88, 90..91, HeldUp::default());
        ima.record_fetch(1, 92, 94..95, HeldUp::default());
        assert_told_apart(
            &ima,
            |ima, print| ima.state(4, 89, print),
            &[
                |ima| ima.fetches[0].turn_at += 1,
                |ima| ima.fetches[1].turn_at += 1,
                |ima| ima.fetches[0].requested_at += 1,
                |ima| ima.fetches[0].arrived_at += 1,
                |ima| ima.fetches[0].held_up = Waits { routers: 3, links: 0 }.into(),
                |ima| ima.result_refused(Cause::MaxPool),
                |ima| ima.result_refused(Cause::DownstreamBuffer),
                |ima| (ima.held_back_by, ima.held_back_until) = (Cause::Bus, Some(98)),
                |ima| (ima.held_back_by, ima.held_back_until) = (Cause::MaxPool, Some(98)),
                |ima| (ima.held_back_by, ima.held_back_until) = (Cause::MaxPool, Some(99)),
            ],
        );
    }
}
