/// The output registers of an IMA. Each holds the results of one operation, from its start until they are merged in the
/// tile; an operation that has started can therefore always deliver. `Pipeline` assigns them.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutputRegister {
    /// Results handed to the bus since the start.
    pub(crate) values: u64,
}

impl OutputRegister {
    /// Hands the results of `operations` operations to the bus, `values` each.
    #[inline]
    pub(crate) fn hand_over(&mut self, values: u32, operations: u64) {
        self.values += u64::from(values) * operations;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_goes_through() {
        let mut register = OutputRegister::default();
        register.hand_over(128, 3);
        assert_eq!(register.values, 384);
    }
}
