use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Cycle;

/// Buckets of the wheel. A shorter delay costs one push. A power of two and a multiple of 64, for the masks.
const WHEEL: usize = 256;

/// Events in order of time: a wheel of buckets for the near future and a heap for longer delays.
///
/// Time only moves forward, and no event is pushed for the present cycle, so a bucket holds events of one cycle only.
/// The memory of an emptied bucket goes to the next bucket that fills: once warm, a run allocates nothing, and the
/// memory that it writes to is in the cache.
pub(crate) struct Calendar<E> {
    buckets: [Vec<E>; WHEEL],
    /// Memory of emptied buckets.
    spare: Vec<Vec<E>>,
    /// Buckets that hold an event, one bit each.
    busy: [u64; WHEEL / 64],
    far: BinaryHeap<Reverse<Far<E>>>,
    /// Events pushed on the heap since the start. Orders those of one cycle as they were pushed.
    far_pushed: u64,
}

struct Far<E> {
    at: Cycle,
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Far<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}

impl<E> Eq for Far<E> {}

impl<E> PartialOrd for Far<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Far<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| Vec::new()),
            spare: Vec::new(),
            busy: [0; WHEEL / 64],
            far: BinaryHeap::new(),
            far_pushed: 0,
        }
    }
}

/// Bucket of a cycle.
#[inline]
fn bucket(cycle: Cycle) -> usize {
    usize::try_from(cycle % WHEEL as Cycle).expect("below the size of the wheel")
}

impl<E> Calendar<E> {
    /// Files `event` under cycle `now + delay`. Panics if `delay` is 0.
    #[inline]
    pub(crate) fn push(&mut self, now: Cycle, delay: Cycle, event: E) {
        assert!(delay >= 1, "a message was sent without delay in cycle {now}");
        if delay < WHEEL as Cycle {
            let bucket = bucket(now + delay);
            let events = &mut self.buckets[bucket];
            if events.is_empty() {
                self.busy[bucket / 64] |= 1 << (bucket % 64);
                if let Some(spare) = self.spare.pop() {
                    *events = spare;
                }
            }
            events.push(event);
        } else {
            self.push_far(now + delay, event);
        }
    }

    #[cold]
    fn push_far(&mut self, at: Cycle, event: E) {
        let sequence = self.far_pushed;
        self.far_pushed += 1;
        self.far.push(Reverse(Far { at, sequence, event }));
    }

    /// The first cycle after `now` that has an event; `None` if there is no event.
    #[inline]
    pub(crate) fn next(&self, now: Cycle) -> Option<Cycle> {
        let far = self.far.peek().map(|Reverse(far)| far.at);
        let near = self.next_busy(now);
        match (near, far) {
            (Some(near), Some(far)) => Some(near.min(far)),
            (near, far) => near.or(far),
        }
    }

    /// All events after `now` and their cycles, in any order.
    pub(crate) fn iter(&self, now: Cycle) -> impl Iterator<Item = (Cycle, &E)> {
        let cycles = (1..WHEEL as Cycle).map(move |delay| now + delay);
        let near = cycles.flat_map(|at| self.buckets[bucket(at)].iter().map(move |event| (at, event)));
        near.chain(self.far.iter().map(|Reverse(far)| (far.at, &far.event)))
    }

    fn next_busy(&self, now: Cycle) -> Option<Cycle> {
        let first = bucket(now + 1);
        // The word of the first bucket is searched twice: its upper bits first, its lower bits after a whole turn.
        let words = WHEEL / 64;
        for turn in 0..=words {
            let word = (first / 64 + turn) % words;
            let bits = match turn {
                0 => self.busy[word] & (u64::MAX << (first % 64)),
                turn if turn == words => self.busy[word] & !(u64::MAX << (first % 64)),
                _ => self.busy[word],
            };
            if bits != 0 {
                let bucket = word * 64 + bits.trailing_zeros() as usize;
                return Some(now + 1 + ((bucket + WHEEL - first) % WHEEL) as Cycle);
            }
        }
        None
    }

    /// Removes and returns the events of cycle `now`. [`Self::recycle`] takes the vector back.
    #[inline]
    pub(crate) fn take(&mut self, now: Cycle) -> Vec<E> {
        let bucket = bucket(now);
        self.busy[bucket / 64] &= !(1 << (bucket % 64));
        let mut events = std::mem::take(&mut self.buckets[bucket]);
        while self.far.peek().is_some_and(|Reverse(far)| far.at == now) {
            events.extend(self.far.pop().map(|Reverse(far)| far.event));
        }
        events
    }

    /// Keeps the memory of a vector that [`Self::take`] returned.
    #[inline]
    pub(crate) fn recycle(&mut self, mut events: Vec<E>) {
        if events.capacity() > 0 {
            events.clear();
            self.spare.push(events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pushes `delays` at cycle 0 and returns (cycle, index) in the order in which the events come out.
    fn drain(delays: &[Cycle]) -> Vec<(Cycle, usize)> {
        let mut calendar = Calendar::default();
        for (index, &delay) in delays.iter().enumerate() {
            calendar.push(0, delay, index);
        }
        let (mut now, mut out) = (0, Vec::new());
        while let Some(next) = calendar.next(now) {
            now = next;
            let events = calendar.take(now);
            out.extend(events.iter().map(|&event| (now, event)));
            calendar.recycle(events);
        }
        out
    }

    proptest! {
        #[test]
        fn events_come_out_sorted_by_time_near_and_far(delays in prop::collection::vec(1u64..2000, 0..200)) {
            let mut expected: Vec<_> = delays.iter().copied().zip(0..).collect();
            let mut got = drain(&delays);
            expected.sort_unstable();
            got.sort_by_key(|&(at, index)| (at, index));
            prop_assert_eq!(&got, &expected);
            let times: Vec<_> = drain(&delays).iter().map(|e| e.0).collect();
            prop_assert!(times.is_sorted());
        }

        #[test]
        fn an_event_comes_out_at_its_cycle_whatever_the_cycle_it_is_pushed_in(now in 0u64..10_000, delay in 1u64..1000) {
            let mut calendar = Calendar::default();
            calendar.push(now, delay, ());
            prop_assert_eq!(calendar.next(now), Some(now + delay));
            prop_assert_eq!(calendar.take(now + delay).len(), 1);
            prop_assert_eq!(calendar.next(now + delay), None);
        }
    }

    #[test]
    fn all_events_are_seen_before_they_come_out() {
        let mut calendar = Calendar::default();
        let delays = [1, 255, 256, 1000];
        for &delay in &delays {
            calendar.push(70, delay, delay);
        }
        let mut seen: Vec<_> = calendar.iter(70).map(|(at, &delay)| (at, delay)).collect();
        seen.sort_unstable();
        assert_eq!(seen, delays.map(|delay| (70 + delay, delay)));
    }

    #[test]
    #[should_panic(expected = "without delay in cycle 7")]
    fn a_message_without_delay_is_our_bug() {
        Calendar::default().push(7, 0, ());
    }
}
