//! eDRAM buffer of a tile: one port, and the input slices of the layers whose IMAs the tile has.
//!
//! A slice holds positions of two images at most: the current image and the next. A position consists of packets, one
//! from each output group of the producer that it needs channels of, and is present when all of them have been written.
//! Its place in the map gives its slot; slots of even and odd images alternate. Positions leave when the
//! slowest replica has read the last window that needs them; then the limit rises up to which producers may send
//! (docs/model.md, "Room and credits").

use std::ops::Range;

use des::{Cycle, Fingerprint, Recurrent, Server};
use index::{IndexVec, size};
use mapper::{InputOrder, InputSlice};
use network::{LayerId, MapId};

use crate::completions::Particulars;
use crate::{InputId, RoomId};

/// The eDRAM buffer of a tile: one port, and the input slices of the layers that the tile computes.
#[derive(Clone, Debug)]
pub(crate) struct EdramBuffer<'a> {
    /// Port, in bits per cycle. Writes are granted before reads.
    pub(crate) port: Server,
    /// Input slices: what the tile's crossbars read and what its output register merges, by layer and map.
    pub(crate) slices: IndexVec<InputId, SliceBuffer<'a>>,
    /// Results of the network that the tile finishes.
    pub(crate) results: Results,
}

impl<'a> EdramBuffer<'a> {
    /// A buffer with a port of `bits_per_cycle`; `None` is no limit.
    pub(crate) fn new(
        bits_per_cycle: Option<u64>,
        slices: impl IntoIterator<Item = SliceBuffer<'a>>,
        results: Results,
    ) -> Self {
        Self { port: Server::new(bits_per_cycle), slices: slices.into_iter().collect(), results }
    }
}

impl Recurrent for EdramBuffer<'_> {
    fn state(&self, print: &mut Fingerprint) {
        let Self { port, slices, results: Results { positions: _, maps: _ } } = self;
        port.state(print);
        for slice in slices {
            slice.state(print);
        }
    }
}

/// Results of the network in a tile's buffer. They stay there, without a limit.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Positions per image.
    positions: u32,
    /// For each map with results, its last position and one, and the bits and last cycle written.
    maps: Vec<(u32, Written)>,
}

/// Results of one map that have been written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// Bits since the start.
    pub bits: u64,
    /// Last cycle in which some were written; 0 if none were.
    pub last_at: Cycle,
}

impl Results {
    /// No results yet, of maps with these numbers of positions in each image.
    pub fn new(maps: impl IntoIterator<Item = u32>) -> Self {
        let mut positions = 0;
        let end = |of_map| {
            positions += of_map;
            (positions, Written::default())
        };
        let maps = maps.into_iter().map(end).collect();
        Self { positions, maps }
    }

    /// Positions of all maps per image.
    pub(crate) fn positions(&self) -> u32 {
        self.positions
    }

    /// Splits `position`, counted over all maps and images, into its image and its number there.
    pub(crate) fn split(&self, position: u32) -> (u32, u32) {
        (position / self.positions, position % self.positions)
    }

    /// Results of each map, in order.
    pub fn maps(&self) -> impl Iterator<Item = Written> {
        self.maps.iter().map(|&(_, written)| written)
    }

    /// Records a result of `bits` that is written in cycle `at`; `position` counts over all maps of an image.
    pub(crate) fn written(&mut self, position: u32, bits: u32, at: Cycle) {
        let map = self.maps.iter_mut().find(|(end, _)| position < *end);
        let (_, written) = map.expect("a result belongs to a map");
        *written = Written { bits: written.bits + u64::from(bits), last_at: at.max(written.last_at) };
    }
}

