use super::Operation;

/// The sample-and-holds of an IMA: one for each column of each crossbar.
#[derive(Clone, Debug, Default)]
pub(crate) struct SampleHold {
    /// Columns held, once for each read.
    pub(crate) holds: u64,
}

impl SampleHold {
    /// Holds the columns of `operation` at the end of each of `iterations` reads, to be converted in the next cycle.
    #[inline]
    pub(crate) fn hold(&mut self, operation: &Operation, iterations: u64) {
        self.holds += u64::from(operation.columns) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    #[test]
    fn columns_are_held_once_for_each_read() {
        let mut sample_hold = SampleHold::default();
        sample_hold.hold(&OPERATION, 3);
        assert_eq!(sample_hold.holds, 256 * 3);
    }
}
