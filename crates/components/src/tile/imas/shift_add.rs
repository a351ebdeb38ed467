use super::Operation;

/// The shift-and-adds of an IMA, which merge the conversions of successive reads and neighbouring columns.
#[derive(Clone, Debug)]
pub(crate) struct ShiftAdd {
    /// Cycles to merge the conversions of one read, of the unit with the most crossbars.
    pub(crate) cycles_per_read: u32,
    /// Conversions merged since the start.
    pub(crate) merged: u64,
}

impl ShiftAdd {
    /// The shift-and-adds of an IMA of `crossbars` crossbars with at most `widest` columns to convert.
    pub(crate) fn new(arch: &arch::Arch, crossbars: u32, widest: u32) -> Self {
        let busiest = arch::columns_of_busiest(arch.shift_add.count, crossbars, widest);
        Self { cycles_per_read: arch.merge_cycles(busiest), merged: 0 }
    }

    /// Merges the conversions of `iterations` reads.
    #[inline]
    pub(crate) fn merge(&mut self, operation: &Operation, iterations: u64) {
        self.merged += u64::from(operation.columns) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    #[test]
    fn four_units_merge_eight_crossbars_in_a_cycle_and_three_do_not() {
        let mut arch = arch::load("isaac-ce").expect("the preset is built in");
        let mut cycles = |count| {
            arch.shift_add.count = count;
            ShiftAdd::new(&arch, 8, 128).cycles_per_read
        };
        assert_eq!((cycles(4), cycles(3)), (1, 2));
    }

    #[test]
    fn every_conversion_is_merged() {
        let arch = arch::load("isaac-ce").expect("the preset is built in");
        let mut shift_add = ShiftAdd::new(&arch, 2, 128);
        shift_add.merge(&OPERATION, 16);
        assert_eq!(shift_add.merged, 256 * 16);
    }
}
