//! Pipeline of a tile's IMAs: the operations between the seven points of docs/model.md, as sets of IMAs.
//!
//! All IMAs of a tile are kept together in sets, so that a decision for many IMAs is a few word operations.
//! Windows are not known here; lockstep groups have them.

use des::{Fingerprint, Recurrent};
use index::{Set, size};

use crate::ImaId;

/// Progress of the operations of a tile's IMAs. A member of a set has what the set is named for.
///
/// An operation passes seven points: its inputs are asked for, they arrive in the input register, it starts, its last
/// read frees the crossbars, its results are ready, they are sent, and they are merged in the tile. The input register
/// holds two operations and each output register one, so an operation that has started can always deliver.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    /// IMAs that may ask for inputs, start and send results as far as their lockstep group is concerned.
    turns: Turns,
    /// Places free in the input register. An operation has one from the request for its inputs to its last read.
    free_inputs: UpTo,
    /// Operations whose inputs have arrived and which have not started.
    waiting: UpTo,
    /// IMAs whose crossbars are in use.
    reading: Set<ImaId>,
    /// Output registers that are free. An operation has one from its start until its results are merged.
    free_outputs: UpTo,
    /// Operations whose results are ready and have not been sent.
    ready: UpTo,
}

/// IMAs that are not ahead of their lockstep group.
#[derive(Clone, Copy, Debug)]
struct Turns {
    fetch: Set<ImaId>,
    start: Set<ImaId>,
    send: Set<ImaId>,
}

/// Ends the turn of `imas` of the lockstep group `all`. Returns true if that was the last turn of the group; then all
/// its IMAs have a turn again, for the next window.
#[inline]
fn take_turn(turn: &mut Set<ImaId>, imas: Set<ImaId>, all: Set<ImaId>) -> bool {
    *turn -= imas;
    let over = (*turn & all).is_empty();
    *turn |= if over { all } else { Set::EMPTY };
    over
}

/// A number for each IMA, from 0 to a limit of at most 7.
#[derive(Clone, Copy, Debug)]
struct UpTo {
    /// IMAs whose number is above `n`, at index `n`.
    above: [Set<ImaId>; 7],
    /// The limit less one.
    last: usize,
}

impl UpTo {
    /// All numbers at 0.
    fn new(limit: u32) -> Self {
        assert!((1..=7).contains(&limit), "an IMA is at most seven operations ahead");
        Self { above: [Set::EMPTY; 7], last: size(limit) - 1 }
    }

    /// The numbers of `imas` at the limit, all others at 0.
    fn at_limit(limit: u32, imas: Set<ImaId>) -> Self {
        let mut numbers = Self::new(limit);
        (0..limit).for_each(|_| numbers.add(imas));
        numbers
    }

    #[inline]
    fn add(&mut self, imas: Set<ImaId>) {
        assert!((self.full() & imas).is_empty(), "the number of an IMA is at its limit");
        // Most limits are 2.
        if self.last > 1 {
            self.add_above_two(imas);
        }
        self.above[1] |= self.above[0] & imas;
        self.above[0] |= imas;
    }

    #[inline(never)]
    fn add_above_two(&mut self, imas: Set<ImaId>) {
        for number in (1..self.last).rev() {
            self.above[number + 1] |= self.above[number] & imas;
        }
    }

    #[inline]
    fn take(&mut self, imas: Set<ImaId>) {
        debug_assert!((imas - self.any()).is_empty(), "the number of an IMA is 0");
        self.above[0] = (self.above[0] - imas) | self.above[1];
        if self.last > 1 {
            self.take_above_two(imas);
        } else {
            self.above[1] -= imas;
        }
    }

    #[inline(never)]
    fn take_above_two(&mut self, imas: Set<ImaId>) {
        for number in 1..self.last {
            self.above[number] = (self.above[number] - imas) | self.above[number + 1];
        }
        self.above[self.last] -= imas;
    }

    /// IMAs whose number is above 0.
    #[inline]
    fn any(&self) -> Set<ImaId> {
        self.above[0]
    }

    /// IMAs whose number is at the limit.
    #[inline]
    fn full(&self) -> Set<ImaId> {
        self.above[self.last]
    }
}

