//! Demand of one image for shared resources, summed over all messages that the simulator would send.
//!
//! Five kinds of traffic exist: inputs and results of operations over the bus, operands of joins over the bus, partial
//! sums to accumulator tiles, values for a pool that another replica finishes, and finished positions to the buffers of
//! their readers.

use std::collections::BTreeMap;
use std::ops::Range;

use arch::Arch;
use chip::Routed;
use components::{ChipId, Direction, MeshGeometry, Node, Port, RowsRead, SegmentId, Trees};
use index::{Index, IndexVec, count, size};
use mapper::{Finishes, GroupId, LayerLayout, Layout, ReplicaId, TileId, Window};
use network::{Kernel, LayerId, MapId};

index::index! {
    /// A port of a router of the board: chip by chip, router by router, [`Demand::port`].
    pub struct PortId(u32);
    /// An end of a link between chips: chip by chip, side by side, [`Demand::link`].
    pub struct LinkId(u32);
}

/// Traffic of one image on each shared resource. It follows from the mapping and the plan alone.
///
/// Values sent to another tile, and their writes, are attributed to the layer that produced them.
#[derive(Clone, Debug)]
pub struct Demand {
    geometry: MeshGeometry,
    /// Bits per image over the bus of each tile of the board.
    pub buses: IndexVec<TileId, ByLayer>,
    /// Bits per image through the eDRAM port of each tile of the board.
    pub edram_ports: IndexVec<TileId, ByLayer>,
    /// Flits per image through each router port.
    pub router_ports: IndexVec<PortId, ByLayer>,
    /// Bits per image over each link that leaves a chip.
    pub links: IndexVec<LinkId, ByLayer>,
}

/// Amount by layer, in the order of the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByLayer(Vec<(LayerId, u64)>);

impl ByLayer {
    /// Returns the layers with an amount above 0, in order, with their amounts.
    pub fn layers(&self) -> &[(LayerId, u64)] {
        &self.0
    }

    /// Returns the amount of all layers.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, amount)| amount).sum()
    }

    /// Adds to the amount of `layer`, which must not precede the last layer that was added.
    fn add(&mut self, layer: LayerId, amount: u64) {
        match self.0.last_mut() {
            _ if amount == 0 => (),
            Some((last, of_last)) if *last == layer => *of_last += amount,
            _ => self.0.push((layer, amount)),
        }
    }
}

/// Layer of a layout on its machine.
#[derive(Clone, Copy)]
struct Of<'a> {
    arch: &'a Arch,
    layout: &'a Layout,
    id: LayerId,
    layer: &'a LayerLayout,
    /// Trees of all layers.
    trees: &'a Trees,
}

/// Packets of one image along one tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sends {
    /// Layer that produces the values.
    pub(crate) layer: LayerId,
    /// Output group of the values.
    pub(crate) group: GroupId,
    /// Tile that sends them.
    pub(crate) from: TileId,
    /// First segment of the tree.
    pub(crate) tree: SegmentId,
    /// Packets per image.
    pub(crate) packets: u64,
}

/// Calls `send` for all packets of one image of `layout`, layer by layer.
pub(crate) fn sends(arch: &Arch, layout: &Layout, trees: &Trees, mut send: impl FnMut(Sends)) {
    for (id, layer) in layout.layers.enumerate() {
        Of { arch, layout, id, layer, trees }.sends(&mut send);
    }
}

impl Demand {
    /// Sums the traffic of one image.
    pub fn new(routed: &Routed<'_>) -> Demand {
        let Routed { arch, layout, .. } = *routed;
        let geometry = MeshGeometry::new(arch);
        let (chips, tiles) = (size(arch.board.chips), size(arch.tiles()));
        let idle = ByLayer::default();
        let mut demand = Demand {
            buses: IndexVec::filled(idle.clone(), tiles),
            edram_ports: IndexVec::filled(idle.clone(), tiles),
            router_ports: IndexVec::filled(idle.clone(), chips * geometry.ports()),
            links: IndexVec::filled(idle, chips * Direction::ALL.len()),
            geometry,
        };
        let all_trees = &*routed.trees;
        for (id, layer) in layout.layers.enumerate() {
            let of = Of { arch, layout, id, layer, trees: all_trees };
            demand.operations(of);
            demand.skips(of);
            demand.writes(of);
            of.sends(&mut |sends| demand.send(all_trees, sends));
        }
        demand
    }

