//! Mapping of a network onto the crossbars of a board.
//!
//! A layer's weights form a matrix, which is cut into crossbars and these into IMAs. One whole set of a layer's
//! crossbars is a replica; the replicas of a layer compute different windows. docs/model.md, "Mapping in short",
//! defines the words.
//!
//! - [`Mapping`] is a plain value: the IMA shape of each layer, the grid of its replicas and the first IMA of each. It
//!   can be written to a TOML file, edited, read back and run.
//! - [`Balance`] chooses a mapping and returns its layout, with as many replicas as a [`Fill`] aims at. [`balance()`],
//!   [`balance_cropped`] and [`balance_to`] are its common cases. All that it depends on is a [`Problem`], and of the
//!   machine that is its [`Fabric`].
//! - [`Geometry`] cuts one replica into crossbars and IMAs. [`Area`] is what is dealt to the replicas of a layer.
//! - [`InputSlice`] is the part of a layer's input map that one tile receives, [`InputOrder`] its positions in order.
//! - [`Layout`] holds everything that follows from a mapping. It is computed once, checked, and read by the simulation.
//!
//! # Numbers
//!
//! Tiles and IMAs are numbered over the board: chip by chip, tile by tile. A position is row times width plus column of
//! a layer's map after its max-pool. A step is the number of a window among the windows of its replica, cropped windows
//! left out. All of these start at 0; windows, positions and steps count within one image.
//!
//! Layers are indexed by [`LayerId`](network::LayerId), and the parts of a layout by [`TileId`], [`ReplicaId`],
//! [`GroupId`], [`SliceId`] and [`ReceiverId`]. The layers before and after one are those that [`Layout::graph`] names.
//!
//! # Invariants
//!
//! - Every window that is not cropped belongs to exactly one replica, and an IMA to one replica at most.
//! - In every tile of a layout, the eDRAM buffer holds the inputs that must be there at once, and the output register
//!   one window of each output group.
//! - The numbers of a layout fit their widths; a layout that exceeds them is refused with [`MappingError::Limit`].
//!
//! # Example
//!
//! ```
//! use mapper::Layout;
//! use network::Plan;
//!
//! let arch = arch::load("tiny")?;
//! let network = network::load("tiny")?;
//! let plan = Plan::uniform(&network, 16, 16);
//! let layout = mapper::balance(&arch, &network, &plan).expect("the network fits the board");
//! for (mapped, layer) in layout.layers.iter().zip(&network.layers) {
//!     assert_eq!(mapped.computed_windows(), layer.windows());
//! }
//!
//! // An edited file can be run as well.
//! let text = layout.mapping.to_toml();
//! let read = Layout::parse(&text, "mapping.toml", &arch, &network, &plan)?;
//! assert_eq!(read.mapping, layout.mapping);
//! # Ok::<(), document::Faults>(())
//! ```

mod balance;
mod crops;
mod fabric;
mod fill;
mod geometry;
mod grid;
mod ids;
mod input_slice;
mod layer_layout;
mod layout;
mod levels;
mod limits;
mod mapping;
mod needed;
mod play;
mod reading;
mod receive;
mod sharing;
mod skips;

use document::Fault;

pub use balance::{Balance, Problem, balance, balance_cropped, balance_to};
pub use fabric::Fabric;
pub use fill::Fill;
pub use geometry::{Geometry, ImaSpec, OutputGroup};
pub use grid::Area;
pub use ids::{GroupId, LevelId, ReceiverId, ReplicaId, SliceId, TileId};
pub use input_slice::{InputOrder, InputSlice, Reader};
pub use layer_layout::{LayerLayout, Window};
pub use layout::{Capacities, Destination, Layout, MapLayout};
pub use levels::{Finish, Finishes, Level, Merge, Pool};
pub use mapping::{LayerMapping, Mapping};
pub use receive::unite;

