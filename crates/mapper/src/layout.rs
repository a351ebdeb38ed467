//! Layout of a network: everything that follows from a mapping.
//!
//! [`Layout::new`] works from the first layer to the last. For each layer it
//!
//! 1. deals the windows that are not cropped to the replicas, in the order of computation ([`Grid`]);
//! 2. finds the last window, the finisher and the contributions of each position after the max-pool;
//! 3. builds the input slice of each tile that holds IMAs of the layer. Sequence numbers follow the steps in which the
//!    producer of the input finishes its positions, so producers come first.
//!
//! Then it inverts the slices of each layer's consumers into the destinations of the layer's positions, and checks the
//! buffer and the output register of every tile.
//!
//! A position is row times width plus column of the map after the pool; without a pool, each window has a position of
//! its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arch::Arch;
use index::{Index, IndexVec, Lists, count, size};
use network::{Graph, Layer, LayerId, LayerKind, LayerPlan, Network, Node, Plan};

use crate::grid::Grid;
use crate::ids::Position;
use crate::{
    Geometry, GroupId, InputOrder, InputSlice, LayerMapping, Mapping, MappingError, OutputGroup, ReceiverId, ReplicaId,
    SliceId, TileId, limits,
};

/// One output position that a replica computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Row of the output map.
    pub y: u16,
    /// Column of the output map.
    pub x: u16,
    /// Bits of its activations, at least 1.
    pub bits: u8,
    /// True if no input under the kernel is padding or cropped.
    pub whole: bool,
}

impl Window {
    /// Returns rows and columns of the input map under the kernel, without padding.
    #[inline]
    pub fn receptive_field(&self, layer: &Layer) -> (Range<u32>, Range<u32>) {
        let Layer { kernel, input, .. } = layer;
        (kernel.rows(self.y.into(), input.height), kernel.columns(self.x.into(), input.width))
    }
}

/// Receiver of an output position: one tile of a consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Index among the input slices of the consumers, [`Layout::receivers`].
    pub receiver: ReceiverId,
    /// Sequence number of the position in that slice.
    pub rank: u32,
}

/// Completion of a position after the max-pool, by the last window under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Replica with the last window, which finishes the position.
    pub replica: ReplicaId,
    /// Step of the last window.
    pub step: u32,
    /// Number of the position among those that the replica finishes.
    pub ordinal: u32,
}

/// Everything that follows from a mapping.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Mapping that the layout follows from.
    pub mapping: Mapping,
    /// Edges of the network.
    pub graph: Graph,
    /// One entry per layer of the network.
    pub layers: IndexVec<LayerId, LayerLayout>,
}

/// Everything that follows from the mapping of one layer.
#[derive(Clone, Debug)]
pub struct LayerLayout {
    /// The layer.
    pub layer: Layer,
    /// Bits of each stored input: the most that any window of the layer has.
    pub stored_bits: u32,
    /// Crossbars and IMAs of one replica.
    pub geometry: Geometry,
    /// First IMA of each replica, numbered over the board.
    pub replicas: IndexVec<ReplicaId, u32>,
    /// Output groups of one replica.
    pub groups: IndexVec<GroupId, OutputGroup>,
    /// Windows of each replica that are not cropped, in the order of computation.
    windows: Lists<ReplicaId, Window>,
    /// Completion of each position; `None` where all its windows are cropped.
    finishes: IndexVec<Position, Option<Finish>>,
    /// Number of windows that are not cropped under each position that a replica finishes, by ordinal.
    contributions: Lists<ReplicaId, u32>,
    /// Sorted pairs (finisher, feeder): a replica that finishes a position after the max-pool and a replica with a
    /// window under it. Empty where every position lies within one replica.
    pool_feeds: Vec<(ReplicaId, ReplicaId)>,
    /// Input slices of the layer, one per tile that holds IMAs of it, in order of tiles.
    pub slices: IndexVec<SliceId, InputSlice>,
    /// Receivers of each position.
    destinations: Lists<Position, Destination>,
}