    /// Returns chip, (column, row) of the router on the chip, and port of the router.
    pub fn port(&self, port: PortId) -> (ChipId, (u32, u32), Port) {
        let (chip, port) = (port.index() / self.geometry.ports(), port.index() % self.geometry.ports());
        let (router, port) = self.geometry.port(u32::try_from(port).expect("a chip has fewer ports"));
        (ChipId::new(chip), router, port)
    }

    /// Returns the chip and the side on which the link leaves it.
    pub fn link(&self, link: LinkId) -> (ChipId, Direction) {
        (ChipId(link.0 / 4), Direction::ALL[size(link.0 % 4)])
    }

    /// Adds inputs of operations, from the buffer over the bus, and results, over the bus.
    fn operations(&mut self, of: Of) {
        let Of { arch, id, layer, .. } = of;
        let geometry = &layer.geometry;
        let results = (0..geometry.col_groups).map(|col_group| of.partial_sum_bits(&geometry.outputs_of(col_group)));
        let results: Vec<u64> = results.collect();
        let imas = (0..geometry.imas_per_replica()).map(|ima| geometry.groups_of(ima));
        let imas: Vec<_> = imas.map(|(row_group, col_group)| (size(row_group), results[size(col_group)])).collect();
        for (replica, inputs) in of.bits_read().enumerate() {
            let windows = count(layer.windows(replica).len());
            for ((tile, ..), (row_group, result_bits)) in layer.places(&arch.tile, replica).zip(&imas) {
                let read = inputs[*row_group];
                self.buses[tile].add(id, read + windows * result_bits);
                self.edram_ports[tile].add(id, read);
            }
        }
    }

    /// Adds operands of joins, from the buffer over the bus. Cropped operands are not read.
    fn skips(&mut self, of: Of) {
        let Of { layout, id, layer, .. } = of;
        for group in layer.groups.indices() {
            for (level, map, values) in layer.merged(&layout.maps, group) {
                let source = layout.finishes(map);
                for replica in layer.replicas.indices() {
                    let is_read = |y, x| source.is_none_or(|finishes| finishes.at(y, x).is_some());
                    let merging = layer.merging(&layer.levels[level], replica);
                    let read = merging.filter(|&(_, (y, x))| is_read(y, x)).count();
                    let bits = count(read) * u64::from(values) * u64::from(layer.stored_bits);
                    let tile = layer.accumulator(replica, group);
                    self.buses[tile].add(id, bits);
                    self.edram_ports[tile].add(id, bits);
                }
            }
        }
    }

    /// Adds the writes of finished positions to the buffers of the readers. Results stay in their tile.
    fn writes(&mut self, of: Of) {
        let Of { layout, id, layer, .. } = of;
        for level in &layer.levels {
            for &map in &level.maps {
                if layout.maps[map].result.is_some() {
                    for (replica, finished) in of.finished(map) {
                        for (group, outputs) in layer.groups.enumerate() {
                            let bits = u64::from(level.values(outputs)) * u64::from(of.arch.tile.partial_sum_bits);
                            self.edram_ports[layer.accumulator(replica, group)].add(id, bits * finished);
                        }
                    }
                }
                for ((reader, _), slice) in layout.receivers(map) {
                    let values: u32 = layer.groups.iter().map(|group| slice.overlap(&group.outputs)).sum();
                    let bits = u64::from(values) * u64::from(layout.layers[reader].stored_bits);
                    self.edram_ports[slice.tile].add(id, bits * u64::from(slice.order.positions));
                }
            }
        }
    }

    /// Adds packets along a tree.
    fn send(&mut self, trees: &Trees, Sends { layer: id, tree, packets, .. }: Sends) {
        let Demand { geometry, router_ports, links, .. } = self;
        let ports = geometry.ports();
        let mut port = |chip: ChipId, node: &Node| {
            router_ports[PortId::new(size(chip.0) * ports + size(node.port))].add(id, u64::from(node.flits) * packets);
        };
        let mut link = |chip: ChipId, side: Direction, bits: u32| {
            let link = size(chip.0) * Direction::ALL.len() + size(side.number());
            links[LinkId::new(link)].add(id, u64::from(bits) * packets);
        };
        trees.walk(tree, &mut port, &mut link);
    }
}

