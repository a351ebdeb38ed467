//! Pipeline of a tile's IMAs: the operations between the seven points of docs/model.md, as masks over IMAs.
//!
//! All IMAs of a tile are kept together, one bit each, so that a decision for many IMAs is a few word operations.
//! Windows are not known here; lockstep groups have them.

/// Progress of the operations of a tile's IMAs. Bit `i` of every mask is IMA `i`.
///
/// An operation passes seven points: its inputs are asked for, they arrive in the input register, it starts, its last
/// read frees the crossbars, its results are ready, they are sent, and they are merged in the tile. The input register
/// holds two operations and each output register one, so an operation that has started can always deliver.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// IMAs that may ask for inputs, start and send results as far as their lockstep group is concerned.
    turns: Turns,
    /// Operations in the input register, from the request for inputs to the last read.
    loaded: UpTo,
    /// Operations of `loaded` whose inputs have arrived and which have not started.
    waiting: UpTo,
    /// IMAs whose crossbars are in use.
    reading: u64,
    /// Operations with an output register, from the start until the results are merged.
    held: UpTo,
    /// Operations of `held` whose results are ready and have not been sent.
    ready: UpTo,
}

/// IMAs that are not ahead of their lockstep group.
#[derive(Clone, Copy, Debug)]
struct Turns {
    fetch: u64,
    start: u64,
    send: u64,
}

/// Ends the turn of `imas` of the lockstep group `all`. Returns true if that was the last turn of the group; then all
/// its IMAs have a turn again, for the next window.
#[inline]
fn take_turn(turn: &mut u64, imas: u64, all: u64) -> bool {
    *turn &= !imas;
    let over = *turn & all == 0;
    *turn |= if over { all } else { 0 };
    over
}

/// A number for each IMA, from 0 to a limit of at most 7.
#[derive(Clone, Copy, Debug)]
struct UpTo {
    /// IMAs whose number is above `n`, at index `n`.
    above: [u64; 7],
    /// The limit less one.
    last: usize,
}

impl UpTo {
    /// All numbers at 0.
    fn new(limit: u32) -> Self {
        assert!((1..=7).contains(&limit), "an IMA is at most seven operations ahead");
        Self { above: [0; 7], last: limit as usize - 1 }
    }

    #[inline]
    fn add(&mut self, imas: u64) {
        assert_eq!(self.full() & imas, 0, "an IMA has no room for another operation");
        for number in (0..self.last).rev() {
            self.above[number + 1] |= self.above[number] & imas;
        }
        self.above[0] |= imas;
    }

    #[inline]
    fn take(&mut self, imas: u64) {
        assert_eq!(imas & !self.any(), 0, "an IMA gave an operation that it did not hold");
        for number in 0..self.last {
            self.above[number] &= !imas | self.above[number + 1];
        }
        self.above[self.last] &= !imas;
    }

    /// IMAs whose number is above 0.
    #[inline]
    fn any(&self) -> u64 {
        self.above[0]
    }

    /// IMAs whose number is at the limit.
    #[inline]
    fn full(&self) -> u64 {
        self.above[self.last]
    }
}

impl Pipeline {
    /// Idle IMAs, at most 64, each with `output_registers` output registers, 1 to 7.
    pub fn new(imas: usize, output_registers: u32) -> Self {
        assert!(imas <= 64, "a tile's IMAs are the bits of a word");
        let imas = if imas == 64 { u64::MAX } else { (1 << imas) - 1 };
        Self {
            turns: Turns { fetch: imas, start: imas, send: imas },
            loaded: UpTo::new(2),
            waiting: UpTo::new(2),
            reading: 0,
            held: UpTo::new(output_registers),
            ready: UpTo::new(output_registers),
        }
    }

    /// IMAs that may ask for inputs: it is their turn, and their input register has room.
    #[inline]
    pub fn can_fetch(&self) -> u64 {
        self.turns.fetch & !self.loaded.full()
    }

    /// Records requests for inputs by `imas` of a lockstep group. Returns true if all IMAs of the group have asked now.
    #[inline]
    pub fn fetch(&mut self, imas: u64, lockstep: u64) -> bool {
        self.loaded.add(imas);
        take_turn(&mut self.turns.fetch, imas, lockstep)
    }

    /// Records that inputs are in the input registers.
    #[inline]
    pub fn inputs_arrived(&mut self, imas: u64) {
        self.waiting.add(imas);
    }

    /// IMAs that may start: it is their turn, and they have inputs, free crossbars and a free output register.
    #[inline]
    pub fn can_start(&self) -> u64 {
        self.turns.start & self.waiting.any() & !self.reading & !self.held.full()
    }

