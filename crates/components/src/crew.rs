use crate::ImaTiming;

/// The IMAs of a tile that work on the same outputs of a copy.
///
/// They keep step: none is given inputs of the next window before all have been given those of this one, and the same
/// holds where they start and where they send their results. So the crew knows which window its IMAs are at, and an
/// IMA need not.
#[derive(Clone, Debug)]
pub struct Crew {
    /// Its IMAs, one bit each.
    pub imas: u64,
    /// Number of the copy's layer control in the tile.
    pub control: u8,
    /// Its IMAs by their cycles: those that use fewer columns may be faster.
    pub timings: Vec<(u64, ImaTiming)>,
    /// The window whose inputs are asked for.
    pub fetching: u32,
    /// The window whose operation starts.
    pub starting: u32,
    /// The window whose results are sent.
    pub sending: u32,
    /// The inputs that arrive.
    pub arriving: Round,
    /// The results that are merged.
    pub merging: Round,
    /// Operations in closed form in which all crossbars took part, of each IMA, and their reads.
    pub closed_form: (u64, u64),
}

/// Where a crew is with something that happens to its IMAs in their turn, but perhaps to the first for the next window
/// in the same cycle as to the last for this one.
#[derive(Clone, Debug)]
pub struct Round {
    /// The window that it has not happened to everywhere.
    pub window: u32,
    /// IMAs for which it is still to happen.
    missing: u64,
    /// IMAs for which it has happened for the window after, too.
    ahead: u64,
}

impl Crew {
    /// A crew before its first window. `timings` are its IMAs, each as one bit, with their cycles.
    pub fn new(control: u8, timings: impl IntoIterator<Item = (u64, ImaTiming)>) -> Self {
        let (mut imas, mut groups) = (0, Vec::<(u64, ImaTiming)>::new());
        for (ima, timing) in timings {
            imas |= ima;
            match groups.iter_mut().find(|(_, of)| *of == timing) {
                Some((group, _)) => *group |= ima,
                None => groups.push((ima, timing)),
            }
        }
        let round = Round { window: 0, missing: imas, ahead: 0 };
        Self {
            imas,
            control,
            timings: groups,
            fetching: 0,
            starting: 0,
            sending: 0,
            arriving: round.clone(),
            merging: round,
            closed_form: (0, 0),
        }
    }
}

impl Round {
    /// It happens for `imas` of the crew `all`: for one window, or for the last in one and the first in the next.
    /// Returns the window, the IMAs for which it is that window, and the IMAs for which it is the next.
    #[inline]
    pub fn take(&mut self, imas: u64, all: u64) -> (u32, u64, u64) {
        let (window, this, next) = (self.window, imas & self.missing, imas & !self.missing);
        assert_eq!(self.ahead & next, 0, "an IMA is two windows ahead of its crew");
        self.missing &= !this;
        self.ahead |= next;
        if self.missing == 0 {
            self.window += 1;
            self.missing = all & !self.ahead;
            self.ahead = 0;
        }
        (window, this, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(imas: u64) -> Round {
        Round { window: 0, missing: imas, ahead: 0 }
    }

    #[test]
    fn imas_are_grouped_by_their_cycles() {
        let timing = |cycles_per_read| ImaTiming { cycles_per_read, convert_cycles: 1, merge_cycles: 1 };
        let crew = Crew::new(0, [(0b001, timing(1)), (0b010, timing(2)), (0b100, timing(1))]);
        assert_eq!((crew.imas, crew.timings), (0b111, vec![(0b101, timing(1)), (0b010, timing(2))]));
    }

    #[test]
    fn a_round_ends_with_its_last_ima_whoever_is_ahead() {
        let mut round = round(0b111);
        assert_eq!(round.take(0b011, 0b111), (0, 0b011, 0));
        assert_eq!(round.take(0b001, 0b111), (0, 0, 0b001), "for the first it is the next window already");
        assert_eq!(round.window, 0);
        assert_eq!(round.take(0b100, 0b111), (0, 0b100, 0));
        assert_eq!(round.window, 1);
        assert_eq!(round.take(0b110, 0b111), (1, 0b110, 0));
        assert_eq!(round.window, 2);
    }

    #[test]
    fn the_order_of_what_happens_in_a_cycle_does_not_matter() {
        let orders = [[0b010, 0b100, 0b001], [0b001, 0b100, 0b010], [0b100, 0b001, 0b010]];
        let ends = orders.map(|order| {
            let mut round = round(0b111);
            round.take(0b001, 0b111);
            for imas in order {
                round.take(imas, 0b111);
            }
            (round.window, round.missing, round.ahead)
        });
        assert_eq!(ends, [(1, 0b110, 0); 3]);
    }

    #[test]
    #[should_panic(expected = "two windows ahead")]
    fn no_ima_is_two_windows_ahead() {
        let mut round = round(0b11);
        for _ in 0..3 {
            round.take(0b01, 0b11);
        }
    }
}
