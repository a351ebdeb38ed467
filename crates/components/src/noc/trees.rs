//! Static trees: the routes of values to all their receivers.
//!
//! The receivers of a value are known when the machine is wired, so its route is a tree that never changes. With
//! `router.multicast` a value takes each port and each link once, and is copied where the routes to its receivers part;
//! without it, each receiver has a tree of its own. Routes to single receivers are those of [`MeshGeometry`]: along the
//! row first, then along the column, on the grid of chips as on the grid of routers.
//!
//! A tree is cut into segments, one for each chip that it crosses. The ports of a segment are its [`Node`]s, parents
//! first; its [`End`]s are receivers, and links to the segments of further chips. A node carries what the receivers
//! behind it take: a fork drops the rest.
//!
//! Positions of a map that the same replica finishes and the same slices receive are of one kind, and have the same
//! trees, one for each output group.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use arch::Arch;
use index::{Index, IndexVec, Lists, size};
use mapper::{Destination, GroupId, LayerLayout, Layout, LevelId, OutputGroup, ReceiverId, ReplicaId, SliceId, TileId};
use network::{LayerId, MapId};
use smallvec::SmallVec;

use super::geometry::step;
use crate::{ChipId, Direction, InputId, MeshGeometry, Port};

index::index! {
    /// A segment of a tree.
    pub struct SegmentId(u32);
    /// A node of a segment, from 1 on; 0 is where packets enter.
    pub struct NodeId(u16);
    /// An output group of a replica.
    struct PartId(u32);
    /// A kind of positions of a map.
    struct KindId(u32);
    /// Output group of a kind of positions.
    struct RootId(u32);
}

/// Trees of all layers and maps of a layout.
#[derive(Clone, Debug)]
pub struct Trees {
    geometry: MeshGeometry,
    /// Number of each input slice in its tile.
    inputs: IndexVec<LayerId, IndexVec<SliceId, InputId>>,
    segments: IndexVec<SegmentId, Segment>,
    nodes: Lists<SegmentId, Node>,
    ends: Lists<SegmentId, End>,
    layers: IndexVec<LayerId, LayerTrees>,
    maps: IndexVec<MapId, MapTrees>,
}

/// Part of a tree on one chip.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Chip of the board.
    pub chip: ChipId,
    /// Layer that produces the values.
    pub layer: LayerId,
    /// Map that the values are positions of; `None` in trees of messages.
    pub map: Option<MapId>,
    /// Bits that enter the segment.
    pub bits: u32,
    /// Flits that enter the segment.
    pub flits: u32,
    /// Flits through routers, once for each router passed and each copy.
    pub flit_hops: u32,
    /// Tile of its first receiver, for the canonical order of packets.
    pub destination: TileId,
    /// Number of that receiver among the destinations of the position; 0 in trees of messages.
    pub first: u32,
}

impl NodeId {
    /// Where packets enter a segment.
    const ENTRY: Self = Self(0);
}

/// A port that a tree takes.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Node before it.
    pub parent: NodeId,
    /// Number of the port among those of the chip, router by router.
    pub port: u32,
    /// Ports up to this one.
    pub depth: u32,
    /// Flits that take it.
    pub flits: u32,
}

/// End of a segment.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Last port.
    pub node: NodeId,
    /// Receiver or link behind it.
    pub to: Next,
}

/// A receiver, or a link to the next segment, behind the last port of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Next {
    /// A receiver.
    Tile {
        /// Receiver of positions; `None` in trees of partial sums and values for max-pools.
        receiver: Option<Receiver>,
        /// Tile of the board.
        tile: TileId,
    },
    /// A link to a neighbouring chip.
    Link {
        /// Side on which it leaves the chip.
        side: Direction,
        /// Segment on the neighbouring chip.
        segment: SegmentId,
    },
}

/// An input slice that receives positions.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// Input slice of the tile.
    pub inputs: InputId,
    /// Index among the destinations of the position ([`mapper::MapLayout::destinations`]).
    pub destination: u32,
    /// Positions per image that it receives.
    pub positions: u32,
    /// Bits of a position.
    pub bits: u32,
}

/// Trees of one layer's messages between its tiles.
#[derive(Clone, Debug, Default)]
pub struct LayerTrees {
    groups: usize,
    /// Contributors to each output group of each replica, with their trees to its accumulator tile.
    partial_sums: Lists<PartId, (TileId, SegmentId)>,
    /// Tree from the accumulator tile of a replica to that of the replica that finishes a position of a pool's level.
    pool_values: BTreeMap<(LevelId, ReplicaId, ReplicaId, GroupId), SegmentId>,
}

