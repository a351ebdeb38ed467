//! Digital-to-analogue converters: one for each row of each crossbar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "dac",
    table_row: Some(9),
    scope: Scope::Ima,
    units: Arch::rows_of_ima,
    mm2_per_unit: |arch| arch.area.dac.dac.mm2,
    action: "rows driven",
    actions: |_, counts| counts.dac_activations,
    pj_per_action: |arch| arch.energy.dac.dac_row.pj,
    rated_actions: |arch| arch.rows_of_ima() as f64,
    ..Block::BLANK
};

entries! {
    /// One row driven in one read.
    energy.dac_row,
    /// One row's DAC.
    area.dac,
}

/// Digital-to-analogue converters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dac {
    /// Input bits applied to a row in one read.
    #[schemars(range(min = 1, max = 16))]
    pub bits: u32,
}

/// Returns the crossbar reads that apply `activation_bits` bits to a row with DACs of `dac_bits` bits.
pub fn iterations(activation_bits: u32, dac_bits: u32) -> u32 {
    activation_bits.div_ceil(dac_bits)
}

impl Arch {
    /// Returns the iterations of an operation: crossbar reads that apply `activation_bits` bits to a row.
    pub fn iterations(&self, activation_bits: u32) -> u32 {
        iterations(activation_bits, self.dac.bits)
    }

    /// Returns the rows of all crossbars of an IMA.
    pub(crate) fn rows_of_ima(&self) -> u64 {
        u64::from(self.ima.crossbars) * u64::from(self.crossbar.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_round_up() {
        assert_eq!([1, 2, 3, 16].map(|dac_bits| iterations(16, dac_bits)), [16, 8, 6, 1]);
    }
}
