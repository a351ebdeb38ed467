use crate::Cycle;

/// A component whose state may recur.
///
/// Implementations stand next to the fields and take `self` apart without `..`, so that a new field does not compile
/// until somebody has decided whether it is state. State is what decides on later events. Counters and what is known
/// beforehand are not.
pub trait Recurrent {
    /// Adds the state at the end of a cycle to a fingerprint.
    fn state(&self, print: &mut Fingerprint);
}

/// Hash of a state, in 64 bits, relative to the present cycle and the present round.
///
/// A simulation whose work is done in rounds, all alike, may come to a state that differs from an earlier one only in
/// the cycle and the number of the round. Then both have the same fingerprint, and events repeat themselves.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    now: Cycle,
    round: u32,
    hash: u64,
}

impl Fingerprint {
    /// Fingerprint of no state, at the end of cycle `now` in round `round`.
    pub fn new(now: Cycle, round: u32) -> Self {
        Self { now, round, hash: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Hash of all that was added.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The present cycle, which has ended.
    pub fn now(&self) -> Cycle {
        self.now
    }

    /// The present round.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// Adds a number that is the same in every round.
    #[inline]
    pub fn number(&mut self, value: impl Into<u64>) {
        let mixed = (self.hash ^ value.into()).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.hash = mixed ^ (mixed >> 32);
    }

    /// Adds numbers that are the same in every round.
    pub fn numbers(&mut self, values: impl IntoIterator<Item: Into<u64>>) {
        for value in values {
            self.number(value);
        }
    }

    /// Adds many small numbers that are the same in every round.
    pub fn small_numbers(&mut self, values: &[u16]) {
        let (fours, rest) = values.as_chunks::<4>();
        for four in fours {
            self.number(four.iter().fold(0, |all, &value| all << 16 | u64::from(value)));
        }
        self.numbers(rest.iter().copied());
    }

    /// Adds a cycle, before or after the present one.
    pub fn cycle(&mut self, at: Cycle) {
        self.number(at.wrapping_sub(self.now));
    }

    /// Adds a number that counts over all rounds and rises by `per_round` in each.
    pub fn counted(&mut self, number: u32, per_round: u32) {
        let before = u64::from(self.round) * u64::from(per_round);
        self.number(u64::from(number).wrapping_sub(before));
    }

    /// Adds items whose order does not matter.
    pub fn unordered<T>(&mut self, items: impl IntoIterator<Item = T>, state: impl Fn(T, &mut Self)) {
        let sum = items.into_iter().fold(0u64, |sum, item| {
            let mut print = Self::new(self.now, self.round);
            state(item, &mut print);
            sum.wrapping_add(print.hash)
        });
        self.number(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(now: Cycle, round: u32, add: impl Fn(&mut Fingerprint)) -> u64 {
        let mut print = Fingerprint::new(now, round);
        add(&mut print);
        print.hash()
    }

    #[test]
    fn cycles_are_relative_to_the_present_and_counts_to_the_round() {
        let at = |now, round, cycle, window| {
            hash(now, round, |print| {
                print.cycle(cycle);
                print.counted(window, 10);
            })
        };
        assert_eq!(at(100, 3, 105, 34), at(700, 5, 705, 54));
        assert_eq!(at(100, 3, 95, 28), at(700, 5, 695, 48), "before the present as well");
        assert_ne!(at(100, 3, 105, 34), at(700, 5, 706, 54));
        assert_ne!(at(100, 3, 105, 34), at(700, 5, 705, 55));
    }

    #[test]
    fn only_unordered_items_may_change_places() {
        let unordered = |items: [u32; 3]| hash(0, 0, |print| print.unordered(items, |item, print| print.number(item)));
        assert_eq!(unordered([1, 2, 2]), unordered([2, 1, 2]));
        assert_ne!(unordered([1, 2, 2]), unordered([1, 1, 2]));
        let ordered = |items: &[u16]| hash(0, 0, |print| print.small_numbers(items));
        assert_ne!(ordered(&[1, 2, 3, 4, 5, 6]), ordered(&[2, 1, 3, 4, 5, 6]));
        assert_ne!(ordered(&[1, 2, 3, 4, 5, 6]), ordered(&[1, 2, 3, 4, 6, 5]));
    }
}