impl LayerTrees {
    /// Returns the contributors to an output group of a replica, each with its tree of partial sums.
    pub fn contributors(&self, replica: ReplicaId, group: GroupId) -> &[(TileId, SegmentId)] {
        &self.partial_sums[PartId::new(replica.index() * self.groups + group.index())]
    }

    /// Returns the tree of partial sums from tile `contributor`.
    pub fn partial_sums(&self, replica: ReplicaId, group: GroupId, contributor: TileId) -> SegmentId {
        let tree = self.contributors(replica, group).iter().find(|(tile, _)| *tile == contributor);
        tree.expect("the tile is a contributor").1
    }

    /// Returns the tree of values that `feeder` hands to the pool of `finisher` that makes `level`; `None` within a tile.
    pub fn pool_values(
        &self,
        level: LevelId,
        feeder: ReplicaId,
        finisher: ReplicaId,
        group: GroupId,
    ) -> Option<SegmentId> {
        self.pool_values.get(&(level, feeder, finisher, group)).copied()
    }
}

/// Trees of the positions of one map.
#[derive(Clone, Debug, Default)]
pub struct MapTrees {
    groups: usize,
    /// Kind of each position; `None` where all its windows are cropped.
    kinds: Vec<Option<KindId>>,
    /// Finishing replica of each kind, and its positions per image.
    positions: IndexVec<KindId, (ReplicaId, u64)>,
    /// Trees of each kind and group, to receivers in other tiles.
    roots: Lists<RootId, SegmentId>,
}

impl MapTrees {
    /// Returns the trees of `position`, in the output group `group`. Receivers in the accumulator tile need none.
    #[inline]
    pub fn roots(&self, position: u32, group: GroupId) -> &[SegmentId] {
        let kind = self.kinds[size(position)].expect("a replica finishes the position");
        &self.roots[RootId::new(kind.index() * self.groups + group.index())]
    }

    /// Returns all trees of positions, each with the replica and group whose accumulator tile sends them, and the
    /// positions per image.
    pub fn of_positions(&self) -> impl Iterator<Item = (ReplicaId, GroupId, SegmentId, u64)> + '_ {
        self.positions.enumerate().flat_map(move |(kind, &(replica, positions))| {
            (0..self.groups).flat_map(move |group| {
                let roots = &self.roots[RootId::new(kind.index() * self.groups + group)];
                roots.iter().map(move |&tree| (replica, GroupId::new(group), tree, positions))
            })
        })
    }
}

/// The part of a machine that trees depend on: those of a layout are equal on machines with equal routing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    geometry: MeshGeometry,
    multicast: bool,
    flit_bits: u32,
    partial_sum_bits: u32,
}

impl Routing {
    /// Copies the part of `arch`.
    pub fn new(arch: &Arch) -> Self {
        Self {
            geometry: MeshGeometry::new(arch),
            multicast: arch.router.multicast,
            flit_bits: arch.router.flit_bits,
            partial_sum_bits: arch.tile.partial_sum_bits,
        }
    }
}

impl Trees {
    /// Makes the trees of `layout` on a machine with this routing.
    pub fn new(routing: &Routing, layout: &Layout) -> Self {
        let trees = Self {
            geometry: routing.geometry.clone(),
            inputs: input_ids(layout),
            segments: IndexVec::default(),
            nodes: Lists::default(),
            ends: Lists::default(),
            layers: IndexVec::default(),
            maps: IndexVec::default(),
        };
        let mut builder = Builder { routing, layout, trees };
        for (id, layer) in layout.layers.enumerate() {
            let trees = builder.layer(id, layer);
            builder.trees.layers.push(trees);
        }
        for (id, map) in layout.maps.enumerate() {
            let trees = map.source.map(|(layer, _)| builder.map(id, layer)).unwrap_or_default();
            builder.trees.maps.push(trees);
        }
        builder.trees
    }

    /// Calls `port` with each port that the tree takes from segment `id` on, and `link` with each link and the bits that
    /// cross it.
    pub fn walk(
        &self,
        id: SegmentId,
        port: &mut impl FnMut(ChipId, &Node),
        link: &mut impl FnMut(ChipId, Direction, u32),
    ) {
        let chip = self.segment(id).chip;
        self.nodes(id).iter().for_each(|node| port(chip, node));
        for end in self.ends(id) {
            if let Next::Link { side, segment: next } = end.to {
                link(chip, side, self.segment(next).bits);
                self.walk(next, port, link);
            }
        }
    }

