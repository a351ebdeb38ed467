//! Crossbars: memristor arrays, of which several adjacent columns hold a weight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "crossbar",
    table_row: Some(11),
    scope: Scope::Ima,
    units: |arch| arch.ima.crossbars.into(),
    mm2_per_unit: |arch| arch.area.crossbar.crossbar_cell.mm2 * arch.cells_per_crossbar(),
    action: "cells read",
    actions: |_, counts| counts.crossbar_cells,
    pj_per_action: |arch| arch.energy.crossbar.crossbar_cell.pj,
    rated_actions: |arch| f64::from(arch.ima.crossbars) * arch.cells_per_crossbar(),
    ..Block::BLANK
};

entries! {
    /// One cell in a read of its array.
    energy.crossbar_cell,
    /// One cell of a crossbar.
    area.crossbar_cell,
}

/// Memristor array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crossbar {
    /// Word lines: inputs.
    #[schemars(range(min = 1, max = 4096))]
    pub rows: u32,
    /// Bit lines.
    #[schemars(range(min = 1, max = 4096))]
    pub columns: u32,
    /// Bits stored in one cell.
    #[schemars(range(min = 1, max = 8))]
    pub cell_bits: u32,
}

/// Returns the adjacent columns per weight of `weight_bits` bits in cells of `cell_bits` bits.
pub fn columns_per_weight(weight_bits: u32, cell_bits: u32) -> u32 {
    weight_bits.div_ceil(cell_bits)
}

impl Arch {
    /// Returns the adjacent columns per weight of `weight_bits` bits.
    pub fn columns_per_weight(&self, weight_bits: u32) -> u32 {
        columns_per_weight(weight_bits, self.crossbar.cell_bits)
    }

    /// Returns the results of one crossbar; a weight that straddles two crossbars counts in both.
    pub fn results_per_crossbar(&self, weight_bits: u32) -> u32 {
        self.crossbar.columns.div_ceil(self.columns_per_weight(weight_bits))
    }

    fn cells_per_crossbar(&self) -> f64 {
        f64::from(self.crossbar.rows) * f64::from(self.crossbar.columns)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_weight_that_straddles_two_crossbars_counts_in_both() {
        let mut arch = crate::load("isaac-ce").expect("the preset is built in");
        assert_eq!((arch.columns_per_weight(16), arch.results_per_crossbar(16)), (8, 16));
        // 16 bits in cells of 3 are 6 columns: 128 = 21 x 6 + 2.
        arch.crossbar.cell_bits = 3;
        assert_eq!((arch.columns_per_weight(16), arch.results_per_crossbar(16)), (6, 22));
    }
}
