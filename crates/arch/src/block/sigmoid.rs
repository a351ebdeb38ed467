//! Sigmoid units of a tile, which apply the activation function.

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "sigmoid",
    table_row: Some(4),
    scope: Scope::Tile,
    units: |arch| arch.tile.sigmoids.into(),
    mm2_per_unit: |arch| arch.area.sigmoid.sigmoid.mm2,
    action: "values",
    actions: |_, counts| counts.sigmoids,
    pj_per_action: |arch| arch.energy.sigmoid.sigmoid_value.pj,
    rated_actions: Arch::results_per_cycle_of_tile,
    ..Block::BLANK
};

entries! {
    /// One value through a sigmoid unit.
    energy.sigmoid_value,
    /// One sigmoid unit.
    area.sigmoid,
}
