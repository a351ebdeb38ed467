//! Names, numbers and contents of the units of a layout.
//!
//! Tiles are numbered over the board and IMAs within their tile. Only tiles up to the last in use are part of the
//! scene, and of a tile only the IMAs that hold weights.

use arch::Arch;
use components::{Direction, MeshGeometry};
use mapper::{InputSlice, Layout};

use crate::Carrier;

/// Units of a layout, as traces, timelines and filters name them.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// Machine.
    pub arch: &'a Arch,
    layout: &'a Layout,
    /// IMAs of each tile that hold weights, in the order of their numbers: layer, replica, crossbars.
    tiles: Vec<Vec<(u16, u32, usize)>>,
    /// Layers with inputs in the buffer of each tile.
    buffered: Vec<Vec<u16>>,
    geometry: MeshGeometry,
}

impl<'a> Scene<'a> {
    /// Creates the scene of `layout` on `arch`.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Scene<'a> {
        let mut tiles: Vec<Vec<(u16, u32, usize)>> = Vec::new();
        for (index, layer) in layout.layers.iter().enumerate() {
            for replica in 0..layer.replicas.len() as u32 {
                for (tile, _, ima) in layer.places(arch, replica) {
                    if tiles.len() <= tile as usize {
                        tiles.resize_with(tile as usize + 1, Vec::new);
                    }
                    let crossbars = layer.geometry.ima(ima).crossbars(arch).count();
                    tiles[tile as usize].push((index as u16, replica, crossbars));
                }
            }
        }
        let mut buffered = vec![Vec::new(); tiles.len()];
        for (index, layer) in layout.layers.iter().enumerate() {
            layer.slices.iter().for_each(|slice| buffered[slice.tile as usize].push(index as u16));
        }
        Scene { arch, layout, tiles, buffered, geometry: MeshGeometry::new(arch) }
    }

    /// Returns the names of the layers.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.layout.layers.iter().map(|layer| layer.layer.name.as_str())
    }

    /// Returns the length of the longest name of a layer, in bytes.
    pub fn longest_name(&self) -> u64 {
        self.layers().map(str::len).max().unwrap_or(0) as u64
    }

    /// Returns the name of a layer.
    pub fn layer(&self, layer: u16) -> &str {
        &self.layout.layers[usize::from(layer)].layer.name
    }

    /// Returns the number of tiles up to the last in use.
    pub fn tiles(&self) -> u32 {
        self.tiles.len() as u32
    }

    /// Returns the number of chips up to the last in use. If several are in use it is the number of chips on the board,
    /// since packets may cross any of them.
    pub fn chips(&self) -> u32 {
        let chips = self.tiles().div_ceil(self.arch.tiles_per_chip());
        if chips > 1 { self.arch.board.chips } else { chips }
    }

    /// Returns the number of routers per chip.
    pub fn routers(&self) -> u32 {
        self.geometry.routers()
    }

    /// Returns the number of routers per row of a chip.
    pub fn router_columns(&self) -> u32 {
        self.arch.chip.tile_columns / self.arch.router.tile_columns
    }

    /// Returns the layers with inputs in the buffer of a tile.
    pub fn buffered(&self, tile: u32) -> &[u16] {
        &self.buffered[tile as usize]
    }

    /// Returns the number of IMAs of a tile that hold weights.
    pub fn imas(&self, tile: u32) -> usize {
        self.tiles[tile as usize].len()
    }

    /// Returns the layer of an IMA.
    pub fn layer_of(&self, tile: u32, ima: u8) -> u16 {
        self.tiles[tile as usize][usize::from(ima)].0
    }

    /// Returns the number of crossbars of an IMA that hold weights.
    pub fn crossbars(&self, tile: u32, ima: u8) -> usize {
        self.tiles[tile as usize][usize::from(ima)].2
    }

    /// Returns the chip of a tile and the number of the tile on it.
    pub fn place(&self, tile: u32) -> (u32, u32) {
        (tile / self.arch.tiles_per_chip(), tile % self.arch.tiles_per_chip())
    }

    /// Returns the path of an IMA, such as `chip0/tile3/ima5`.
    pub fn ima_path(&self, tile: u32, ima: u8) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}/ima{ima}")
    }

    /// Returns the name of a carrier, unique on its chip or in its tile.
    pub fn carrier(&self, carrier: Carrier) -> String {
        let way = |side: u8| Direction::ALL[usize::from(side)].name();
        match carrier {
            Carrier::Layer(layer) => self.layer(layer).to_owned(),
            Carrier::Mesh(_) => "mesh".to_owned(),
            Carrier::Channel(_, router, direction) => {
                let (column, row) = (router % self.router_columns(), router / self.router_columns());
                format!("router ({column}, {row}) to the {}", way(direction))
            }
            Carrier::Link(_, side) => format!("link from the {}", way(side)),
            Carrier::Bus(_) => "bus".to_owned(),
            Carrier::Writes(_) => "eDRAM writes".to_owned(),
        }
    }

    /// Returns row and column of a window of a replica, and its image. `window` is counted over all images.
    pub fn window(&self, layer: u16, replica: u32, window: u32) -> (u16, u16, u32) {
        let windows = self.layout.layers[usize::from(layer)].windows(replica);
        let per_image = windows.len() as u32;
        let at = &windows[(window % per_image) as usize];
        (at.y, at.x, window / per_image)
    }

    /// Returns the rows and columns of a layer's results after its max-pool.
    pub fn pooled(&self, layer: u16) -> (u32, u32) {
        let pooled = &self.layout.layers[usize::from(layer)].layer.pooled;
        (pooled.height, pooled.width)
    }

    /// Returns the rows and columns of a layer's windows.
    pub fn output(&self, layer: u16) -> (u32, u32) {
        let output = &self.layout.layers[usize::from(layer)].layer.output;
        (output.height, output.width)
    }

    /// True if the layer has a max-pool.
    pub fn pools(&self, layer: u16) -> bool {
        self.layout.layers[usize::from(layer)].layer.pool.is_some()
    }

    /// Returns the input slice of `layer` in the buffer of a tile.
    pub fn slice(&self, tile: u32, layer: u16) -> &'a InputSlice {
        let slices = &self.layout.layers[usize::from(layer)].slices;
        let at = slices.binary_search_by_key(&tile, |slice| slice.tile).expect("a layer's inputs are where it is");
        &slices[at]
    }

    /// Returns the positions of an input slice by sequence number, as row times width plus column.
    pub fn positions(&self, tile: u32, layer: u16) -> Vec<u32> {
        let slice = self.slice(tile, layer);
        let mut positions = vec![0; slice.order.positions as usize];
        for (position, rank) in slice.order.received(self.layout.layers[usize::from(layer)].layer.input.width) {
            positions[rank as usize] = position;
        }
        positions
    }
}
