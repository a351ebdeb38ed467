use crate::Operation;

/// The shift-and-adds of an IMA, which merge the conversions of successive reads and neighbouring columns.
#[derive(Clone, Debug)]
pub struct ShiftAdd {
    /// Cycles for the conversions of one read: those of the unit with the most crossbars.
    pub cycles_per_read: u32,
    /// Conversions merged.
    pub merged: u64,
}

impl ShiftAdd {
    /// The shift-and-adds of an IMA that uses `crossbars`, given as (rows, columns).
    pub fn new(arch: &arch::Arch, crossbars: &[(u32, u32)]) -> Self {
        let widest = crossbars.iter().map(|&(_, columns)| columns).max().unwrap_or(0);
        let shared_by = (crossbars.len() as u32).div_ceil(arch.shift_add.count);
        let cycles_per_read = (shared_by * widest).div_ceil(arch.shift_add.values_per_cycle).max(1);
        Self { cycles_per_read, merged: 0 }
    }

    /// Merges the conversions of `iterations` reads.
    #[inline]
    pub fn merge(&mut self, operation: &Operation, iterations: u64) {
        self.merged += u64::from(operation.columns) * iterations;
    }
}