impl Pipeline {
    /// Idle IMAs, at most 64, each with `output_registers` output registers, 1 to 7.
    pub(crate) fn new(imas: usize, output_registers: u32) -> Self {
        let imas = Set::below(imas);
        Self {
            turns: Turns { fetch: imas, start: imas, send: imas },
            free_inputs: UpTo::at_limit(2, imas),
            waiting: UpTo::new(2),
            reading: Set::EMPTY,
            free_outputs: UpTo::at_limit(output_registers, imas),
            ready: UpTo::new(output_registers),
        }
    }

    /// IMAs that may ask for inputs: it is their turn, and their input register has room.
    #[inline]
    pub(crate) fn can_fetch(&self) -> Set<ImaId> {
        self.turns.fetch & self.free_inputs.any()
    }

    /// Records requests for inputs by `imas` of a lockstep group. Returns true if all IMAs of the group have asked now.
    #[inline]
    pub(crate) fn fetch(&mut self, imas: Set<ImaId>, lockstep: Set<ImaId>) -> bool {
        self.free_inputs.take(imas);
        take_turn(&mut self.turns.fetch, imas, lockstep)
    }

    /// True if some IMAs of a lockstep group, and not all, have asked for inputs of their next window.
    pub(crate) fn has_fetched_some(&self, lockstep: Set<ImaId>) -> bool {
        self.turns.fetch & lockstep != lockstep
    }

    /// Records that inputs are in the input registers.
    #[inline]
    pub(crate) fn inputs_arrived(&mut self, imas: Set<ImaId>) {
        self.waiting.add(imas);
    }

    /// IMAs that may start: it is their turn, and they have inputs, free crossbars and a free output register.
    #[inline]
    pub(crate) fn can_start(&self) -> Set<ImaId> {
        (self.turns.start & self.waiting.any() & self.free_outputs.any()) - self.reading
    }

    /// Starts the next operation of `imas` of a lockstep group. Returns true if all IMAs of the group have started now.
    #[inline]
    pub(crate) fn start(&mut self, imas: Set<ImaId>, lockstep: Set<ImaId>) -> bool {
        self.waiting.take(imas);
        self.reading |= imas;
        self.free_outputs.take(imas);
        take_turn(&mut self.turns.start, imas, lockstep)
    }

    /// Records the last read of an operation, which frees the crossbars and a place in the input register.
    #[inline]
    pub(crate) fn reads_done(&mut self, imas: Set<ImaId>) {
        self.reading -= imas;
        self.free_inputs.add(imas);
    }

    /// Records that the results of an operation are in its output register.
    #[inline]
    pub(crate) fn results_ready(&mut self, imas: Set<ImaId>) {
        self.ready.add(imas);
    }

    /// IMAs that may send: it is their turn, and they have results.
    #[inline]
    pub(crate) fn can_send(&self) -> Set<ImaId> {
        self.turns.send & self.ready.any()
    }

    /// Sends results of `imas` of a lockstep group. Returns true if all IMAs of the group have sent now.
    #[inline]
    pub(crate) fn send(&mut self, imas: Set<ImaId>, lockstep: Set<ImaId>) -> bool {
        self.ready.take(imas);
        take_turn(&mut self.turns.send, imas, lockstep)
    }

    /// IMAs without an operation at any point.
    pub(crate) fn idle(&self) -> Set<ImaId> {
        self.free_inputs.full() & self.free_outputs.full()
    }

    /// Records that results are in the tile's output register, which frees an output register of the IMA.
    #[inline]
    pub(crate) fn results_merged(&mut self, imas: Set<ImaId>) {
        self.free_outputs.add(imas);
    }
}

impl Recurrent for UpTo {
    fn state(&self, print: &mut Fingerprint) {
        let Self { above, last: _ } = self;
        print.numbers(above.map(Set::bits));
    }
}

