use crate::Operation;

/// The crossbars of an IMA.
#[derive(Clone, Debug, Default)]
pub struct Crossbars {
    /// Operations of single crossbars begun.
    pub operations: u64,
    /// Reads of single crossbars.
    pub reads: u64,
}

impl Crossbars {
    /// Begins `operations` operations of the crossbars that take part.
    #[inline]
    pub fn begin(&mut self, operation: &Operation, operations: u64) {
        self.operations += u64::from(operation.crossbars) * operations;
    }

    /// Reads the crossbars that take part, `iterations` times.
    #[inline]
    pub fn read(&mut self, operation: &Operation, iterations: u64) {
        self.reads += u64::from(operation.crossbars) * iterations;
    }
}
