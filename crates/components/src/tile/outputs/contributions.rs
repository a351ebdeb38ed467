use des::Fingerprint;
use index::{count, size};

/// Windows in progress that there is room for before more is made. A power of two.
const WINDOWS: usize = 8;

/// Contributions to the windows in progress of a part of the output register, in a ring.
#[derive(Clone, Debug)]
pub(super) struct Contributions {
    /// Contributions per window.
    per_window: u32,
    /// Windows that have passed on, counted over all images.
    pub(super) complete: u32,
    /// Contributions that each window from `complete` on misses, by window modulo the length, a power of two.
    missing: Vec<u32>,
}

impl Contributions {
    /// No windows yet, of `per_window` contributions each.
    pub(super) fn new(per_window: u32) -> Self {
        Self { per_window, complete: 0, missing: vec![per_window; WINDOWS] }
    }

    /// Adds a contribution to `window`. Returns true if that was its last.
    #[inline]
    pub(super) fn add(&mut self, window: u32) -> bool {
        let missing = self.missing_of(window);
        assert!(*missing > 0, "window {window} got a contribution too many");
        *missing -= 1;
        *missing == 0
    }

    /// Contributions that the oldest window misses.
    #[inline]
    pub(super) fn missing_of_oldest(&self) -> u32 {
        self.missing[self.place(self.complete)]
    }

    /// Passes the oldest window on. Returns it.
    #[inline]
    pub(super) fn pass(&mut self) -> u32 {
        let window = self.complete;
        *self.missing_of(window) = self.per_window;
        self.complete += 1;
        window
    }

    /// True if no window has a contribution.
    pub(super) fn is_empty(&self) -> bool {
        self.missing.iter().all(|missing| *missing == self.per_window)
    }

    /// Adds the state to a fingerprint, for a replica of `windows` windows.
    pub(super) fn state(&self, windows: u32, print: &mut Fingerprint) {
        print.counted(self.complete, windows);
        // Further windows miss all contributions.
        let begun = (1..).zip(self.in_order()).filter(|(_, missing)| *missing != self.per_window).last();
        let begun = begun.map_or(0, |(number, _)| number);
        print.number(count(begun));
        print.numbers(self.in_order().take(begun));
    }

    #[inline]
    fn missing_of(&mut self, window: u32) -> &mut u32 {
        let ahead = size(window - self.complete);
        if ahead >= self.missing.len() {
            self.grow_beyond(ahead);
        }
        let place = self.place(window);
        &mut self.missing[place]
    }

    /// Place of `window` in the ring.
    #[inline]
    fn place(&self, window: u32) -> usize {
        size(window) & (self.missing.len() - 1)
    }

    #[cold]
    fn grow_beyond(&mut self, windows: usize) {
        let kept: Vec<u32> = self.in_order().collect();
        self.missing = vec![self.per_window; (windows + 1).next_power_of_two()];
        (self.complete..).zip(kept).for_each(|(window, missing)| *self.missing_of(window) = missing);
    }

    /// Contributions that the windows miss, the oldest first.
    fn in_order(&self) -> impl Iterator<Item = u32> {
        let (later, first) = self.missing.split_at(self.place(self.complete));
        first.iter().chain(later).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn hash(contributions: &Contributions) -> u64 {
        let mut print = Fingerprint::new(1, 0);
        contributions.state(1000, &mut print);
        print.hash()
    }

    proptest! {
        #[test]
        fn windows_pass_in_order_once_they_have_all_contributions_however_far_others_are_ahead(
            ahead in prop::collection::vec(0u32..40, 0..300),
        ) {
            let (mut ring, mut plain) = (Contributions::new(2), BTreeMap::<u32, u32>::new());
            for ahead in ahead {
                let window = ring.complete + ahead;
                let had = plain.entry(window).or_default();
                if *had < 2 {
                    *had += 1;
                    prop_assert_eq!(ring.add(window), *had == 2);
                }
                while ring.missing_of_oldest() == 0 {
                    let passed = ring.pass();
                    prop_assert_eq!(plain.remove(&passed), Some(2));
                }
                prop_assert_eq!(ring.missing_of_oldest(), 2 - plain.get(&ring.complete).copied().unwrap_or(0));
                prop_assert_eq!(ring.is_empty(), plain.values().all(|had| *had == 0));
            }
        }
    }

    #[test]
    fn room_for_windows_that_have_not_begun_is_no_state() {
        let (mut short, mut long) = (Contributions::new(1), Contributions::new(1));
        for window in (0..20).rev() {
            long.add(window);
        }
        for window in 0..20 {
            long.pass();
            short.add(window);
            short.pass();
        }
        assert!(long.missing.len() > short.missing.len());
        assert_eq!(hash(&short), hash(&long));
        short.add(21);
        assert_ne!(hash(&short), hash(&long));
    }
}
