use crate::Operation;

/// The analogue-to-digital converters of an IMA.
#[derive(Clone, Debug)]
pub struct Adc {
    /// Cycles for the held columns of one read: those of the ADC with the most crossbars.
    pub cycles_per_read: u32,
    /// Unit columns of each crossbar that are converted too: 0 or 1.
    unit_columns: u32,
    /// Conversions made.
    pub conversions: u64,
}

impl Adc {
    /// The ADCs of an IMA that uses `crossbars`, given as (rows, columns).
    pub fn new(arch: &arch::Arch, crossbars: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let unit_columns = u32::from(arch.adc.unit_column);
        let widest = crossbars.clone().map(|(_, columns)| columns + unit_columns).max().unwrap_or(0);
        let shared_by = (crossbars.count() as u32).div_ceil(arch.adc.count);
        let cycles_per_read = (shared_by * widest).div_ceil(arch.conversions_per_cycle()).max(1);
        Self { cycles_per_read, unit_columns, conversions: 0 }
    }

    /// Converts the held columns of `iterations` reads.
    #[inline]
    pub fn convert(&mut self, operation: &Operation, iterations: u64) {
        let columns = operation.columns + self.unit_columns * operation.crossbars;
        self.conversions += u64::from(columns) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { iterations: 16, crossbars: 2, rows: 228, columns: 256 };

    fn isaac() -> arch::Arch {
        arch::load("isaac-ce").expect("the preset is built in")
    }

    #[test]
    fn eight_adcs_convert_eight_crossbars_in_a_cycle_and_seven_do_not() {
        let crossbars = [(128, 128); 8];
        let cycles = |count| {
            let mut arch = isaac();
            arch.adc.count = count;
            Adc::new(&arch, crossbars.into_iter()).cycles_per_read
        };
        assert_eq!((cycles(8), cycles(7), cycles(4), cycles(3), cycles(1)), (1, 2, 2, 3, 8));
    }

    #[test]
    fn a_rate_of_one_conversion_less_takes_another_cycle() {
        let cycles = |rate_gsps| {
            let mut arch = isaac();
            arch.adc.rate_gsps = rate_gsps;
            Adc::new(&arch, [(128, 128)].into_iter()).cycles_per_read
        };
        assert_eq!((cycles(1.28), cycles(1.27)), (1, 2));
    }

    #[test]
    fn the_unit_column_is_converted_only_when_asked_for() {
        let conversions = |unit_column| {
            let mut arch = isaac();
            arch.adc.unit_column = unit_column;
            let mut adc = Adc::new(&arch, [(128, 128), (100, 128)].into_iter());
            adc.convert(&OPERATION, 16);
            adc.conversions
        };
        assert_eq!((conversions(false), conversions(true)), (256 * 16, 258 * 16));
    }
}
