//! Mesh and link alone, with no chip around them.

use components::{ChipId, Crossing, Direction, Link, Mesh, NoProbe, Packet, Rooms, TileMessage, Waits};
use des::{Clock, Component, Cycle, Probed, Send, Shared};
use mapper::TileId;
use network::LayerId;

/// Records what is sent.
#[derive(Default)]
struct Record {
    now: Cycle,
    probe: NoProbe,
    rooms: Rooms,
    /// (cycle of arrival, tile).
    to_tiles: Vec<(Cycle, u32)>,
    /// (cycle of arrival, chip).
    to_meshes: Vec<(Cycle, u32)>,
    /// (cycle of arrival, link).
    to_links: Vec<(Cycle, u32)>,
}

impl Probed for Record {
    type Probe = NoProbe;

    fn probe(&mut self) -> &mut NoProbe {
        &mut self.probe
    }
}

impl Shared<Rooms> for Record {
    fn shared(&mut self) -> &mut Rooms {
        &mut self.rooms
    }
}

impl Clock for Record {
    fn now(&self) -> Cycle {
        self.now
    }
}

impl Send<TileMessage> for Record {
    fn send(&mut self, delay: Cycle, to: u32, _: TileMessage) {
        self.to_tiles.push((self.now + delay, to));
    }
}

impl Send<Packet> for Record {
    fn send(&mut self, delay: Cycle, to: u32, _: Packet) {
        self.to_meshes.push((self.now + delay, to));
    }
}

impl Send<Crossing> for Record {
    fn send(&mut self, delay: Cycle, to: u32, _: Crossing) {
        self.to_links.push((self.now + delay, to));
    }
}

fn isaac() -> arch::Arch {
    arch::load("isaac-ce").expect("the preset is built in")
}

fn packet(source: u32, destination: u32, flits: u32) -> Packet {
    let message = TileMessage::Tick;
    Packet {
        source: TileId(source),
        destination: TileId(destination),
        flits,
        bits: flits * 32,
        waits: Waits::default(),
        layer: LayerId(0),
        entered: None,
        message,
    }
}

fn deliver(mesh: &mut Mesh, packets: &[Packet]) -> Record {
    let mut record = Record { now: 10, ..Record::default() };
    for &packet in packets {
        mesh.receive(packet, &mut record);
    }
    mesh.evaluate(&mut record);
    record
}

#[test]
fn a_packet_crosses_an_idle_chip_in_one_cycle() {
    // To the opposite corner (row 5 runs back, so it is the first router of the row): 12 routers, one flit time each,
    // and 32 flits, of the 100 flit times of a cycle.
    let mut mesh = Mesh::new(&isaac(), ChipId(0), false, 1);
    assert_eq!(deliver(&mut mesh, &[packet(0, 140, 32)]).to_tiles, [(11, 140)]);
    assert_eq!(mesh.flit_hops.as_slice(), [32 * (5 + 6 + 1)]);
}

#[test]
fn more_flits_than_a_cycle_holds_wait_for_the_port() {
    let mut mesh = Mesh::new(&isaac(), ChipId(0), false, 1);
    // Four tiles send 30 flits each to one tile of the next router: the fourth has its last flits in the next cycle.
    let packets: Vec<_> = (0..4).map(|tile| packet(tile, 4, 30)).collect();
    let cycles: Vec<_> = deliver(&mut mesh, &packets).to_tiles.iter().map(|&(cycle, _)| cycle).collect();
    assert_eq!(cycles, [11, 11, 11, 12]);
    let mut free = Mesh::new(&isaac(), ChipId(0), true, 1);
    assert!(deliver(&mut free, &packets).to_tiles.iter().all(|&(cycle, _)| cycle == 11), "without limits none waits");
}

#[test]
fn the_order_of_messages_within_a_cycle_does_not_matter() {
    let packets: Vec<_> = (0..4).map(|tile| packet(tile, 4, 40)).collect();
    let reversed: Vec<_> = packets.iter().rev().copied().collect();
    let run = |packets: &[Packet]| deliver(&mut Mesh::new(&isaac(), ChipId(0), false, 1), packets).to_tiles;
    assert_eq!(run(&packets), run(&reversed));
}

#[test]
fn a_packet_to_another_chip_leaves_by_the_link_in_its_direction() {
    // Chip 5 of a board with 4 columns is in column 1, row 1: east first.
    let mut mesh = Mesh::new(&isaac(), ChipId(0), false, 1);
    let record = deliver(&mut mesh, &[packet(0, 5 * 168, 8)]);
    assert_eq!(record.to_links, [(11, Direction::East.number())]);
    assert_eq!(record.to_tiles, []);
}

#[test]
fn a_link_carries_640_bytes_in_a_cycle() {
    // 6.4 GB/s for 100 ns.
    let link = || Link::new(Some(isaac().link_bits_per_cycle()), Direction::East, ChipId(1), 1);
    let arrivals = |bits: &[u32]| {
        let (mut link, mut record) = (link(), Record { now: 10, ..Record::default() });
        for (source, &bits) in (0..).zip(bits) {
            link.receive(Crossing(Packet { bits, ..packet(source, 168, 1) }), &mut record);
        }
        link.evaluate(&mut record);
        (record.to_meshes.iter().map(|&(cycle, _)| cycle).collect::<Vec<_>>(), link.bits[LayerId(0)])
    };
    assert_eq!(arrivals(&[5120]), (vec![11], 5120));
    assert_eq!(arrivals(&[5121]), (vec![12], 5121));
    assert_eq!(arrivals(&[2560, 2560, 8]), (vec![11, 11, 12], 5128));
}

#[test]
fn what_a_link_carries_in_a_cycle_is_not_rounded() {
    // 51.2 bits in a cycle of 1 ns: 128 bits take 2.5 cycles, and twice as many five.
    let mut arch = isaac();
    arch.cycle_ns = 1.0;
    let mut link = Link::new(Some(arch.link_bits_per_cycle()), Direction::East, ChipId(1), 1);
    let mut record = Record { now: 10, ..Record::default() };
    for source in 0..2 {
        link.receive(Crossing(Packet { bits: 128, ..packet(source, 168, 1) }), &mut record);
    }
    link.evaluate(&mut record);
    assert_eq!(record.to_meshes.iter().map(|&(cycle, _)| cycle).collect::<Vec<_>>(), [13, 15]);
}
