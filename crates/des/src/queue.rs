use crate::calendar::Calendar;
use crate::{Component, Cycle, Wake};

/// Order in which the messages of one cycle are delivered. The result of a run must not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// In the order in which they were sent.
    #[default]
    Sent,
    /// Shuffled with this seed, to test that results do not depend on the order.
    Shuffled(u64),
}

/// Messages in flight to the components of one kind, and the components that asked to be evaluated in this cycle.
pub struct Queue<M> {
    calendar: Calendar<(u32, M)>,
    /// Components that asked to be evaluated: in this cycle while messages are received, else in the next. One bit each.
    woken: Vec<u64>,
    /// True if a component asked to be evaluated in the next cycle.
    goes_on: bool,
    order: Order,
}

impl<M> Queue<M> {
    /// An empty queue for `components` components.
    pub fn new(components: usize, order: Order) -> Self {
        Self { calendar: Calendar::default(), woken: vec![0; components.div_ceil(64)], goes_on: false, order }
    }

    /// Files a message for component `to` under cycle `now + delay`.
    #[inline]
    pub fn push(&mut self, now: Cycle, delay: Cycle, to: u32, message: M) {
        self.calendar.push(now, delay, (to, message));
    }

    /// The first cycle after `now` that has a message or a request for evaluation.
    #[inline]
    pub fn next(&self, now: Cycle) -> Option<Cycle> {
        if self.goes_on { Some(now + 1) } else { self.calendar.next(now) }
    }

    /// Components that asked to be evaluated in the next cycle, one bit each.
    pub fn requests(&self) -> &[u64] {
        &self.woken
    }

    /// All messages after cycle `now`, with cycle and receiver, in any order.
    pub fn in_flight(&self, now: Cycle) -> impl Iterator<Item = (Cycle, u32, &M)> {
        self.calendar.iter(now).map(|(at, (to, message))| (at, *to, message))
    }

    fn take(&mut self, now: Cycle) -> Vec<(u32, M)> {
        let mut messages = self.calendar.take(now);
        if let Order::Shuffled(seed) = &mut self.order {
            shuffle(&mut messages, seed);
        }
        messages
    }

    #[inline]
    fn wake(&mut self, id: u32) {
        self.woken[id as usize / 64] |= 1 << (id % 64);
    }
}

/// Delivers the messages of cycle `now` to `components`, then evaluates those that asked for it, now or in the cycle before.
#[inline]
pub fn drive<S, K>(components: &mut [K], schedule: &mut S, queue: impl Fn(&mut S) -> &mut Queue<K::Message>, now: Cycle)
where
    K: Component<S>,
{
    let mut messages = queue(schedule).take(now);
    for (to, message) in messages.drain(..) {
        if components[to as usize].receive(message, schedule) == Wake::Evaluate {
            queue(schedule).wake(to);
        }
    }
    queue(schedule).calendar.recycle(messages);
    let mut goes_on = false;
    // By index: neighbours lie next to each other in memory.
    for word in 0..queue(schedule).woken.len() {
        let mut woken = queue(schedule).woken[word];
        let mut again = 0;
        while woken != 0 {
            let bit = woken.trailing_zeros();
            woken &= woken - 1;
            let wake = components[word * 64 + bit as usize].evaluate(schedule);
            again |= u64::from(wake == Wake::Evaluate) << bit;
        }
        queue(schedule).woken[word] = again;
        goes_on |= again != 0;
    }
    queue(schedule).goes_on = goes_on;
}

/// Fisher-Yates with SplitMix64.
fn shuffle<T>(items: &mut [T], seed: &mut u64) {
    for last in (1..items.len()).rev() {
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        items.swap(last, usize::try_from((z ^ (z >> 31)) % (last as u64 + 1)).expect("at most the last"));
    }
}
