/// How far the operations of a tile's IMAs are. Bit `i` of every mask is IMA `i`.
///
/// An operation passes seven points: its inputs are asked for, they arrive in the input register, it starts, its last
/// read frees the crossbars, its results are ready, they are sent, and they are merged in the tile. Input and output
/// register hold two operations each, so between two points there are at most two, and an operation that has started
/// can always deliver.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// IMAs whose turn it is to ask for inputs, to start and to send results.
    turns: Turns,
    /// Operations in the input register, from the request on until the last read.
    loaded: UpToTwo,
    /// Those of them whose inputs are there, and which have not started.
    waiting: UpToTwo,
    /// Crossbars at work.
    reading: u64,
    /// Operations with a place in the output register, from the start on until the results are merged.
    held: UpToTwo,
    /// Those of them whose results are there, and have not been sent.
    ready: UpToTwo,
}

/// IMAs that are not ahead of their crew.
#[derive(Clone, Copy, Debug)]
struct Turns {
    fetch: u64,
    start: u64,
    send: u64,
}

/// Takes `imas` of the crew `all` out of those whose turn it is. Returns whether the round is over; then it is everyone's
/// turn again.
#[inline]
fn take_turn(turn: &mut u64, imas: u64, all: u64) -> bool {
    *turn &= !imas;
    let over = *turn & all == 0;
    *turn |= if over { all } else { 0 };
    over
}

/// A number from 0 to 2 for each IMA.
#[derive(Clone, Copy, Debug, Default)]
struct UpToTwo {
    /// At least one.
    one: u64,
    two: u64,
}

impl UpToTwo {
    #[inline]
    fn add(&mut self, imas: u64) {
        assert_eq!(self.two & imas, 0, "an IMA holds two operations, not three");
        self.two |= self.one & imas;
        self.one |= imas;
    }

    #[inline]
    fn take(&mut self, imas: u64) {
        assert_eq!(imas & !self.one, 0, "an IMA gave an operation that it did not hold");
        self.one &= !imas | self.two;
        self.two &= !imas;
    }
}

impl Pipeline {
    /// Idle IMAs, at most 64.
    pub fn new(imas: usize) -> Self {
        assert!(imas <= 64, "a tile's IMAs are the bits of a word");
        let none = UpToTwo::default();
        let imas = if imas == 64 { u64::MAX } else { (1 << imas) - 1 };
        Self {
            turns: Turns { fetch: imas, start: imas, send: imas },
            loaded: none,
            waiting: none,
            reading: 0,
            held: none,
            ready: none,
        }
    }

    /// IMAs whose input register has room, and whose turn it is.
    #[inline]
    pub fn can_fetch(&self) -> u64 {
        self.turns.fetch & !self.loaded.two
    }

    /// Inputs have been asked for, for `imas` of a crew. Returns whether that was for the last of it.
    #[inline]
    pub fn fetch(&mut self, imas: u64, crew: u64) -> bool {
        self.loaded.add(imas);
        take_turn(&mut self.turns.fetch, imas, crew)
    }

    /// The inputs are in the register.
    #[inline]
    pub fn inputs_arrived(&mut self, imas: u64) {
        self.waiting.add(imas);
    }

    /// IMAs with inputs, free crossbars and a free place in the output register, whose turn it is.
    #[inline]
    pub fn can_start(&self) -> u64 {
        self.turns.start & self.waiting.one & !self.reading & !self.held.two
    }

    /// The next operation starts, for `imas` of a crew. Returns whether that was for the last of it.
    #[inline]
    pub fn start(&mut self, imas: u64, crew: u64) -> bool {
        self.waiting.take(imas);
        self.reading |= imas;
        self.held.add(imas);
        take_turn(&mut self.turns.start, imas, crew)
    }

    /// The last read is done: crossbars and a place in the input register are free.
    #[inline]
    pub fn reads_done(&mut self, imas: u64) {
        self.reading &= !imas;
        self.loaded.take(imas);
    }

    /// Results are in the output register.
    #[inline]
    pub fn results_ready(&mut self, imas: u64) {
        self.ready.add(imas);
    }

    /// IMAs with results that have not been sent, whose turn it is.
    #[inline]
    pub fn can_send(&self) -> u64 {
        self.turns.send & self.ready.one
    }

    /// The bus has been granted for results of `imas` of a crew. Returns whether that was for the last of it.
    #[inline]
    pub fn send(&mut self, imas: u64, crew: u64) -> bool {
        self.ready.take(imas);
        take_turn(&mut self.turns.send, imas, crew)
    }

    /// IMAs with an operation somewhere.
    pub fn at_work(&self) -> u64 {
        self.loaded.one | self.held.one
    }

    /// The results are in the tile's output register, and a place in the IMA's is free.
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
        let (mut pipeline, crew) = (Pipeline::new(2), 0b01);
        assert_eq!(pipeline.can_fetch(), 0b11);
        pipeline.fetch(crew, crew);
        pipeline.fetch(crew, crew);
        assert_eq!(pipeline.can_fetch(), 0b10, "the input register holds two operations");
        assert_eq!(pipeline.can_start(), 0, "no inputs yet");
        pipeline.inputs_arrived(crew);
        assert_eq!(pipeline.can_start(), crew);
        pipeline.start(crew, crew);
        pipeline.inputs_arrived(crew);
        assert_eq!(pipeline.can_start(), 0, "the crossbars are busy");
        pipeline.reads_done(crew);
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (crew, 0b11));
        pipeline.start(crew, crew);
        pipeline.reads_done(crew);
        pipeline.fetch(crew, crew);
        pipeline.inputs_arrived(crew);
        assert_eq!(pipeline.can_start(), 0, "both places of the output register are taken");
        pipeline.results_ready(crew);
        assert_eq!(pipeline.can_send(), crew);
        pipeline.send(crew, crew);
        assert_eq!((pipeline.can_send(), pipeline.can_start()), (0, 0), "sent, but not merged yet");
        pipeline.results_merged(crew);
        assert_eq!(pipeline.can_start(), crew);
    }

    #[test]
    fn an_ima_waits_for_its_crew() {
        let (mut pipeline, crew) = (Pipeline::new(3), 0b011);
        assert!(!pipeline.fetch(0b001, crew));
        assert_eq!(pipeline.can_fetch(), 0b110, "the second of the crew comes first");
        assert!(pipeline.fetch(0b010, crew));
        assert_eq!(pipeline.can_fetch(), 0b111);
    }

    #[test]
    fn ima_63_is_like_any_other() {
        let mut pipeline = Pipeline::new(64);
        pipeline.fetch(1 << 63, u64::MAX);
        pipeline.inputs_arrived(1 << 63);
        assert_eq!((pipeline.can_start(), pipeline.can_fetch()), (1 << 63, u64::MAX >> 1));
    }

    #[test]
    #[should_panic(expected = "did not hold")]
    fn results_that_are_not_there_cannot_be_sent() {
        Pipeline::new(1).send(1, 1);
    }
}