    /// Starts the next operation of `imas` of a lockstep group. Returns true if all IMAs of the group have started now.
    #[inline]
    pub fn start(&mut self, imas: u64, lockstep: u64) -> bool {
        self.waiting.take(imas);
        self.reading |= imas;
        self.held.add(imas);
        take_turn(&mut self.turns.start, imas, lockstep)
    }

    /// Records the last read of an operation, which frees the crossbars and a place in the input register.
    #[inline]
    pub fn reads_done(&mut self, imas: u64) {
        self.reading &= !imas;
        self.loaded.take(imas);
    }

    /// Records that the results of an operation are in its output register.
    #[inline]
    pub fn results_ready(&mut self, imas: u64) {
        self.ready.add(imas);
    }

    /// IMAs that may send: it is their turn, and they have results.
    #[inline]
    pub fn can_send(&self) -> u64 {
        self.turns.send & self.ready.any()
    }

    /// Sends results of `imas` of a lockstep group. Returns true if all IMAs of the group have sent now.
    #[inline]
    pub fn send(&mut self, imas: u64, lockstep: u64) -> bool {
        self.ready.take(imas);
        take_turn(&mut self.turns.send, imas, lockstep)
    }

    /// IMAs with an operation at any point.
    pub fn at_work(&self) -> u64 {
        self.loaded.any() | self.held.any()
    }

    /// Records that results are in the tile's output register, which frees an output register of the IMA.
    #[inline]
    pub fn results_merged(&mut self, imas: u64) {
        self.held.take(imas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_starts_when_inputs_crossbars_and_output_register_are_there() {
        let (mut pipeline, lockstep) = (Pipeline::new(2, 2), 0b01);
        assert_eq!(pipeline.can_fetch(), 0b11);
        pipeline.fetch(lockstep, lockstep);
        pipeline.fetch(lockstep, lockstep);
        assert_eq!(pipeline.can_fetch(), 0b10, "the input register holds two operations");
        assert_eq!(pipeline.can_start(), 0, "no inputs yet");
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), lockstep);
        pipeline.start(lockstep, lockstep);
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), 0, "the crossbars are busy");
        pipeline.reads_done(lockstep);
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (lockstep, 0b11));
        pipeline.start(lockstep, lockstep);
        pipeline.reads_done(lockstep);
        pipeline.fetch(lockstep, lockstep);
        pipeline.inputs_arrived(lockstep);
        assert_eq!(pipeline.can_start(), 0, "both output registers are taken");
        pipeline.results_ready(lockstep);
        assert_eq!(pipeline.can_send(), lockstep);
        pipeline.send(lockstep, lockstep);
        assert_eq!((pipeline.can_send(), pipeline.can_start()), (0, 0), "sent, but not merged yet");
        pipeline.results_merged(lockstep);
        assert_eq!(pipeline.can_start(), lockstep);
    }

    #[test]
    fn an_ima_starts_as_many_operations_as_it_has_output_registers() {
        for registers in 1..=7 {
            let mut pipeline = Pipeline::new(2, registers);
            // The other IMA stays behind: numbers of IMAs do not mix.
            for started in 0..=registers {
                pipeline.fetch(0b10, 0b10);
                pipeline.inputs_arrived(0b10);
                assert_eq!(pipeline.can_start() == 0b10, started < registers, "{started} of {registers}");
                if started < registers {
                    pipeline.start(0b10, 0b10);
                    pipeline.reads_done(0b10);
                    pipeline.results_ready(0b10);
                }
            }
            pipeline.send(0b10, 0b10);
            assert_eq!(pipeline.can_start(), 0);
            pipeline.results_merged(0b10);
            assert_eq!(pipeline.can_start(), 0b10);
            for _ in 1..registers {
                pipeline.send(0b10, 0b10);
                pipeline.results_merged(0b10);
            }
            assert_eq!(pipeline.can_send(), 0);
        }
    }

    #[test]
    fn an_ima_waits_for_its_lockstep_group() {
        let (mut pipeline, lockstep) = (Pipeline::new(3, 2), 0b011);
        assert!(!pipeline.fetch(0b001, lockstep));
        assert_eq!(pipeline.can_fetch(), 0b110, "the second of the lockstep comes first");
        assert!(pipeline.fetch(0b010, lockstep));
        assert_eq!(pipeline.can_fetch(), 0b111);
    }

    #[test]
    fn ima_63_is_like_any_other() {
        let mut pipeline = Pipeline::new(64, 2);
        pipeline.fetch(1 << 63, u64::MAX);
        pipeline.inputs_arrived(1 << 63);
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (1 << 63, u64::MAX >> 1));
    }

    #[test]
    #[should_panic(expected = "did not hold")]
    fn results_that_are_not_there_cannot_be_sent() {
        Pipeline::new(1, 2).send(1, 1);
    }
}
