use mapper::TileId;

use super::*;
use crate::testing::{OneLayer, POSITION_BITS, Record, assert_told_apart};
use crate::{HeldUp, InputId, PartAddress};

const TILE: TileId = TileId(0);
const HERE: &[PartAddress] = &[PartAddress { tile: TILE, part: LockstepId(0) }];
const IMA: Set<ImaId> = Set::from_bits(1);

/// Input side whose first `positions` positions are in the buffer, with as many windows ready.
fn filled(machine: &OneLayer, positions: u32) -> TileInputs<'_> {
    let (mut inputs, mut context) = (machine.inputs(), Record::new(4));
    inputs.start(1);
    for position in 0..positions {
        context.now = position.into();
        inputs.deliver(InputId(0), position, POSITION_BITS, HeldUp::default());
        inputs.write(TILE, &mut context);
        inputs.look_ahead(context.now);
    }
    inputs
}

#[test]
fn an_operation_starts_a_cycle_after_its_request_and_its_results_follow_18_cycles_later() {
    let machine = OneLayer::new(|_| ());
    let (mut imas, mut bus, mut context) = (machine.imas(), machine.bus(), Record::new(4));
    let mut inputs = filled(&machine, 1);
    imas.start(TILE, &mut inputs, &mut context);
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    assert!(context.sent.is_empty(), "inputs are asked for in cycle 1, after the decisions about starts");
    assert_eq!(imas.pipeline.can_start(), IMA);
    context.now = 2;
    imas.start(TILE, &mut inputs, &mut context);
    // ISAAC section VI: 16 reads, then the last conversion and the last shift-and-add.
    let expected = [
        (2 + 16, TileMessage::ReadsDone { imas: IMA.into() }),
        (2 + 18, TileMessage::ResultsReady { imas: IMA.into() }),
    ];
    assert_eq!(context.sent, expected);
    assert_eq!(inputs.controls.iter().next().unwrap().stalls[Cause::Computing], 16);
}

#[test]
fn the_crossbars_are_free_in_the_cycle_of_reads_done_and_not_before() {
    let machine = OneLayer::new(|_| ());
    let (mut imas, mut bus, mut context) = (machine.imas(), machine.bus(), Record::new(4));
    let mut inputs = filled(&machine, 2);
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    context.now = 2;
    imas.start(TILE, &mut inputs, &mut context);
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    context.now = 17;
    imas.start(TILE, &mut inputs, &mut context);
    assert_eq!(context.sent.len(), 2, "the sixteenth read is in cycle 17");
    context.now = 18;
    imas.pipeline.reads_done(IMA);
    imas.start(TILE, &mut inputs, &mut context);
    assert_eq!(
        context.sent[2..],
        [
            (18 + 16, TileMessage::ReadsDone { imas: IMA.into() }),
            (18 + 18, TileMessage::ResultsReady { imas: IMA.into() })
        ]
    );
}

#[test]
fn an_operation_waits_for_an_output_register_until_the_results_of_another_are_merged() {
    let machine = OneLayer::new(|arch| arch.ima.output_registers = 1);
    let (mut imas, mut bus, mut context) = (machine.imas(), machine.bus(), Record::new(4));
    let (mut inputs, mut outputs) = (filled(&machine, 2), machine.outputs(4, HERE, 4));
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    context.now = 2;
    imas.start(TILE, &mut inputs, &mut context);
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    imas.pipeline.reads_done(IMA);
    context.now = 20;
    imas.pipeline.results_ready(IMA);
    imas.start(TILE, &mut inputs, &mut context);
    assert_eq!(context.sent.len(), 2, "the results still hold the register");
    imas.send_results(TILE, &inputs, &mut bus, &mut outputs, &mut context);
    assert!(outputs.has_work(), "results that cross the bus in cycle 20 complete the window");
    context.now = 21;
    imas.start(TILE, &mut inputs, &mut context);
    assert_eq!(context.sent.len(), 4);
    let stalls = &inputs.controls.iter().next().unwrap().stalls;
    assert_eq!(stalls[Cause::ImaOutputRegister], 21 - 18);
}

#[test]
fn results_wait_for_room_in_the_output_register_of_the_tile() {
    let machine = OneLayer::new(|_| ());
    let (mut imas, mut bus, mut context) = (machine.imas(), machine.bus(), Record::new(4));
    let (mut inputs, mut outputs) = (filled(&machine, 1), machine.outputs(0, HERE, 0));
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    imas.start(TILE, &mut inputs, &mut context);
    imas.pipeline.results_ready(IMA);
    imas.send_results(TILE, &inputs, &mut bus, &mut outputs, &mut context);
    assert!(!outputs.has_work() && !imas.pipeline.can_send().is_empty(), "no window has room");
}

#[test]
fn iteration_fidelity_performs_each_read_each_conversion_and_each_merge() {
    let machine = OneLayer::new(|_| ());
    let (mut imas, mut bus, mut context) = (machine.imas(), machine.bus(), Record::new(4));
    imas.fidelity = Fidelity::Iteration;
    let mut inputs = filled(&machine, 1);
    imas.fetch(TILE, &mut inputs, &mut bus, &mut context);
    context.now = 2;
    imas.start(TILE, &mut inputs, &mut context);
    let (mut ends, mut cycles) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    while let Some(next) = context.sent.iter().map(|(at, _)| *at).min() {
        context.now = next;
        let index = context.sent.iter().position(|(at, _)| *at == next).unwrap();
        let (_, message) = context.sent.remove(index);
        match message {
            TileMessage::Stages { stages, batch } => {
                for (cycles, stage) in cycles.iter_mut().zip([stages.read, stages.convert, stages.accumulate]) {
                    cycles.extend(stage.then_some(next));
                }
                imas.perform(stages, batch, TILE, &inputs, &mut context);
            }
            end => ends.push((next, end)),
        }
    }
    // The first read is part of the start.
    assert_eq!(cycles, [3..18, 3..19, 4..20].map(Vec::from_iter));
    let expected = [
        (2 + 16, TileMessage::ReadsDone { imas: IMA.into() }),
        (2 + 18, TileMessage::ResultsReady { imas: IMA.into() }),
    ];
    assert_eq!(ends, expected, "as in operation fidelity");
    let counts = imas.imas[ImaId(0)].counts(&imas.groups[LockstepId(0)], 1);
    assert_eq!((counts.crossbar_operations, counts.crossbar_reads), (8, 8 * 16));
    assert_eq!((counts.adc_conversions, counts.shift_adds), (1024 * 16, 1024 * 16));
}

#[test]
fn what_the_imas_wait_for_is_state() {
    let machine = OneLayer::new(|_| ());
    let inputs = machine.inputs();
    assert_told_apart(
        &machine.imas(),
        |imas, print| imas.state(&inputs, print),
        &[
            |imas| imas.starving = IMA,
            |imas| imas.refused = IMA,
            |imas| imas.idle_since[0] += 1,
            |imas| imas.groups[LockstepId(0)].sending += 1,
            |imas| imas.imas[ImaId(0)].result_refused(Cause::MaxPool),
            |imas| imas.pipeline.results_ready(IMA),
        ],
    );
}
