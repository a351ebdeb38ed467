//! Crossbar layers: convolutions and fully connected layers.
//!
//! A layer's map has two sizes: `output`, one window per position, and `pooled`, after the max-pool. They are equal
//! where the layer has no pool. A fully connected layer is a kernel as large as its input, with a single window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Kernel;

/// Height, width and channels of a feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Rows.
    #[schemars(range(min = 1, max = 16384))]
    pub height: u32,
    /// Columns.
    #[schemars(range(min = 1, max = 16384))]
    pub width: u32,
    /// Channels.
    #[schemars(range(min = 1, max = 65536))]
    pub channels: u32,
}

/// Kind of a layer with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// A kernel moved over the map.
    Convolution,
    /// One window as large as the map.
    FullyConnected,
}

/// A convolution or fully connected layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name, unique in the network.
    pub name: String,
    /// Convolution or fully connected.
    pub kind: LayerKind,
    /// Map that the layer reads.
    pub input: Shape,
    /// Window over that map; the kernel of a fully connected layer is its whole input.
    pub kernel: Kernel,
    /// Groups of channels that are convolved apart; 1 where every output reads every input channel.
    pub groups: u32,
    /// Map of windows, before any pool.
    pub output: Shape,
    /// Max-pool in the tiles of the layer, if its values travel in one way only, of which this pool is the last step.
    /// Adjacent pools are composed into one.
    pub pool: Option<Kernel>,
    /// Map after that pool.
    pub pooled: Shape,
    /// Rows and columns cut from an edge of the output map by a crop (AQuA Table II), if the network states them.
    pub crop: Option<CropSize>,
}

/// Rows and columns that one cut takes from a layer's output map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CropSize {
    /// Columns cut at the left or right edge.
    #[schemars(range(max = 16384))]
    pub x: u32,
    /// Rows cut at the top or bottom edge.
    #[schemars(range(max = 16384))]
    pub y: u32,
}

impl Layer {
    /// Returns the windows per image: output positions before the pool.
    pub fn windows(&self) -> u64 {
        u64::from(self.output.height) * u64::from(self.output.width)
    }

    /// Returns the inputs of one window in one group, each of which takes a crossbar row.
    pub fn rows(&self) -> u32 {
        self.kernel.positions() * (self.input.channels / self.groups)
    }

    /// Returns the multiply-accumulates of one window.
    pub fn macs_per_window(&self) -> u64 {
        u64::from(self.rows()) * u64::from(self.output.channels)
    }
}
