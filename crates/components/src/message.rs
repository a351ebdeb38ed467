use des::{Probed, Send, Shared};

use crate::bits::ImaSet;
use crate::{Direction, Probe, Rooms};

/// What a tile is told. At most 12 bytes, so that an event takes 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileMessage {
    /// A new run begins.
    Start,
    /// The inputs of the next operation are in the input registers of these IMAs.
    InputsArrived {
        /// IMAs of the tile.
        imas: ImaSet,
    },
    /// Iteration fidelity: the crossbars are read once more.
    Read {
        /// IMA of the tile.
        ima: u8,
        /// Operation, modulo 4.
        operation: u8,
        /// Reads of the operation before this one.
        iteration: u16,
    },
    /// Iteration fidelity: the held columns are converted.
    Convert {
        /// IMA of the tile.
        ima: u8,
        /// Operation, modulo 4.
        operation: u8,
        /// It is the operation's last read.
        last: bool,
    },
    /// Iteration fidelity: the conversions are shifted and added.
    Accumulate {
        /// IMA of the tile.
        ima: u8,
        /// Operation, modulo 4.
        operation: u8,
        /// It is the operation's last read.
        last: bool,
    },
    /// The crossbars of these IMAs have made the operation's last read.
    ReadsDone {
        /// IMAs of the tile.
        imas: ImaSet,
    },
    /// The operation's results are in the output registers of these IMAs.
    ResultsReady {
        /// IMAs of the tile.
        imas: ImaSet,
    },
    /// The results of these IMAs are in the tile's output register.
    ResultsMerged {
        /// IMAs of the tile.
        imas: ImaSet,
    },
    /// Partial sums of a window from another tile of the copy.
    PartialSum {
        /// Partial sums of the tile, by number.
        sums: u8,
        /// Window of the copy, counted over all images.
        window: u32,
    },
    /// The tile that finishes the windows has room for more partial sums.
    PartialSumCredit {
        /// Partial sums of the tile, by number.
        sums: u8,
        /// Windows of the copy that may be sent, counted over all images.
        limit: u32,
    },
    /// Activations of a window of another copy, for a max-pool that is finished here.
    PoolValue {
        /// Partial sums of the tile, by number.
        sums: u8,
        /// Image.
        image: u32,
        /// Position after the pool.
        position: u32,
    },
    /// A max-pool that the windows finished here go to has completed an image.
    PoolCredit {
        /// Partial sums of the tile, by number.
        sums: u8,
        /// Image.
        image: u32,
    },
    /// Activations to be written to the eDRAM buffer.
    Delivery {
        /// Inputs of the tile, by number; `TileMessage::RESULTS` for results that stay here.
        inputs: u8,
        /// Cycles that they were held up on the way.
        waited: u16,
        /// Bits.
        bits: u32,
        /// Rank of the position, counted over all images; of the results that stay, the window.
        rank: u32,
    },
    /// Activations have been written to the eDRAM buffer.
    Written {
        /// Inputs of the tile, by number.
        inputs: u8,
        /// Cycles that they were held up on the way.
        waited: u16,
        /// Rank of the position, counted over all images.
        rank: u32,
    },
    /// What was done at the end of the last cycle asks for a decision.
    Tick,
    /// A buffer of the next layer that positions here wait for has room for more.
    Room,
}

impl TileMessage {
    /// In place of a number of inputs: results of the last layer, which stay in the tile that finished them.
    pub const RESULTS: u8 = u8::MAX;

    /// The message with the cycles that it was held up on the way, where its receiver wants to know.
    pub(crate) fn held_up(mut self, cycles: u32) -> Self {
        if let Self::Delivery { waited, .. } = &mut self {
            *waited = u16::try_from(cycles).unwrap_or(u16::MAX);
        }
        self
    }
}

/// A message on its way from tile to tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    /// Tile of the board that sent it.
    pub source: u32,
    /// Tile of the board that it goes to.
    pub destination: u32,
    /// Length.
    pub flits: u32,
    /// Bits of it.
    pub bits: u32,
    /// Cycles that it was held up so far.
    pub waited: u32,
    /// Layer that produced what it carries.
    pub layer: u16,
    /// Link over which it came to this chip; `None` on the chip of its source.
    pub entered: Option<Direction>,
    /// What the tile is told when it arrives.
    pub message: TileMessage,
}

/// What components need around them: the clock, a way to each kind of component, the room in buffers, and a probe that
/// looks on.
///
/// Tiles are numbered over the board; meshes by chip; links by chip times 4 plus [`Direction`]. A link's message is
/// the packet that it carries, wrapped to tell it from a mesh's.
pub trait Context:
    Send<TileMessage> + Send<Packet> + Send<crate::link::Crossing> + Shared<Rooms> + Probed<Probe: Probe>
{
}

impl<C> Context for C where
    C: Send<TileMessage> + Send<Packet> + Send<crate::link::Crossing> + Shared<Rooms> + Probed<Probe: Probe>
{
}
