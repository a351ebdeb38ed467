//! Lockstep groups: the IMAs of a tile that work on the same output group of the same replica.
//!
//! Three decisions are taken for one window at a time: to ask for inputs, to start and to send results. None of the
//! IMAs proceeds to the next window before all have passed the decision for the present one, so the group has one
//! window number for each decision. Transfers over the bus end at different times: [`BarrierPhase`] follows these, IMA
//! by IMA.

use std::ops::Range;

use des::{Cycle, Fingerprint};
use index::{Set, size};

use crate::{ControlId, ImaId, ImaTiming};

/// The IMAs of a tile that work on the same output group of a replica.
///
/// They keep step: no IMA asks for inputs of the next window before all have asked for those of the present one, and
/// the same holds for starts and for sending results. Windows are therefore numbered by group and not by IMA.
#[derive(Clone, Debug)]
pub struct LockstepGroup {
    /// IMAs of the group.
    pub(crate) imas: Set<ImaId>,
    /// Layer control of the replica.
    pub(crate) control: ControlId,
    /// IMAs by their timing: those that use fewer columns may be faster.
    pub(crate) timings: Vec<(Set<ImaId>, ImaTiming)>,
    /// Window whose inputs are asked for next, counted over all images, as are the following.
    pub(crate) fetching: u32,
    /// Window whose operation starts next.
    pub(crate) starting: u32,
    /// Window whose results are sent next.
    pub(crate) sending: u32,
    /// Cycle in which the last IMA asked for inputs of the window before `fetching`.
    pub(crate) fetched_at: Cycle,
    /// Cycle in which the last IMA started the operation before `starting`.
    pub(crate) started_at: Cycle,
    /// Arrival of inputs in the input registers.
    pub(crate) arriving: BarrierPhase,
    /// Merging of results in the tile's output register.
    pub(crate) merging: BarrierPhase,
    /// (operations, reads) of each IMA that are counted here and not in the IMA: those in closed form with all
    /// crossbars.
    pub(crate) closed_form: (u64, u64),
    /// Bits of an activation, summed over the windows whose inputs each IMA has fetched for all its rows.
    pub(crate) whole_bits: u64,
}

/// Windows that are kept apart: more than an IMA may be ahead with its input or output registers.
pub(crate) const WINDOWS: u32 = arch::MOST_OUTPUT_REGISTERS + 1;

/// Progress of a lockstep group through one event, which each IMA passes once for each window.
///
/// An IMA may be several windows ahead of the slowest. The result does not depend on the order of events in a cycle.
#[derive(Clone, Debug, Default)]
pub(crate) struct BarrierPhase {
    /// First window that not all IMAs have passed.
    pub(crate) window: u32,
    /// IMAs that have passed each window from `window` on, by window modulo [`WINDOWS`].
    happened: [Set<ImaId>; WINDOWS as usize],
}

impl LockstepGroup {
    /// Adds the state to a fingerprint, for a replica of `windows` windows.
    pub(crate) fn state(&self, windows: u32, print: &mut Fingerprint) {
        let &Self {
            imas: _,
            control: _,
            timings: _,
            fetching,
            starting,
            sending,
            fetched_at,
            started_at,
            ref arriving,
            ref merging,
            closed_form: _,
            whole_bits: _,
        } = self;
        for window in [fetching, starting, sending] {
            print.counted(window, windows);
        }
        // The pause before the first window has a cause of its own.
        print.number(starting == 0);
        print.cycle(fetched_at);
        print.cycle(started_at);
        arriving.state(windows, print);
        merging.state(windows, print);
    }

    /// A lockstep group before its first window, of these IMAs with their timings.
    pub fn new(control: ControlId, timings: impl IntoIterator<Item = (ImaId, ImaTiming)>) -> Self {
        let (mut imas, mut groups) = (Set::EMPTY, Vec::<(Set<ImaId>, ImaTiming)>::new());
        for (ima, timing) in timings {
            imas.insert(ima);
            match groups.iter_mut().find(|(_, of)| *of == timing) {
                Some((group, _)) => group.insert(ima),
                None => groups.push((Set::one(ima), timing)),
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
            whole_bits: 0,
        }
    }
}

impl BarrierPhase {
    /// Records the event for `imas` of the lockstep group `all`, for each in its next window. Returns the windows that
    /// all IMAs have passed by it.
    #[inline]
    pub(crate) fn take(&mut self, imas: Set<ImaId>, all: Set<ImaId>) -> Range<u32> {
        let first = self.window;
        let passed = self.passed(first);
        if !(*passed & imas).is_empty() {
            return self.take_ahead(imas, all);
        }
        *passed |= imas;
        if *passed == all {
            // The next window goes on, since these IMAs have not passed it.
            *passed = Set::EMPTY;
            self.window += 1;
        }
        first..self.window
    }

