//! Shift-and-add of a tile, which merges the results of its IMAs.

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "tile_shift_add",
    table_row: Some(5),
    scope: Scope::Tile,
    mm2_per_unit: |arch| arch.area.tile_shift_add.tile_shift_add.mm2,
    action: "values merged",
    actions: |_, counts| counts.tile_shift_adds,
    pj_per_action: |arch| arch.energy.tile_shift_add.tile_shift_add_value.pj,
    rated_actions: Arch::results_per_cycle_of_tile,
    ..Block::BLANK
};

entries! {
    /// One value merged by the tile's shift-and-add.
    energy.tile_shift_add_value,
    /// The shift-and-add of a tile.
    area.tile_shift_add,
}
