//! Probes observe a run: traces, timelines and analyses are implementations of [`Probe`].
//!
//! The probe is a type parameter of the schedule, so a run without one ([`NoProbe`]) pays nothing. A pair of optional
//! probes is a probe: both observe the same run.

use std::ops::Range;

use des::Cycle;

use crate::{Cause, Direction, ImaTiming, Port};

/// An IMA, and the replica that it works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Tile of the board.
    pub tile: u32,
    /// IMA of the tile.
    pub ima: u8,
    /// Layer of the network.
    pub layer: u16,
    /// Replica of the layer.
    pub replica: u32,
}

/// A stage of an iteration inside an IMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The crossbars are read.
    Read,
    /// The ADCs convert the held columns.
    Convert,
    /// The shift-and-adds merge the conversions.
    Accumulate,
}

/// Observes a run. A probe cannot influence the simulation.
///
/// Every method defaults to nothing. Spans of cycles are half-open. A span is reported as soon as its end is known,
/// often at its start, so reports are not in the order of their cycles. Operations and waits of one IMA are, and they
/// cover every cycle. Tiles are numbered over the board; windows and sequence numbers (`rank`) count over all images.
pub trait Probe {
    /// An IMA starts the operation for `window` of its replica in cycle `at`: `iterations` reads.
    #[inline]
    fn operation(&mut self, _unit: Unit, _window: u32, _at: Cycle, _iterations: u32, _timing: ImaTiming) {}

    /// An IMA waited for `cause`, or had no work, in `cycles`.
    #[inline]
    fn wait(&mut self, _unit: Unit, _cause: Cause, _cycles: Range<Cycle>) {}

    /// Inputs of `window` move from the eDRAM buffer over the bus to an IMA: from the request to their arrival.
    #[inline]
    fn fetch(&mut self, _unit: Unit, _window: u32, _bits: u64, _cycles: Range<Cycle>) {}

    /// Results of `window` move over the bus to the tile's output register: from the request to their arrival.
    #[inline]
    fn result(&mut self, _unit: Unit, _window: u32, _bits: u64, _cycles: Range<Cycle>) {}

    /// Iteration fidelity: a stage of an IMA performs one iteration of an operation.
    #[inline]
    fn stage(&mut self, _unit: Unit, _stage: Stage, _cycles: Range<Cycle>) {}

    /// The outputs of a window of `replica` that `tile` finishes pass sigmoid and max-pool in cycle `at`.
    #[inline]
    fn activate(&mut self, _tile: u32, _layer: u16, _replica: u32, _window: u32, _at: Cycle) {}

    /// A packet with inputs of `layer` is written to a tile's eDRAM buffer: from its arrival to the end of the write.
    /// `layer` is `None` for results of the last layer. `rank` is the sequence number of the position, or for results
    /// image times positions plus position.
    #[inline]
    fn write(&mut self, _tile: u32, _layer: Option<u16>, _rank: u32, _bits: u32, _cycles: Range<Cycle>) {}

    /// The position of sequence number `rank` is complete in the buffer at the end of cycle `at`, and the next window
    /// of `replica` of `layer` waited for it.
    #[inline]
    fn supply(&mut self, _tile: u32, _layer: u16, _replica: u32, _rank: u32, _at: Cycle) {}

    /// A position of the inputs of `layer`, of `bits` bits, is complete in a tile's buffer at the end of cycle `at`.
    #[inline]
    fn arrive(&mut self, _tile: u32, _layer: u16, _bits: u64, _at: Cycle) {}

    /// All IMAs of a tile have read the inputs of `layer` for the windows before `step` of `image`; positions that no
    /// later window needs leave the buffer.
    #[inline]
    fn progress(&mut self, _tile: u32, _layer: u16, _image: u32, _step: u32, _at: Cycle) {}

    /// A tile's buffer has more room for inputs of `layer`, and tile `to`, which waits for it, is woken.
    #[inline]
    fn credit(&mut self, _tile: u32, _layer: u16, _to: u32, _at: Cycle) {}

    /// A packet with results of `layer` crosses the mesh of a chip; `waited` of its cycles are due to taken ports.
    /// `ends` are its source and destination tiles.
    #[inline]
    fn packet(&mut self, _chip: u32, _ends: (u32, u32), _layer: u16, _flits: u32, _waited: u32, _cycles: Range<Cycle>) {
    }

    /// A packet takes a port of the router at (column, row) of a chip. Its head passes in cycle `at`, now or later.
    #[inline]
    fn port(&mut self, _chip: u32, _router: (u32, u32), _port: Port, _flits: u32, _at: Cycle) {}

    /// A packet with results of `layer` crosses the link that enters chip `to` on side `enters`.
    #[inline]
    fn crossing(&mut self, _to: u32, _enters: Direction, _layer: u16, _bits: u32, _cycles: Range<Cycle>) {}
}

/// Observes nothing, at no cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {}

/// Defines methods that forward each event to both probes.
macro_rules! tell {
    ($($method:ident($($argument:ident: $kind:ty),*);)+) => {
        $(#[inline]
        fn $method(&mut self, $($argument: $kind),*) {
            if let Some(first) = &mut self.0 {
                first.$method($($argument.clone()),*);
            }
            if let Some(second) = &mut self.1 {
                second.$method($($argument),*);
            }
        })+
    };
}

/// Forwards to those of two probes that are present.
#[allow(clippy::clone_on_copy, reason = "the spans are not Copy, and all arguments are passed alike")]
impl<A: Probe, B: Probe> Probe for (Option<A>, Option<B>) {
    tell! {
        operation(unit: Unit, window: u32, at: Cycle, iterations: u32, timing: ImaTiming);
        wait(unit: Unit, cause: Cause, cycles: Range<Cycle>);
        fetch(unit: Unit, window: u32, bits: u64, cycles: Range<Cycle>);
        result(unit: Unit, window: u32, bits: u64, cycles: Range<Cycle>);
        stage(unit: Unit, stage: Stage, cycles: Range<Cycle>);
        activate(tile: u32, layer: u16, replica: u32, window: u32, at: Cycle);
        write(tile: u32, layer: Option<u16>, rank: u32, bits: u32, cycles: Range<Cycle>);
        supply(tile: u32, layer: u16, replica: u32, rank: u32, at: Cycle);
        arrive(tile: u32, layer: u16, bits: u64, at: Cycle);
        progress(tile: u32, layer: u16, image: u32, step: u32, at: Cycle);
        credit(tile: u32, layer: u16, to: u32, at: Cycle);
        packet(chip: u32, ends: (u32, u32), layer: u16, flits: u32, waited: u32, cycles: Range<Cycle>);
        port(chip: u32, router: (u32, u32), port: Port, flits: u32, at: Cycle);
        crossing(to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle>);
    }
}
