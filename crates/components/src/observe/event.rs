use std::ops::Range;

use des::Cycle;
use mapper::{ReplicaId, TileId};
use network::LayerId;

use crate::{Cause, ChipId, Direction, ImaId, ImaTiming, InputId, Port};

/// An IMA, and the replica that it works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Tile of the board.
    pub tile: TileId,
    /// IMA of the tile.
    pub ima: ImaId,
    /// Layer of the network.
    pub layer: LayerId,
    /// Replica of the layer.
    pub replica: ReplicaId,
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

/// An event of a run, as reported to a [`Probe`](crate::Probe).
///
/// Spans of cycles are half-open. Tiles are numbered over the board; windows and sequence numbers of
/// positions (`sequence`) count over all images.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants describe their fields")]
pub enum Event {
    /// An IMA starts the operation for `window` of its replica in cycle `at`: `iterations` reads.
    Operation { unit: Unit, window: u32, at: Cycle, iterations: u32, timing: ImaTiming },
    /// An IMA waited for `cause`, or had no work, in `cycles`.
    Wait { unit: Unit, cause: Cause, cycles: Range<Cycle> },
    /// Inputs of `window` move from the eDRAM buffer over the bus to an IMA: from the request to their arrival.
    Fetch { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Results of `window` move over the bus to the tile's output register: from the request to their arrival.
    Result { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// The operands that a join merges into `window` of `replica` move from the eDRAM buffer over the bus to the tile's
    /// output register: from the request to their arrival.
    Skip { tile: TileId, layer: LayerId, replica: ReplicaId, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Iteration fidelity: a stage of an IMA performs one iteration of an operation.
    Stage { unit: Unit, stage: Stage, cycles: Range<Cycle> },
    /// The outputs of a window of `replica` that `tile` finishes pass sigmoid and max-pool in cycle `at`.
    Activate { tile: TileId, layer: LayerId, replica: ReplicaId, window: u32, at: Cycle },
    /// A packet is written to a tile's eDRAM buffer: from its arrival to the end of the write. It belongs to an input slice
    /// of a layer, or to the results of the network; then `sequence` is image times positions plus position.
    Write { tile: TileId, slice: Option<(LayerId, InputId)>, sequence: u32, bits: u32, cycles: Range<Cycle> },
    /// The position of sequence number `sequence` is complete in the buffer at the end of cycle `at`, and the next window
    /// of `replica` of `layer` waited for it.
    Supply { tile: TileId, layer: LayerId, inputs: InputId, replica: ReplicaId, sequence: u32, at: Cycle },
    /// A position of the inputs of `layer`, of `bits` bits, is complete in a tile's buffer at the end of cycle `at`.
    Arrive { tile: TileId, layer: LayerId, inputs: InputId, bits: u64, at: Cycle },
    /// All readers in a tile have read an input slice of `layer` for the windows before `step` of `image`; positions that no
    /// later window needs leave the buffer.
    Progress { tile: TileId, layer: LayerId, inputs: InputId, image: u32, step: u32, at: Cycle },
    /// A tile's buffer has more room for inputs of `layer`, and tile `to`, which waits for it, is woken.
    Room { tile: TileId, layer: LayerId, inputs: InputId, to: TileId, at: Cycle },
    /// A packet with results of `layer` crosses the mesh of a chip, to all its receivers there; `waited` of its cycles
    /// are due to taken ports, on the way of the receiver that waited longest.
    Packet { chip: ChipId, layer: LayerId, flits: u32, waited: u32, cycles: Range<Cycle> },
    /// A packet with results of `layer` takes a port of the router at (column, row) of a chip. Its head passes in cycle
    /// `at`, now or later.
    Port { chip: ChipId, router: (u32, u32), port: Port, layer: LayerId, flits: u32, at: Cycle },
    /// A packet with results of `layer` crosses the link that enters chip `to` on side `enters`.
    Crossing { to: ChipId, enters: Direction, layer: LayerId, bits: u32, cycles: Range<Cycle> },
}
