//! Policies: what an operation does in each of its row blocks.
//!
//! A policy is a type parameter of the tile, so the default costs nothing. It decides the reads of an operation, for
//! all IMAs of a replica alike, and the rows driven and columns converted in each row block. It cannot change when an
//! operation may start. `docs/extending.md` adds one.

use std::ops::Range;

use mapper::Window;

use crate::RowsRead;

/// Decides what the operation for a window does. One file for each policy beside [`Full`].
pub trait Policy {
    /// Reads of an operation for `window`, 1 or more; one that applies all bits of its activations has `all_bits` reads.
    fn iterations(&self, _window: &Window, all_bits: u32) -> u32 {
        all_bits
    }

    /// True if all row blocks do all their work for `window`. Then operations are counted in closed form, and
    /// [`Policy::work`] is not asked.
    fn is_full(&self, window: &Window) -> bool;

    /// Work of a row block in each read for a window whose inputs are read by `rows_read`.
    fn work(&self, rows_read: &RowsRead, block: &RowBlock) -> Work;
}

/// A row block of an IMA: crossbars side by side that hold the same rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowBlock {
    /// Rows of the replica.
    pub rows: Range<u32>,
    /// Columns in use, and unit columns, summed over its crossbars.
    pub columns: u32,
    /// Crossbars.
    pub crossbars: u32,
}

/// Work of a row block in one read. A block that drives no row takes no part in the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Rows driven in each crossbar.
    pub rows: u32,
    /// Columns held, converted and merged, summed over the crossbars.
    pub columns: u32,
}

impl RowBlock {
    /// All used rows are driven, all columns converted.
    pub fn whole(&self) -> Work {
        Work { rows: self.rows.end - self.rows.start, columns: self.columns }
    }
}

impl Work {
    /// The block takes no part.
    pub const NONE: Self = Self { rows: 0, columns: 0 };
}

/// Every row block does all its work, as in ISAAC and AQuA.
#[derive(Clone, Copy, Debug, Default)]
pub struct Full;

impl Policy for Full {
    #[inline]
    fn is_full(&self, _: &Window) -> bool {
        true
    }

    fn work(&self, _: &RowsRead, block: &RowBlock) -> Work {
        block.whole()
    }
}
