//! Messages between components, and the context that carries them.
//!
//! A tile receives [`TileMessage`]s. Those that cross the mesh travel in a [`Packet`], which also records the cycles
//! that it was held up ([`Waits`]); on arrival these become the [`HeldUp`] of the position, from which stalls of its
//! readers are booked to routers or links. Credits are sent directly and take one cycle, whatever the distance.

use des::{Cycle, Fingerprint, Probed, Recurrent, Send, Shared};
use index::Set;
use mapper::{LevelId, TileId};
use network::LayerId;

use crate::{
    Cause, ChipId, Completions, Crossing, Direction, ImaId, InputId, LockstepId, Probe, Rooms, Segment, SegmentId,
};

/// A message to a tile. At most 12 bytes, so that an event in the calendar takes 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileMessage {
    /// The run begins.
    Start,
    /// The inputs of an operation are in the input registers of these IMAs.
    InputsArrived {
        /// IMAs of the tile.
        imas: PackedImas,
    },
    /// Iteration fidelity: IMAs that started together perform stages of their iterations.
    Stages {
        /// The stages.
        stages: Stages,
        /// Their batch, as numbered by the tile.
        batch: u16,
    },
    /// The crossbars of these IMAs have completed the last read of their operation.
    ReadsDone {
        /// IMAs of the tile.
        imas: PackedImas,
    },
    /// The results of an operation are in the output registers of these IMAs.
    ResultsReady {
        /// IMAs of the tile.
        imas: PackedImas,
    },
    /// The results of these IMAs are in the tile's output register.
    ResultsMerged {
        /// IMAs of the tile.
        imas: PackedImas,
    },
    /// Partial sums of a window from a contributor, to its accumulator tile.
    PartialSum {
        /// Part of the tile's output register.
        part: LockstepId,
        /// Window of the replica, counted over all images.
        window: u32,
    },
    /// The operand of the next window that has been asked for is merged into the tile's output register.
    SkipMerged {
        /// Part of the tile's output register.
        part: LockstepId,
    },
    /// Credit for partial sums, from the accumulator tile to a contributor.
    PartialSumCredit {
        /// Part of the tile's output register.
        part: LockstepId,
        /// Windows of the replica that may have been sent, counted over all images.
        limit: u32,
    },
    /// Values that another replica finished, for a position of a pool that is finished here.
    PoolValue {
        /// Part of the tile's output register.
        part: LockstepId,
        /// Level that the pool makes.
        level: LevelId,
        /// Image.
        image: u32,
        /// Position of the level: row times width plus column.
        position: u32,
    },
    /// Credit of a pool that windows finished here go to: it has completed an image.
    PoolCredit {
        /// Part of the tile's output register.
        part: LockstepId,
        /// Image.
        image: u32,
    },
    /// Activations that have arrived, to be written to the eDRAM buffer.
    Delivery {
        /// Input slice of the tile.
        inputs: InputId,
        /// Delay on the way, and its cause.
        held_up: HeldUp,
        /// Bits to be written.
        bits: u32,
        /// Sequence number of the position, counted over all images.
        sequence: u32,
    },
    /// A result of the last layer, to be written to the eDRAM buffer, where it stays.
    Result {
        /// Bits to be written.
        bits: u32,
        /// Image times positions per image plus position.
        position: u32,
    },
    /// Activations have been written to the eDRAM buffer.
    Written {
        /// Input slice of the tile.
        inputs: InputId,
        /// Delay on the way, and its cause.
        held_up: HeldUp,
        /// Sequence number of the position, counted over all images.
        sequence: u32,
    },
    /// A buffer that positions here wait for has more room.
    Room,
}

/// A set of IMAs of a tile in 8 bytes without alignment, so that a message takes no more than 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackedImas([u8; 8]);

impl From<Set<ImaId>> for PackedImas {
    #[inline]
    fn from(imas: Set<ImaId>) -> Self {
        Self(imas.bits().to_le_bytes())
    }
}

impl From<PackedImas> for Set<ImaId> {
    #[inline]
    fn from(PackedImas(bytes): PackedImas) -> Self {
        Self::from_bits(u64::from_le_bytes(bytes))
    }
}

/// Stages of iterations that are performed in one cycle. Each is that of another iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stages {
    /// The crossbars are read.
    pub read: bool,
    /// The ADCs convert the columns that an earlier read has left.
    pub convert: bool,
    /// The shift-and-adds merge earlier conversions.
    pub accumulate: bool,
}

impl Stages {
    /// The first read of an operation.
    pub(crate) const FIRST: Self = Self { read: true, convert: false, accumulate: false };
}

/// Cycles that a packet has been held up so far. Saturates at 65,535.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waits {
    /// At ports of routers.
    pub routers: u16,
    /// At links between chips.
    pub links: u16,
}

impl Waits {
    /// Returns the waits with further cycles at ports of routers.
    #[inline]
    pub(crate) fn at_routers(self, cycles: Cycle) -> Self {
        Self { routers: saturated(u64::from(self.routers) + cycles), ..self }
    }

    /// Adds cycles at links between chips.
    #[inline]
    pub(crate) fn add_links(&mut self, cycles: Cycle) {
        self.links = saturated(u64::from(self.links) + cycles);
    }
}

/// Returns `cycles`, at most `u16::MAX`.
#[inline]
fn saturated(cycles: Cycle) -> u16 {
    u16::try_from(cycles).unwrap_or(u16::MAX)
}

/// Delay of a position on its way, and its cause: ports of routers or links between chips, whichever took longer.
///
/// Takes two bytes and saturates at 32,767 cycles; the rest of a longer wait is booked as waiting for input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldUp(u16);

