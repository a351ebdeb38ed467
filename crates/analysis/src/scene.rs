//! Names, numbers and contents of the units of a layout.
//!
//! Tiles are numbered over the board and IMAs within their tile. Only tiles up to the last in use are part of the
//! scene, and of a tile only the IMAs that hold weights.

use std::ops::Range;

use arch::Arch;
use components::{ChipId, ImaId, InputId, MeshGeometry};
use index::{Index, IndexVec, size};
use mapper::{InputSlice, LayerLayout, Layout, Reader, ReplicaId, SliceId, TileId};
use network::{LayerId, MapId, Node};

use crate::Carrier;

index::index! {
    /// Sequence number of a position in an input slice.
    pub struct Sequence(u32);
}

/// Units of a layout, as traces, timelines and filters name them.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    arch: &'a Arch,
    layout: &'a Layout,
    tiles: IndexVec<TileId, TileUnits>,
    geometry: MeshGeometry,
}

/// Contents of a tile.
#[derive(Clone, Debug, Default)]
struct TileUnits {
    /// IMAs that hold weights, in the order of their numbers.
    imas: IndexVec<ImaId, ImaUnits>,
    /// Input slices in the buffer.
    buffered: IndexVec<InputId, (LayerId, SliceId)>,
}

/// Contents of an IMA that holds weights.
#[derive(Clone, Debug)]
struct ImaUnits {
    layer: LayerId,
    /// Crossbars that hold weights.
    crossbars: u32,
}

