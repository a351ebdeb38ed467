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
    /// Copy of the layer.
    pub replica: u32,
}

/// A stage inside an IMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The crossbars are read.
    Read,
    /// The ADCs convert what was read.
    Convert,
    /// The shift-and-adds merge what was converted.
    Accumulate,
}

/// Looks on while a machine runs. What it is told changes nothing.
///
/// Every method does nothing unless it is written. Spans of cycles begin with their first cycle and end before the one
/// after their last. A span is told as soon as its end is known, so spans do not come in the order of their cycles; the
/// operations and waits of one IMA do, and leave out no cycle.
pub trait Probe {
    /// The crossbars of an IMA work on `window` of its replica, counted over all images, from cycle `at` on.
    #[inline]
    fn operation(&mut self, _unit: Unit, _window: u32, _at: Cycle, _iterations: u32, _timing: ImaTiming) {}

    /// An IMA waited, or had nothing to do.
    #[inline]
    fn wait(&mut self, _unit: Unit, _cause: Cause, _cycles: Range<Cycle>) {}

    /// Inputs of `window` moved from the eDRAM buffer over the bus to an IMA, from the request until they were there.
    #[inline]
    fn fetch(&mut self, _unit: Unit, _window: u32, _bits: u64, _cycles: Range<Cycle>) {}

    /// Results of `window` moved over the bus to the tile's output register, from the request until they were there.
    #[inline]
    fn result(&mut self, _unit: Unit, _window: u32, _bits: u64, _cycles: Range<Cycle>) {}

    /// Iteration fidelity: a stage of an IMA did one iteration of an operation.
    #[inline]
    fn stage(&mut self, _unit: Unit, _stage: Stage, _cycles: Range<Cycle>) {}

    /// A window of `replica`, or its outputs that are finished in `tile`, went through sigmoid and max-pool in cycle
    /// `at`.
    #[inline]
    fn activate(&mut self, _tile: u32, _layer: u16, _replica: u32, _window: u32, _at: Cycle) {}

    /// Inputs of `layer` were written to a tile's eDRAM buffer, from their arrival on; for the last layer's own results
    /// there is no layer. `rank` is that of the position, or of the result, counted over all images.
    #[inline]
    fn write(&mut self, _tile: u32, _layer: Option<u16>, _rank: u32, _bits: u32, _cycles: Range<Cycle>) {}

    /// The position of `rank` was written by the end of cycle `at`, and windows of `replica` of `layer` waited for it.
    #[inline]
    fn supply(&mut self, _tile: u32, _layer: u16, _replica: u32, _rank: u32, _at: Cycle) {}

    /// By the end of cycle `at`, a position of the inputs of `layer`, of so many bits, is complete in a tile's buffer.
    #[inline]
    fn arrive(&mut self, _tile: u32, _layer: u16, _bits: u64, _at: Cycle) {}

    /// All IMAs of a tile have read the inputs of `layer` for the windows before `step` of `image`: positions that no
    /// later window needs leave the buffer.
    #[inline]
    fn progress(&mut self, _tile: u32, _layer: u16, _image: u32, _step: u32, _at: Cycle) {}

    /// A tile's buffer of inputs of `layer` has more room, and tells tile `to`, which waits for it.
    #[inline]
    fn credit(&mut self, _tile: u32, _layer: u16, _to: u32, _at: Cycle) {}

    /// A packet with results of `layer` crossed the mesh of a chip, held up for `waited` cycles.
    #[inline]
    fn packet(&mut self, _chip: u32, _ends: (u32, u32), _layer: u16, _flits: u32, _waited: u32, _cycles: Range<Cycle>) {
    }

    /// A packet took a port of the router at (column, row) of a chip, its head in cycle `at`, now or later.
    #[inline]
    fn port(&mut self, _chip: u32, _router: (u32, u32), _port: Port, _flits: u32, _at: Cycle) {}

    /// A packet with results of `layer` crossed the link that enters chip `to` on side `enters`.
    #[inline]
    fn crossing(&mut self, _to: u32, _enters: Direction, _layer: u16, _bits: u32, _cycles: Range<Cycle>) {}
}

/// Looks at nothing, and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {}

/// Passes on to both what they are told.
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

/// Two that look on, as far as they are there.
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
