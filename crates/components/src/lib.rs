//! The blocks of the machine, one file each: specification, state and counts.
//!
//! Three kinds of component exchange messages through the kernel of the crate `des`:
//!
//! - [`Tile`] receives [`TileMessage`]: packets that have arrived, credits, and its own wake-ups and ends of transfers;
//! - [`Mesh`], all routers of a chip, receives [`Packet`];
//! - [`Link`], one direction of a connection between two chips, receives [`Crossing`].
//!
//! They send through a [`Context`], which also has the clock, the room table ([`Rooms`]), the completions
//! ([`Completions`]) and the probe ([`Probe`]). All
//! other blocks are driven by plain calls of the tile or mesh that they belong to:
//!
//! | part | blocks |
//! | --- | --- |
//! | inputs of a tile | `EdramBuffer` with its [`SliceBuffer`]s, [`LayerControl`] |
//! | IMA, input side | [`Ima`] with `InputRegister`, `Dac`, `Crossbars`, `SampleHold` |
//! | IMA, output side | `Adc`, `ShiftAdd`, `OutputRegister` |
//! | operations | `Pipeline`, [`LockstepGroup`], [`Policy`] |
//! | results of a tile | [`PartialSums`], `Sigmoid`, `MaxPool` with `PoolCredits` |
//! | mesh | [`Routers`] and their [`Port`]s |
//!
//! # An activation on its way
//!
//! 1. A packet reaches its tile as [`TileMessage::Delivery`]. The eDRAM port is granted, and the position is in
//!    its [`SliceBuffer`].
//! 2. [`LayerControl`] finds that the next window of a replica has all its inputs: the window is ready.
//! 3. Port and bus carry the inputs to the input registers of each IMA of the lockstep group; `Pipeline` counts them.
//! 4. The operation starts: n reads, each converted and merged. [`Fidelity`] decides whether these are events.
//! 5. The results cross the bus into [`PartialSums`], where those of all contributors to the window are added up.
//! 6. In the accumulator tile, a complete window passes sigmoid and max-pool. Its positions leave, as packets, when the
//!    input slices of the next layer have room for them.
//!
//! # Units and invariants
//!
//! Times are in cycles, and the first cycle is 1; spans of cycles are half-open. Sizes are in bits, packets also in
//! flits. Inside routers and links time is counted in exact fractions of a cycle. Windows and sequence numbers
//! count over all images unless stated otherwise. Bit `i` of a mask of IMAs is IMA `i` of the tile.
//!
//! - Results do not depend on the order of messages within a cycle: messages are only recorded or forwarded, and each
//!   component sorts what it received before it decides.
//! - An operation that has started can always deliver, since it holds an output register of its IMA from the start on.
//! - Every cycle of every IMA has exactly one [`Cause`].
//! - Each component adds its state to a fingerprint ([`des::Recurrent`]): machines with equal fingerprints go on alike.
//! - Counts ([`arch::Counts`]) are integers. Blocks know no energies.
//!
//! `docs/model.md` describes the machine: block diagram, seven points of an operation, credits, arbitration order of a
//! tile, stall causes and glossary. Its sources are ISAAC (Shafiee et al., ISCA 2016), Table I and section VI, and
//! AQuA.
//!
//! # Example
//!
//! An operation of an IMA of ISAAC with 16-bit activations has 16 reads. Its results ask for the bus 18 cycles after
//! the first read, in cycle 20 of the paper's pipeline of 22 cycles.
//!
//! ```
//! use components::Ima;
//! use mapper::ImaSpec;
//!
//! let arch = arch::load("isaac-ce").expect("the preset is built in");
//! let spec = ImaSpec { rows: 0..100, columns: 0..1024, outputs: 0..128, pack: (100, 1024) };
//! let timing = Ima::new(&arch, arch.conversions_per_cycle(), spec).timing();
//! assert_eq!((timing.reads(16), timing.results(16)), (16, 18));
//! ```

mod completions;
mod ids;
mod message;
mod noc;
mod observe;
mod rooms;
#[cfg(test)]
mod testing;
mod tile;

pub use completions::{Completions, ImageRecord};
pub use ids::{ChipId, ControlId, ImaId, InputId, LockstepId, RoomId};
pub use message::{Context, HeldUp, PackedImas, Packet, Payload, Stages, TileMessage, Waits};
pub use noc::{
    Crossing, Direction, End, LayerTrees, Link, MapTrees, Mesh, MeshGeometry, Next, Node, NodeId, Port, Receiver,
    Routers, Routing, Segment, SegmentId, Trees,
};
pub use observe::{Cause, Event, NoProbe, Probe, Stage, Stalls, Unit};
pub use rooms::Rooms;
pub use tile::{
    Awaited, Exit, Fidelity, Full, Ima, ImaTiming, LayerControl, LockstepGroup, Operand, Part, PartAddress,
    PartialSums, Policy, Results, RowBlock, RowsRead, SkipZeroRowBlocks, SliceBuffer, SumsSpec, Target, Tile, TileSpec,
    Waiting, Work,
};
