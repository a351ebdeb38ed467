/// The sigmoid or ReLU units of a tile. They take one cycle for each window and are not contended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sigmoid {
    /// Values activated since the start.
    pub(crate) values: u64,
}

impl Sigmoid {
    /// Activates the `values` results of one window.
    #[inline]
    pub(crate) fn activate(&mut self, values: u32) {
        self.values += u64::from(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted() {
        let mut sigmoid = Sigmoid::default();
        sigmoid.activate(96);
        sigmoid.activate(32);
        assert_eq!(sigmoid.values, 128);
    }
}
