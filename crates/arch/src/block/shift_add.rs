//! Shift-and-adds of an IMA, which merge the conversions of successive reads and adjacent columns.
//!
//! Their rated load is that of the ADCs: they merge all that these convert.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::check::longer_iteration;
use crate::{Arch, columns_of_busiest};

pub(crate) const BLOCK: Block = Block {
    name: "shift_add",
    table_row: Some(12),
    scope: Scope::Ima,
    units: |arch| arch.shift_add.count.into(),
    mm2_per_unit: |arch| arch.area.shift_add.shift_add.mm2,
    action: "values merged",
    actions: |_, counts| counts.shift_adds,
    pj_per_action: |arch| arch.energy.shift_add.shift_add_value.pj,
    rated_actions: Arch::conversions_of_ima,
    warnings: |arch| too_few(arch).into_iter().collect(),
    ..Block::BLANK
};

entries! {
    /// One conversion merged by an IMA's shift-and-add.
    energy.shift_add_value,
    /// One shift-and-add of an IMA.
    area.shift_add,
}

/// Shift-and-add units of one IMA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftAdd {
    /// Units of an IMA.
    #[schemars(range(min = 1, max = 4096))]
    pub count: u32,
    /// Conversions that one unit merges in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub values_per_cycle: u32,
}

impl Arch {
    /// Returns the columns per read of the shift-and-add with the most crossbars, in a fully used IMA.
    pub(crate) fn columns_per_shift_add(&self) -> u32 {
        columns_of_busiest(self.shift_add.count, self.ima.crossbars, self.converted_columns())
    }

    /// Returns the cycles in which one shift-and-add merges `columns` columns, at least 1.
    pub fn merge_cycles(&self, columns: u32) -> u32 {
        columns.div_ceil(self.shift_add.values_per_cycle).max(1)
    }
}

fn too_few(arch: &Arch) -> Option<String> {
    let (rate, columns) = (arch.shift_add.values_per_cycle.into(), arch.columns_per_shift_add());
    let cycles = arch.merge_cycles(columns);
    longer_iteration("a shift-and-add merges", rate, columns, cycles, "shift_add.count or shift_add.values_per_cycle")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_has_a_column_more_than_it_merges_in_a_cycle_draws_a_warning() {
        let mut arch = crate::load("isaac-ce").expect("the preset is built in");
        // Two crossbars of 128 columns each.
        assert_eq!(arch.columns_per_shift_add(), 256);
        assert_eq!(too_few(&arch), None);
        arch.shift_add.values_per_cycle = 255;
        assert_eq!(arch.merge_cycles(256), 2);
        assert!(too_few(&arch).is_some());
    }
}
