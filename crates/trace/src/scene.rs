//! What the units of a machine are called, and what they work on.

use arch::Arch;
use components::{Direction, MeshGeometry};
use mapper::{InputSlice, Layout};

use crate::Carrier;
use crate::clock::Clock;

/// The units that a trace names.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// Machine.
    pub arch: &'a Arch,
    layout: &'a Layout,
    /// For each tile, its IMAs that hold weights, in the order of their numbers: layer, replica, crossbars.
    tiles: Vec<Vec<(u16, u32, usize)>>,
    /// For each tile, the layers with inputs in its buffer.
    buffered: Vec<Vec<u16>>,
    geometry: MeshGeometry,
    /// Time in traces.
    pub clock: Clock,
}

impl<'a> Scene<'a> {
    /// The units of `layout`.
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
        Scene { arch, layout, tiles, buffered, geometry: MeshGeometry::new(arch), clock: Clock::new(arch.cycle_ns) }
    }

    /// Names of the layers.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.layout.layers.iter().map(|layer| layer.layer.name.as_str())
    }

    /// Bytes of the longest name of a layer.
    pub fn longest_name(&self) -> u64 {
        self.layers().map(str::len).max().unwrap_or(0) as u64
    }

    /// Name of a layer.
    pub fn layer(&self, layer: u16) -> &str {
        &self.layout.layers[usize::from(layer)].layer.name
    }

    /// Tiles up to the last in use.
    pub fn tiles(&self) -> u32 {
        self.tiles.len() as u32
    }

    /// Chips up to the last in use; all of the board, if there is more than one: packets may cross any.
    pub fn chips(&self) -> u32 {
        let chips = self.tiles().div_ceil(self.arch.tiles_per_chip());
        if chips > 1 { self.arch.board.chips } else { chips }
    }

    /// Routers of a chip.
    pub fn routers(&self) -> u32 {
        self.geometry.routers()
    }

    /// Routers in a row of a chip.
    pub fn router_columns(&self) -> u32 {
        self.arch.chip.tile_columns / self.arch.router.tile_columns
    }

    /// Layers with inputs in the buffer of a tile.
    pub fn buffered(&self, tile: u32) -> &[u16] {
        &self.buffered[tile as usize]
    }

    /// IMAs of a tile that hold weights.
    pub fn imas(&self, tile: u32) -> usize {
        self.tiles[tile as usize].len()
    }

    /// Layer that an IMA works for.
    pub fn layer_of(&self, tile: u32, ima: u8) -> u16 {
        self.tiles[tile as usize][usize::from(ima)].0
    }

    /// Crossbars of an IMA that hold weights.
    pub fn crossbars(&self, tile: u32, ima: u8) -> usize {
        self.tiles[tile as usize][usize::from(ima)].2
    }

    /// The chip of a tile, and the tile's number there.
    pub fn place(&self, tile: u32) -> (u32, u32) {
        (tile / self.arch.tiles_per_chip(), tile % self.arch.tiles_per_chip())
    }

    /// Path of an IMA.
    pub fn ima_path(&self, tile: u32, ima: u8) -> String {
        let (chip, tile) = self.place(tile);
        format!("chip{chip}/tile{tile}/ima{ima}")
    }

    /// What a carrier of load is called on its chip or in its tile.
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

    /// Row and column of window `window` of replica `replica` of a layer, counted over all images, and the image.
    pub fn window(&self, layer: u16, replica: u32, window: u32) -> (u16, u16, u32) {
        let windows = self.layout.layers[usize::from(layer)].windows(replica);
        let per_image = windows.len() as u32;
        let at = &windows[(window % per_image) as usize];
        (at.y, at.x, window / per_image)
    }

    /// Rows and columns of a layer's results, after the pool.
    pub fn pooled(&self, layer: u16) -> (u32, u32) {
        let pooled = &self.layout.layers[usize::from(layer)].layer.pooled;
        (pooled.height, pooled.width)
    }

    /// Rows and columns of a layer's windows.
    pub fn output(&self, layer: u16) -> (u32, u32) {
        let output = &self.layout.layers[usize::from(layer)].layer.output;
        (output.height, output.width)
    }

    /// Whether a layer has a max-pool behind it.
    pub fn pools(&self, layer: u16) -> bool {
        self.layout.layers[usize::from(layer)].layer.pool.is_some()
    }

    /// The inputs of `layer` in the buffer of a tile.
    pub fn slice(&self, tile: u32, layer: u16) -> &'a InputSlice {
        let slices = &self.layout.layers[usize::from(layer)].slices;
        let at = slices.binary_search_by_key(&tile, |slice| slice.tile).expect("a layer's inputs are where it is");
        &slices[at]
    }

    /// The positions of the inputs of `layer` in the buffer of a tile, as row times width plus column, by rank.
    pub fn positions(&self, tile: u32, layer: u16) -> Vec<u32> {
        let slice = self.slice(tile, layer);
        let mut positions = vec![0; slice.order.positions as usize];
        for (position, rank) in slice.order.received(self.layout.layers[usize::from(layer)].layer.input.width) {
            positions[rank as usize] = position;
        }
        positions
    }
}