impl HeldUp {
    /// Bit that is set if links took longer than routers.
    const BY_LINKS: u16 = 1 << 15;

    /// Delay in cycles, at routers and links together.
    #[inline]
    pub(crate) fn cycles(self) -> Cycle {
        Cycle::from(self.0 & !Self::BY_LINKS)
    }

    /// Cause to which the whole delay is booked: the longer one, routers if both are equal.
    #[inline]
    pub(crate) fn cause(self) -> Cause {
        if self.0 & Self::BY_LINKS == 0 { Cause::Router } else { Cause::Link }
    }
}

impl Recurrent for HeldUp {
    fn state(&self, print: &mut Fingerprint) {
        let Self(bits) = *self;
        print.number(bits);
    }
}

impl Recurrent for Waits {
    fn state(&self, print: &mut Fingerprint) {
        let Self { routers, links } = *self;
        print.numbers([routers, links]);
    }
}

impl From<Waits> for HeldUp {
    #[inline]
    fn from(Waits { routers, links }: Waits) -> Self {
        let cycles = routers.saturating_add(links).min(!Self::BY_LINKS);
        Self(if links > routers { cycles | Self::BY_LINKS } else { cycles })
    }
}

/// Values on their way to one or more tiles, in a segment of their tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    /// Tile that sent it.
    pub source: TileId,
    /// First of the tiles that it goes to.
    pub destination: TileId,
    /// Length in flits.
    pub flits: u32,
    /// Length in bits.
    pub bits: u32,
    /// Cycles that it has been held up so far.
    pub waits: Waits,
    /// Layer that produced the values.
    pub layer: LayerId,
    /// Contents, from which the messages to its receivers are made.
    pub payload: Payload,
    /// Segment of its tree on the present chip.
    pub segment: SegmentId,
}

/// Contents of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payload {
    /// A message to a single tile.
    Message(TileMessage),
    /// A finished position of a map, to input slices of its readers.
    Position {
        /// Sequence number at the first receiver, for the canonical order of packets.
        sequence: u32,
        /// Row times width plus column.
        position: u32,
        /// Image.
        image: u32,
    },
}

impl Packet {
    /// A packet at the begin of a tree.
    #[inline]
    pub fn new(source: TileId, id: SegmentId, segment: &Segment, payload: Payload) -> Self {
        let &Segment { layer, bits, flits, destination, .. } = segment;
        Self { source, destination, flits, bits, waits: Waits::default(), layer, payload, segment: id }
    }

    /// Adds the packet to a fingerprint; `message` adds a message to the tile that it goes to.
    pub fn state(&self, print: &mut Fingerprint, message: impl Fn(TileId, &TileMessage, &mut Fingerprint)) {
        // The tree of the segment decides on layer, flits and bits.
        let Self { source, destination, flits: _, bits: _, waits, layer: _, payload, segment } = self;
        print.numbers([source.0, destination.0, segment.0]);
        waits.state(print);
        match payload {
            Payload::Message(inner) => message(*destination, inner, print),
            // Follows from position, image and tree.
            Payload::Position { sequence: _, position, image } => {
                print.number(*position);
                print.counted(*image, 1);
            }
        }
    }

    /// Returns the packet in another segment of its tree, after `waits`.
    #[inline]
    pub(crate) fn enters(&self, id: SegmentId, segment: &Segment, waits: Waits) -> Self {
        Self { waits, ..Self::new(self.source, id, segment, self.payload) }
    }
}

/// Context of the components: the clock, messages to each kind of component, the room table, the completions, and the
/// probe.
///
/// Implemented for every type that has these parts.
pub trait Context:
    Send<TileMessage> + Send<Packet> + Send<Crossing> + Shared<Rooms> + Shared<Completions> + Probed<Probe: Probe>
{
    /// The room table.
    #[inline]
    fn rooms(&mut self) -> &mut Rooms {
        self.shared()
    }

    /// The completions of all tiles.
    #[inline]
    fn completions(&mut self) -> &mut Completions {
        self.shared()
    }

    /// Sends a message to a tile, which receives it `delay` >= 1 cycles from now. Tiles are numbered over the board.
    #[inline]
    fn send_to_tile(&mut self, delay: Cycle, tile: TileId, message: TileMessage) {
        self.send(delay, tile.0, message);
    }

    /// Sends a packet to the mesh of a chip. Meshes are numbered by chip.
    #[inline]
    fn send_to_mesh(&mut self, delay: Cycle, chip: ChipId, packet: Packet) {
        self.send(delay, chip.0, packet);
    }

    /// Sends a packet to the link that leaves a chip on `side`. Links are numbered chip by chip, in the order of
    /// [`Direction::ALL`].
    #[inline]
    fn send_to_link(&mut self, delay: Cycle, chip: ChipId, side: Direction, packet: Packet) {
        self.send(delay, 4 * chip.0 + side.number(), Crossing(packet));
    }
}

impl<C> Context for C where
    C: Send<TileMessage> + Send<Packet> + Send<Crossing> + Shared<Rooms> + Shared<Completions> + Probed<Probe: Probe>
{
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cycles_are_booked_to_where_a_packet_waited_longer() {
        for (routers, links, cycles, cause) in [
            (0, 0, 0, Cause::Router),
            (3, 4, 7, Cause::Link),
            (4, 4, 8, Cause::Router),
            (40_000, 0, 32_767, Cause::Router),
            (1, u16::MAX, 32_767, Cause::Link),
        ] {
            let held_up = HeldUp::from(Waits { routers, links });
            assert_eq!((held_up.cycles(), held_up.cause()), (cycles, cause), "{routers} and {links}");
        }
        assert!(size_of::<TileMessage>() <= 12, "an event takes more than 16 bytes");
    }
}
