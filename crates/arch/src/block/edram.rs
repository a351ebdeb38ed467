//! eDRAM buffer of a tile, with one port.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};

pub(crate) const BLOCK: Block = Block {
    name: "edram_buffer",
    table_row: Some(1),
    scope: Scope::Tile,
    mm2_per_unit: |arch| f64::from(arch.edram.bytes) * arch.area.edram.edram_byte.mm2,
    action: "bits in and out",
    actions: |_, counts| counts.edram_bits_read + counts.edram_bits_written,
    pj_per_action: |arch| arch.energy.edram.edram_bit.pj,
    rated_actions: |arch| 8.0 * f64::from(arch.edram.bytes_per_cycle),
    ..Block::BLANK
};

entries! {
    /// One bit read from, or written to, eDRAM.
    energy.edram_bit,
    /// One byte of eDRAM.
    area.edram_byte,
}

/// Tile buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edram {
    /// Capacity in bytes.
    #[schemars(range(min = 1, max = 1 << 30))]
    pub bytes: u32,
    /// Bytes read or written in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub bytes_per_cycle: u32,
}
