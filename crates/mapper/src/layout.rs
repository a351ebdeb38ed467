//! Layout of a network: everything that follows from a mapping.
//!
//! [`Layout::new`] works from the first layer to the last. For each layer it deals the windows that are not cropped to
//! the replicas, in the order of computation ([`Grid`](crate::grid::Grid)), and finds the last window, the finisher and
//! the contributions of each position of each [`Level`]. Then it
//!
//! 1. finds the steps of producers that each step of a layer with several inputs needs (`skips`), so that
//! 2. each tile that reads a map has an input slice with enough room (`receive`). Sequence numbers follow the steps in
//!    which the producer finishes its positions;
//! 3. inverts the slices into the destinations of the positions of each map;
//! 4. checks buffer and output register of every tile, and plays a network with joins to its end (`play`).

use std::collections::BTreeMap;
use std::ops::Range;

use arch::{Arch, Edram};
use index::{IndexVec, Lists, size};
use network::{Graph, LayerId, MapId, Network, Plan, Shape};

use crate::crops::Crops;
use crate::ids::Position;
use crate::skips::Needs;
use crate::{
    Fabric, Finishes, InputSlice, LayerLayout, Level, LevelId, Mapping, MappingError, OutputGroup, Reader, ReceiverId,
    SliceId, TileId, limits, play, receive,
};

/// Receiver of an output position: one tile of a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Index among the input slices of the readers, [`MapLayout::readers`].
    pub receiver: ReceiverId,
    /// Sequence number of the position in that slice.
    pub rank: u32,
}

/// Positions that each input slice has room for.
pub type Capacities = IndexVec<LayerId, IndexVec<SliceId, u64>>;

/// Everything that follows from a mapping.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Mapping that the layout follows from.
    pub mapping: Mapping,
    /// Edges of the network.
    pub graph: Graph,
    /// One entry per map of the network.
    pub maps: IndexVec<MapId, MapLayout>,
    /// One entry per layer of the network.
    pub layers: IndexVec<LayerId, LayerLayout>,
}

/// Everything that follows from the mapping for one map.
#[derive(Clone, Debug)]
pub struct MapLayout {
    /// Layer whose tiles finish the map, and the level that it leaves from; `None` for the input image.
    pub source: Option<(LayerId, LevelId)>,
    /// Outputs of the producer that the map has.
    pub outputs: Range<u32>,
    /// Size.
    pub shape: Shape,
    /// Number of its first position among the results of the network; `None` if it has none.
    pub result: Option<u32>,
    /// Completions of the positions that are stored; `None` if these are all that the level finishes.
    finishes: Option<Finishes>,
    /// Input slices that receive positions of the map, reader by reader.
    pub readers: IndexVec<ReceiverId, (LayerId, SliceId)>,
    /// Receivers of each position.
    destinations: Lists<Position, Destination>,
}

impl MapLayout {
    /// Returns the receivers of position `position`.
    #[inline]
    pub fn destinations(&self, position: u32) -> &[Destination] {
        &self.destinations[Position(position)]
    }

    /// Returns the number of positions.
    pub fn positions(&self) -> u32 {
        self.shape.height * self.shape.width
    }

    /// True if a position that the level finishes is stored, and so leaves the tile.
    #[inline]
    pub fn stores(&self, position: u32) -> bool {
        self.finishes.as_ref().is_none_or(|finishes| finishes.of(position).is_some())
    }
}

impl Layout {
    /// Lays out `mapping` and checks it against the machine: every tile's output register and buffer must hold what
    /// they need at once. Returns all errors of the first check that fails.
    pub fn new(arch: &Arch, network: &Network, plan: &Plan, mapping: Mapping) -> Result<Self, Vec<MappingError>> {
        Self::on(&Fabric::new(arch), network, plan, mapping)
    }

