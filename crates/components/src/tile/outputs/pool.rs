//! Pool units, which take maxima or sums, and the credits that keep them within two images.
//!
//! A pool unit belongs to an output group of a replica, in its accumulator tile. Pooled positions at the edges of
//! replicas have windows of several replicas: the replica with the last window finishes the position, and the others
//! send their values to it as packets. A replica may run ahead of another by more than a pool holds, so a finished
//! window of image j goes to the pools only when every pool that its replica feeds has completed image j - 2
//! (docs/model.md, "Room and credits").

use des::{Fingerprint, Recurrent};
use index::size;

/// A pool of a tile, for one output group of one replica: running maxima or sums of incomplete positions.
///
/// It has room for two images, the oldest incomplete one and the next; [`PoolCredits`] holds back windows of later
/// ones. Positions are numbered among those that the replica finishes.
#[derive(Clone, Debug)]
pub(crate) struct PoolUnit {
    /// Windows under each position that are not cropped.
    windows: Vec<u32>,
    /// Positions of an image.
    positions: u32,
    /// Windows missing of each position: of even images, then of odd images.
    missing: Vec<u32>,
    /// Incomplete positions of the even and of the odd image.
    incomplete: [u32; 2],
    /// Complete images, counted from the first.
    images: u32,
    /// Values taken since the start.
    pub(crate) values: u64,
}

impl PoolUnit {
    /// An empty pool; `windows` has the number of windows of each position.
    pub(crate) fn new(windows: Vec<u32>) -> Self {
        let positions = u32::try_from(windows.len()).expect("the layout counts positions in 32 bits");
        Self {
            missing: [windows.as_slice(), &windows].concat(),
            windows,
            positions,
            incomplete: [positions; 2],
            images: 0,
            values: 0,
        }
    }

    /// Complete images, counted from the first. The pool takes windows of the next two.
    #[inline]
    pub(crate) fn images(&self) -> u32 {
        self.images
    }

    /// Takes the `values` channels of one window into `position`. Returns true if the position is complete now.
    #[inline]
    pub(crate) fn take(&mut self, image: u32, position: u32, values: u32) -> bool {
        assert!(image.wrapping_sub(self.images) < 2, "a pool at image {} got a window of {image}", self.images);
        self.values += u64::from(values);
        let (bank, position) = (size(image % 2), size(position));
        let missing = &mut self.missing[bank * self.windows.len() + position];
        assert!(*missing > 0, "position {position} of a pool got a window too many");
        *missing -= 1;
        if *missing > 0 {
            return false;
        }
        *missing = self.windows[position];
        self.incomplete[bank] -= 1;
        while self.incomplete[size(self.images % 2)] == 0 {
            self.incomplete[size(self.images % 2)] = self.positions;
            self.images += 1;
        }
        true
    }
}

/// Credits of a replica for the max-pools that its windows go to, its own and those of other replicas.
///
/// Each pool sends one credit for each image that it has completed.
#[derive(Clone, Debug)]
pub(crate) struct PoolCredits {
    /// Pools that the replica feeds.
    pools: u32,
    /// Images that all pools have completed, counted from the first.
    images: u32,
    /// Pools that have completed image `images` and the one after, by image modulo 2.
    completed: [u32; 2],
}

impl PoolCredits {
    /// Credits of `pools` empty pools.
    pub(crate) fn new(pools: u32) -> Self {
        Self { pools, images: 0, completed: [0; 2] }
    }

    /// True if every pool has room for windows of `image`.
    #[inline]
    pub(crate) fn admit(&self, image: u32) -> bool {
        image < self.images + 2
    }

    /// Records that one of the pools has completed `image`.
    pub(crate) fn credit(&mut self, image: u32) {
        // A pool cannot complete an image whose windows this replica still holds back.
        assert!(self.admit(image) && image >= self.images, "a pool completed image {image} without its windows");
        self.completed[size(image % 2)] += 1;
        while self.completed[size(self.images % 2)] == self.pools {
            self.completed[size(self.images % 2)] = 0;
            self.images += 1;
        }
    }
}

impl Recurrent for PoolUnit {
    fn state(&self, print: &mut Fingerprint) {
        let Self { windows: _, positions, missing, incomplete, images, values: _ } = self;
        // A pool that finishes nothing stays as it is.
        if *positions == 0 {
            return;
        }
        print.counted(*images, 1);
        let (even, odd) = missing.split_at(size(*positions));
        let (current, next) = if images % 2 == 0 { (even, odd) } else { (odd, even) };
        print.numbers(current.iter().chain(next).copied());
        print.numbers([incomplete[size(images % 2)], incomplete[size((images + 1) % 2)]]);
    }
}

impl Recurrent for PoolCredits {
    fn state(&self, print: &mut Fingerprint) {
        let Self { pools: _, images, completed } = self;
        print.counted(*images, 1);
        print.numbers([completed[size(images % 2)], completed[size((images + 1) % 2)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    #[test]
    fn a_position_is_complete_with_its_last_window_and_then_starts_again() {
        let mut pool = PoolUnit::new(vec![2, 1]);
        assert!(!pool.take(0, 0, 8));
        assert!(pool.take(0, 1, 8));
        assert!(pool.take(0, 0, 8));
        assert_eq!(pool.images(), 1);
        assert!(!pool.take(2, 0, 8), "the next even image begins anew");
        assert_eq!(pool.values, 32);
    }

    #[test]
    fn the_next_image_does_not_complete_a_position_of_this_one() {
        let mut pool = PoolUnit::new(vec![2]);
        assert!(!pool.take(0, 0, 1));
        assert!(!pool.take(1, 0, 1));
        assert!(pool.take(0, 0, 1));
    }

    #[test]
    fn an_image_may_be_complete_before_the_one_before_it() {
        let mut pool = PoolUnit::new(vec![1, 1]);
        assert!(pool.take(0, 0, 1) && pool.take(1, 0, 1) && pool.take(1, 1, 1));
        assert_eq!(pool.images(), 0, "image 0 misses a window");
        assert!(pool.take(0, 1, 1));
        assert_eq!(pool.images(), 2);
    }

    #[test]
    #[should_panic(expected = "at image 0 got a window of 2")]
    fn there_is_no_room_for_a_third_image() {
        PoolUnit::new(vec![1]).take(2, 0, 1);
    }

    #[test]
    fn the_slowest_pool_decides_which_image_may_come() {
        let mut credits = PoolCredits::new(2);
        assert!(credits.admit(1) && !credits.admit(2));
        credits.credit(0);
        credits.credit(1);
        assert!(!credits.admit(2), "the other pool has completed nothing");
        credits.credit(0);
        assert!(credits.admit(2) && !credits.admit(3));
        credits.credit(1);
        assert!(credits.admit(3) && !credits.admit(4));
    }

    #[test]
    fn positions_and_images_of_a_pool_are_state() {
        assert_told_apart(
            &PoolUnit::new(vec![2, 1]),
            Recurrent::state,
            &[
                |pool| pool.missing[0] = 1,
                |pool| pool.missing[2] = 1,
                |pool| pool.incomplete[0] = 1,
                |pool| pool.incomplete[1] = 1,
                |pool| pool.images += 1,
            ],
        );
        assert_told_apart(
            &PoolCredits::new(2),
            Recurrent::state,
            &[|credits| credits.completed[0] = 1, |credits| credits.completed[1] = 1, |credits| credits.images += 1],
        );
    }
}