    /// Records the event for `imas`, some of which have passed the present window before.
    #[cold]
    fn take_ahead(&mut self, imas: Set<ImaId>, all: Set<ImaId>) -> Range<u32> {
        let (first, mut window, mut left) = (self.window, self.window, imas);
        while !left.is_empty() {
            assert!(window - self.window < WINDOWS, "an IMA is too far ahead of its lockstep group");
            let passed = self.passed(window);
            let ahead = left & *passed;
            *passed |= left;
            left = ahead;
            window += 1;
        }
        while *self.passed(self.window) == all {
            *self.passed(self.window) = Set::EMPTY;
            self.window += 1;
        }
        first..self.window
    }

    /// True if some IMAs have passed a window that others have not.
    pub(crate) fn is_under_way(&self) -> bool {
        self.happened.iter().any(|passed| !passed.is_empty())
    }

    /// Adds the state to a fingerprint, for a replica of `windows` windows.
    fn state(&self, windows: u32, print: &mut Fingerprint) {
        let Self { window, happened } = self;
        print.counted(*window, windows);
        print.numbers((0..WINDOWS).map(|ahead| happened[size((window + ahead) % WINDOWS)].bits()));
    }

    /// IMAs that have passed `window`.
    #[inline]
    fn passed(&mut self, window: u32) -> &mut Set<ImaId> {
        &mut self.happened[size(window % WINDOWS)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    fn take(phase: &mut BarrierPhase, imas: u64) -> Range<u32> {
        phase.take(Set::from_bits(imas), Set::below(3))
    }

    #[test]
    fn imas_are_grouped_by_their_cycles() {
        let timing = |cycles_per_read| ImaTiming { cycles_per_read, convert_cycles: 1, merge_cycles: 1 };
        let timings = [(ImaId(0), timing(1)), (ImaId(1), timing(2)), (ImaId(2), timing(1))];
        let lockstep = LockstepGroup::new(ControlId(0), timings);
        assert_eq!(lockstep.imas, Set::below(3));
        let groups = [(Set::from_iter([ImaId(0), ImaId(2)]), timing(1)), (Set::one(ImaId(1)), timing(2))];
        assert_eq!(lockstep.timings, groups);
    }

    #[test]
    fn a_phase_ends_with_its_last_ima_whoever_is_ahead() {
        let mut phase = BarrierPhase::default();
        assert_eq!(take(&mut phase, 0b011), 0..0);
        assert_eq!(take(&mut phase, 0b001), 0..0, "for the first it is the next window already");
        assert_eq!(take(&mut phase, 0b011), 0..0);
        assert_eq!(take(&mut phase, 0b100), 0..1);
        assert_eq!(take(&mut phase, 0b110), 1..2);
        assert!(phase.is_under_way());
        assert_eq!(take(&mut phase, 0b100), 2..3);
        assert!(!phase.is_under_way());
    }

    #[test]
    fn the_order_of_what_happens_in_a_cycle_does_not_matter() {
        // The remaining IMAs of window 0, all of windows 1 and 2, and the first of window 3.
        let events = [0b110, 0b111, 0b111, 0b001];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2]];
        for order in orders {
            let (mut phase, mut windows) = (BarrierPhase::default(), Vec::new());
            take(&mut phase, 0b001);
            for event in order {
                windows.extend(take(&mut phase, events[event]));
            }
            let end = (phase.window, phase.happened.map(Set::bits), windows);
            assert_eq!(end, (3, [0, 0, 0, 0b001, 0, 0, 0, 0], vec![0, 1, 2]), "{order:?}");
        }
    }

    #[test]
    #[should_panic(expected = "too far ahead")]
    fn no_ima_is_eight_windows_ahead() {
        let mut phase = BarrierPhase::default();
        for _ in 0..9 {
            take(&mut phase, 0b001);
        }
    }

    #[test]
    fn windows_and_cycles_of_a_group_are_state() {
        let group = LockstepGroup { starting: 5, ..LockstepGroup::new(ControlId(0), []) };
        assert_told_apart(
            &group,
            |group, print| group.state(4, print),
            &[
                |group| group.fetching += 1,
                |group| group.starting += 1,
                |group| group.starting = 0,
                |group| group.sending += 1,
                |group| group.fetched_at += 1,
                |group| group.started_at += 1,
                |group| group.arriving.window += 1,
                |group| group.merging.window += 1,
                |group| group.arriving.happened[1] = Set::one(ImaId(0)),
                |group| group.merging.happened[1] = Set::one(ImaId(0)),
                |group| group.merging.happened[2] = Set::one(ImaId(0)),
            ],
        );
    }
}
