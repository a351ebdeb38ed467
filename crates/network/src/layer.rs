//! Layers and the feature maps between them.
//!
//! A layer's map has two sizes: `output`, one window per position, and `pooled`, after the max-pool. They are equal
//! where the layer has no pool. A fully connected layer is a kernel as large as its input, with a single window.

use index::IndexVec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Graph, LayerId, Preprocessing};

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

/// A checked chain of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Name shown in reports.
    pub name: String,
    /// One input image.
    pub input: Shape,
    /// Preprocessing that turns an image file into the input.
    pub preprocessing: Preprocessing,
    /// Layers with weights, in order. Max-pools belong to the layer before them.
    pub layers: IndexVec<LayerId, Layer>,
}

impl Network {
    /// Returns the edges between the layers and the host.
    pub fn graph(&self) -> Graph {
        Graph::chain(self.layers.len())
    }
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

/// A convolution or fully connected layer, with the max-pool that follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name, unique in the network.
    pub name: String,
    /// Convolution or fully connected.
    pub kind: LayerKind,
    /// Map that the layer reads.
    pub input: Shape,
    /// Rows of the kernel; a fully connected layer's kernel is its whole input.
    pub kernel_height: u32,
    /// Columns of the kernel.
    pub kernel_width: u32,
    /// Step of the window, in rows and columns.
    pub stride: u32,
    /// Zeros around the map on each side.
    pub padding: u32,
    /// Map of windows, before any pool.
    pub output: Shape,
    /// Max-pool that follows; adjacent pools are composed into one.
    pub pool: Option<Pool>,
    /// Map after the pool, which the next layer reads.
    pub pooled: Shape,
    /// Rows and columns cut from an edge of the output map by a crop (AQuA Table II), if the network states them.
    pub crop: Option<CropSize>,
}

/// A max-pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Rows and columns of the window.
    pub kernel: u32,
    /// Step of the window.
    pub stride: u32,
    /// Positions of padding on each side, which are never the maximum.
    pub padding: u32,
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

    /// Returns the inputs of one window, each of which takes a crossbar row.
    pub fn rows(&self) -> u32 {
        self.kernel_height * self.kernel_width * self.input.channels
    }

    /// Returns the multiply-accumulates of one window.
    pub fn macs_per_window(&self) -> u64 {
        u64::from(self.rows()) * u64::from(self.output.channels)
    }
}

impl Pool {
    /// Composes this pool and `next`, which follows it, into one: its window covers all windows of this pool under one
    /// window of `next`. `None` if a size does not fit 32 bits.
    pub(crate) fn then(self, next: Pool) -> Option<Pool> {
        let overlap = (next.kernel - 1).checked_mul(self.stride)?;
        Some(Pool {
            kernel: self.kernel.checked_add(overlap)?,
            stride: self.stride.checked_mul(next.stride)?,
            padding: next.padding.checked_mul(self.stride)?.checked_add(self.padding)?,
        })
    }
}