/// An input slice in a tile's buffer: inputs of one layer, of the current image and the next.
#[derive(Clone, Debug)]
pub struct SliceBuffer<'a> {
    /// Positions and channels of the slice.
    pub(crate) slice: &'a InputSlice,
    order: &'a InputOrder,
    /// Layer that reads the slice.
    pub layer: LayerId,
    /// Layer and tile, which the completions of its writes have in common.
    pub(crate) particulars: Particulars,
    /// Number of the slice over the board.
    pub(crate) room: RoomId,
    /// Packets of a position, one from each output group that it needs channels of. 0 for the host, which keeps the
    /// buffers of the first layer filled.
    pieces: u16,
    /// Packets missing of each position, 0 where the slice receives none: slots of even images by cell, then those of odd
    /// images.
    missing: Vec<u16>,
    /// Positions that it has room for.
    held: u32,
    /// Credit limit as raised last: positions that producers may have sent, counted over all images.
    limit: u32,
    /// Positions of all images of the run.
    total: u32,
    /// Current image: the oldest that the slowest replica has not read completely.
    image: u32,
    /// Last cycle in which a packet was written; 0 if none was.
    pub last_written_at: Cycle,
    /// Bits written since the start.
    pub bits_written: u64,
}

impl<'a> SliceBuffer<'a> {
    /// An empty slice for a run of `images` images with room for `capacity` positions; without a capacity, only the
    /// limit of two images holds. `layer` reads it, `room` is its index in the room table, `pieces` the packets of a
    /// position.
    pub fn new(
        slice: &'a InputSlice,
        (layer, room): (LayerId, RoomId),
        pieces: u16,
        images: u32,
        capacity: Option<u64>,
    ) -> Self {
        let order = &*slice.order;
        let mut empty = Self {
            slice,
            order,
            layer,
            particulars: Particulars::new([layer.0.into(), slice.tile.0.into()]),
            room,
            pieces,
            missing: vec![0; 2 * order.area()],
            limit: order.limit(order.held(capacity), 0),
            held: order.held(capacity),
            total: order.positions * images,
            image: 0,
            last_written_at: 0,
            bits_written: 0,
        };
        empty.expect_all(0);
        empty.expect_all(1);
        empty
    }

    /// Expects all packets of all positions of `image`.
    fn expect_all(&mut self, image: u32) {
        let (first, area) = (self.slot(image, 0), self.order.area());
        let slots = &mut self.missing[first..first + area];
        if size(self.order.positions) == area {
            slots.fill(self.pieces);
        } else {
            self.order.cells().iter().for_each(|&cell| slots[size(cell)] = self.pieces);
        }
    }

    /// Images of a run whose end the slice has not seen.
    pub fn images_ahead(&self) -> u32 {
        if self.order.positions > 0 { self.limit.div_ceil(self.order.positions) } else { 0 }
    }

    /// Changes the number of images of the run, of which no producer has sent more positions.
    pub(crate) fn set_images(&mut self, images: u32) {
        self.total = self.order.positions * images;
        self.limit = self.limit.min(self.total);
    }

    /// Positions that producers may have sent, counted over all images.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Positions per image.
    pub(crate) fn positions(&self) -> u32 {
        self.order.positions
    }

    /// Splits `sequence`, counted over all images, into its image and its number there.
    #[inline]
    pub(crate) fn split(&self, sequence: u32) -> (u32, u32) {
        let positions = self.order.positions;
        // Most runs have few images, and divisions are slow.
        if sequence < positions { (0, sequence) } else { (sequence / positions, sequence % positions) }
    }

    /// Map that the positions are of.
    pub fn map(&self) -> MapId {
        self.slice.map
    }

    /// Images of which positions have slots, or had: all up to the next image.
    #[inline]
    pub(crate) fn images_held(&self) -> u32 {
        self.image + 2
    }

    /// True if positions of `image` have slots. A precondition of [`Self::missing_in_row`].
    #[inline]
    pub(crate) fn holds_image(&self, image: u32) -> bool {
        image < self.images_held()
    }

    /// Slot of a cell for `image`.
    #[inline]
    fn slot(&self, image: u32, cell: usize) -> usize {
        size(image % 2) * self.order.area() + cell
    }

