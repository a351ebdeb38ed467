/// Iterates over the numbers of the set bits of `mask`, lowest first.
#[inline]
pub fn ones(mask: u64) -> Ones {
    Ones(mask)
}

/// Iterator of [`ones`].
pub struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

/// A set of IMAs of a tile in 8 bytes, aligned to 4 so that a message takes no more than 12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImaSet([u32; 2]);

impl From<u64> for ImaSet {
    #[inline]
    fn from(mask: u64) -> Self {
        Self([mask as u32, (mask >> 32) as u32])
    }
}

impl ImaSet {
    /// The set as a mask: bit `i` is IMA `i`.
    #[inline]
    pub fn mask(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }
}