impl Layout {
    /// Lays out `mapping` and checks it against the machine: every tile's output register and buffer must hold what
    /// they need at once. Returns all errors of the first check that fails.
    pub fn new(arch: &Arch, network: &Network, plan: &Plan, mapping: Mapping) -> Result<Self, Vec<MappingError>> {
        limits::check_network(network)?;
        let geometries = mapping.geometries(arch, network, plan)?;
        let mut layout = Self { mapping, graph: network.graph(), layers: IndexVec::default() };
        for ((id, layer), geometry) in network.layers.enumerate().zip(geometries) {
            let _span = tracing::debug_span!("lay out", layer = %layer.name).entered();
            let mapped = &layout.mapping.layers[id.index()];
            let laid = LayerLayout::new(arch, layer, &plan.layers[id], mapped, geometry, layout.producer(id));
            layout.layers.push(laid);
        }
        for id in layout.layers.indices() {
            let received = layout.receivers(id).map(|(_, slice)| u64::from(slice.order.positions)).sum();
            limits::check_layer(&layout.layers[id], received)?;
            layout.layers[id].destinations = layout.destinations(id);
        }
        layout.check_tiles(arch)?;
        Ok(layout)
    }

    /// Returns the layer that produces the input of `layer`; `None` for the host.
    pub fn producer(&self, layer: LayerId) -> Option<&LayerLayout> {
        self.graph.producer(layer).layer().map(|producer| &self.layers[producer])
    }

    /// Returns the layer whose map is the result of the network.
    pub fn result_layer(&self) -> LayerId {
        self.graph.producer(Node::Host).layer().expect("a network has at least one layer")
    }

    /// Returns the input slices of all consumers of `layer`, each with its layer and number, by [`ReceiverId`].
    pub fn receivers(&self, layer: LayerId) -> impl Iterator<Item = ((LayerId, SliceId), &InputSlice)> + Clone {
        let consumers = self.graph.consuming_layers(layer);
        consumers.flat_map(|consumer| {
            self.layers[consumer].slices.enumerate().map(move |(number, slice)| ((consumer, number), slice))
        })
    }

    /// Returns the receivers of each position of `layer`.
    fn destinations(&self, layer: LayerId) -> Lists<Position, Destination> {
        let LayerLayout { finishes, layer: Layer { pooled, .. }, .. } = &self.layers[layer];
        let destinations = self.receivers(layer).zip(0..).flat_map(|((_, slice), receiver)| {
            let destination = move |rank| Destination { receiver: ReceiverId(receiver), rank };
            slice.order.received(pooled.width).map(move |(position, rank)| (Position(position), destination(rank)))
        });
        Lists::grouped(finishes.len(), destinations)
    }

    /// Returns the bytes that the input slices and the output groups of each tile need: (inputs, results, layers with
    /// inputs).
    pub(crate) fn tile_needs(&self, arch: &Arch) -> BTreeMap<TileId, (u64, u64, Vec<LayerId>)> {
        let mut needs: BTreeMap<TileId, (u64, u64, Vec<LayerId>)> = BTreeMap::new();
        for (id, layer) in self.layers.enumerate() {
            for slice in &layer.slices {
                let need = needs.entry(slice.tile).or_default();
                need.0 += slice.bytes_at_once();
                need.2.push(id);
            }
            for replica in layer.replicas.indices() {
                for (group, OutputGroup { outputs, .. }) in layer.groups.enumerate() {
                    let bits = u64::from(outputs.end - outputs.start) * u64::from(arch.tile.partial_sum_bits);
                    for (tile, _) in layer.group_tiles(arch, replica, group) {
                        needs.entry(tile).or_default().1 += bits.div_ceil(8);
                    }
                }
            }
        }
        needs
    }

