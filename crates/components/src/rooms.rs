use des::Cycle;

/// Room in the eDRAM buffers of the board: for each slice of inputs, how many of its positions may have been sent.
///
/// Stands for credits that travel from the buffer to those who send to it. A limit that is raised in a cycle is seen
/// from the next cycle on, as a message would be, in whatever order tiles are evaluated. Who finds no room is told of
/// the next rise, once.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    limits: Vec<Limit>,
    /// For each slice, the tiles of the board that wait for room.
    waiting: Vec<Vec<u32>>,
}

/// Positions that may have been sent, counted over all images.
#[derive(Clone, Copy, Debug)]
struct Limit {
    now: u32,
    /// The limit at the start of cycle `raised_at`.
    before: u32,
    raised_at: Cycle,
}

impl Rooms {
    /// Slices with these limits at first.
    pub fn new(limits: impl IntoIterator<Item = u32>) -> Self {
        let limits: Vec<_> = limits.into_iter().map(|now| Limit { now, before: now, raised_at: 0 }).collect();
        Self { waiting: vec![Vec::new(); limits.len()], limits }
    }

    /// Positions of `slice` that may have been sent, as seen in cycle `now`.
    #[inline]
    pub fn limit(&self, slice: u32, now: Cycle) -> u32 {
        let limit = self.limits[slice as usize];
        if limit.raised_at == now { limit.before } else { limit.now }
    }

    /// Raises the limit of `slice` in cycle `now`. Returns the tiles that waited, to be woken in the next cycle.
    pub fn raise(&mut self, slice: u32, to: u32, now: Cycle) -> Vec<u32> {
        let limit = &mut self.limits[slice as usize];
        *limit =
            Limit { now: to, before: if limit.raised_at == now { limit.before } else { limit.now }, raised_at: now };
        std::mem::take(&mut self.waiting[slice as usize])
    }

    /// Tile `tile` waits for room in `slice`. Returns whether there is more in the next cycle already.
    pub fn wait(&mut self, slice: u32, tile: u32, now: Cycle) -> bool {
        if self.limits[slice as usize].raised_at == now {
            return true;
        }
        let waiting = &mut self.waiting[slice as usize];
        if !waiting.contains(&tile) {
            waiting.push(tile);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_is_seen_in_the_next_cycle_and_not_in_its_own() {
        let mut rooms = Rooms::new([3, 3]);
        assert!(rooms.raise(1, 5, 10).is_empty());
        assert_eq!((rooms.limit(1, 10), rooms.limit(1, 11), rooms.limit(0, 11)), (3, 5, 3));
        rooms.raise(1, 6, 10);
        assert_eq!((rooms.limit(1, 10), rooms.limit(1, 11)), (3, 6), "twice in a cycle");
    }

    #[test]
    fn who_waits_is_woken_once_by_a_rise_before_or_after() {
        let mut rooms = Rooms::new([3]);
        assert!(!rooms.wait(0, 7, 9) && !rooms.wait(0, 7, 9) && !rooms.wait(0, 2, 9));
        assert_eq!(rooms.raise(0, 4, 9), [7, 2]);
        assert!(rooms.wait(0, 7, 9), "it saw the limit before the rise of this cycle");
        assert!(rooms.raise(0, 5, 10).is_empty(), "and need not be woken twice");
    }
}
