//! Flows: the traffic of one image between tiles, whatever their places.
//!
//! Tiles keep their contents when they are moved, so flows are worked out once, from the trees of the layout that the
//! search begins with.

use std::collections::{BTreeMap, BTreeSet};

use arch::{Arch, Rate};
use components::{InputId, Next, Receiver, Routing, SegmentId, Trees};
use index::{Index, IndexVec, Lists};
use mapper::{InputSlice, Layout, TileId};

use crate::demand::{Sends, sends};

index::index! {
    /// A flow.
    pub(super) struct FlowId(u32);
    /// A layout whose traffic counts: one for each plan.
    pub(super) struct PlanId(u16);
}

/// Values that the same tiles receive from one tile. Each port on the way takes them once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// Plan under which they are sent.
    pub(super) plan: PlanId,
    /// Sender, named by its place in the layout.
    pub(super) from: TileId,
    /// Receivers, named likewise.
    pub(super) to: Vec<TileId>,
    /// Time of a router port that they take, in thousandths of a cycle.
    pub(super) port: u64,
    /// Time of a router port and its link, whichever takes longer.
    pub(super) link: u64,
}

/// All flows, and those of each tile.
pub(super) struct Flows {
    flows: IndexVec<FlowId, Flow>,
    of_tile: Lists<TileId, FlowId>,
}

impl Flows {
    /// Works out the flows of `layouts` on `arch`, one layout for each plan.
    pub(super) fn new(arch: &Arch, layouts: &[&Layout]) -> Self {
        let mut flows = IndexVec::default();
        for (plan, layout) in layouts.iter().enumerate() {
            let (ports, links) = (arch.flits_per_cycle(), arch.link_bits_per_cycle());
            for ((from, to), amount) in amounts(arch, layout) {
                let port = thousandths(amount.flits, ports);
                let link = port.max(thousandths(amount.bits, links));
                flows.push(Flow { plan: PlanId::new(plan), from, to, port, link });
            }
        }
        let ends = flows.enumerate().flat_map(|(id, flow): (FlowId, &Flow)| {
            std::iter::once(&flow.from).chain(&flow.to).map(move |&tile| (tile, id))
        });
        let of_tile = Lists::grouped(index::size(arch.tiles()), ends);
        Self { flows, of_tile }
    }

    /// Returns all flows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FlowId, &Flow)> {
        self.flows.enumerate()
    }

    /// Returns a flow.
    pub(super) fn flow(&self, id: FlowId) -> &Flow {
        &self.flows[id]
    }

    /// Returns the flows from and to a tile.
    pub(super) fn of_tile(&self, tile: TileId) -> &[FlowId] {
        &self.of_tile[tile]
    }

    /// Returns the busiest time of a port between a tile and its router under a plan. No placement changes it.
    pub(super) fn busiest_tile_port(&self, plan: PlanId) -> u64 {
        let mut ports: BTreeMap<(TileId, bool), u64> = BTreeMap::new();
        for flow in self.flows.iter().filter(|flow| flow.plan == plan) {
            *ports.entry((flow.from, false)).or_default() += flow.port;
            flow.to.iter().for_each(|&to| *ports.entry((to, true)).or_default() += flow.port);
        }
        ports.into_values().max().unwrap_or(0)
    }
}

/// Flits and bits of a flow per image.
#[derive(Clone, Copy, Default)]
struct Amount {
    flits: u64,
    bits: u64,
}

/// Returns the traffic of one image by sender and receivers.
fn amounts(arch: &Arch, layout: &Layout) -> BTreeMap<(TileId, Vec<TileId>), Amount> {
    let trees = Trees::new(&Routing::new(arch), layout);
    let mut inputs: BTreeMap<(TileId, InputId), &InputSlice> = BTreeMap::new();
    for (id, layer) in layout.layers.enumerate() {
        inputs.extend(layer.slices.enumerate().map(|(number, slice)| ((slice.tile, trees.input(id, number)), slice)));
    }
    let mut amounts: BTreeMap<(TileId, Vec<TileId>), Amount> = BTreeMap::new();
    sends(arch, layout, &trees, |Sends { layer, group, from, tree, packets }| {
        let segment = trees.segment(tree);
        let (flits, bits) = (u64::from(segment.flits) * packets, u64::from(segment.bits) * packets);
        let mut add = |to: Vec<TileId>, amount: Amount| {
            let all = amounts.entry((from, to)).or_default();
            all.flits += amount.flits;
            all.bits += amount.bits;
        };
        let leaves = leaves(&trees, tree);
        if let [(tile, _)] = leaves[..] {
            return add(vec![tile], Amount { flits, bits });
        }
        // Outputs between two neighbouring edges have the same receivers.
        let outputs = &layout.layers[layer].groups[group].outputs;
        let slice = |(tile, receiver): &(TileId, Option<Receiver>)| {
            let receiver = receiver.expect("values with several receivers are positions");
            inputs[&(*tile, receiver.inputs)]
        };
        let edges: BTreeSet<u32> = (leaves.iter().flat_map(|leaf| &slice(leaf).channels))
            .flat_map(|channels| [channels.start, channels.end])
            .map(|edge| edge.clamp(outputs.start, outputs.end))
            .collect();
        let edges: Vec<u32> = edges.into_iter().collect();
        let parts = edges.windows(2).map(|edges| edges[0]..edges[1]).map(|part| {
            let receives = |leaf: &&(TileId, Option<Receiver>)| slice(leaf).overlap(&part) > 0;
            let to: BTreeSet<TileId> = leaves.iter().filter(receives).map(|&(tile, _)| tile).collect();
            (u64::from(part.end - part.start), to)
        });
        let parts: Vec<_> = parts.filter(|(_, to)| !to.is_empty()).collect();
        let values: u64 = parts.iter().map(|(values, _)| values).sum();
        // Flits are shared out by values: a port that takes some parts only is off by less than a flit for each.
        let (mut shared, mut before) = (Amount::default(), 0);
        for (part, to) in parts {
            before += part;
            let until = Amount { flits: flits * before / values, bits: bits * before / values };
            add(to.into_iter().collect(), Amount { flits: until.flits - shared.flits, bits: until.bits - shared.bits });
            shared = until;
        }
    });
    amounts
}

/// Returns the receivers of a tree.
fn leaves(trees: &Trees, tree: SegmentId) -> Vec<(TileId, Option<Receiver>)> {
    let mut leaves = Vec::new();
    let mut segments = vec![tree];
    while let Some(segment) = segments.pop() {
        for end in trees.ends(segment) {
            match end.to {
                Next::Tile { receiver, tile } => leaves.push((tile, receiver)),
                Next::Link { segment, .. } => segments.push(segment),
            }
        }
    }
    leaves
}

/// Returns the time that `amount` takes, in thousandths of a cycle.
fn thousandths(amount: u64, rate: Rate) -> u64 {
    let times = rate.times();
    let time = 1000 * u128::from(amount) * u128::from(times.per_action) / u128::from(times.per_cycle);
    u64::try_from(time).expect("the traffic of an image takes less than 2^54 cycles")
}
