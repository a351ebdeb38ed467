use mapper::TileId;

use super::*;
use crate::testing::{OneLayer, Record};
use crate::{PartAddress, Payload, TileMessage};

const PART: LockstepId = LockstepId(0);
const HERE: &[PartAddress] = &[PartAddress { tile: TileId(0), part: PART }];
const ELSEWHERE: &[PartAddress] = &[PartAddress { tile: TileId(9), part: LockstepId(3) }];

/// Takes the decisions of cycle `now`. Returns the cycle of the last completion.
fn pass_on(machine: &OneLayer, outputs: &mut TileOutputs, now: u64, context: &mut Record) -> u64 {
    context.now = now;
    outputs.pass_on(&mut machine.inputs(), &mut machine.imas(), context);
    context.last_completion()
}

#[test]
fn a_window_is_finished_in_the_cycle_after_its_last_contribution_and_written_in_the_next() {
    let machine = OneLayer::new(|_| ());
    let (mut outputs, mut context) = (machine.outputs(4, HERE, 4), Record::new(4));
    assert_eq!(pass_on(&machine, &mut outputs, 20, &mut context), 0, "nothing is complete");
    outputs.merge(PART, 0..1);
    assert_eq!(pass_on(&machine, &mut outputs, 21, &mut context), 21);
    let bits = 128 * 16;
    assert_eq!(context.sent, [(22, TileMessage::Result { bits, position: 0 })]);
    assert_eq!(outputs.parts[PART].left(), 1, "results of the last layer always have room");
}

#[test]
fn windows_leave_in_order_whatever_completes_first() {
    let machine = OneLayer::new(|_| ());
    let (mut outputs, mut context) = (machine.outputs(4, HERE, 4), Record::new(4));
    outputs.merge(PART, 1..2);
    pass_on(&machine, &mut outputs, 5, &mut context);
    assert!(context.sent.is_empty(), "window 0 is missing");
    outputs.merge(PART, 0..1);
    pass_on(&machine, &mut outputs, 6, &mut context);
    let positions = context.sent.iter().map(|(at, message)| match message {
        TileMessage::Result { position, .. } => (*at, *position),
        other => panic!("{other:?}"),
    });
    assert_eq!(positions.collect::<Vec<_>>(), [(7, 0), (7, 1)]);
}

#[test]
fn a_contributor_sends_in_the_cycle_of_the_credit_and_not_before() {
    let machine = OneLayer::new(|_| ());
    let (mut outputs, mut context) = (machine.outputs(4, ELSEWHERE, 0), Record::new(4));
    outputs.merge(PART, 0..1);
    pass_on(&machine, &mut outputs, 30, &mut context);
    assert!(context.packets.is_empty(), "the accumulator has given no credit");
    assert_eq!(outputs.parts[PART].left(), 0, "so the window keeps its place");
    assert!(outputs.credit(PART, 1), "the credit wakes the tile");
    pass_on(&machine, &mut outputs, 31, &mut context);
    let [(32, packet)] = context.packets[..] else { panic!("{:?}", context.packets) };
    let message = TileMessage::PartialSum { part: LockstepId(3), window: 0 };
    assert_eq!(packet.payload, Payload::Message(message));
    assert_eq!((packet.bits, packet.flits), (128 * 16, 64));
    assert!(!outputs.credit(PART, 2), "nothing waits any more");
}

#[test]
fn the_register_holds_as_many_windows_as_it_has_slots() {
    let machine = OneLayer::new(|_| ());
    let (mut outputs, mut context) = (machine.outputs(2, ELSEWHERE, 0), Record::new(4));
    assert_eq!(outputs.parts[PART].room(), 2);
    outputs.merge(PART, 0..1);
    pass_on(&machine, &mut outputs, 8, &mut context);
    assert_eq!(outputs.parts[PART].room(), 2, "a complete window that has not left keeps its slot");
    outputs.credit(PART, 1);
    pass_on(&machine, &mut outputs, 9, &mut context);
    assert_eq!(outputs.parts[PART].room(), 3);
}