    /// First position of `image` in row `y` and every `stride`-th of `columns` of which packets are missing, as slot and
    /// column; `None` if there is none. Positions that the slice does not receive are not missing.
    #[inline]
    pub(crate) fn missing_in_row(&self, image: u32, y: u32, columns: Range<u32>, stride: u32) -> Option<(usize, u32)> {
        if columns.is_empty() {
            return None;
        }
        let first = self.slot(image, self.order.cell(y, columns.start));
        let slots = &self.missing[first..first + size(columns.end - columns.start)];
        let mut ahead = 0;
        while *slots.get(size(ahead))? == 0 {
            ahead += stride;
        }
        Some((first + size(ahead), columns.start + ahead))
    }

    /// True if packets of the position at row `y` and column `x` of `image` are missing.
    pub(crate) fn misses(&self, image: u32, y: u32, x: u32) -> bool {
        self.missing_in_row(image, y, x..x + 1, 1).is_some()
    }

    /// True if the slice receives the position at row `y`, column `x`: it is not cropped.
    #[inline]
    pub(crate) fn receives(&self, y: u32, x: u32) -> bool {
        self.order.rank(y, x).is_some()
    }

    /// Records that a packet of position `rank` of `image` has been written. Returns the slot of the position if it is
    /// complete now.
    #[inline]
    pub(crate) fn written(&mut self, image: u32, rank: u32) -> Option<usize> {
        let slot = self.slot(image, size(self.order.cells()[size(rank)]));
        let missing = &mut self.missing[slot];
        assert!(
            *missing > 0,
            "layer {} in tile {} got position {rank} of image {image} twice",
            self.layer,
            self.slice.tile
        );
        *missing -= 1;
        (*missing == 0).then_some(slot)
    }

    /// Credit limit once all replicas have read the windows before `step` of the current image.
    #[inline]
    fn limit_at(&self, step: u32) -> u32 {
        (self.image * self.order.positions + self.order.limit(self.held, size(step))).min(self.total)
    }

    /// True if the limit rises or the next image begins once all replicas have read the windows before `step` of `image`.
    #[inline]
    pub(crate) fn rises(&self, image: u32, step: u32) -> bool {
        image > self.image || self.limit_at(step) > self.limit
    }

    /// Records that all replicas have read the windows before `step` of `image`. Returns the credit limit if it rises.
    #[inline]
    pub(crate) fn advance(&mut self, image: u32, step: u32) -> Option<u32> {
        while self.image < image {
            self.expect_all(self.image);
            self.image += 1;
        }
        let limit = self.limit_at(step);
        (limit > self.limit).then(|| {
            self.limit = limit;
            limit
        })
    }
}

impl Recurrent for SliceBuffer<'_> {
    fn state(&self, print: &mut Fingerprint) {
        let Self {
            slice: _,
            order,
            layer: _,
            particulars: _,
            room: _,
            pieces: _,
            missing,
            held: _,
            limit,
            total: _,
            image,
            last_written_at: _,
            bits_written: _,
        } = self;
        // A slice that no window reads stays as it is.
        if order.steps() == 0 {
            return;
        }
        print.counted(*image, 1);
        print.counted(*limit, order.positions);
        let (even, odd) = missing.split_at(order.area());
        let (current, next) = if image % 2 == 0 { (even, odd) } else { (odd, even) };
        print.small_numbers(current);
        print.small_numbers(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OneLayer, assert_told_apart};

    #[test]
    fn positions_of_both_images_and_the_limit_are_state() {
        let machine = OneLayer::new(|_| ());
        let slice = machine.inputs().edram.slices[InputId(0)].clone();
        assert_told_apart(
            &slice,
            Recurrent::state,
            &[
                |slice| slice.image += 1,
                |slice| slice.limit += 1,
                |slice| slice.missing[1] = 0,
                |slice| slice.missing[5] = 0,
            ],
        );
    }

    #[test]
    fn the_images_of_a_slice_may_change_places() {
        let machine = OneLayer::new(|_| ());
        let hash = |image: u32| {
            let mut slice = machine.inputs().edram.slices[InputId(0)].clone();
            (slice.image, slice.limit) = (image, 4 * image + 2);
            slice.missing[size(image % 2 * 4 + 1)] = 0;
            let mut print = Fingerprint::new(0, image);
            slice.state(&mut print);
            print.hash()
        };
        assert_eq!(hash(6), hash(7));
    }
}
