//! Output registers of an IMA: the results of one operation each, on their way to the tile.

use network::FULL_PRECISION_BITS;

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "output_register",
    table_row: Some(14),
    scope: Scope::Ima,
    mm2_per_unit: |arch| {
        let one = f64::from(arch.ima.output_register_bytes);
        one * (arch.area.output_register.output_register_byte.mm2 * f64::from(arch.ima.output_registers) / 2.0)
    },
    action: "values",
    actions: |_, counts| counts.output_register_values,
    pj_per_action: |arch| arch.energy.output_register.output_register_value.pj,
    rated_actions: Arch::results_per_cycle_of_ima,
    contradictions: |arch, document| {
        let (results, least) = (arch.results_per_crossbar(FULL_PRECISION_BITS), least_bytes(arch));
        if arch.ima.output_register_bytes < least {
            document.fault(
                &["ima.output_register_bytes", "crossbar.columns", "crossbar.cell_bits", "tile.partial_sum_bits"],
                format!(
                    "ima.output_register_bytes = {} cannot hold the {results} results of one crossbar, \
                     of {} bits each",
                    arch.ima.output_register_bytes, arch.tile.partial_sum_bits
                ),
                format!("give it at least {least} bytes"),
            );
        }
    },
    ..Block::BLANK
};

entries! {
    /// One result through an IMA's output register.
    energy.output_register_value,
    /// One byte of an IMA's output register: of two, as Table I's area is taken to be that of both.
    area.output_register_byte,
}

/// Returns the bytes of the results of one crossbar.
fn least_bytes(arch: &Arch) -> u32 {
    (arch.results_per_crossbar(FULL_PRECISION_BITS) * arch.tile.partial_sum_bits).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isaacs_register_holds_the_results_of_all_crossbars() {
        let arch = crate::load("isaac-ce").expect("the preset is built in");
        assert_eq!(least_bytes(&arch) * arch.ima.crossbars, arch.ima.output_register_bytes);
    }

    #[test]
    fn four_registers_take_twice_the_area_of_two() {
        let mut arch = crate::load("isaac-ce").expect("the preset is built in");
        let two = (BLOCK.mm2_per_unit)(&arch);
        arch.ima.output_registers = 4;
        assert_eq!((BLOCK.mm2_per_unit)(&arch), 2.0 * two);
    }
}
