//! Typed indices: a layer cannot be looked up by the number of a tile.
//!
//! - [`index!`](crate::index) defines a newtype over an unsigned integer that implements [`Index`].
//! - [`IndexVec`] is a vector indexed by such a type only.
//! - [`Set`] is a set of at most [`Set::CAPACITY`] indices in a machine word.
//! - [`size`] and [`count`] convert between the numbers of files and shapes and `usize`.
//!
//! An index is as narrow as its integer, since messages and tables hold millions of them. [`Index::new`] panics if a
//! number does not fit; the mapper checks all numbers of a run before it starts, with errors that name the limit.
//!
//! ```
//! use index::{Index, IndexVec, Set};
//!
//! index::index! {
//!     /// An IMA of a tile.
//!     pub struct ImaId(u8);
//! }
//!
//! let rows: IndexVec<ImaId, u32> = [128, 64, 0].into_iter().collect();
//! let used: Set<ImaId> = rows.enumerate().filter(|(_, rows)| **rows > 0).map(|(ima, _)| ima).collect();
//! assert_eq!(used.len(), 2);
//! assert_eq!(rows[used.first().unwrap()], 128);
//! ```

mod set;
mod vec;
mod width;

pub use set::Set;
pub use vec::IndexVec;
pub use width::{count, size};

/// A number that identifies one of several things of a kind. Defined by [`index!`](crate::index).
pub trait Index: Copy + Ord {
    /// Returns the index of number `index`, counted from 0.
    ///
    /// # Panics
    /// If the number does not fit the integer of the type.
    fn new(index: usize) -> Self;

    /// Returns the number, counted from 0.
    fn index(self) -> usize;
}

/// Defines an index type: a tuple struct over `u8`, `u16` or `u32`, shown as its number.
#[macro_export]
macro_rules! index {
    ($($(#[$meta:meta])* $visibility:vis struct $name:ident($integer:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(pub $integer);

        impl $crate::Index for $name {
            #[inline]
            fn new(index: usize) -> Self {
                let number = <$integer>::try_from(index);
                Self(number.expect(concat!("a ", stringify!($name), " fits ", stringify!($integer))))
            }

            #[inline]
            fn index(self) -> usize {
                // No integer of an index is wider than usize.
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, formatter)
            }
        }
    )+};
}
