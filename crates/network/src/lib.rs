//! Networks as chains of layers, and plans: the precision of each layer and region.

use serde::{Deserialize, Serialize};

/// Height, width and channels of a feature map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Channels.
    pub channels: u32,
}

/// A checked chain of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Name shown in reports.
    pub name: String,
    /// One input image.
    pub input: Shape,
    /// Layers with weights, in order; pools belong to the layer before them.
    pub layers: Vec<Layer>,
}

/// What a layer computes.
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
    /// Map that is read.
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
    /// Map handed to the next layer, after the pool.
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
    /// Positions of padding on each side, which never win.
    pub padding: u32,
}

/// Rows and columns that one cut takes from a layer's output map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CropSize {
    /// Columns cut at the left or right edge.
    pub x: u32,
    /// Rows cut at the top or bottom edge.
    pub y: u32,
}

impl Layer {
    /// Output positions of the layer.
    pub fn windows(&self) -> u64 {
        u64::from(self.output.height) * u64::from(self.output.width)
    }

    /// Inputs of one window: crossbar rows.
    pub fn rows(&self) -> u32 {
        self.kernel_height * self.kernel_width * self.input.channels
    }

    /// Multiply-accumulates of one window.
    pub fn macs_per_window(&self) -> u64 {
        u64::from(self.rows()) * u64::from(self.output.channels)
    }
}

/// Precision of every layer and region.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One entry per layer of the network.
    pub layers: Vec<LayerPlan>,
}

/// Precision of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerPlan {
    /// N_W: bits of a weight.
    pub weight_bits: u32,
    /// N_A: bits of an activation outside the regions.
    pub activation_bits: u32,
    /// Rectangles of the output map with bits of their own; where they overlap the last one counts.
    pub regions: Vec<Region>,
}

/// A rectangle of a layer's output map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Bits of an activation; 0 crops the region.
    pub bits: u32,
}

impl LayerPlan {
    /// Bits of the window at row `y` and column `x`; 0 where it is cropped.
    pub fn bits_at(&self, y: u32, x: u32) -> u32 {
        let within = |r: &&Region| (r.top..r.top + r.height).contains(&y) && (r.left..r.left + r.width).contains(&x);
        let region = self.regions.iter().rev().find(within);
        region.map_or(self.activation_bits, |r| r.bits)
    }

    /// The most bits that any window has: the width in which inputs are stored.
    pub fn stored_bits(&self) -> u32 {
        let regions = self.regions.iter().map(|r| r.bits);
        regions.fold(self.activation_bits, u32::max)
    }
}
