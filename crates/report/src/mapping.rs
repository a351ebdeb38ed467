//! Resources of a machine that a mapping uses, layer by layer.

use std::collections::BTreeSet;

use arch::Arch;
use index::count;
use mapper::{LayerLayout, Layout};
use serde::Serialize;

/// Resources that one layer uses.
#[derive(Clone, Debug, Serialize)]
pub struct LayerPlace {
    /// Name of the layer.
    pub(crate) name: String,
    /// Row blocks of one replica: crossbars along the rows of the weight matrix, or of one pack of groups.
    pub(crate) row_blocks: u32,
    /// Column blocks of one replica: crossbars along the columns of the weight matrix, pack by pack.
    pub(crate) col_blocks: u32,
    /// Crossbars of one replica.
    pub(crate) crossbars: u64,
    /// Row blocks of one IMA.
    pub(crate) ima_rows: u32,
    /// Column blocks of one IMA.
    pub(crate) ima_cols: u32,
    /// Number of replicas.
    pub(crate) replicas: u64,
    /// IMAs of all replicas.
    pub(crate) imas: u64,
    /// Tiles with at least one IMA of the layer.
    pub(crate) tiles: u64,
    /// Chips with at least one IMA of the layer.
    pub(crate) chips: u64,
    /// Bytes of inputs that a tile's eDRAM buffer must hold at once, in the tile that needs most.
    pub(crate) buffer_bytes: u64,
    /// Fraction of the cells of the layer's IMAs that hold weights, 0 to 1.
    pub(crate) utilisation: f64,
}

/// Returns the resources that each layer uses.
pub fn places(arch: &Arch, layout: &Layout) -> Vec<LayerPlace> {
    layout.layers.iter().map(|layer| LayerPlace::new(arch, layer)).collect()
}

impl LayerPlace {
    fn new(arch: &Arch, layer: &LayerLayout) -> LayerPlace {
        let geometry = &layer.geometry;
        let replicas = count(layer.replicas.len());
        let imas = replicas * u64::from(geometry.imas_per_replica());
        let tiles: BTreeSet<u32> = layer.slices.iter().map(|share| share.tile.0).collect();
        let chips: BTreeSet<u32> = tiles.iter().map(|tile| tile / arch.tiles_per_chip()).collect();
        let weights = replicas * geometry.cells();
        let cells_of_ima = u64::from(arch.ima.crossbars * arch.crossbar.rows) * u64::from(arch.crossbar.columns);
        LayerPlace {
            name: layer.layer.name.clone(),
            row_blocks: geometry.row_blocks,
            col_blocks: geometry.col_blocks,
            crossbars: geometry.crossbars(),
            ima_rows: geometry.ima_rows,
            ima_cols: geometry.ima_cols,
            replicas,
            imas,
            tiles: count(tiles.len()),
            chips: count(chips.len()),
            buffer_bytes: layer.slices.iter().map(mapper::InputSlice::bytes_at_once).max().unwrap_or(0),
            utilisation: weights as f64 / (imas * cells_of_ima) as f64,
        }
    }
}
