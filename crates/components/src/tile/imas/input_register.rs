use super::Operation;

/// The input register of an IMA: inputs of the operation in progress and of the next operation.
#[derive(Clone, Debug)]
pub(crate) struct InputRegister {
    /// Bits per row, per read.
    dac_bits: u32,
    /// Bits written from the bus.
    pub(crate) bits_written: u64,
    /// Bits read by the DACs, once for each crossbar.
    pub(crate) bits_read: u64,
}

impl InputRegister {
    /// An empty register that feeds DACs of `dac_bits` bits.
    pub(crate) fn new(dac_bits: u32) -> Self {
        Self { dac_bits, bits_written: 0, bits_read: 0 }
    }

    /// Writes `bits` of inputs from the bus.
    #[inline]
    pub(crate) fn write(&mut self, bits: u64) {
        self.bits_written += bits;
    }

    /// Hands the next bits of every used row to the DACs, for `iterations` reads.
    #[inline]
    pub(crate) fn read(&mut self, operation: &Operation, iterations: u64) {
        self.bits_read += u64::from(operation.rows) * u64::from(self.dac_bits) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    #[test]
    fn each_crossbar_reads_a_slice_of_its_rows_for_itself() {
        let mut register = InputRegister::new(2);
        register.write(1600);
        register.read(&OPERATION, 8);
        assert_eq!((register.bits_written, register.bits_read), (1600, 228 * 2 * 8));
    }
}
