//! Input register of an IMA: the inputs of one operation, for all its crossbars.

use network::FULL_PRECISION_BITS;

use super::{Block, Scope};
use crate::Arch;

pub(crate) const BLOCK: Block = Block {
    name: "input_register",
    table_row: Some(13),
    scope: Scope::Ima,
    mm2_per_unit: |arch| f64::from(arch.ima.input_register_bytes) * arch.area.input_register.input_register_byte.mm2,
    action: "bits in and out",
    actions: |_, counts| counts.input_register_bits_written + counts.input_register_bits_read,
    pj_per_action: |arch| arch.energy.input_register.input_register_bit.pj,
    // Every row takes its bits of a read while those of the next operation are written.
    rated_actions: |arch| 2.0 * arch.rows_of_ima() as f64 * f64::from(arch.dac.bits),
    contradictions: |arch, document| {
        let (rows, least) = (arch.crossbar.rows, least_bytes(arch));
        if arch.ima.input_register_bytes < least {
            document.fault(
                &["ima.input_register_bytes", "crossbar.rows"],
                format!(
                    "ima.input_register_bytes = {} cannot hold the {rows} inputs of one crossbar, \
                     of {FULL_PRECISION_BITS} bits each",
                    arch.ima.input_register_bytes
                ),
                format!("give it at least {least} bytes"),
            );
        }
    },
    ..Block::BLANK
};

entries! {
    /// One bit written to, or read from, an IMA's input register.
    energy.input_register_bit,
    /// One byte of an IMA's input register.
    area.input_register_byte,
}

/// Returns the bytes of the inputs of one crossbar.
fn least_bytes(arch: &Arch) -> u32 {
    (arch.crossbar.rows * FULL_PRECISION_BITS).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isaacs_register_holds_the_inputs_of_all_its_crossbars() {
        let arch = crate::load("isaac-ce").expect("the preset is built in");
        assert_eq!(least_bytes(&arch) * arch.ima.crossbars, arch.ima.input_register_bytes);
    }
}