impl Recurrent for Pipeline {
    fn state(&self, print: &mut Fingerprint) {
        let Self { turns: Turns { fetch, start, send }, free_inputs, waiting, reading, free_outputs, ready } = self;
        print.numbers([fetch, start, send, reading].map(|imas| imas.bits()));
        for numbers in [free_inputs, waiting, free_outputs, ready] {
            numbers.state(print);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    fn imas(bits: u64) -> Set<ImaId> {
        Set::from_bits(bits)
    }

    #[test]
    fn an_operation_starts_when_inputs_crossbars_and_output_register_are_there() {
        let (mut pipeline, lockstep) = (Pipeline::new(2, 2), imas(0b01));
        assert_eq!(pipeline.can_fetch(), imas(0b11));
        pipeline.fetch(lockstep, lockstep);
        pipeline.fetch(lockstep, lockstep);
        assert_eq!(pipeline.can_fetch(), imas(0b10), "the input register holds two operations");
        assert_eq!(pipeline.can_start(), Set::EMPTY, "no inputs yet");
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), lockstep);
        pipeline.start(lockstep, lockstep);
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), Set::EMPTY, "the crossbars are busy");
        pipeline.reads_done(lockstep);
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (lockstep, imas(0b11)));
        pipeline.start(lockstep, lockstep);
        pipeline.reads_done(lockstep);
        pipeline.fetch(lockstep, lockstep);
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), Set::EMPTY, "both output registers are taken");
        pipeline.results_ready(lockstep);
        assert_eq!(pipeline.can_send(), lockstep);
        pipeline.send(lockstep, lockstep);
        assert_eq!((pipeline.can_send(), pipeline.can_start()), (Set::EMPTY, Set::EMPTY), "sent, but not merged yet");
        pipeline.results_merged(lockstep);
        assert_eq!(pipeline.can_start(), lockstep);
    }

    #[test]
    fn an_ima_starts_as_many_operations_as_it_has_output_registers() {
        for registers in 1..=7 {
            let mut pipeline = Pipeline::new(2, registers);
            // The other IMA stays behind: numbers of IMAs do not mix.
            for started in 0..=registers {
                pipeline.fetch(imas(0b10), imas(0b10));
                pipeline.inputs_arrived(imas(0b10));
                assert_eq!(pipeline.can_start() == imas(0b10), started < registers, "{started} of {registers}");
                if started < registers {
                    pipeline.start(imas(0b10), imas(0b10));
                    pipeline.reads_done(imas(0b10));
                    pipeline.results_ready(imas(0b10));
                }
            }
            pipeline.send(imas(0b10), imas(0b10));
            assert_eq!(pipeline.can_start(), Set::EMPTY);
            pipeline.results_merged(imas(0b10));
            assert_eq!(pipeline.can_start(), imas(0b10));
            for _ in 1..registers {
                pipeline.send(imas(0b10), imas(0b10));
                pipeline.results_merged(imas(0b10));
            }
            assert_eq!(pipeline.can_send(), Set::EMPTY);
        }
    }

    #[test]
    fn an_ima_waits_for_its_lockstep_group() {
        let (mut pipeline, lockstep) = (Pipeline::new(3, 2), imas(0b011));
        assert!(!pipeline.has_fetched_some(lockstep));
        assert!(!pipeline.fetch(imas(0b001), lockstep));
        assert!(pipeline.has_fetched_some(lockstep));
        assert_eq!(pipeline.can_fetch(), imas(0b110), "the second of the lockstep comes first");
        assert!(pipeline.fetch(imas(0b010), lockstep));
        assert!(!pipeline.has_fetched_some(lockstep));
        assert_eq!(pipeline.can_fetch(), imas(0b111));
    }

    #[test]
    fn ima_63_is_like_any_other() {
        let mut pipeline = Pipeline::new(64, 2);
        pipeline.fetch(imas(1 << 63), imas(u64::MAX));
        pipeline.inputs_arrived(imas(1 << 63));
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (imas(1 << 63), imas(u64::MAX >> 1)));
    }

    #[test]
    #[should_panic(expected = "is 0")]
    fn results_that_are_not_there_cannot_be_sent() {
        Pipeline::new(1, 2).send(imas(1), imas(1));
    }

    #[test]
    fn operations_at_every_point_are_state() {
        assert_told_apart(
            &Pipeline::new(1, 2),
            Recurrent::state,
            &[
                |pipeline| pipeline.turns.fetch = Set::EMPTY,
                |pipeline| pipeline.turns.start = Set::EMPTY,
                |pipeline| pipeline.turns.send = Set::EMPTY,
                |pipeline| pipeline.free_inputs.take(imas(1)),
                |pipeline| pipeline.waiting.add(imas(1)),
                |pipeline| pipeline.reading = imas(1),
                |pipeline| pipeline.free_outputs.take(imas(1)),
                |pipeline| pipeline.ready.add(imas(1)),
                |pipeline| (0..2).for_each(|_| pipeline.ready.add(imas(1))),
            ],
        );
    }
}