    fn check_tiles(&self, arch: &Arch) -> Result<(), Vec<MappingError>> {
        let available = (u64::from(arch.edram.bytes), u64::from(arch.tile.output_register_bytes));
        // Tiles with the same layers fail alike; only the one with the largest need is reported.
        let mut buffers: BTreeMap<Vec<LayerId>, (u64, TileId)> = BTreeMap::new();
        let mut registers = buffers.clone();
        for (tile, (inputs, results, layers)) in self.tile_needs(arch) {
            let note = |worst: &mut BTreeMap<Vec<LayerId>, (u64, TileId)>, needed: u64, available: u64| {
                if needed > available {
                    let worst = worst.entry(layers.clone()).or_default();
                    *worst = (*worst).max((needed, tile));
                }
            };
            note(&mut buffers, inputs, available.0);
            note(&mut registers, results, available.1);
        }
        let names = |layers: Vec<LayerId>| layers.iter().map(|&id| self.layers[id].layer.name.clone()).collect();
        let buffers = buffers.into_iter().map(|(layers, (needed, tile))| MappingError::BufferTooSmall {
            tile,
            layers: names(layers),
            needed,
            available: available.0,
        });
        let registers = registers.into_iter().map(|(layers, (needed, tile))| MappingError::OutputRegisterTooSmall {
            tile,
            layers: names(layers),
            needed,
            available: available.1,
        });
        let faults: Vec<_> = buffers.chain(registers).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// Returns the window at row `y` and column `x` of `layer`. Of the input, what `cropped` does not finish reads as zero;
/// `None` if no input is cropped.
fn window((y, x): (u32, u32), bits: u8, layer: &Layer, cropped: Option<&LayerLayout>) -> Window {
    let side = |at: u32| u16::try_from(at).expect("the side of a map fits 16 bits");
    let mut window = Window { y: side(y), x: side(x), bits, whole: false };
    let (rows, columns) = window.receptive_field(layer);
    let inside = rows.len() * columns.len() == size(layer.kernel.positions());
    let read = |y: u32| {
        cropped.is_none_or(|producer| {
            let start = producer.position(y, columns.start).index();
            producer.finishes.as_slice()[start..start + columns.len()].iter().all(Option::is_some)
        })
    };
    window.whole = inside && rows.clone().all(read);
    window
}

impl LayerLayout {
    /// Lays out `layer`. `producer` has been laid out; it is `None` for the host.
    fn new(
        arch: &Arch,
        layer: &Layer,
        plan: &LayerPlan,
        mapped: &LayerMapping,
        geometry: Geometry,
        producer: Option<&LayerLayout>,
    ) -> Self {
        let grid = Grid::new(layer, mapped.area(layer), mapped.strips, mapped.interleave);
        let cropped = producer.filter(|producer| producer.finishes.iter().any(Option::is_none));
        let replicas: IndexVec<ReplicaId, u32> = mapped.replicas.clone().into();
        let mut windows = Lists::default();
        for replica in replicas.indices() {
            windows.push(grid.windows(replica).filter_map(|(y, x)| {
                let bits = u8::try_from(plan.bits_at(y, x)).expect("an activation has at most 32 bits");
                (bits > 0).then(|| window((y, x), bits, layer, cropped))
            }));
        }
        let mut laid = Self {
            layer: layer.clone(),
            stored_bits: plan.stored_bits(layer),
            groups: geometry.output_groups().into(),
            geometry,
            replicas,
            windows,
            finishes: IndexVec::default(),
            contributions: Lists::default(),
            pool_feeds: Vec::new(),
            slices: IndexVec::default(),
            destinations: Lists::default(),
        };
        laid.finish_positions();
        laid.slices = laid.receive(arch, producer);
        laid
    }

    /// Returns the windows of replica `replica` that are not cropped, in the order of computation.
    pub fn windows(&self, replica: ReplicaId) -> &[Window] {
        &self.windows[replica]
    }

    /// Returns the windows of the replica with the most.
    pub(crate) fn steps(&self) -> usize {
        self.windows.iter().map(<[Window]>::len).max().unwrap_or(0)
    }

    /// Returns the number of positions after the pool.
    pub fn positions(&self) -> u32 {
        self.layer.pooled.height * self.layer.pooled.width
    }

    /// Returns the position at row `y` and column `x` after the pool.
    fn position(&self, y: u32, x: u32) -> Position {
        Position(y * self.layer.pooled.width + x)
    }

    /// Returns the completion of position `position`; `None` if all its windows are cropped.
    #[inline]
    pub fn finish(&self, position: u32) -> Option<Finish> {
        self.finishes[Position(position)]
    }

    /// Returns the completion of the position at row `y` and column `x` after the pool.
    #[inline]
    pub fn finish_at(&self, y: u32, x: u32) -> Option<Finish> {
        self.finishes[self.position(y, x)]
    }

    /// Returns the completions of all positions, in order.
    pub fn finishes(&self) -> impl Iterator<Item = Option<Finish>> {
        self.finishes.iter().copied()
    }

    /// Returns, by ordinal, the number of windows that are not cropped under each position that replica `replica`
    /// finishes.
    pub fn contributions(&self, replica: ReplicaId) -> &[u32] {
        &self.contributions[replica]
    }

    /// Returns the windows of all replicas that are computed per image.
    pub fn computed_windows(&self) -> u64 {
        count(self.windows.items().len())
    }

    /// Returns rows and columns of the positions after the pool that `window` contributes to.
    #[inline]
    pub fn positions_under(&self, window: &Window) -> (Range<u32>, Range<u32>) {
        let (y, x) = (u32::from(window.y), u32::from(window.x));
        let Layer { pool, pooled, .. } = &self.layer;
        match pool {
            Some(pool) => (pool.rows_over(y, pooled.height), pool.columns_over(x, pooled.width)),
            None => (y..y + 1, x..x + 1),
        }
    }

    /// Returns the receivers of position `position`.
    #[inline]
    pub fn destinations(&self, position: u32) -> &[Destination] {
        &self.destinations[Position(position)]
    }

    /// Returns the IMAs of replica `replica`, each as (tile of the board, IMA of the tile, IMA of the replica).
    pub fn places(&self, arch: &Arch, replica: ReplicaId) -> impl Iterator<Item = (TileId, u32, u32)> + use<> {
        let (first, per_tile) = (self.replicas[replica], arch.tile.imas);
        (0..self.geometry.imas_per_replica()).map(move |i| (TileId((first + i) / per_tile), (first + i) % per_tile, i))
    }

    /// Returns the accumulator tile of output group `group` of replica `replica`: the tile with most of its IMAs. Where
    /// several tiles have equally many, the groups take them in turn.
    pub fn accumulator(&self, arch: &Arch, replica: ReplicaId, group: GroupId) -> TileId {
        let tiles = self.group_tiles(arch, replica, group);
        let most = tiles.iter().map(|of| of.1).max().expect("an output group has at least one IMA");
        let candidates: Vec<TileId> = tiles.iter().filter(|of| of.1 == most).map(|of| of.0).collect();
        candidates[group.index() % candidates.len()]
    }

    /// Returns, in order, the tiles with IMAs of output group `group` of replica `replica`, and how many each has.
    pub fn group_tiles(&self, arch: &Arch, replica: ReplicaId, group: GroupId) -> Vec<(TileId, u32)> {
        let imas = self.groups[group].col_groups.clone().flat_map(|col_group| {
            (0..self.geometry.row_groups).map(move |row_group| self.geometry.ima_at(row_group, col_group))
        });
        let mut tiles: Vec<TileId> = imas.map(|ima| TileId((self.replicas[replica] + ima) / arch.tile.imas)).collect();
        tiles.sort_unstable();
        let counted = tiles.chunk_by(|a, b| a == b).map(|of| (of[0], u32::try_from(of.len()).expect("IMAs of a tile")));
        counted.collect()
    }

    /// Finds the last window, the finisher and the contributions of each position after the pool.
    fn finish_positions(&mut self) {
        let mut finishes: IndexVec<Position, Option<Finish>> = IndexVec::filled(None, size(self.positions()));
        let mut contributions: IndexVec<Position, u32> = IndexVec::filled(0, finishes.len());
        let mut shared = false;
        for replica in self.replicas.indices() {
            for (step, window) in (0..).zip(self.windows(replica)) {
                for position in self.positions_of(*window) {
                    contributions[position] += 1;
                    let finish = &mut finishes[position];
                    shared |= finish.is_some_and(|finish| finish.replica != replica);
                    if finish.is_none_or(|finish| step >= finish.step) {
                        *finish = Some(Finish { replica, step, ordinal: 0 });
                    }
                }
            }
        }
        let mut next_ordinal: IndexVec<ReplicaId, u32> = IndexVec::filled(0, self.replicas.len());
        for finish in finishes.iter_mut().flatten() {
            finish.ordinal = next_ordinal[finish.replica];
            next_ordinal[finish.replica] += 1;
        }
        let of_finishers = finishes.iter().zip(&contributions);
        let of_finishers = of_finishers.filter_map(|(finish, &windows)| Some(((*finish)?.replica, windows)));
        self.contributions = Lists::grouped(self.replicas.len(), of_finishers);
        self.finishes = finishes;
        if shared {
            self.pool_feeds = self.feeds();
        }
    }

    /// Returns the positions after the pool that `window` contributes to.
    fn positions_of(&self, window: Window) -> impl Iterator<Item = Position> + use<'_> {
        let (rows, columns) = self.positions_under(&window);
        rows.flat_map(move |y| columns.clone().map(move |x| self.position(y, x)))
    }

    /// Returns the pairs for [`Self::pool_feeds`].
    fn feeds(&self) -> Vec<(ReplicaId, ReplicaId)> {
        let mut feeds = Vec::new();
        for feeder in self.replicas.indices() {
            let positions = self.windows(feeder).iter().flat_map(|&window| self.positions_of(window));
            let finisher = |position| self.finishes[position].expect("a window lies under it").replica;
            let finishers: BTreeSet<ReplicaId> = positions.map(finisher).collect();
            feeds.extend(finishers.into_iter().map(|finisher| (finisher, feeder)));
        }
        feeds.sort_unstable();
        feeds
    }

    /// True if a position after the max-pool lies over windows of more than one replica.
    pub fn shares_positions(&self) -> bool {
        !self.pool_feeds.is_empty()
    }

    /// Returns, in order, the replicas with windows under the positions that `finisher` finishes. Empty where every
    /// position of the layer lies within one replica.
    pub fn feeders(&self, finisher: ReplicaId) -> impl Iterator<Item = ReplicaId> + '_ {
        let first = self.pool_feeds.partition_point(|&(of, _)| of < finisher);
        self.pool_feeds[first..].iter().take_while(move |&&(of, _)| of == finisher).map(|&(_, feeder)| feeder)
    }

