//! Output register of a tile, in which the results of its IMAs are merged.

use super::{Block, Scope};

pub(crate) const BLOCK: Block = Block {
    name: "tile_output_register",
    table_row: Some(7),
    scope: Scope::Tile,
    mm2_per_unit: |arch| {
        f64::from(arch.tile.output_register_bytes) * arch.area.tile_output_register.tile_output_register_byte.mm2
    },
    action: "bits in",
    actions: |_, counts| counts.tile_output_register_bits,
    pj_per_action: |arch| arch.energy.tile_output_register.tile_output_register_bit.pj,
    // It is filled once per operation.
    rated_actions: |arch| 8.0 * f64::from(arch.tile.output_register_bytes) / arch.cycles_per_operation(),
    contradictions: |arch, document| {
        let (tile, ima) = (arch.tile.output_register_bytes, arch.ima.output_register_bytes);
        if tile < ima {
            document.fault(
                &["tile.output_register_bytes", "ima.output_register_bytes"],
                format!(
                    "tile.output_register_bytes = {tile} cannot take what one IMA delivers, \
                     ima.output_register_bytes = {ima}"
                ),
                format!("give it at least {ima} bytes"),
            );
        }
    },
    ..Block::BLANK
};

entries! {
    /// One bit into the tile's output register.
    energy.tile_output_register_bit,
    /// One byte of the tile's output register.
    area.tile_output_register_byte,
}
