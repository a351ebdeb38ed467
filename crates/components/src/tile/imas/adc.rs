//! ADCs of an IMA: conversions and the cycles that those of one read take.
//!
//! Crossbars are dealt to the ADCs; the busiest ADC serves ceil(crossbars / ADCs) of them, each taken to be as wide as
//! the widest. The rate is an exact fraction and is not rounded before the division (docs/model.md, "ADC rules").

use arch::Rate;

use super::Operation;

/// The analogue-to-digital converters of an IMA.
#[derive(Clone, Debug)]
pub(crate) struct Adc {
    /// Cycles for the conversions of one read, of the ADC with the most crossbars.
    pub(crate) cycles_per_read: u32,
    /// Conversions since the start.
    pub(crate) conversions: u64,
}

impl Adc {
    /// `count` ADCs of `conversions` per cycle each, of an IMA of `crossbars` crossbars with at most `widest` columns to
    /// convert.
    pub(crate) fn new(count: u32, conversions: Rate, crossbars: u32, widest: u32) -> Self {
        let busiest = arch::columns_of_busiest(count, crossbars, widest);
        Self { cycles_per_read: arch::conversion_cycles(conversions, busiest), conversions: 0 }
    }

    /// Converts the held columns of `iterations` reads.
    #[inline]
    pub(crate) fn convert(&mut self, operation: &Operation, iterations: u64) {
        self.conversions += u64::from(operation.columns) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    fn isaac() -> arch::Arch {
        arch::load("isaac-ce").expect("the preset is built in")
    }

    fn adc(arch: &arch::Arch, crossbars: u32, widest: u32) -> Adc {
        Adc::new(arch.adc.count, arch.conversions_per_cycle(), crossbars, widest)
    }

    #[test]
    fn eight_adcs_convert_eight_crossbars_in_a_cycle_and_seven_do_not() {
        let cycles = |count| {
            let mut arch = isaac();
            arch.adc.count = count;
            adc(&arch, 8, 128).cycles_per_read
        };
        assert_eq!((cycles(8), cycles(7), cycles(4), cycles(3), cycles(1)), (1, 2, 2, 3, 8));
    }

    #[test]
    fn a_rate_of_one_conversion_less_takes_another_cycle() {
        let cycles = |rate_gsps| {
            let mut arch = isaac();
            arch.adc.rate_gsps = rate_gsps;
            adc(&arch, 1, 128).cycles_per_read
        };
        assert_eq!((cycles(1.28), cycles(1.27)), (1, 2));
    }

    #[test]
    fn the_cycles_of_a_read_follow_from_the_unrounded_rate() {
        let mut arch = isaac();
        (arch.cycle_ns, arch.adc.count) = (1.0, 1);
        let cycles = |crossbars, widest| adc(&arch, crossbars, widest).cycles_per_read;
        // 1.28 conversions a cycle: 17 / 1.28 = 13.3, 32 / 1.28 = 25, 3 x 16 / 1.28 = 37.5.
        assert_eq!((cycles(1, 17), cycles(1, 32), cycles(3, 16)), (14, 25, 38));
    }

    #[test]
    fn every_held_column_is_converted() {
        let mut adc = adc(&isaac(), 2, 128);
        adc.convert(&OPERATION, 16);
        assert_eq!(adc.conversions, 256 * 16);
    }
}
