//! Bus of a tile, between its eDRAM buffer and its IMAs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};

pub(crate) const BLOCK: Block = Block {
    name: "bus",
    table_row: Some(2),
    scope: Scope::Tile,
    mm2_per_unit: |arch| arch.area.bus.bus.mm2,
    action: "bits",
    actions: |_, counts| counts.bus_bits,
    pj_per_action: |arch| arch.energy.bus.bus_bit.pj,
    rated_actions: |arch| 8.0 * f64::from(arch.bus.bytes_per_cycle),
    ..Block::BLANK
};

entries! {
    /// One bit over the tile's bus.
    energy.bus_bit,
    /// The bus of a tile.
    area.bus,
}

/// Shared bus of a tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Bytes moved in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub bytes_per_cycle: u32,
}
