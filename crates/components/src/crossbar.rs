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
    /// Begins an operation of the crossbars that take part.
    #[inline]
    pub fn begin(&mut self, operation: &Operation) {
        self.operations += u64::from(operation.crossbars);
    }

    /// Reads the crossbars that take part, `iterations` times.
    #[inline]
    pub fn read(&mut self, operation: &Operation, iterations: u32) {
        self.reads += u64::from(operation.crossbars) * u64::from(iterations);
    }
}