impl Of<'_> {
    /// Returns, for each replica, the positions of a map of the layer that it finishes.
    fn finished(self, map: MapId) -> BTreeMap<ReplicaId, u64> {
        let mut finished = BTreeMap::new();
        for finish in self.layout.finishes(map).expect("the layer finishes the map").iter().flatten() {
            *finished.entry(finish.replica).or_default() += 1;
        }
        finished
    }

    /// Calls `send` for the packets of the layer: partial sums, values for max-pools, and finished positions.
    fn sends(self, send: &mut impl FnMut(Sends)) {
        self.partial_sums(send);
        self.pool_values(send);
        for &map in self.layer.levels.iter().flat_map(|level| &level.maps) {
            for (replica, group, tree, packets) in self.trees.map(map).of_positions() {
                let from = self.layer.accumulator(replica, group);
                send(Sends { layer: self.id, group, from, tree, packets });
            }
        }
    }

    /// Partial sums, to the accumulator tiles.
    fn partial_sums(self, send: &mut impl FnMut(Sends)) {
        let Of { id, layer, trees, .. } = self;
        for replica in layer.replicas.indices() {
            let packets = count(layer.windows(replica).len());
            for group in layer.groups.indices() {
                for &(from, tree) in trees.layer(id).contributors(replica, group) {
                    send(Sends { layer: id, group, from, tree, packets });
                }
            }
        }
    }

    /// Values for positions of pools that another replica finishes.
    fn pool_values(self, send: &mut impl FnMut(Sends)) {
        let Of { id, layer, trees, .. } = self;
        let trees = trees.layer(id);
        for (number, level) in layer.levels.enumerate().filter(|(_, level)| level.shares_positions()) {
            let mut values: BTreeMap<(ReplicaId, ReplicaId), u64> = BTreeMap::new();
            layer.visit_values_under(number, |replica, y, x| {
                for (y, x) in level.positions_over(y, x) {
                    let finisher = level.finishes.at(y, x).expect("a value lies under the position").replica;
                    if finisher != replica {
                        *values.entry((replica, finisher)).or_default() += 1;
                    }
                }
            });
            for ((replica, finisher), packets) in values {
                for group in layer.groups.indices() {
                    if let Some(tree) = trees.pool_values(number, replica, finisher, group) {
                        let from = layer.accumulator(replica, group);
                        send(Sends { layer: id, group, from, tree, packets });
                    }
                }
            }
        }
    }

    /// Returns the bits that an IMA of each row group of each replica reads. Zeros (padding and cropped positions) are not
    /// read.
    fn bits_read(self) -> IndexVec<ReplicaId, Vec<u64>> {
        let Of { layout, layer, .. } = self;
        let is_read = |map| {
            let finishes = layout.finishes(map);
            move |y, x| finishes.is_none_or(|finishes| finishes.at(y, x).is_some())
        };
        let row_groups = 0..layer.geometry.row_groups;
        let rows: Vec<Range<u32>> = row_groups.map(|row_group| layer.geometry.rows_of(row_group)).collect();
        // Rows of each row group that read an input. Unless positions are cropped, windows read alike whose kernels
        // overlap the map alike.
        let mut rows_read: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        let is_cropped = layer.sources().into_iter().filter_map(|map| layout.finishes(map)).any(Finishes::is_cropped);
        let Kernel { stride, padding, .. } = layer.layer.kernel;
        let overlap = |window: &Window| {
            let (y, x) = (u32::from(window.y), u32::from(window.x));
            let (rows, columns) = window.receptive_field(&layer.layer);
            let (top, left) = (rows.start + padding.top - y * stride.y, columns.start + padding.left - x * stride.x);
            ((top, rows.len()), (left, columns.len()), is_cropped.then_some((y, x)))
        };
        let of_replica = |replica: ReplicaId| {
            let (mut bits_of_whole, mut bits) = (0, vec![0; rows.len()]);
            for window in layer.windows(replica).iter().filter(|window| window.bits > 0) {
                if window.whole {
                    bits_of_whole += u64::from(window.bits);
                    continue;
                }
                let rows_read = rows_read.entry(overlap(window)).or_insert_with(|| {
                    let read = RowsRead::new(layer, window, is_read);
                    rows.iter().map(|rows| u64::from(read.among(rows))).collect()
                });
                for (bits, rows) in bits.iter_mut().zip(rows_read) {
                    *bits += *rows * u64::from(window.bits);
                }
            }
            for (bits, rows) in bits.iter_mut().zip(&rows) {
                *bits += count(rows.len()) * bits_of_whole;
            }
            bits
        };
        layer.replicas.indices().map(of_replica).collect()
    }

    /// Returns the bits of the results or partial sums of `outputs` for one window.
    fn partial_sum_bits(self, outputs: &Range<u32>) -> u64 {
        count(outputs.len()) * u64::from(self.arch.tile.partial_sum_bits)
    }
}
