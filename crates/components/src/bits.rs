/// The numbers of the set bits of `mask`, lowest first.
#[inline]
pub fn ones(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let bit = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            bit
        })
    })
}

/// A set of IMAs of a tile, in the 8 bytes of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImaSet([u32; 2]);

impl From<u64> for ImaSet {
    #[inline]
    fn from(mask: u64) -> Self {
        Self([mask as u32, (mask >> 32) as u32])
    }
}

impl ImaSet {
    /// One bit for each IMA.
    #[inline]
    pub fn mask(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }
}
