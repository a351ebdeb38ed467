/// The output registers of an IMA: one takes the results of the operation in progress, the others those of earlier
/// ones on their way to the tile. So an operation that has started can always deliver.
#[derive(Clone, Debug, Default)]
pub struct OutputRegister {
    /// Results that went through.
    pub values: u64,
}

impl OutputRegister {
    /// Hands the `values` results of each of `operations` operations to the bus.
    #[inline]
    pub fn hand_over(&mut self, values: u32, operations: u64) {
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
