use super::Operation;

/// The crossbars of an IMA: row blocks x column blocks, read in parallel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crossbars {
    /// Operations started, once for each crossbar that takes part.
    pub(crate) operations: u64,
    /// Reads, once for each crossbar that takes part.
    pub(crate) reads: u64,
}

impl Crossbars {
    /// Counts the start of `operations` operations like `operation`.
    #[inline]
    pub(crate) fn begin(&mut self, operation: &Operation, operations: u64) {
        self.operations += u64::from(operation.crossbars) * operations;
    }

    /// Counts `iterations` reads of the crossbars that take part in `operation`.
    #[inline]
    pub(crate) fn read(&mut self, operation: &Operation, iterations: u64) {
        self.reads += u64::from(operation.crossbars) * iterations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation { crossbars: 2, rows: 228, columns: 256 };

    #[test]
    fn only_crossbars_that_take_part_are_read() {
        let mut crossbars = Crossbars::default();
        crossbars.begin(&OPERATION, 1);
        (0..16).for_each(|_| crossbars.read(&OPERATION, 1));
        assert_eq!((crossbars.operations, crossbars.reads), (2, 32));
    }
}
