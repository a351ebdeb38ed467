//! Which crossbar holds which weights, and which copy of a layer computes which windows.
//!
//! [`Mapping`] is the plain value: it can be written to a file, read back, edited and run. [`balance`] makes one.
//! [`Layout`] is everything that follows from it, for the checks and for the simulation.

mod balance;
mod geometry;
mod grid;
mod layout;
mod mapping;
mod share;

pub use balance::{balance, balance_to};
pub use geometry::{Geometry, ImaSpec, OutputGroup};
pub use grid::Grid;
pub use layout::{Destination, LayerLayout, Layout, NEVER, Window};
pub use mapping::{LayerMapping, Mapping};
pub use share::Share;

/// Why a network cannot be mapped, or a mapping cannot be run. Each message says the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// One copy of every layer is more than the board holds.
    #[error(
        "{network} needs {needed} crossbars ({needed_tiles} tiles) for one copy of each layer, and {arch} has \
         {available} ({available_tiles} tiles): add chips (board.chips) or lower the weight bits"
    )]
    BoardTooSmall {
        /// Network.
        network: String,
        /// Machine.
        arch: String,
        /// Crossbars that one copy of every layer occupies.
        needed: u64,
        /// Crossbars of the board.
        available: u64,
        /// Tiles that one copy of every layer occupies.
        needed_tiles: u32,
        /// Tiles of the board.
        available_tiles: u32,
    },
    /// The inputs that wait in a tile are more than its eDRAM buffer holds.
    #[error(
        "tile {tile} has to hold {needed} bytes of inputs of {layers}, and its eDRAM buffer has {available}: \
         raise edram.bytes, cut the layer's map into more strips, or lower its activation bits"
    )]
    BufferTooSmall {
        /// Tile of the board.
        tile: u32,
        /// Layers with inputs in the tile.
        layers: String,
        /// Bytes of inputs that must be there at once.
        needed: u64,
        /// Bytes of the buffer.
        available: u64,
    },
    /// One result of each window in progress does not fit the tile's output register.
    #[error(
        "tile {tile} finishes windows of {layers} with {needed} bytes of results at a time, and its output register \
         has {available}: raise tile.output_register_bytes or choose an IMA shape with fewer columns"
    )]
    OutputRegisterTooSmall {
        /// Tile of the board.
        tile: u32,
        /// Layers with results in the tile.
        layers: String,
        /// Bytes of one result of each output group in the tile.
        needed: u64,
        /// Bytes of the register.
        available: u64,
    },
    /// No shape of the IMA's crossbars fits its registers.
    #[error("{layer}: no IMA shape fits the registers: raise ima.input_register_bytes or ima.output_register_bytes")]
    NoShape {
        /// Layer.
        layer: String,
    },
    /// An edited mapping contradicts itself, the network or the machine.
    #[error("{layer}: {problem}")]
    Invalid {
        /// Layer.
        layer: String,
        /// What is wrong and what to do.
        problem: String,
    },
}
