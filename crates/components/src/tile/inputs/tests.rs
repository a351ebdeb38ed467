use mapper::TileId;

use super::*;
use crate::testing::{OneLayer, POSITION_BITS, Record};
use crate::{NoProbe, RoomId};

const TILE: TileId = TileId(0);
const SLICE: InputId = InputId(0);
const CONTROL: ControlId = ControlId(0);

#[test]
fn a_window_is_ready_in_the_cycle_after_the_write_of_its_last_input() {
    let machine = OneLayer::new(|_| ());
    let (mut inputs, mut context) = (machine.inputs(), Record::new(4));
    inputs.start(1);
    context.now = 5;
    inputs.deliver(SLICE, 0, POSITION_BITS, HeldUp::default());
    assert!(!inputs.is_supplied(), "it has arrived, and is not written");
    inputs.write(TILE, &mut context);
    assert_eq!(inputs.controls[CONTROL].ready, 0);
    assert!(inputs.is_supplied());
    assert_eq!(inputs.look_ahead(6), Set::below(1));
    assert_eq!((inputs.controls[CONTROL].ready, context.last_completion()), (1, 5));
}

#[test]
fn a_write_of_two_cycles_makes_the_window_ready_in_the_third() {
    let machine = OneLayer::new(|arch| arch.edram.bytes_per_cycle = POSITION_BITS / 8 - 1);
    let (mut inputs, mut context) = (machine.inputs(), Record::new(4));
    inputs.start(1);
    inputs.deliver(SLICE, 0, POSITION_BITS, HeldUp::default());
    inputs.write(TILE, &mut context);
    assert!(!inputs.is_supplied(), "a bit is left for cycle 2");
    let [(3, TileMessage::Written { inputs: slice, sequence, held_up })] = context.sent[..] else {
        panic!("the write ends with cycle 2: {:?}", context.sent)
    };
    context.now = 3;
    inputs.end_write(slice, sequence, held_up);
    inputs.arrive(TILE, &mut context);
    assert_eq!(inputs.look_ahead(3), Set::below(1));
}

#[test]
fn writes_share_the_port_in_the_order_of_slices_and_sequence_numbers() {
    // A position and a half in a cycle.
    let machine = OneLayer::new(|arch| arch.edram.bytes_per_cycle = POSITION_BITS / 8 * 3 / 2);
    let (mut inputs, mut context) = (machine.inputs(), Record::new(4));
    inputs.start(1);
    inputs.deliver_result(0, POSITION_BITS);
    inputs.deliver(SLICE, 1, POSITION_BITS, HeldUp::default());
    inputs.deliver(SLICE, 0, POSITION_BITS, HeldUp::default());
    inputs.write(TILE, &mut context);
    assert!(matches!(context.sent[..], [(3, TileMessage::Written { sequence: 1, .. })]), "{:?}", context.sent);
    let [image] = context.completions.images() else { panic!("one image") };
    assert_eq!((image.results, image.last_result_at), (1, 2), "the result comes last, in what is left of cycle 2");
}

#[test]
fn producers_see_more_room_in_the_cycle_after_all_imas_have_read_a_window() {
    // Room for two of four positions.
    let machine = OneLayer::new(|_| ());
    let (mut inputs, mut context) = (machine.inputs(), Record::new(2));
    inputs.start(1);
    let room = RoomId(0);
    assert!(!context.rooms.wait(room, TileId(7), 1), "tile 7 has position 2 to send");
    context.now = 9;
    inputs.progress::<NoProbe>(CONTROL, 1);
    assert!(inputs.has_work());
    inputs.release(TILE, &mut context);
    assert_eq!((context.rooms.limit(room, 9), context.rooms.limit(room, 10)), (2, 3));
    assert_eq!(context.sent, [(10, TileMessage::Room)]);
}