    /// Returns the number of an input slice in its tile.
    pub fn input(&self, layer: LayerId, slice: SliceId) -> InputId {
        self.inputs[layer][slice]
    }

    /// Returns the trees of a layer.
    pub fn layer(&self, layer: LayerId) -> &LayerTrees {
        &self.layers[layer]
    }

    /// Returns the trees of a map.
    pub fn map(&self, map: MapId) -> &MapTrees {
        &self.maps[map]
    }

    /// Returns a segment.
    #[inline]
    pub fn segment(&self, id: SegmentId) -> &Segment {
        &self.segments[id]
    }

    /// Returns the nodes of a segment, parents first, from number 1 on.
    #[inline]
    pub fn nodes(&self, id: SegmentId) -> &[Node] {
        &self.nodes[id]
    }

    /// Returns the ends of a segment.
    #[inline]
    pub fn ends(&self, id: SegmentId) -> &[End] {
        &self.ends[id]
    }
}

#[cfg(test)]
impl Trees {
    /// Makes trees for messages of `bits` bits, each from a tile to some tiles.
    pub(crate) fn of_routes(
        arch: &Arch,
        layout: &Layout,
        routes: &[(TileId, &[TileId], u32)],
    ) -> (Self, Vec<SegmentId>) {
        let routing = &Routing::new(arch);
        let mut builder = Builder { routing, layout, trees: Self::new(routing, layout) };
        let target =
            |&tile: &TileId, bits: u32| Target { tile, receiver: None, values: std::iter::once(0..bits).collect() };
        let trees = routes.iter().map(|&(from, to, bits)| {
            let targets: Vec<Target> = to.iter().map(|tile| target(tile, bits)).collect();
            builder.tree((LayerId(0), None), from, &targets, 1)
        });
        let trees = trees.collect();
        (builder.trees, trees)
    }
}

/// Returns the number of each input slice in its tile: the slices of a tile are numbered layer by layer.
fn input_ids(layout: &Layout) -> IndexVec<LayerId, IndexVec<SliceId, InputId>> {
    let mut slices: BTreeMap<TileId, usize> = BTreeMap::new();
    let of_layer = |layer: &LayerLayout| {
        let number = |tile: TileId| {
            let slices = slices.entry(tile).or_default();
            *slices += 1;
            InputId::new(*slices - 1)
        };
        layer.slices.iter().map(|slice| slice.tile).map(number).collect()
    };
    layout.layers.iter().map(of_layer).collect()
}

/// Values on their way: ranges of channels or outputs, in order.
type Values = SmallVec<[Range<u32>; 2]>;

/// A receiver of a tree under construction.
#[derive(Clone, Debug)]
struct Target {
    tile: TileId,
    receiver: Option<Receiver>,
    values: Values,
}

/// Place where a segment begins.
#[derive(Clone, Copy)]
enum Entry {
    /// A tile of the board.
    Tile(TileId),
    /// The link on a side of a chip.
    Side(ChipId, Direction),
}

/// A node under construction. Mostly its targets take the same values.
struct Draft<'a> {
    node: Node,
    values: Cow<'a, Values>,
}

struct Builder<'a> {
    routing: &'a Routing,
    layout: &'a Layout,
    trees: Trees,
}

