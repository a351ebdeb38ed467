//! Distribution of work over threads: of any items, or of a matrix in rectangles.

use std::sync::{Mutex, PoisonError};
use std::thread;

use ndarray::{ArrayViewMut2, Axis};

/// A rectangle of a matrix.
pub(crate) struct Tile<'a, T> {
    /// First row.
    pub(crate) top: usize,
    /// First column.
    pub(crate) left: usize,
    /// The rectangle.
    pub(crate) values: ArrayViewMut2<'a, T>,
}

/// Cuts `matrix` into tiles of `rows` x `columns` (fewer at the ends) and works on all of them, on `threads` threads.
///
/// The tiles do not depend on the number of threads, so neither do the results.
pub(crate) fn for_each<T: Send>(
    threads: usize,
    matrix: ArrayViewMut2<T>,
    (rows, columns): (usize, usize),
    work: impl Fn(Tile<T>) + Sync,
) {
    let bands = cut(matrix, Axis(0), rows).into_iter();
    let tiles = bands.flat_map(|(top, band)| {
        let tiles = cut(band, Axis(1), columns).into_iter();
        tiles.map(move |(left, values)| Tile { top, left, values })
    });
    share_out(threads, tiles, work);
}

/// Works on all `items`, on `threads` threads, each taking the next item when it is done with one.
pub(crate) fn share_out<T>(threads: usize, items: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let items = Mutex::new(items);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
}

/// Cuts a matrix along `axis` into parts of `length` (less at the end), each with its first index.
fn cut<T>(mut matrix: ArrayViewMut2<T>, axis: Axis, length: usize) -> Vec<(usize, ArrayViewMut2<T>)> {
    let mut parts = Vec::new();
    let mut start = 0;
    while !matrix.is_empty() {
        let (part, rest) = {
            let length = length.min(matrix.len_of(axis));
            matrix.split_at(axis, length)
        };
        let next = start + part.len_of(axis);
        parts.push((start, part));
        (matrix, start) = (rest, next);
    }
    parts
}
