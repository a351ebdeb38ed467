//! Analogue-to-digital converters of an IMA, which its crossbars share.
//!
//! A resolution costs energy and area by ISAAC's two rules, each a linear and an exponential term (docs/model.md, "ADC
//! rules").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::check::{longer_iteration, one_action_a_cycle};
use crate::{Arch, Rate, columns_of_busiest};

pub(crate) const BLOCK: Block = Block {
    name: "adc",
    table_row: Some(8),
    scope: Scope::Ima,
    units: |arch| arch.adc.count.into(),
    mm2_per_unit: |arch| arch.area.adc.adc_8_bits.mm2 * adc_area_scale(arch.adc.bits),
    action: "conversions",
    actions: |_, counts| counts.adc_conversions,
    pj_per_action: |arch| arch.energy.adc.adc_conversion_8_bits.pj * adc_energy_scale(arch.adc.bits),
    rated_actions: Arch::conversions_of_ima,
    warnings: |arch| [too_narrow(arch), too_few(arch)].into_iter().flatten().collect(),
    contradictions: |arch, document| {
        let (rate, cycle) = (arch.adc.rate_gsps, arch.cycle_ns);
        let problem = format!("an ADC of {rate} Gsamples/s does not convert a column in a cycle of {cycle} ns");
        one_action_a_cycle(document, arch.conversions_per_cycle(), "adc.rate_gsps", problem, 1.0 / cycle);
    },
    ..Block::BLANK
};

entries! {
    /// One conversion by an 8-bit ADC; other resolutions scale by ISAAC's rule.
    energy.adc_conversion_8_bits,
    /// One 8-bit ADC; other resolutions scale by ISAAC's rule, which is not that of the energy.
    area.adc_8_bits,
}

/// Analogue-to-digital converters of one IMA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adc {
    /// ADCs of an IMA; its crossbars share them evenly.
    #[schemars(range(min = 1, max = 4096))]
    pub count: u32,
    /// Resolution: bits of a conversion.
    #[schemars(range(min = 1, max = 32))]
    pub bits: u32,
    /// Conversions per ns of one ADC (Gsamples/s).
    #[schemars(range(min = 1e-6, max = 1000.0))]
    pub rate_gsps: f64,
    /// Weights are stored flipped where that makes a column's sum smaller, which saves one bit (ISAAC section V).
    pub flipped_encoding: bool,
    /// One column more, which sums the inputs, is held, converted and merged, too (ISAAC section V).
    pub unit_column: bool,
}

impl Arch {
    /// Returns the rate of one ADC, columns per cycle.
    pub fn conversions_per_cycle(&self) -> Rate {
        Rate::new(1, self.adc.rate_gsps, self.cycle_ns)
    }

    /// Returns the columns of a crossbar that are held, converted and merged, with the unit column if there is one.
    pub(crate) fn converted_columns(&self) -> u32 {
        self.crossbar.columns + u32::from(self.adc.unit_column)
    }

    /// Returns the columns per read of the ADC with the most crossbars, in a fully used IMA.
    pub(crate) fn columns_per_adc(&self) -> u32 {
        columns_of_busiest(self.adc.count, self.ima.crossbars, self.converted_columns())
    }

    /// Returns the cycles in which one ADC converts `columns` columns, at least 1.
    pub fn conversion_cycles(&self, columns: u32) -> u32 {
        conversion_cycles(self.conversions_per_cycle(), columns)
    }

    /// Returns the conversions per cycle of all ADCs of an IMA at their full rate.
    pub(crate) fn conversions_of_ima(&self) -> f64 {
        f64::from(self.adc.count) * self.conversions_per_cycle().per_cycle()
    }
}

/// Returns the cycles in which an ADC of a known rate, which takes time to work out, converts `columns` columns, at least
/// 1.
pub fn conversion_cycles(conversions: Rate, columns: u32) -> u32 {
    u32::try_from(conversions.cycles(columns.into()).max(1)).expect("an ADC converts at least a column a cycle")
}

