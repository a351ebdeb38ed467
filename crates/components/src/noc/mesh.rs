//! The mesh of a chip: packets take the ports of their trees.
//!
//! All ports of a segment are taken when the packet enters the mesh, in the canonical order of source, then first
//! receiver, so a packet may wait for a port that an earlier one uses a little later. A crossing takes at least a cycle
//! (docs/model.md, "Mesh and links").

use arch::{Arch, Times};
use des::{Component, Cycle, Fingerprint, Recurrent, Wake};
use index::{Index, IndexVec, size};
use mapper::{Destination, Layout};
use network::LayerId;

use super::router::{Routers, arrival};
use super::trees::{End, Next, Node, NodeId, Receiver, Trees};
use crate::{ChipId, Context, Event, MeshGeometry, Packet, Payload, Probe, TileMessage, Waits};

/// The concentrated mesh of one chip: its routers, and the packets that enter it.
#[derive(Clone, Debug)]
pub struct Mesh<'a> {
    chip: ChipId,
    layout: &'a Layout,
    trees: &'a Trees,
    geometry: MeshGeometry,
    /// Time steps of a flit at a port; `None` if ports have no limit.
    flit: Option<Times>,
    routers: Routers,
    /// Packets received in this cycle.
    waiting: Vec<Packet>,
    /// Times at which the head of the present packet entered its segment and left each node. Has room for the longest
    /// segment so far.
    heads: Vec<u64>,
    /// Flits through routers since the start, once for each router and each copy, by producing layer.
    pub flit_hops: IndexVec<LayerId, u64>,
}

impl<'a> Mesh<'a> {
    /// The idle mesh of chip `chip`. If `uncontended`, its ports have no limit.
    pub fn new(arch: &Arch, chip: ChipId, uncontended: bool, layout: &'a Layout, trees: &'a Trees) -> Self {
        let geometry = MeshGeometry::new(arch);
        let flit = (!uncontended).then(|| arch.flits_per_cycle().times());
        let times_per_flit = flit.map_or(1, |flit| flit.per_action);
        Self {
            chip,
            layout,
            trees,
            flit,
            routers: Routers::new(geometry.ports(), times_per_flit),
            geometry,
            waiting: Vec::new(),
            heads: Vec::new(),
            flit_hops: IndexVec::filled(0, layout.layers.len()),
        }
    }

    /// Takes the ports of a packet's segment, and sets `heads`.
    fn take_ports(&mut self, now: Cycle, packet: &Packet, nodes: &[Node], probe: &mut impl Probe) {
        let per_cycle = self.flit.map(|flit| flit.per_cycle);
        let start = now * per_cycle.unwrap_or(1);
        let (chip, geometry) = (self.chip, &self.geometry);
        if self.heads.len() <= nodes.len() {
            self.heads.resize(nodes.len() + 1, 0);
        }
        let heads = &mut self.heads[..=nodes.len()];
        heads[0] = start;
        for (number, &Node { parent, port, flits, .. }) in (1..).zip(nodes) {
            let head = self.routers.pass(size(port), heads[parent.index()], flits);
            heads[number] = head;
            probe.observe(|| {
                let (router, port) = geometry.port(port);
                let at = per_cycle.map_or(now, |per_cycle| (head - 1) / per_cycle);
                Event::Port { chip, router, port, layer: packet.layer, flits, at }
            });
        }
    }

    /// Returns the cycle in which the last flit leaves the mesh by a node, and for how long it was held up.
    fn leaves_by(&self, now: Cycle, id: NodeId, node: &Node) -> (Cycle, Cycle) {
        let Some(flit) = self.flit else { return (now, 0) };
        let leaves = |head| arrival(now, head, node.flits, flit);
        let head = self.heads[id.index()];
        let unhindered = now * flit.per_cycle + u64::from(node.depth) * flit.per_action;
        let done = leaves(head);
        // Nearly half of all packets are not held up, and divisions are slow.
        (done, if head == unhindered { 0 } else { done - leaves(unhindered) })
    }

    /// Message to a receiver of `packet`, which was held up for `waits` and whose position goes to `destinations`.
    fn delivery(
        packet: &Packet,
        waits: Waits,
        receiver: Option<Receiver>,
        destinations: &[Destination],
    ) -> TileMessage {
        match packet.payload {
            Payload::Message(message) => message,
            Payload::Position { image, .. } => {
                let receiver = receiver.expect("positions go to input slices");
                TileMessage::Delivery {
                    inputs: receiver.inputs,
                    held_up: waits.into(),
                    bits: receiver.bits,
                    sequence: image * receiver.positions + destinations[size(receiver.destination)].rank,
                }
            }
        }
    }

    /// Destinations of the position that a packet carries; none if it carries a message.
    fn destinations(&self, packet: &Packet) -> &'a [Destination] {
        match packet.payload {
            Payload::Message(_) => &[],
            Payload::Position { position, .. } => {
                let map = self.trees.segment(packet.segment).map.expect("positions are of a map");
                self.layout.maps[map].destinations(position)
            }
        }
    }
}

impl<C: Context> Component<C> for Mesh<'_> {
    type Message = Packet;

    fn receive(&mut self, packet: Packet, _: &mut C) -> Wake {
        self.waiting.push(packet);
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) -> Wake {
        // A canonical order, so that results do not depend on delivery order; (source, destination) usually decides.
        self.waiting.sort_unstable_by(|a, b| {
            let tiles = |packet: &Packet| u64::from(packet.source.0) << 32 | u64::from(packet.destination.0);
            tiles(a).cmp(&tiles(b)).then_with(|| a.cmp(b))
        });
        let (now, chip, trees) = (context.now(), self.chip, self.trees);
        let mut waiting = std::mem::take(&mut self.waiting);
        for packet in waiting.drain(..) {
            let (nodes, destinations) = (trees.nodes(packet.segment), self.destinations(&packet));
            self.take_ports(now, &packet, nodes, context.probe());
            self.flit_hops[packet.layer] += u64::from(trees.segment(packet.segment).flit_hops);
            let (mut last, mut longest) = (now, 0);
            for End { node, to } in trees.ends(packet.segment) {
                let (done, waited) = self.leaves_by(now, *node, &nodes[node.index() - 1]);
                (last, longest) = (last.max(done), longest.max(waited));
                let waits = packet.waits.at_routers(waited);
                let delay = done + 1 - now;
                match *to {
                    Next::Tile { receiver, tile } => {
                        context.send_to_tile(delay, tile, Self::delivery(&packet, waits, receiver, destinations));
                    }
                    Next::Link { side, segment } => {
                        context.send_to_link(delay, chip, side, packet.enters(segment, trees.segment(segment), waits));
                    }
                }
            }
            context.probe().observe(|| Event::Packet {
                chip,
                layer: packet.layer,
                flits: packet.flits,
                waited: u32::try_from(longest).expect("no packet waits for 2^32 cycles"),
                cycles: now..last + 1,
            });
        }
        self.waiting = waiting;
        Wake::Sleep
    }
}

impl Recurrent for Mesh<'_> {
    fn state(&self, print: &mut Fingerprint) {
        let Self {
            chip: _,
            layout: _,
            trees: _,
            geometry: _,
            flit,
            routers,
            // Packets of a cycle leave in the same cycle.
            waiting: _,
            heads: _,
            flit_hops: _,
        } = self;
        // Ports without a limit are never taken.
        if let Some(flit) = flit {
            let now = (print.now() + 1) * flit.per_cycle;
            routers.state(now, print);
        }
    }
}
