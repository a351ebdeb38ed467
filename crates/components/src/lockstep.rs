use des::Cycle;

use crate::ImaTiming;

/// The IMAs of a tile that work on the same outputs of a replica.
///
/// They keep step: none is given inputs of the next window before all have been given those of this one, and the same
/// holds where they start and where they send their results. So the lockstep group knows which window its IMAs are at,
/// and an IMA need not.
#[derive(Clone, Debug)]
pub struct LockstepGroup {
    /// Its IMAs, one bit each.
    pub imas: u64,
    /// Number of the replica's layer control in the tile.
    pub control: u8,
    /// Its IMAs by their cycles: those that use fewer columns may be faster.
    pub timings: Vec<(u64, ImaTiming)>,
    /// The window whose inputs are asked for.
    pub fetching: u32,
    /// The window whose operation starts.
    pub starting: u32,
    /// The window whose results are sent.
    pub sending: u32,
    /// When inputs of the window before `fetching` were asked for by the last of its IMAs.
    pub fetched_at: Cycle,
    /// When the operation before `starting` started in the last of its IMAs.
    pub started_at: Cycle,
    /// The inputs that arrive.
    pub arriving: BarrierPhase,
    /// The results that are merged.
    pub merging: BarrierPhase,
    /// Operations in closed form in which all crossbars took part, of each IMA, and their reads.
    pub closed_form: (u64, u64),
}

/// Windows that a [`BarrierPhase`] looks ahead: more than an IMA has input and output registers.
const WINDOWS: u32 = 8;

/// Where a lockstep group is with something that happens to its IMAs in their turn: perhaps for several windows in one
/// cycle, and then in any order.
#[derive(Clone, Debug, Default)]
pub struct BarrierPhase {
    /// The window that it has not happened to everywhere.
    pub window: u32,
    /// By window modulo [`WINDOWS`], from that one on: the IMAs for which it has happened.
    happened: [u64; WINDOWS as usize],
}

impl LockstepGroup {
    /// A lockstep group before its first window. `timings` are its IMAs, each as one bit, with their cycles.
    pub fn new(control: u8, timings: impl IntoIterator<Item = (u64, ImaTiming)>) -> Self {
        let (mut imas, mut groups) = (0, Vec::<(u64, ImaTiming)>::new());
        for (ima, timing) in timings {
            imas |= ima;
            match groups.iter_mut().find(|(_, of)| *of == timing) {
                Some((group, _)) => *group |= ima,
                None => groups.push((ima, timing)),
            }
        }
        Self {
            imas,
            control,
            timings: groups,
            fetching: 0,
            starting: 0,
            sending: 0,
            fetched_at: 0,
            started_at: 0,
            arriving: BarrierPhase::default(),
            merging: BarrierPhase::default(),
            closed_form: (0, 0),
        }
    }
}

impl BarrierPhase {
    /// It happens for `imas` of the lockstep group `all`, for each in its next window. Tells `each` the windows and
    /// their IMAs.
    #[inline]
    pub fn take(&mut self, imas: u64, all: u64, mut each: impl FnMut(u32, u64)) {
        let first = &mut self.happened[(self.window % WINDOWS) as usize];
        // Mostly nobody is ahead.
        let (mut window, mut left) = (self.window, imas);
        if imas & *first == 0 {
            *first |= imas;
            left = 0;
            each(window, imas);
        }
        while left != 0 {
            assert!(window - self.window < WINDOWS, "an IMA is too far ahead of its lockstep");
            let happened = &mut self.happened[(window % WINDOWS) as usize];
            let here = left & !*happened;
            *happened |= here;
            left &= !here;
            if here != 0 {
                each(window, here);
            }
            window += 1;
        }
        while self.happened[(self.window % WINDOWS) as usize] == all {
            self.happened[(self.window % WINDOWS) as usize] = 0;
            self.window += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = 0b111;

    fn take(phase: &mut BarrierPhase, imas: u64) -> Vec<(u32, u64)> {
        let mut taken = Vec::new();
        phase.take(imas, ALL, |window, imas| taken.push((window, imas)));
        taken
    }

    #[test]
    fn imas_are_grouped_by_their_cycles() {
        let timing = |cycles_per_read| ImaTiming { cycles_per_read, convert_cycles: 1, merge_cycles: 1 };
        let lockstep = LockstepGroup::new(0, [(0b001, timing(1)), (0b010, timing(2)), (0b100, timing(1))]);
        assert_eq!((lockstep.imas, lockstep.timings), (0b111, vec![(0b101, timing(1)), (0b010, timing(2))]));
    }

    #[test]
    fn a_round_ends_with_its_last_ima_whoever_is_ahead() {
        let mut phase = BarrierPhase::default();
        assert_eq!(take(&mut phase, 0b011), [(0, 0b011)]);
        assert_eq!(take(&mut phase, 0b001), [(1, 0b001)], "for the first it is the next window already");
        assert_eq!(take(&mut phase, 0b011), [(1, 0b010), (2, 0b001)]);
        assert_eq!(phase.window, 0);
        assert_eq!(take(&mut phase, 0b100), [(0, 0b100)]);
        assert_eq!(phase.window, 1);
        assert_eq!(take(&mut phase, 0b110), [(1, 0b100), (2, 0b010)]);
        assert_eq!(phase.window, 2);
    }

    #[test]
    fn the_order_of_what_happens_in_a_cycle_does_not_matter() {
        // What is left of window 0, windows 1 and 2, and the first of window 3.
        let events = [0b110, 0b111, 0b111, 0b001];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2]];
        let ends = orders.map(|order| {
            let (mut phase, mut windows) = (BarrierPhase::default(), [0; 4]);
            take(&mut phase, 0b001);
            for event in order {
                for (window, imas) in take(&mut phase, events[event]) {
                    windows[window as usize] += imas.count_ones();
                }
            }
            (phase.window, phase.happened, windows)
        });
        assert_eq!(ends, [(3, [0, 0, 0, 0b001, 0, 0, 0, 0], [2, 3, 3, 1]); 4]);
    }

    #[test]
    #[should_panic(expected = "too far ahead")]
    fn no_ima_is_eight_windows_ahead() {
        let mut phase = BarrierPhase::default();
        for _ in 0..9 {
            take(&mut phase, 0b001);
        }
    }
}
