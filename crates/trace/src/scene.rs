//! What the units of a machine are called, and what they work on.

use arch::Arch;
use chip::Unit;
use mapper::Layout;

/// The units that a trace names.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// Machine.
    pub arch: &'a Arch,
    layout: &'a Layout,
    /// For each tile, its IMAs that hold weights, in the order of their numbers: layer, copy, crossbars.
    tiles: Vec<Vec<(u16, u32, usize)>>,
}

impl<'a> Scene<'a> {
    /// The units of `layout`.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Scene<'a> {
        let mut tiles: Vec<Vec<(u16, u32, usize)>> = Vec::new();
        for (index, layer) in layout.layers.iter().enumerate() {
            for copy in 0..layer.copies.len() as u32 {
                for (tile, _, ima) in layer.places(arch, copy) {
                    if tiles.len() <= tile as usize {
                        tiles.resize_with(tile as usize + 1, Vec::new);
                    }
                    let crossbars = layer.geometry.ima(ima).crossbars.len();
                    tiles[tile as usize].push((index as u16, copy, crossbars));
                }
            }
        }
        Scene { arch, layout, tiles }
    }

    /// Names of the layers.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.layout.layers.iter().map(|layer| layer.layer.name.as_str())
    }

    /// Name of a layer.
    pub fn layer(&self, layer: u16) -> &str {
        &self.layout.layers[usize::from(layer)].layer.name
    }

    /// Tiles up to the last in use.
    pub fn tiles(&self) -> u32 {
        self.tiles.len() as u32
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

    /// Row and column of window `window` of the copy that an IMA works for, counted over all images, and the image.
    pub fn window(&self, unit: Unit, window: u32) -> (u16, u16, u32) {
        let windows = self.layout.layers[usize::from(unit.layer)].windows(unit.copy);
        let per_image = windows.len() as u32;
        let at = &windows[(window % per_image) as usize];
        (at.y, at.x, window / per_image)
    }

    /// Simulated time at the beginning of a cycle, ns.
    pub fn nanoseconds(&self, cycle: u64) -> u64 {
        (cycle.saturating_sub(1) as f64 * self.arch.cycle_ns).round() as u64
    }
}
