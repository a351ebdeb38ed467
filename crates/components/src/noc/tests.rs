//! Mesh and link alone, with no chip around them.

use des::{Component, Cycle};
use mapper::TileId;
use network::LayerId;

use super::*;
use crate::testing::{OneLayer, Record, assert_told_apart};
use crate::{ChipId, Packet, Payload, SegmentId, TileMessage};

/// Sends messages of 32-bit flits, (source, receivers, flits), into the mesh of chip 0 in cycle 10.
fn deliver(machine: &OneLayer, uncontended: bool, messages: &[(u32, &[u32], u32)]) -> (Record, u64) {
    let tiles: Vec<Vec<TileId>> = messages.iter().map(|of| of.1.iter().copied().map(TileId).collect()).collect();
    let routes = messages.iter().zip(&tiles).map(|(of, to)| (TileId(of.0), to.as_slice(), 32 * of.2));
    let (trees, ids) = Trees::of_routes(&machine.arch, &machine.layout, &routes.collect::<Vec<_>>());
    let mut mesh = Mesh::new(&machine.arch, ChipId(0), uncontended, &machine.layout, &trees);
    let mut record = Record { now: 10, ..Record::default() };
    for (&(source, ..), &id) in messages.iter().zip(&ids) {
        let payload = Payload::Message(TileMessage::Room);
        mesh.receive(Packet::new(TileId(source), id, trees.segment(id), payload), &mut record);
    }
    mesh.evaluate(&mut record);
    (record, mesh.flit_hops[LayerId(0)])
}

fn isaac() -> OneLayer {
    OneLayer::new(|_| ())
}

#[test]
fn a_packet_crosses_an_idle_chip_in_one_cycle() {
    // To the opposite corner (row 5 runs back, so it is the first router of the row): 12 routers, one flit time each,
    // and 32 flits, of the 100 flit times of a cycle.
    let (record, hops) = deliver(&isaac(), false, &[(0, &[140], 32)]);
    assert_eq!((record.receivers, hops), (vec![(11, 140)], 32 * (5 + 6 + 1)));
}

#[test]
fn more_flits_than_a_cycle_holds_wait_for_the_port() {
    // Four tiles send 30 flits each to one tile of the next router: the fourth has its last flits in the next cycle.
    let messages = [(0, &[4][..], 30), (1, &[4], 30), (2, &[4], 30), (3, &[4], 30)];
    let cycles = |uncontended| {
        let (record, _) = deliver(&isaac(), uncontended, &messages);
        record.receivers.iter().map(|&(cycle, _)| cycle).collect::<Vec<Cycle>>()
    };
    assert_eq!((cycles(false), cycles(true)), (vec![11, 11, 11, 12], vec![11; 4]));
}

#[test]
fn the_order_of_messages_within_a_cycle_does_not_matter() {
    let mut messages = [(0, &[4][..], 40), (1, &[4], 40), (2, &[4], 40), (3, &[4], 40)];
    let (in_order, _) = deliver(&isaac(), false, &messages);
    messages.reverse();
    assert_eq!(deliver(&isaac(), false, &messages).0.receivers, in_order.receivers);
}

#[test]
fn a_value_takes_each_port_once_and_is_copied_where_its_routes_part() {
    // Routers of 4 tiles in rows of 7. From router 0 to two tiles of router 2 and one of router 3: the ways share
    // routers 0 and 1 and the entry into router 2.
    let (record, hops) = deliver(&isaac(), false, &[(0, &[8, 9, 12], 64)]);
    assert_eq!(record.receivers, [(11, 8), (11, 9), (11, 12)]);
    // East out of routers 0, 1 and 2, and to three tiles; one by one it would be 3 + 3 + 4.
    assert_eq!(hops, 64 * (3 + 3));
    // Sent to each alone, the third copy does not fit the cycle at the port of tile 0.
    let (alone, hops) = deliver(&isaac(), false, &[(0, &[8], 64), (0, &[9], 64), (0, &[12], 64)]);
    assert_eq!(alone.receivers, [(11, 8), (12, 9), (12, 12)]);
    assert_eq!(hops, 64 * (3 + 3 + 4));
}

#[test]
fn a_packet_to_other_chips_leaves_once_by_the_link_in_their_direction() {
    // Chips 5 and 6 of a board with 4 columns are in columns 2 and 1 of row 1: east first, for both.
    let (record, _) = deliver(&isaac(), false, &[(0, &[5 * 168, 6 * 168, 6 * 168 + 1], 8)]);
    assert_eq!(record.crossings, [(11, Direction::East.number())]);
    assert_eq!(record.receivers, []);
}

fn crossing(source: u32, bits: u32) -> Crossing {
    let machine = isaac();
    let (trees, ids) = Trees::of_routes(&machine.arch, &machine.layout, &[(TileId(source), &[TileId(168)], bits)]);
    Crossing(Packet::new(TileId(source), ids[0], trees.segment(ids[0]), Payload::Message(TileMessage::Room)))
}

#[test]
fn a_link_carries_640_bytes_in_a_cycle() {
    // 6.4 GB/s for 100 ns.
    let arrivals = |bits: &[u32]| {
        let mut link = Link::new(Some(isaac().arch.link_bits_per_cycle()), Direction::East, ChipId(1), 1);
        let mut record = Record { now: 10, ..Record::default() };
        for (source, &bits) in (0..).zip(bits) {
            link.receive(crossing(source, bits), &mut record);
        }
        link.evaluate(&mut record);
        (record.packets.iter().map(|&(cycle, _)| cycle).collect::<Vec<_>>(), link.bits[LayerId(0)])
    };
    assert_eq!(arrivals(&[5120]), (vec![11], 5120));
    assert_eq!(arrivals(&[5121]), (vec![12], 5121));
    assert_eq!(arrivals(&[2560, 2560, 8]), (vec![11, 11, 12], 5128));
}

#[test]
fn the_rate_of_a_link_is_not_rounded() {
    // 51.2 bits in a cycle of 1 ns: 128 bits take 2.5 cycles, and twice as many five.
    let mut arch = isaac().arch;
    arch.cycle_ns = 1.0;
    let mut link = Link::new(Some(arch.link_bits_per_cycle()), Direction::East, ChipId(1), 1);
    let mut record = Record { now: 10, ..Record::default() };
    (0..2).for_each(|source| {
        link.receive(crossing(source, 128), &mut record);
    });
    link.evaluate(&mut record);
    assert_eq!(record.packets.iter().map(|&(cycle, _)| cycle).collect::<Vec<_>>(), [13, 15]);
}

#[test]
fn packets_on_their_way_are_told_apart_by_all_that_they_say() {
    let machine = isaac();
    let (trees, ids) = Trees::of_routes(&machine.arch, &machine.layout, &[(TileId(0), &[TileId(9)], 32)]);
    let payload = Payload::Position { sequence: 13, position: 1, image: 3 };
    let packet = Packet::new(TileId(0), ids[0], trees.segment(ids[0]), payload);
    let add = |packet: &Packet, print: &mut des::Fingerprint| packet.state(print, |_, _, print| print.number(7u64));
    assert_told_apart(
        &packet,
        add,
        &[
            |packet| packet.source = TileId(1),
            |packet| packet.destination = TileId(8),
            |packet| packet.segment = SegmentId(1),
            |packet| packet.waits.routers += 1,
            |packet| packet.waits.links += 1,
            |packet| packet.payload = Payload::Position { sequence: 14, position: 2, image: 3 },
            |packet| packet.payload = Payload::Position { sequence: 17, position: 1, image: 4 },
            |packet| packet.payload = Payload::Message(TileMessage::Room),
        ],
    );
}