/// Returns the energy of a conversion of `bits` bits relative to one of 8 bits.
pub fn adc_energy_scale(bits: u32) -> f64 {
    relative_to_8_bits(bits, 0.19543, 0.000_414)
}

/// Returns the area of an ADC of `bits` bits relative to one of 8 bits.
pub fn adc_area_scale(bits: u32) -> f64 {
    relative_to_8_bits(bits, 81.727, 2.13353)
}

fn relative_to_8_bits(bits: u32, linear: f64, exponential: f64) -> f64 {
    let of = |bits: u32| linear * f64::from(bits) + exponential * f64::from(bits).exp2();
    of(bits) / of(8)
}

/// Returns the bits of a lossless ADC, which holds the largest sum of a column.
pub fn lossless_adc_bits(arch: &Arch) -> u32 {
    bits_with(arch, arch.adc.flipped_encoding)
}

/// Returns the bits of the largest sum of a column with `rows` rows in use, at least 1: (2^cell - 1)(2^dac - 1) per row.
/// Flipped encoding halves the largest sum of the column's cells, which saves a bit (ISAAC section V).
pub fn column_sum_bits(rows: u64, cell_bits: u32, dac_bits: u32, flipped_encoding: bool) -> u32 {
    let largest = |bits: u32| (1_u64 << bits) - 1;
    let cells = rows * largest(cell_bits);
    let sum = if flipped_encoding { cells / 2 } else { cells } * largest(dac_bits);
    // A flipped column of a single one-bit cell sums to 0; an ADC has at least one bit.
    (u64::BITS - sum.leading_zeros()).max(1)
}

fn bits_with(arch: &Arch, flipped_encoding: bool) -> u32 {
    column_sum_bits(arch.crossbar.rows.into(), arch.crossbar.cell_bits, arch.dac.bits, flipped_encoding)
}

fn too_narrow(arch: &Arch) -> Option<String> {
    let [plain, flipped] = [false, true].map(|flipped_encoding| bits_with(arch, flipped_encoding));
    (arch.adc.bits < lossless_adc_bits(arch)).then(|| {
        format!(
            "adc.bits = {} cannot hold a {}-row sum of {}-bit cells (needs {plain}, or {flipped} with flipped encoding)",
            arch.adc.bits, arch.crossbar.rows, arch.crossbar.cell_bits
        )
    })
}

fn too_few(arch: &Arch) -> Option<String> {
    let (rate, columns) = (arch.conversions_per_cycle().per_cycle(), arch.columns_per_adc());
    let cycles = arch.conversion_cycles(columns);
    longer_iteration("an ADC converts", rate, columns, cycles, "adc.count or adc.rate_gsps")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isaac() -> Arch {
        crate::load("isaac-ce").expect("the preset is built in")
    }

    #[test]
    fn flipped_encoding_saves_a_bit_of_isaacs_nine() {
        let mut arch = isaac();
        let mut bits = |flipped_encoding| {
            arch.adc.flipped_encoding = flipped_encoding;
            lossless_adc_bits(&arch)
        };
        // 128 rows x 3 = 384 < 2^9.
        assert_eq!([bits(false), bits(true)], [9, 8]);
    }

    #[test]
    fn an_adc_that_holds_every_sum_and_keeps_up_has_no_warnings() {
        let mut arch = isaac();
        assert_eq!((BLOCK.warnings)(&arch), [""; 0]);
        (arch.adc.bits, arch.adc.count) = (7, 7);
        assert_eq!((BLOCK.warnings)(&arch).len(), 2);
    }

    #[test]
    fn a_resolution_of_8_bits_is_the_unit_and_each_bit_costs_more() {
        for scale in [adc_energy_scale, adc_area_scale] {
            assert_eq!(scale(8), 1.0);
            assert!((1..32).all(|bits| scale(bits) < scale(bits + 1)));
        }
    }
}
