//! Maps that travel from tile to tile, and the stages that finish them.
//!
//! A [`Map`] is the unit that crossbar layers and merges read: the input image, or values of a layer after the
//! [`Stage`]s that the tiles which finish the layer's values do. A layer has one map for each different way in which
//! its values are read; maps of one layer with the same leading stages share the work of these.
//!
//! A reader sees a list of [`Part`]s, channel by channel. Concatenation, splits and shuffles of channels are
//! such lists and nothing else.

use std::ops::Range;

use crate::{Kernel, Node, Shape, Sides};

index::index! {
    /// A map that travels. Map 0 is the input image; the maps of a layer follow those of the layers before it.
    pub struct MapId(u32);
}

impl MapId {
    /// The input image.
    pub const INPUT: Self = Self(0);
}

/// The input image, or values of a layer after stages in the tiles that finish them.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Layer that computes the values; the host for the input image.
    pub producer: Node,
    /// Channels of the producer's values that the map has.
    pub channels: Range<u32>,
    /// Operations from the producer's values to the map, in order.
    pub stages: Vec<Stage>,
    /// Size after the last stage.
    pub shape: Shape,
}

impl Map {
    /// Returns the operands that the stages merge, each with the number of its stage.
    pub fn operands(&self) -> impl Iterator<Item = (usize, &[Part])> {
        self.stages.iter().enumerate().filter_map(|(number, stage)| Some((number, stage.operation.operand()?)))
    }

    /// Returns the size of the values before each stage, and at last that of the map. `values` are the producer's.
    pub fn shapes(&self, values: Shape) -> impl Iterator<Item = Shape> {
        let first = Shape { channels: self.channels.end - self.channels.start, ..values };
        let mut next = Some(first);
        let mut stages = self.stages.iter();
        std::iter::from_fn(move || {
            let shape = next?;
            next = stages.next().map(|stage| stage.operation.shape(shape).expect("sizes of stages have been checked"));
            Some(shape)
        })
    }
}

/// Returns the parts that hold these channels of what `parts` hold together.
pub(crate) fn slice(parts: &[Part], channels: &Range<u32>) -> Vec<Part> {
    let mut first = 0;
    let mut sliced = Vec::new();
    for part in parts {
        let length = part.channels.end - part.channels.start;
        let (start, end) = (channels.start.max(first), channels.end.min(first + length));
        if start < end {
            let offset = part.channels.start;
            sliced.push(Part { map: part.map, channels: start - first + offset..end - first + offset });
        }
        first += length;
    }
    sliced
}

/// Joins adjacent channels of one map.
pub(crate) fn joined(parts: impl IntoIterator<Item = Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.map == part.map && last.channels.end == part.channels.start => {
                last.channels.end = part.channels.end;
            }
            _ => joined.push(part),
        }
    }
    joined
}

/// Channels of a map, as part of what a layer, a merge or the host reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The map.
    pub map: MapId,
    /// Channels of the map, counted from its first.
    pub channels: Range<u32>,
}

/// One operation on finished values, in the tile that finishes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Name of the node of the network that asks for the operation, for reports, and for its values in the weights.
    pub name: String,
    /// The operation.
    pub operation: Operation,
}

/// Kind of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Adds an operand of the same shape, which arrives from other layers or the host.
    Add(Vec<Part>),
    /// Multiplies each channel by a factor and adds an offset. Both come with the weights of the stage's node, of which
    /// these channels apply.
    Affine(Range<u32>),
    /// A function of each value.
    Activation(Activation),
    /// Largest value of each window.
    MaxPool(Kernel),
    /// Mean of each window.
    AveragePool {
        /// The window.
        kernel: Kernel,
        /// Padding that counts in the divisor, as zeros; other padding does not.
        counted: Sides,
    },
}

impl Operation {
    /// Returns the operand that the operation merges.
    pub fn operand(&self) -> Option<&[Part]> {
        match self {
            Self::Add(parts) => Some(parts),
            Self::Affine(_) | Self::Activation(_) | Self::MaxPool(_) | Self::AveragePool { .. } => None,
        }
    }

    /// Returns the window of a pool.
    pub fn kernel(&self) -> Option<&Kernel> {
        match self {
            Self::MaxPool(kernel) | Self::AveragePool { kernel, .. } => Some(kernel),
            Self::Add(_) | Self::Affine(_) | Self::Activation(_) => None,
        }
    }

    /// Returns the size of the result on values of size `before`; `None` if a window is larger than these.
    pub fn shape(&self, before: Shape) -> Option<Shape> {
        let Some(kernel) = self.kernel() else { return Some(before) };
        let (height, width) = kernel.windows(before)?;
        Some(Shape { height, width, ..before })
    }
}

/// A function of one value: one look-up of the sigmoid unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x, at least `low` and at most `high`.
    Clip {
        /// Least result.
        low: f32,
        /// Largest result.
        high: f32,
    },
    /// x, times this slope below 0.
    LeakyRelu(f32),
    /// x, times a slope below 0 that comes with the weights of the stage's node, of which these channels apply.
    PRelu(Range<u32>),
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `slope` x + `offset`, at least 0 and at most 1.
    HardSigmoid {
        /// Factor of x.
        slope: f32,
        /// Added to it.
        offset: f32,
    },
    /// x min(max(x + 3, 0), 6) / 6.
    HardSwish,
    /// x / (1 + exp(-x)), x times its sigmoid.
    Swish,
}

impl Activation {
    /// Returns the function's value at `x`. `slope` is that of the channel, which matters to a `PRelu` only.
    pub fn apply(&self, x: f32, slope: f32) -> f32 {
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        match *self {
            Self::Relu => x.max(0.0),
            Self::Clip { low, high } => x.max(low).min(high),
            Self::LeakyRelu(slope) if x < 0.0 => slope * x,
            Self::PRelu(_) if x < 0.0 => slope * x,
            Self::LeakyRelu(_) | Self::PRelu(_) => x,
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::HardSigmoid { slope, offset } => (slope * x + offset).clamp(0.0, 1.0),
            Self::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Swish => x * sigmoid(x),
        }
    }
}