    /// Builds the input slices of the tiles that hold IMAs of this layer.
    fn receive(&self, arch: &Arch, producer: Option<&LayerLayout>) -> IndexVec<SliceId, InputSlice> {
        // Replicas and channels in each tile.
        let mut tiles: BTreeMap<TileId, (Vec<ReplicaId>, Vec<Range<u32>>)> = BTreeMap::new();
        let channels: Vec<_> = (0..self.geometry.row_groups)
            .map(|row_group| self.geometry.channels(&self.geometry.ima(self.geometry.ima_at(row_group, 0)).rows))
            .collect();
        for replica in self.replicas.indices() {
            for (tile, _, i) in self.places(arch, replica) {
                let (replicas, read) = tiles.entry(tile).or_default();
                if replicas.last() != Some(&replica) {
                    replicas.push(replica);
                }
                read.push(channels[size(self.geometry.groups_of(i).0)].clone());
            }
        }
        let mut orders: BTreeMap<Vec<ReplicaId>, Arc<InputOrder>> = BTreeMap::new();
        let slice = |(tile, (replicas, channels)): (TileId, (Vec<ReplicaId>, Vec<Range<u32>>))| {
            let order = orders.entry(replicas).or_insert_with_key(|replicas| {
                let windows: Vec<_> = replicas.iter().map(|&replica| self.windows(replica)).collect();
                Arc::new(InputOrder::new(&windows, &self.layer, producer))
            });
            let channels = merged(channels);
            let read: u32 = channels.iter().map(|range| range.end - range.start).sum();
            let position_bits = u64::from(read) * u64::from(self.stored_bits);
            InputSlice { tile, channels, position_bits, order: order.clone() }
        };
        tiles.into_iter().map(slice).collect()
    }

    /// Returns the multiply-accumulates per image of the windows that are not cropped.
    pub fn macs(&self) -> u64 {
        self.computed_windows() * self.layer.macs_per_window()
    }

    /// True if the layer has a single window, as large as its input.
    pub fn is_fully_connected(&self) -> bool {
        self.layer.kind == LayerKind::FullyConnected
    }
}

/// Returns the union of `ranges` as disjoint ranges in order.
fn merged(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
