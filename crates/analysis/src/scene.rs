//! Names, numbers and contents of the units of a layout.
//!
//! Tiles are numbered over the board and IMAs within their tile. Only tiles up to the last in use are part of the
//! scene, and of a tile only the IMAs that hold weights.

use std::ops::Range;

use arch::Arch;
use components::MeshGeometry;
use index::{Index, IndexVec};
use mapper::{InputSlice, LayerLayout, Layout, ReplicaId, TileId};
use network::LayerId;

use crate::Carrier;

index::index! {
    /// Chip of the board.
    pub struct ChipId(u32);
    /// Sequence number of a position in an input slice.
    pub struct Sequence(u32);
    /// Window of a replica, in the order in which it computes those of an image.
    struct WindowId(u32);
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
    imas: Vec<ImaUnits>,
    /// Layers with inputs in the buffer.
    buffered: Vec<u16>,
}

/// Contents of an IMA that holds weights.
#[derive(Clone, Debug)]
struct ImaUnits {
    layer: u16,
    /// Crossbars that hold weights.
    crossbars: u32,
}

impl<'a> Scene<'a> {
    /// Creates the scene of `layout` on `arch`.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Scene<'a> {
        let mut tiles: Vec<TileUnits> = Vec::new();
        for (number, layer) in (0..).zip(&layout.layers) {
            for replica in layer.replicas.indices() {
                for (tile, _, ima) in layer.places(arch, replica) {
                    let tile = tile.index();
                    if tiles.len() <= tile {
                        tiles.resize_with(tile + 1, TileUnits::default);
                    }
                    let crossbars = layer.geometry.ima(ima).crossbars(arch).count();
                    let crossbars = u32::try_from(crossbars).expect("the arch file limits the crossbars of an IMA");
                    tiles[tile].imas.push(ImaUnits { layer: number, crossbars });
                }
            }
        }
        let mut tiles: IndexVec<TileId, TileUnits> = tiles.into();
        for (number, layer) in (0..).zip(&layout.layers) {
            layer.slices.iter().for_each(|slice| tiles[slice.tile].buffered.push(number));
        }
        Scene { arch, layout, tiles, geometry: MeshGeometry::new(arch) }
    }

    /// Returns the machine.
    pub fn arch(&self) -> &'a Arch {
        self.arch
    }

    /// Returns the numbers of the layers.
    pub fn layers(&self) -> Range<u16> {
        0..u16::try_from(self.layout.layers.len()).expect("the mapper limits the layers to 16 bits")
    }

    /// Returns the layer that produces the inputs of `layer`; `None` if they come from the host.
    pub fn producer(&self, layer: u16) -> Option<u16> {
        self.layout.graph.producer(LayerId(layer)).layer().map(|id| id.0)
    }

    /// Returns the layer that consumes the results of `layer`; `None` if they are the results of the network.
    pub fn consumer(&self, layer: u16) -> Option<u16> {
        self.layout.graph.consuming_layers(LayerId(layer)).next().map(|id| id.0)
    }

    fn layout(&self, layer: u16) -> &'a LayerLayout {
        &self.layout.layers[LayerId(layer)]
    }

    /// Returns the name of a layer.
    pub fn layer(&self, layer: u16) -> &'a str {
        &self.layout(layer).layer.name
    }

    /// Returns the numbers of the tiles up to the last in use.
    pub fn tiles(&self) -> Range<u32> {
        0..self.tiles.indices().next_back().map_or(0, |last| last.0 + 1)
    }

    /// Returns the numbers of the chips up to the last in use. If several are in use they are those of the whole board,
    /// since packets may cross any of them.
    pub fn chips(&self) -> Range<u32> {
        let chips = self.tiles().end.div_ceil(self.arch.tiles_per_chip());
        0..if chips > 1 { self.arch.board.chips } else { chips }
    }

    /// Returns the columns and rows of routers of a chip.
    pub fn routers(&self) -> (u32, u32) {
        (self.geometry.columns(), self.geometry.routers() / self.geometry.columns())
    }

    /// Returns the layers with inputs in the buffer of a tile.
    pub fn buffered(&self, tile: u32) -> &[u16] {
        &self.tiles[TileId(tile)].buffered
    }

    /// Returns the index of a layer among those with inputs in the buffer of a tile.
    pub fn buffer(&self, tile: u32, layer: u16) -> u16 {
        let buffer = (0..).zip(self.buffered(tile)).find(|&(_, &of)| of == layer);
        buffer.expect("a layer's inputs are in its tiles").0
    }

    /// Returns the numbers of the IMAs of a tile that hold weights.
    pub fn imas(&self, tile: u32) -> Range<u8> {
        0..u8::try_from(self.tiles[TileId(tile)].imas.len()).expect("the arch file limits the IMAs of a tile")
    }

    fn ima(&self, tile: u32, ima: u8) -> &ImaUnits {
        &self.tiles[TileId(tile)].imas[usize::from(ima)]
    }

    /// Returns the layer of an IMA.
    pub fn layer_of(&self, tile: u32, ima: u8) -> u16 {
        self.ima(tile, ima).layer
    }

    /// Returns the numbers of the crossbars of an IMA that hold weights.
    pub fn crossbars(&self, tile: u32, ima: u8) -> Range<u32> {
        0..self.ima(tile, ima).crossbars
    }

    /// Returns the chip of a tile and the number of the tile on it.
    pub fn place(&self, tile: u32) -> (u32, u32) {
        (tile / self.arch.tiles_per_chip(), tile % self.arch.tiles_per_chip())
    }

    /// Returns the path of a tile, such as `chip0/tile3`.
    pub fn tile_path(&self, tile: u32) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}")
    }

    /// Returns the path of an IMA, such as `chip0/tile3/ima5`.
    pub fn ima_path(&self, tile: u32, ima: u8) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}/ima{ima}")
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
    pub fn window(&self, layer: u16, replica: u32, window: u32) -> (u16, u16, u32) {
        let windows = self.layout(layer).windows(ReplicaId(replica));
        let per_image = u32::try_from(windows.len()).expect("the mapper limits the windows of a replica to 32 bits");
        let at = &windows[WindowId(window % per_image).index()];
        (at.y, at.x, window / per_image)
    }

    /// Returns the rows and columns of a layer's results after its max-pool.
    pub fn pooled(&self, layer: u16) -> (u32, u32) {
        let pooled = &self.layout(layer).layer.pooled;
        (pooled.height, pooled.width)
    }

    /// Returns the rows and columns of a layer's windows.
    pub fn output(&self, layer: u16) -> (u32, u32) {
        let output = &self.layout(layer).layer.output;
        (output.height, output.width)
    }

    /// True if the layer has a max-pool.
    pub fn pools(&self, layer: u16) -> bool {
        self.layout(layer).layer.pool.is_some()
    }

    /// Returns the input slice of `layer` in the buffer of a tile.
    pub(crate) fn slice(&self, tile: u32, layer: u16) -> &'a InputSlice {
        let slices = self.layout(layer).slices.as_slice();
        let at = slices.binary_search_by_key(&TileId(tile), |slice| slice.tile);
        &slices[at.expect("a layer's inputs are in its tiles")]
    }

    /// Returns the positions of an input slice by sequence number, as row times width plus column.
    pub fn positions(&self, tile: u32, layer: u16) -> IndexVec<Sequence, u32> {
        let order = &self.slice(tile, layer).order;
        let mut positions = IndexVec::filled(0, Sequence(order.positions).index());
        for (position, rank) in order.received(self.layout(layer).layer.input.width) {
            positions[Sequence(rank)] = position;
        }
        positions
    }
}