impl Builder<'_> {
    /// Makes the trees of partial sums and of values for pools of a layer.
    fn layer(&mut self, id: LayerId, layer: &LayerLayout) -> LayerTrees {
        let mut trees = LayerTrees { groups: layer.groups.len(), ..LayerTrees::default() };
        let partial_sum_bits = self.routing.partial_sum_bits;
        for replica in layer.replicas.indices() {
            for (group, OutputGroup { outputs, .. }) in layer.groups.enumerate() {
                let accumulator = layer.accumulator(replica, group);
                let to_accumulator = |values: Range<u32>| {
                    [Target { tile: accumulator, receiver: None, values: Values::from_iter([values]) }]
                };
                let to = to_accumulator(outputs.clone());
                let contributors = layer.group_tiles(replica, group).iter().filter(|&&tile| tile != accumulator);
                let trees_of = contributors.map(|&tile| (tile, self.tree((id, None), tile, &to, partial_sum_bits)));
                trees.partial_sums.push(trees_of);
                for (number, level) in layer.levels.enumerate() {
                    let values = common(std::slice::from_ref(&level.outputs), outputs);
                    let [values] = &values[..] else { continue };
                    for feeder in level.feeders(replica) {
                        let from = layer.accumulator(feeder, group);
                        if from != accumulator {
                            let to = to_accumulator(values.clone());
                            let segment = self.tree((id, None), from, &to, partial_sum_bits);
                            trees.pool_values.insert((number, feeder, replica, group), segment);
                        }
                    }
                }
            }
        }
        trees
    }

    /// Finds the kinds of positions of a map that a layer finishes, and makes their trees.
    fn map(&mut self, map: MapId, id: LayerId) -> MapTrees {
        let (layout, layer, of) = (self.layout, &self.layout.layers[id], &self.layout.maps[map]);
        let kinds = Vec::with_capacity(size(of.positions()));
        let mut trees = MapTrees { groups: layer.groups.len(), kinds, ..MapTrees::default() };
        // Kinds of each replica with the destinations of a position. The kind of the position before comes last.
        let mut known: IndexVec<ReplicaId, Vec<(KindId, &[Destination])>> =
            IndexVec::filled(Vec::new(), layer.replicas.len());
        let mut kinds: IndexVec<KindId, (ReplicaId, &[Destination])> = IndexVec::default();
        let finishes = layout.finishes(map).expect("a layer finishes the map");
        for (finish, position) in finishes.iter().zip(0..) {
            let Some(finish) = finish else {
                trees.kinds.push(None);
                continue;
            };
            let (of_replica, destinations) = (&mut known[finish.replica], of.destinations(position));
            let known = of_replica.iter().rposition(|(_, known)| have_same_receivers(known, destinations));
            if let Some(known) = known {
                of_replica[known..].rotate_left(1);
            } else {
                trees.positions.push((finish.replica, 0));
                of_replica.push((kinds.push((finish.replica, destinations)), destinations));
            }
            let (kind, _) = of_replica[of_replica.len() - 1];
            trees.positions[kind].1 += 1;
            trees.kinds.push(Some(kind));
        }
        let receivers: IndexVec<ReceiverId, _> = layout.receivers(map).collect();
        let mut targets = Vec::new();
        for &(replica, destinations) in &kinds {
            for (group, outputs) in layer.groups.enumerate() {
                let from = layer.accumulator(replica, group);
                let mut unit_bits = 0;
                targets.clear();
                for (destination, number) in destinations.iter().zip(0..) {
                    let ((reader, slice), input) = receivers[destination.receiver];
                    let values = common(&input.channels, &outputs.outputs);
                    if input.tile == from || values.is_empty() {
                        continue;
                    }
                    let stored_bits = layout.layers[reader].stored_bits;
                    unit_bits = unit_bits.max(stored_bits);
                    let receiver = Receiver {
                        inputs: self.trees.input(reader, slice),
                        destination: number,
                        positions: input.order.positions,
                        bits: total(&values) * stored_bits,
                    };
                    targets.push(Target { tile: input.tile, receiver: Some(receiver), values });
                }
                if !self.routing.multicast {
                    // A value goes once to each tile, however many slices of it receive the value.
                    targets.sort_by_key(|target| target.tile);
                }
                let of_tree = targets.chunk_by(|a, b| self.routing.multicast || a.tile == b.tile);
                trees.roots.push(of_tree.map(|targets| self.tree((id, Some(map)), from, targets, unit_bits)));
            }
        }
        trees
    }

    /// Makes a tree from tile `from` to `targets`. Returns its first segment.
    fn tree(&mut self, of: (LayerId, Option<MapId>), from: TileId, targets: &[Target], unit_bits: u32) -> SegmentId {
        self.segment(of, Entry::Tile(from), targets, unit_bits)
    }

    fn segment(&mut self, of: (LayerId, Option<MapId>), entry: Entry, targets: &[Target], unit_bits: u32) -> SegmentId {
        let chip = match entry {
            Entry::Tile(tile) => self.trees.geometry.chip_of(tile),
            Entry::Side(chip, _) => chip,
        };
        let first = targets.first().expect("a tree has a receiver");
        let (destination, first) = (first.tile, first.receiver.map_or(0, |receiver| receiver.destination));
        let mut drafts: Vec<Draft> = Vec::with_capacity(16);
        let mut ends = Vec::with_capacity(targets.len());
        let mut beyond: Vec<(Direction, NodeId, Vec<Target>)> = Vec::new();
        for target in targets {
            let side = self.trees.geometry.side_towards(chip, self.trees.geometry.chip_of(target.tile));
            let node = self.route(&mut drafts, entry, side, target);
            match side {
                None => ends.push(End { node, to: Next::Tile { receiver: target.receiver, tile: target.tile } }),
                Some(side) => match beyond.iter_mut().find(|(of, ..)| *of == side) {
                    Some((_, _, targets)) => targets.push(target.clone()),
                    None => beyond.push((side, node, vec![target.clone()])),
                },
            }
        }
        let flits = |values: &Values| (total(values) * unit_bits).div_ceil(self.routing.flit_bits);
        for draft in &mut drafts {
            draft.node.flits = flits(&draft.values);
        }
        let mut entering = Cow::Owned(Values::new());
        for draft in drafts.iter().filter(|draft| draft.node.parent == NodeId::ENTRY) {
            join(&mut entering, &draft.values);
        }
        for (side, node, targets) in beyond {
            let neighbour = self.trees.geometry.neighbour(chip, side);
            let next = self.segment(of, Entry::Side(neighbour, side.opposite()), &targets, unit_bits);
            ends.push(End { node, to: Next::Link { side, segment: next } });
        }
        // The port from the tile leads into the first router; every other port leads out of one.
        let from_tile = matches!(entry, Entry::Tile(_));
        let leading_out = drafts.iter().filter(|draft| !from_tile || draft.node.parent != NodeId::ENTRY);
        let segment = Segment {
            chip,
            layer: of.0,
            map: of.1,
            bits: total(&entering) * unit_bits,
            flits: flits(&entering),
            flit_hops: leading_out.map(|draft| draft.node.flits).sum(),
            destination,
            first,
        };
        self.trees.nodes.push(drafts.iter().map(|draft| draft.node));
        self.trees.ends.push(ends);
        self.trees.segments.push(segment)
    }

    /// Adds the ports on the way of `target` that are not there yet. Returns the last.
    fn route<'a>(
        &self,
        drafts: &mut Vec<Draft<'a>>,
        entry: Entry,
        leaves: Option<Direction>,
        target: &'a Target,
    ) -> NodeId {
        let geometry = &self.trees.geometry;
        let (to, number) = geometry.place(target.tile);
        let exit = leaves.map_or(to, |side| geometry.link_router(side));
        let mut parent = NodeId::ENTRY;
        let mut take = |at: (u32, u32), port: Port| {
            let port = geometry.port_number(at, port);
            let (before, behind) = drafts.split_at_mut(parent.index());
            let known = behind.iter().position(|Draft { node, .. }| node.port == port);
            if let Some(known) = known {
                join(&mut behind[known].values, &target.values);
                parent = NodeId::new(parent.index() + known + 1);
            } else {
                let depth = before.last().map_or(0, |parent| parent.node.depth) + 1;
                let node = Node { parent, port, depth, flits: 0 };
                drafts.push(Draft { node, values: Cow::Borrowed(&target.values) });
                parent = NodeId::new(drafts.len());
            }
        };
        let mut at = match entry {
            Entry::Tile(tile) => {
                let (at, number) = geometry.place(tile);
                take(at, Port::FromTile(number));
                at
            }
            Entry::Side(_, side) => geometry.link_router(side),
        };
        while let Some(direction) = Direction::towards(at, exit) {
            take(at, Port::Neighbour(direction));
            at = step(at, direction);
        }
        take(at, leaves.map_or(Port::ToTile(number), Port::Neighbour));
        parent
    }
}

fn have_same_receivers(a: &[Destination], b: &[Destination]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.receiver == b.receiver)
}

/// Returns the parts of sorted `ranges` within `of`.
fn common(ranges: &[Range<u32>], of: &Range<u32>) -> Values {
    let clipped = ranges.iter().map(|range| range.start.max(of.start)..range.end.min(of.end));
    clipped.filter(|range| !range.is_empty()).collect()
}

/// Adds the values of `more` to `values`.
fn join(values: &mut Cow<Values>, more: &Values) {
    if **values == *more {
        return;
    }
    let values = values.to_mut();
    values.extend(more.iter().cloned());
    values.sort_unstable_by_key(|range| range.start);
    values.dedup_by(mapper::unite);
}

/// Returns the number of values.
fn total(values: &Values) -> u32 {
    values.iter().map(|range| range.end - range.start).sum()
}
