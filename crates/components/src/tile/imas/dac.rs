use super::Operation;

/// The digital-to-analogue converters of an IMA: one for each row of each crossbar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dac {
    /// Used rows driven, once for each read.
    pub(crate) activations: u64,
}

impl Dac {
    /// Drives the used rows of the crossbars that take part, for `iterations` reads.
    #[inline]
    pub(crate) fn drive(&mut self, operation: &Operation, iterations: u64) {
        self.activations += u64::from(operation.rows) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    #[test]
    fn used_rows_are_driven_once_for_each_read() {
        let mut dac = Dac::default();
        dac.drive(&OPERATION, 16);
        assert_eq!(dac.activations, 228 * 16);
    }
}
