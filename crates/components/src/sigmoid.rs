/// The sigmoid (or ReLU) units of a tile. A result spends one cycle in them.
#[derive(Clone, Debug, Default)]
pub struct Sigmoid {
    /// Values that went through.
    pub values: u64,
}

impl Sigmoid {
    /// Activates the results of one window.
    #[inline]
    pub fn activate(&mut self, values: u32) {
        self.values += u64::from(values);
    }
}
