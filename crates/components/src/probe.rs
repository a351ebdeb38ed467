use std::ops::Range;

use des::Cycle;

use crate::{Cause, Direction, ImaTiming, Port};

/// An IMA, and the copy that it works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Tile of the board.
    pub tile: u32,
    /// IMA of the tile.
    pub ima: u8,
    /// Layer of the network.
    pub layer: u16,
    /// Copy of the layer.
    pub copy: u32,
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
    /// The crossbars of an IMA work on `window` of its copy, counted over all images, from cycle `at` on.
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

    /// Inputs of `layer` were written to a tile's eDRAM buffer, from their arrival on; for the last layer's own results
    /// there is no layer.
    #[inline]
    fn write(&mut self, _tile: u32, _layer: Option<u16>, _bits: u32, _cycles: Range<Cycle>) {}

    /// From the end of cycle `at` on, a tile's buffer holds this many bits of inputs of `layer` more, or fewer.
    #[inline]
    fn fill(&mut self, _tile: u32, _layer: u16, _bits: i64, _at: Cycle) {}

    /// A packet with results of `layer` crossed the mesh of a chip, held up for `waited` cycles.
    #[inline]
    fn packet(&mut self, _chip: u32, _ends: (u32, u32), _layer: u16, _flits: u32, _waited: u32, _cycles: Range<Cycle>) {
    }

    /// A packet took a port of the router at (column, row) of a chip.
    #[inline]
    fn port(&mut self, _chip: u32, _router: (u32, u32), _port: Port, _flits: u32) {}

    /// A packet with results of `layer` crossed the link that enters chip `to` on side `enters`.
    #[inline]
    fn crossing(&mut self, _to: u32, _enters: Direction, _layer: u16, _bits: u32, _cycles: Range<Cycle>) {}
}

/// Looks at nothing, and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {}
