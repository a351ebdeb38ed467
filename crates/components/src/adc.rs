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
    pub fn new(arch: &arch::Arch, crossbars: &[(u32, u32)]) -> Self {
        let unit_columns = u32::from(arch.adc.unit_column);
        let widest = crossbars.iter().map(|&(_, columns)| columns + unit_columns).max().unwrap_or(0);
        let shared_by = (crossbars.len() as u32).div_ceil(arch.adc.count);
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
