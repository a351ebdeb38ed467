//! Conversions between widths of integers that lose nothing where `usize` has 64 bits.

/// Returns a number of a file or a shape as a size in memory.
#[inline]
pub fn size(number: impl Into<u64>) -> usize {
    usize::try_from(number.into()).expect("usize has 64 bits")
}

/// Returns a size in memory as a number to count with.
#[inline]
pub fn count(size: usize) -> u64 {
    u64::try_from(size).expect("usize has 64 bits")
}
