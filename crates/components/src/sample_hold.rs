use crate::Operation;

/// The sample-and-holds of an IMA: one for each column of each crossbar.
#[derive(Clone, Debug, Default)]
pub struct SampleHold {
    /// Used columns held, once for each read.
    pub holds: u64,
}

impl SampleHold {
    /// Holds the used columns at the end of each of `iterations` reads.
    #[inline]
    pub fn hold(&mut self, operation: &Operation, iterations: u64) {
        self.holds += u64::from(operation.columns) * iterations;
    }
}