/// Reason why a network cannot be mapped or a mapping cannot be run. [`MappingError::remedy`] states the remedy.
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
    /// More chips are to be filled than the board has.
    #[error("{chips} chips are to be filled, and {arch} has {available}")]
    NoSuchChips {
        /// Machine.
        arch: String,
        /// Chips to be filled.
        chips: u32,
        /// Chips of the board.
        available: u32,
    },
    /// The board does not hold the replicas that a number of cycles per image needs.
    #[error("{network} needs at least {least} cycles per image on {arch}, and {cycles} are wanted")]
    TooFewCycles {
        /// Network.
        network: String,
        /// Machine.
        arch: String,
        /// Cycles per image that are wanted.
        cycles: u64,
        /// Fewest cycles per image.
        least: u64,
    },
    /// The inputs that a tile must hold at once exceed its eDRAM buffer.
    #[error(
        "tile {tile} has to hold {needed} bytes of inputs of {}, and its eDRAM buffer has {available}",
        .layers.join(", ")
    )]
    BufferTooSmall {
        /// Tile of the board.
        tile: TileId,
        /// Layers with inputs in the tile.
        layers: Vec<String>,
        /// Bytes of inputs that must be in the buffer at once.
        needed: u64,
        /// Bytes of the buffer.
        available: u64,
    },
    /// The eDRAM buffer of a tile has too little room where paths of the network meet: the producer before them would stop,
    /// and then starve one of them.
    #[error(
        "tile {tile} has to hold {needed} bytes of {what} so that the paths to it do not stop each other, and its eDRAM \
         buffer has {free} bytes free"
    )]
    SkipTooLarge {
        /// Tile of the board.
        tile: TileId,
        /// Inputs that wait for those of another path.
        what: String,
        /// Layers with inputs in the tile.
        layers: Vec<String>,
        /// Bytes of these inputs that must be in the buffer at once.
        needed: u64,
        /// Bytes of the buffer that other inputs do not need.
        free: u64,
        /// Remedy.
        remedy: String,
    },
    /// The pipeline would stop for ever.
    #[error("the pipeline would stop: {what} in tile {tile} find no room while those of another path are awaited")]
    Stops {
        /// Tile of the board.
        tile: TileId,
        /// Inputs without room.
        what: String,
        /// Layer that reads them.
        layer: String,
    },
    /// The tile's output register does not hold one window of each output group in the tile.
    #[error(
        "tile {tile} finishes windows of {} with {needed} bytes of results at a time, and its output register \
         has {available}",
        .layers.join(", ")
    )]
    OutputRegisterTooSmall {
        /// Tile of the board.
        tile: TileId,
        /// Layers with results in the tile.
        layers: Vec<String>,
        /// Bytes of one window of each output group in the tile.
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
    /// A number exceeds the width that a layout has for it.
    #[error("{} {number} {what}, and the limit is {limit}", .layer.as_ref().map_or("the network has".to_owned(), |layer| format!("{layer} has")))]
    Limit {
        /// Layer; `None` for the network as a whole.
        layer: Option<String>,
        /// Counted things, in the plural.
        what: &'static str,
        /// Number of these things.
        number: u64,
        /// Largest number that a layout can hold.
        limit: u64,
        /// Remedy.
        remedy: &'static str,
    },
    /// An edited mapping contradicts itself, the network or the machine.
    #[error("{layer}: {problem}")]
    Invalid {
        /// Layer.
        layer: String,
        /// Key of the layer's entry that is wrong.
        key: &'static str,
        /// Contradiction, as shown after the name of the layer.
        problem: String,
        /// Remedy.
        remedy: String,
    },
}

impl MappingError {
    /// Returns the advice that is shown with the error.
    pub fn remedy(&self) -> &str {
        match self {
            Self::BoardTooSmall { .. } => "add chips (board.chips) or lower the weight bits",
            Self::NoSuchChips { .. } => "give fewer, or add chips (board.chips)",
            Self::TooFewCycles { .. } => "give more cycles, or add chips (board.chips)",
            Self::BufferTooSmall { .. } => {
                "raise edram.bytes, cut the layer's map into more strips, or lower its activation bits"
            }
            Self::OutputRegisterTooSmall { .. } => {
                "raise tile.output_register_bytes or choose an IMA shape with fewer columns"
            }
            Self::Stops { .. } => "put fewer copies into the tile, or raise edram.bytes",
            Self::NoShape { .. } => "raise ima.input_register_bytes or ima.output_register_bytes",
            Self::Limit { remedy, .. } => remedy,
            Self::SkipTooLarge { remedy, .. } | Self::Invalid { remedy, .. } => remedy,
        }
    }

    /// Returns the largest of those errors that one remedy removes, with their number, and all others with 1.
    pub fn distinct(errors: Vec<MappingError>) -> Vec<(MappingError, usize)> {
        let mut distinct: Vec<(MappingError, usize)> = Vec::new();
        for error in errors {
            match distinct.iter_mut().find(|(other, _)| other.needed().is_some() && other.remedy() == error.remedy()) {
                Some((largest, alike)) => {
                    *alike += 1;
                    if error.needed() > largest.needed() {
                        *largest = error;
                    }
                }
                None => distinct.push((error, 1)),
            }
        }
        distinct
    }

    /// Returns the bytes that a tile needs, for an error of which each tile may have its own.
    fn needed(&self) -> Option<u64> {
        match self {
            Self::BufferTooSmall { needed, .. } | Self::OutputRegisterTooSmall { needed, .. } => Some(*needed),
            _ => None,
        }
    }

    /// Returns the names of the layers concerned; empty if the error concerns the whole network.
    fn layers(&self) -> &[String] {
        match self {
            Self::BoardTooSmall { .. }
            | Self::NoSuchChips { .. }
            | Self::TooFewCycles { .. }
            | Self::Limit { layer: None, .. } => &[],
            Self::BufferTooSmall { layers, .. }
            | Self::SkipTooLarge { layers, .. }
            | Self::OutputRegisterTooSmall { layers, .. } => layers,
            Self::NoShape { layer }
            | Self::Stops { layer, .. }
            | Self::Limit { layer: Some(layer), .. }
            | Self::Invalid { layer, .. } => std::slice::from_ref(layer),
        }
    }
}

impl From<MappingError> for Fault {
    fn from(error: MappingError) -> Fault {
        Fault::new(error.to_string(), error.remedy())
    }
}
