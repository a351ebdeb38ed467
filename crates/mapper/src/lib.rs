//! Which crossbar holds which weights, and which replica of a layer computes which windows.
//!
//! [`Mapping`] is the plain value: it can be written to a file, read back, edited and run. [`balance`] makes one.
//! [`Layout`] is everything that follows from it, for the checks and for the simulation.

mod balance;
mod geometry;
mod grid;
mod input_slice;
mod layout;
mod limits;
mod mapping;
mod reading;

use document::Fault;

pub use balance::{balance, balance_cropped, balance_to};
pub use geometry::{Geometry, ImaSpec, OutputGroup};
pub use grid::{Area, Grid};
pub use input_slice::{InputOrder, InputSlice};
pub use layout::{Destination, LayerLayout, Layout, NEVER, Window};
pub use mapping::{LayerMapping, Mapping};

/// Why a network cannot be mapped, or a mapping cannot be run. [`MappingError::remedy`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// One replica of every layer is more than the board holds.
    #[error(
        "{network} needs {needed} crossbars ({needed_tiles} tiles) for one replica of each layer, and {arch} has \
         {available} ({available_tiles} tiles)"
    )]
    BoardTooSmall {
        /// Network.
        network: String,
        /// Machine.
        arch: String,
        /// Crossbars that one replica of every layer occupies.
        needed: u64,
        /// Crossbars of the board.
        available: u64,
        /// Tiles that one replica of every layer occupies.
        needed_tiles: u64,
        /// Tiles of the board.
        available_tiles: u64,
    },
    /// The inputs that wait in a tile are more than its eDRAM buffer holds.
    #[error(
        "tile {tile} has to hold {needed} bytes of inputs of {}, and its eDRAM buffer has {available}",
        .layers.join(", ")
    )]
    BufferTooSmall {
        /// Tile of the board.
        tile: u32,
        /// Layers with inputs in the tile.
        layers: Vec<String>,
        /// Bytes of inputs that must be there at once.
        needed: u64,
        /// Bytes of the buffer.
        available: u64,
    },
    /// One result of each window in progress does not fit the tile's output register.
    #[error(
        "tile {tile} finishes windows of {} with {needed} bytes of results at a time, and its output register \
         has {available}",
        .layers.join(", ")
    )]
    OutputRegisterTooSmall {
        /// Tile of the board.
        tile: u32,
        /// Layers with results in the tile.
        layers: Vec<String>,
        /// Bytes of one result of each output group in the tile.
        needed: u64,
        /// Bytes of the register.
        available: u64,
    },
    /// No shape of the IMA's crossbars fits its registers.
    #[error("{layer}: no IMA shape fits the registers")]
    NoShape {
        /// Layer.
        layer: String,
    },
    /// A number that a layout cannot state.
    #[error("{} {number} {what}, and the limit is {limit}", .layer.as_ref().map_or("the network has".to_owned(), |layer| format!("{layer} has")))]
    Limit {
        /// Layer; `None` for the network as a whole.
        layer: Option<String>,
        /// Things that are counted.
        what: &'static str,
        /// How many there are.
        number: u64,
        /// How many there may be.
        limit: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// An edited mapping contradicts itself, the network or the machine.
    #[error("{layer}: {problem}")]
    Invalid {
        /// Layer.
        layer: String,
        /// Key of the layer's entry that is wrong.
        key: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
}

impl MappingError {
    /// What to do about it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::BoardTooSmall { .. } => "add chips (board.chips) or lower the weight bits",
            Self::BufferTooSmall { .. } => {
                "raise edram.bytes, cut the layer's map into more strips, or lower its activation bits"
            }
            Self::OutputRegisterTooSmall { .. } => {
                "raise tile.output_register_bytes or choose an IMA shape with fewer columns"
            }
            Self::NoShape { .. } => "raise ima.input_register_bytes or ima.output_register_bytes",
            Self::Limit { remedy, .. } => remedy,
            Self::Invalid { remedy, .. } => remedy,
        }
    }

    /// The layers it is about; none if it is about all of them.
    pub fn layers(&self) -> &[String] {
        match self {
            Self::BoardTooSmall { .. } | Self::Limit { layer: None, .. } => &[],
            Self::BufferTooSmall { layers, .. } | Self::OutputRegisterTooSmall { layers, .. } => layers,
            Self::NoShape { layer } | Self::Limit { layer: Some(layer), .. } | Self::Invalid { layer, .. } => {
                std::slice::from_ref(layer)
            }
        }
    }
}

impl From<MappingError> for Fault {
    fn from(error: MappingError) -> Fault {
        Fault::new(error.to_string(), error.remedy())
    }
}