impl<'a> Scene<'a> {
    /// Creates the scene of `layout` on `arch`.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Scene<'a> {
        let mut tiles: IndexVec<TileId, TileUnits> = IndexVec::default();
        for (id, layer) in layout.layers.enumerate() {
            for replica in layer.replicas.indices() {
                for (tile, _, ima) in layer.places(&arch.tile, replica) {
                    while tiles.len() <= tile.index() {
                        tiles.push(TileUnits::default());
                    }
                    let crossbars = layer.geometry.ima(ima).crossbars(arch).count();
                    let crossbars = u32::try_from(crossbars).expect("the arch file limits the crossbars of an IMA");
                    tiles[tile].imas.push(ImaUnits { layer: id, crossbars });
                }
            }
        }
        for (id, layer) in layout.layers.enumerate() {
            for (number, slice) in layer.slices.enumerate() {
                tiles[slice.tile].buffered.push((id, number));
            }
        }
        Scene { arch, layout, tiles, geometry: MeshGeometry::new(arch) }
    }

    /// Returns the machine.
    pub fn arch(&self) -> &'a Arch {
        self.arch
    }

    /// Returns the layers of the network.
    pub fn layers(&self) -> impl DoubleEndedIterator<Item = LayerId> + ExactSizeIterator + use<> {
        self.layout.layers.indices()
    }

    /// Returns the layer that produces the positions of an input slice; `None` if they come from the host.
    pub fn producer(&self, tile: TileId, inputs: InputId) -> Option<LayerId> {
        self.layout.maps[self.slice(tile, inputs).map].source.map(|(producer, _)| producer)
    }

    /// Returns the names of what the crossbars of `layer` read: its producers, or the host.
    pub fn producers(&self, layer: LayerId) -> String {
        let name = |node: &Node| node.layer().map_or("the host", |layer| self.layer(layer));
        self.layout.graph.producers(layer).iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// Returns the names of the layers that read or merge the results of `layer`.
    pub fn readers(&self, layer: LayerId) -> String {
        let graph = &self.layout.graph;
        let mut readers: Vec<LayerId> =
            graph.consuming_layers(layer).chain(graph.mergers(layer).iter().copied()).collect();
        readers.sort_unstable();
        readers.dedup();
        readers.into_iter().map(|layer| self.layer(layer)).collect::<Vec<_>>().join(", ")
    }

    /// Returns the names of the joins that the tiles of `layer` do.
    pub fn joins(&self, layer: LayerId) -> String {
        self.layout(layer).joins().join(", ")
    }

    /// Returns the maps of the network.
    pub fn maps(&self) -> impl Iterator<Item = MapId> + use<> {
        self.layout.maps.indices()
    }

    /// Returns the layer that finishes a map; `None` for the input image.
    pub fn finisher(&self, map: MapId) -> Option<LayerId> {
        self.layout.maps[map].source.map(|(layer, _)| layer)
    }

    fn layout(&self, layer: LayerId) -> &'a LayerLayout {
        &self.layout.layers[layer]
    }

    /// Returns the name of a layer.
    pub fn layer(&self, layer: LayerId) -> &'a str {
        &self.layout(layer).layer.name
    }

    /// Returns the tiles up to the last in use.
    pub fn tiles(&self) -> impl DoubleEndedIterator<Item = TileId> + ExactSizeIterator + use<> {
        self.tiles.indices()
    }

    /// Returns the chips up to the last in use. If several are in use they are those of the whole board, since packets
    /// may cross any of them.
    pub fn chips(&self) -> impl DoubleEndedIterator<Item = ChipId> + ExactSizeIterator + use<> {
        let used = self.tiles().next_back().map_or(0, |last| self.place(last).0.0 + 1);
        (0..size(if used > 1 { self.arch.board.chips } else { used })).map(ChipId::new)
    }

    /// Returns the columns and rows of routers of a chip.
    pub fn routers(&self) -> (u32, u32) {
        (self.geometry.columns(), self.geometry.routers() / self.geometry.columns())
    }

    /// Returns the input slices in the buffer of a tile.
    pub fn buffered(&self, tile: TileId) -> impl DoubleEndedIterator<Item = InputId> + ExactSizeIterator + use<> {
        self.tiles[tile].buffered.indices()
    }

    /// Returns the name of an input slice: that of its layer, with the producer or the join where the layer has several.
    pub fn buffer(&self, tile: TileId, inputs: InputId) -> String {
        let (id, number) = self.tiles[tile].buffered[inputs];
        let layer = self.layout(id);
        let slice = &layer.slices[number];
        let producer = || self.producer(tile, inputs).map_or("the host", |producer| self.layer(producer));
        match slice.reader {
            Reader::Register => format!("skip of {} from {}", layer.joins().join(", "), producer()),
            Reader::Crossbars if layer.sources().len() > 1 => {
                format!("inputs of {} from {}", layer.layer.name, producer())
            }
            Reader::Crossbars => format!("inputs of {}", layer.layer.name),
        }
    }

    /// Returns the IMAs of a tile that hold weights.
    pub fn imas(&self, tile: TileId) -> impl DoubleEndedIterator<Item = ImaId> + ExactSizeIterator + use<> {
        self.tiles[tile].imas.indices()
    }

    fn ima(&self, tile: TileId, ima: ImaId) -> &ImaUnits {
        &self.tiles[tile].imas[ima]
    }

    /// Returns the layer of an IMA.
    pub fn layer_of(&self, tile: TileId, ima: ImaId) -> LayerId {
        self.ima(tile, ima).layer
    }

    /// Returns the numbers of the crossbars of an IMA that hold weights.
    pub fn crossbars(&self, tile: TileId, ima: ImaId) -> Range<u32> {
        0..self.ima(tile, ima).crossbars
    }

    /// Returns the chip of a tile and the number of the tile on it.
    pub fn place(&self, tile: TileId) -> (ChipId, u32) {
        (ChipId(tile.0 / self.arch.tiles_per_chip()), tile.0 % self.arch.tiles_per_chip())
    }

    /// Returns the path of a tile, such as `chip0/tile3`.
    pub fn tile_path(&self, tile: TileId) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}")
    }

    /// Returns the path of an IMA, such as `chip0/tile3/ima5`.
    pub fn ima_path(&self, tile: TileId, ima: ImaId) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}/ima{ima}")
    }

    /// Returns the path of the first IMA and the name of the first layer, as examples.
    pub fn examples(&self) -> (String, &'a str) {
        (self.ima_path(TileId(0), ImaId(0)), self.layer(LayerId(0)))
    }

    /// Returns the name of a carrier, unique on its chip or in its tile.
    pub fn carrier(&self, carrier: Carrier) -> String {
        match carrier {
            Carrier::Layer(layer) => self.layer(layer).to_owned(),
            Carrier::Mesh(_) => "mesh".to_owned(),
            Carrier::Channel(_, router, direction) => {
                let columns = self.geometry.columns();
                let (column, row) = (router % columns, router / columns);
                format!("router ({column}, {row}) to the {}", direction.name())
            }
            Carrier::Link(_, side) => format!("link from the {}", side.name()),
            Carrier::Bus(_) => "bus".to_owned(),
            Carrier::Writes(_) => "eDRAM writes".to_owned(),
        }
    }

    /// Returns row and column of a window of a replica, and its image. `window` is counted over all images.
    pub fn window(&self, layer: LayerId, replica: ReplicaId, window: u32) -> (u16, u16, u32) {
        let windows = self.layout(layer).windows(replica);
        let per_image = u32::try_from(windows.len()).expect("the mapper limits the windows of a replica to 32 bits");
        let at = &windows[size(window % per_image)];
        (at.y, at.x, window / per_image)
    }

    /// Returns the rows and columns of a map.
    pub fn shape(&self, map: MapId) -> (u32, u32) {
        let shape = &self.layout.maps[map].shape;
        (shape.height, shape.width)
    }

    /// Returns the rows and columns of a layer's windows.
    pub fn output(&self, layer: LayerId) -> (u32, u32) {
        let output = &self.layout(layer).layer.output;
        (output.height, output.width)
    }

    /// True if a pool makes the map.
    pub fn is_pooled(&self, map: MapId) -> bool {
        self.layout.level(map).is_some_and(|level| level.pool.is_some())
    }

    /// Returns the map and the position of a result, counted over all images.
    pub fn result(&self, position: u32) -> (MapId, u32) {
        let of_image = position % self.layout.result_positions();
        let mut first = 0;
        for (map, _) in self.layout.results() {
            let positions = self.layout.maps[map].positions();
            if of_image < first + positions {
                return (map, of_image - first);
            }
            first += positions;
        }
        panic!("position {of_image} is no result")
    }

    /// Returns an input slice in the buffer of a tile.
    pub(crate) fn slice(&self, tile: TileId, inputs: InputId) -> &'a InputSlice {
        let (layer, slice) = self.tiles[tile].buffered[inputs];
        &self.layout(layer).slices[slice]
    }

    /// Returns the layer of an input slice.
    pub fn reader(&self, tile: TileId, inputs: InputId) -> LayerId {
        self.tiles[tile].buffered[inputs].0
    }

    /// Returns the map of an input slice.
    pub fn map(&self, tile: TileId, inputs: InputId) -> MapId {
        self.slice(tile, inputs).map
    }

    /// Returns the positions of an input slice by sequence number, as row times width plus column.
    pub fn positions(&self, tile: TileId, inputs: InputId) -> IndexVec<Sequence, u32> {
        let slice = self.slice(tile, inputs);
        let mut positions = IndexVec::filled(0, size(slice.order.positions));
        for (position, sequence) in slice.order.received(self.shape(slice.map).1) {
            positions[Sequence(sequence)] = position;
        }
        positions
    }
}
