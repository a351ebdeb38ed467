//! Resources of a machine that a mapping uses, layer by layer.

use std::collections::BTreeSet;

use analysis::Bound;
use arch::Arch;
use index::count;
use mapper::{LayerLayout, Layout};
use network::Network;
use serde::Serialize;

use crate::Tool;
use crate::report::{Crossbars, Imas};

/// Version of the JSON form of [`MappingReport`]. It rises when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// A network's place on a machine. Its field names are the keys of the JSON form.
#[derive(Clone, Debug, Serialize)]
pub struct MappingReport {
    schema: u32,
    tool: Tool,
    /// Name of the machine.
    arch: String,
    /// Name of the network.
    network: String,
    /// Name of the plan.
    plan: String,
    /// Crossbars needed, mapped and available.
    crossbars: Crossbars,
    /// IMAs mapped and available.
    imas: Imas,
    /// Bound on the cycles per image.
    bound: Bound,
    /// Resources that each layer uses.
    layers: Vec<LayerPlace>,
}

impl MappingReport {
    /// Reports a layout under a plan called `plan`.
    pub fn new(arch: &Arch, network: &Network, plan: &str, layout: &Layout) -> MappingReport {
        let layers = places(arch, layout);
        let sum = |figure: fn(&LayerPlace) -> u64| layers.iter().map(figure).sum();
        MappingReport {
            schema: SCHEMA,
            tool: Tool::THIS,
            arch: arch.name.clone(),
            network: network.name.clone(),
            plan: plan.to_owned(),
            crossbars: Crossbars {
                needed: sum(|layer| layer.crossbars),
                mapped: sum(|layer| layer.crossbars * layer.replicas),
                available: arch.crossbars(),
            },
            imas: Imas { mapped: sum(|layer| layer.imas), available: arch.imas().into() },
            bound: Bound::new(arch, layout, false),
            layers,
        }
    }

    /// Returns the report as indented JSON, with a final line feed.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a mapping is plain data");
        json + "\n"
    }
}

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