    /// Lays out as [`Layout::new`] does. Nothing else of a machine matters.
    pub(crate) fn on(
        fabric: &Fabric,
        network: &Network,
        plan: &Plan,
        mapping: Mapping,
    ) -> Result<Self, Vec<MappingError>> {
        limits::check_network(network)?;
        let crops = Crops::new(network, plan);
        let geometries = mapping.geometries(fabric, network, plan, &crops)?;
        let maps = network.maps.iter().map(|map| MapLayout {
            source: None,
            outputs: map.channels.clone(),
            shape: map.shape,
            result: None,
            finishes: None,
            readers: IndexVec::default(),
            destinations: Lists::default(),
        });
        let mut layout = Self { mapping, graph: network.graph(), maps: maps.collect(), layers: IndexVec::default() };
        layout.number_results(network);
        for (id, geometry) in network.layers.indices().zip(geometries) {
            let _span = tracing::debug_span!("lay out", layer = %network.layers[id].name).entered();
            let laid = LayerLayout::new(fabric, network, id, plan, &crops, geometry, &layout);
            for (level, of) in laid.levels.enumerate() {
                for &map in &of.maps {
                    layout.maps[map].source = Some((id, level));
                    layout.maps[map].finishes = crops.stored(map).and_then(|stored| of.finishes.stored(stored));
                }
            }
            layout.layers.push(laid);
        }
        let needs = Needs::new(&layout);
        for id in layout.layers.indices() {
            let slices = receive::slices(fabric, &layout, id, &needs);
            for (number, slice) in slices.enumerate() {
                layout.maps[slice.map].readers.push((id, number));
            }
            layout.layers[id].slices = slices;
        }
        limits::check_tiles(&layout)?;
        for id in layout.layers.indices() {
            let maps = layout.layers[id].levels.iter().flat_map(|level| &level.maps);
            let received =
                maps.flat_map(|&map| layout.receivers(map)).map(|(_, slice)| u64::from(slice.order.positions));
            limits::check_layer(&layout.layers[id], received.sum())?;
        }
        for map in layout.maps.indices() {
            layout.maps[map].destinations = layout.destinations(map);
        }
        layout.check_tiles(fabric)?;
        layout.check_joins(fabric)?;
        Ok(layout)
    }

    /// Numbers the positions of the maps that are results, map by map.
    fn number_results(&mut self, network: &Network) {
        let mut first = 0;
        for part in &network.results {
            let map = &mut self.maps[part.map];
            if map.result.is_none() {
                map.result = Some(first);
                first += map.positions();
            }
        }
    }

    /// Returns the positions of all results of the network.
    pub fn result_positions(&self) -> u32 {
        self.maps.iter().filter(|map| map.result.is_some()).map(MapLayout::positions).sum()
    }

    /// Returns the maps that are results of the network, in the order of their positions, each with its layer.
    pub fn results(&self) -> impl Iterator<Item = (MapId, LayerId)> {
        let mut results: Vec<_> = self.maps.enumerate().filter_map(|(id, map)| Some((map.result?, id))).collect();
        results.sort_unstable();
        results.into_iter().filter_map(|(_, id)| Some((id, self.maps[id].source?.0)))
    }

    /// Returns the level that a map leaves from; `None` for the input image.
    pub fn level(&self, map: MapId) -> Option<&Level> {
        let (layer, level) = self.maps[map].source?;
        Some(&self.layers[layer].levels[level])
    }

    /// Returns the completions of the stored positions of a map; `None` for the input image.
    pub fn finishes(&self, map: MapId) -> Option<&Finishes> {
        let (of, level) = (&self.maps[map], self.level(map)?);
        Some(of.finishes.as_ref().unwrap_or(&level.finishes))
    }

    /// Returns the input slices of all readers of `map`, each with its layer and number, by [`ReceiverId`].
    pub fn receivers(&self, map: MapId) -> impl Iterator<Item = ((LayerId, SliceId), &InputSlice)> + Clone {
        self.maps[map].readers.iter().map(|&(layer, slice)| ((layer, slice), &self.layers[layer].slices[slice]))
    }

    /// Returns the receivers of each position of `map`. The host needs none.
    fn destinations(&self, map: MapId) -> Lists<Position, Destination> {
        let of = &self.maps[map];
        if of.source.is_none() {
            return Lists::default();
        }
        let width = of.shape.width;
        let destinations = self.receivers(map).zip(0..).flat_map(|((_, slice), receiver)| {
            let destination = move |rank| Destination { receiver: ReceiverId(receiver), rank };
            slice.order.received(width).map(move |(position, rank)| (Position(position), destination(rank)))
        });
        Lists::grouped(size(of.positions()), destinations)
    }

