//! Sample-and-holds: one for each column that is converted.

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "sample_hold",
    table_row: Some(10),
    scope: Scope::Ima,
    units,
    mm2_per_unit: |arch| arch.area.sample_hold.sample_hold.mm2,
    action: "columns held",
    actions: |_, counts| counts.sample_holds,
    pj_per_action: |arch| arch.energy.sample_hold.sample_hold_column.pj,
    rated_actions: |arch| units(arch) as f64,
    ..Block::BLANK
};

entries! {
    /// One column held.
    energy.sample_hold_column,
    /// One column's sample-and-hold.
    area.sample_hold,
}

fn units(arch: &Arch) -> u64 {
    u64::from(arch.ima.crossbars) * u64::from(arch.converted_columns())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_column_of_each_crossbar_is_held_as_well() {
        let mut arch = crate::load("isaac-ce").expect("the preset is built in");
        assert_eq!(units(&arch), 8 * 128);
        arch.adc.unit_column = true;
        assert_eq!(units(&arch), 8 * 129);
    }
}
