use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Sub, SubAssign};

use crate::Index;

/// A set of indices below [`Set::CAPACITY`], one bit each, so that a decision for many is a few word operations.
pub struct Set<I> {
    bits: u64,
    index: PhantomData<fn(I)>,
}

impl<I> Set<I> {
    /// Number of indices that a set has bits for.
    pub const CAPACITY: usize = 64;

    /// The empty set.
    pub const EMPTY: Self = Self::from_bits(0);

    /// Returns the set whose bits are set in `bits`.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self { bits, index: PhantomData }
    }

    /// Returns the set as bits.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// True if no index is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Returns the number of indices in the set.
    #[inline]
    pub const fn len(self) -> u32 {
        self.bits.count_ones()
    }

    /// Returns the set and leaves it empty.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::EMPTY)
    }
}

impl<I: Index> Set<I> {
    /// Returns the set of one index.
    #[inline]
    pub fn one(index: I) -> Self {
        debug_assert!(index.index() < Self::CAPACITY, "a set has {} indices", Self::CAPACITY);
        Self::from_bits(1 << index.index())
    }

    /// Returns the set of the first `count` indices.
    ///
    /// # Panics
    /// If that is more than [`Set::CAPACITY`].
    pub fn below(count: usize) -> Self {
        assert!(count <= Self::CAPACITY, "a set has {} indices", Self::CAPACITY);
        Self::from_bits(if count == Self::CAPACITY { u64::MAX } else { (1 << count) - 1 })
    }

    /// Returns the lowest index.
    #[inline]
    pub fn first(self) -> Option<I> {
        (!self.is_empty()).then(|| I::new(self.bits.trailing_zeros() as usize))
    }

    /// True if the index is in the set.
    #[inline]
    pub fn contains(self, index: I) -> bool {
        self.bits >> index.index() & 1 == 1
    }

    /// Adds an index.
    #[inline]
    pub fn insert(&mut self, index: I) {
        *self |= Self::one(index);
    }

    /// Adds an index if `present`, and leaves the set as it is otherwise. Compiles without a branch.
    #[inline]
    pub fn insert_if(&mut self, index: I, present: bool) {
        self.bits |= u64::from(present) << index.index();
    }

    /// Adds or removes an index.
    #[inline]
    pub fn set(&mut self, index: I, present: bool) {
        *self -= Self::one(index);
        self.insert_if(index, present);
    }
}

impl<I> Clone for Set<I> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for Set<I> {}

impl<I> Default for Set<I> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<I> PartialEq for Set<I> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<I> Eq for Set<I> {}

impl<I> BitOr for Set<I> {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self::from_bits(self.bits | other.bits)
    }
}

impl<I> BitAnd for Set<I> {
    type Output = Self;

    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self::from_bits(self.bits & other.bits)
    }
}

/// The indices of the left set that are not in the right one.
impl<I> Sub for Set<I> {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::from_bits(self.bits & !other.bits)
    }
}

impl<I> BitOrAssign for Set<I> {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.bits |= other.bits;
    }
}

impl<I> BitAndAssign for Set<I> {
    #[inline]
    fn bitand_assign(&mut self, other: Self) {
        self.bits &= other.bits;
    }
}

impl<I> SubAssign for Set<I> {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        self.bits &= !other.bits;
    }
}

impl<I: Index> FromIterator<I> for Set<I> {
    fn from_iter<Indices: IntoIterator<Item = I>>(indices: Indices) -> Self {
        indices.into_iter().fold(Self::EMPTY, |set, index| set | Self::one(index))
    }
}

impl<I: Index> IntoIterator for Set<I> {
    type Item = I;
    type IntoIter = Indices<I>;

    #[inline]
    fn into_iter(self) -> Indices<I> {
        Indices(self)
    }
}

/// Iterates over the indices of a set, lowest first.
pub struct Indices<I>(Set<I>);

impl<I: Index> Iterator for Indices<I> {
    type Item = I;

    #[inline]
    fn next(&mut self) -> Option<I> {
        let first = self.0.first()?;
        self.0.bits &= self.0.bits - 1;
        Some(first)
    }
}

impl<I: Index + fmt::Debug> fmt::Debug for Set<I> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(*self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::index! {
        struct Small(u8);
    }

    #[test]
    fn a_set_holds_what_a_sorted_list_of_flags_holds() {
        let (mut set, mut flags) = (Set::EMPTY, [false; 64]);
        for step in 0..1000_usize {
            let index = step * 37 % 64;
            set.set(Small::new(index), step % 3 > 0);
            flags[index] = step % 3 > 0;
            let expected: Vec<Small> = (0..64).filter(|&index| flags[index]).map(Small::new).collect();
            assert_eq!(set.into_iter().collect::<Vec<_>>(), expected);
            assert_eq!((set.first(), set.len() as usize), (expected.first().copied(), expected.len()));
        }
    }

    #[test]
    fn the_last_index_is_like_any_other() {
        let all = Set::<Small>::below(64);
        assert_eq!((all - Set::one(Small(63)), all & Set::below(63)), (Set::below(63), Set::below(63)));
        assert!(all.contains(Small(63)) && !Set::below(63).contains(Small(63)));
    }

    #[test]
    #[should_panic(expected = "a Small fits u8")]
    fn an_index_does_not_wrap() {
        Small::new(256);
    }
}