    /// Returns the bytes that the input slices and the output groups of each tile of the board need: (inputs, results,
    /// layers with inputs).
    pub(crate) fn tile_needs(&self, fabric: &Fabric) -> IndexVec<TileId, (u64, u64, Vec<LayerId>)> {
        let mut needs = IndexVec::filled((0, 0, Vec::new()), size(fabric.tiles()));
        for (id, layer) in self.layers.enumerate() {
            for slice in &layer.slices {
                let need = &mut needs[slice.tile];
                need.0 += slice.bytes_at_once();
                if need.2.last() != Some(&id) {
                    need.2.push(id);
                }
            }
            for replica in layer.replicas.indices() {
                for (group, OutputGroup { outputs, .. }) in layer.groups.enumerate() {
                    let bits = u64::from(outputs.end - outputs.start) * u64::from(fabric.tile.partial_sum_bits);
                    for &tile in layer.group_tiles(replica, group) {
                        needs[tile].1 += bits.div_ceil(8);
                    }
                }
            }
        }
        needs
    }

    /// Returns the positions that each input slice has room for. The slices of a tile divide the whole buffer in proportion
    /// to their needs.
    pub fn capacities(&self, edram: &Edram) -> Capacities {
        let buffer = 8 * u64::from(edram.bytes);
        let needed = |slice: &InputSlice| u64::from(slice.order.positions_at_once) * slice.position_bits;
        let mut all: BTreeMap<TileId, u64> = BTreeMap::new();
        for slice in self.layers.iter().flat_map(|layer| &layer.slices) {
            *all.entry(slice.tile).or_default() += needed(slice);
        }
        let capacity = |slice: &InputSlice| {
            let bits = buffer * needed(slice) / all[&slice.tile].max(1);
            // A layer that is cropped as a whole stores nothing.
            bits / slice.position_bits.max(1)
        };
        self.layers.iter().map(|layer| layer.slices.iter().map(capacity).collect()).collect()
    }

    /// Checks that a network with joins does not stop.
    fn check_joins(&self, fabric: &Fabric) -> Result<(), Vec<MappingError>> {
        if !self.layers.iter().any(LayerLayout::waits_for_several) {
            return Ok(());
        }
        let _span = tracing::debug_span!("play").entered();
        play::play(self, &self.capacities(&fabric.edram)).map_err(|stop| {
            let layer = &self.layers[stop.layer];
            let slice = &layer.slices[stop.slice];
            let name = layer.layer.name.clone();
            let what = match slice.reader {
                Reader::Register => format!("operands of {}", layer.joins().join(", ")),
                Reader::Crossbars => format!("inputs of {name}"),
            };
            vec![MappingError::Stops { tile: slice.tile, what, layer: name }]
        })
    }

    /// Returns the largest part of a tile's inputs that waits for inputs of another path: its name and its bytes. `None` if
    /// no paths meet in the tile.
    fn largest_skip(&self, tile: TileId) -> Option<(String, u64)> {
        let slices = self.layers.iter().flat_map(|layer| layer.slices.iter().map(move |slice| (layer, slice)));
        let here = slices.filter(|(layer, slice)| slice.tile == tile && layer.waits_for_several());
        let (layer, largest) = here.max_by_key(|(_, slice)| slice.bytes_at_once())?;
        let what = match largest.reader {
            Reader::Register => format!("the skip of {}", layer.joins().join(", ")),
            Reader::Crossbars => format!("inputs of {}", layer.layer.name),
        };
        Some((what, largest.bytes_at_once()))
    }

    fn check_tiles(&self, fabric: &Fabric) -> Result<(), Vec<MappingError>> {
        let available = (u64::from(fabric.edram.bytes), u64::from(fabric.tile.output_register_bytes));
        // Tiles with the same layers fail alike; only the one with the largest need is reported.
        let mut buffers: BTreeMap<Vec<LayerId>, (u64, TileId)> = BTreeMap::new();
        let mut registers = buffers.clone();
        for (tile, &(inputs, results, ref layers)) in self.tile_needs(fabric).enumerate() {
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
        let buffers = buffers.into_iter().map(|(layers, (needed, tile))| {
            let layers = names(layers);
            match self.largest_skip(tile) {
                Some((what, of_skip)) => MappingError::SkipTooLarge {
                    tile,
                    what,
                    layers,
                    needed: of_skip,
                    free: (available.0 + of_skip).saturating_sub(needed),
                    remedy: format!("put fewer copies into the tile, or give edram.bytes of at least {needed}"),
                },
                None => MappingError::BufferTooSmall { tile, layers, needed, available: available.0 },
            }
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
