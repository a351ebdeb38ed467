//! Max-pool unit of a tile.

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "max_pool",
    table_row: Some(6),
    scope: Scope::Tile,
    mm2_per_unit: |arch| arch.area.max_pool.max_pool.mm2,
    action: "values in",
    actions: |_, counts| counts.max_pools,
    pj_per_action: |arch| arch.energy.max_pool.max_pool_value.pj,
    rated_actions: Arch::results_per_cycle_of_tile,
    ..Block::BLANK
};

entries! {
    /// One value into the max-pool unit.
    energy.max_pool_value,
    /// The max-pool unit of a tile.
    area.max_pool,
}
